"""After-sale: a buyer asks for money back, or for other goods, until staff decide.

One request of an order is open at a time; the order names it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pynamodb.expressions.update import Action

from chalicelib.domain import after_sale as rules
from chalicelib.domain.after_sale import AfterSaleRefused, AfterSaleStatus, Kind, Reason
from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import AFTER_SALE_LETTERS, Order
from chalicelib.domain.order_transitions import (
    after_sale_ended,
    after_sale_requested,
    return_awaited,
)
from chalicelib.errors import InvalidRequest, NotFound
from chalicelib.services.catalogue import reservations
from chalicelib.services.media import pictures
from chalicelib.services.orders import orders, state_changes
from chalicelib.services.people import buyers, shop_cache
from chalicelib.tables.base import LostRace, PageKey, Writes, retried, transaction
from chalicelib.tables.buyers import AfterSaleItem, BuyerItem, after_sales_list
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem, buyer_pk, get_two, listed
from chalicelib.text import Text

OPEN_MAX = len(AFTER_SALE_LETTERS)


@dataclass(frozen=True)
class Claim:
    """What a buyer asks for."""

    amount_fen: int  # 0 for an exchange
    reason: Reason
    words: str = ""
    pictures: tuple[str, ...] = ()
    units: int = 0  # that are sent back; 0: only money is asked for
    exchange: bool = False  # for as many others of the same SKU

    @property
    def kind(self) -> Kind:
        if self.exchange:
            return Kind.EXCHANGE
        return Kind.RETURN if self.units else Kind.REFUND


@dataclass(frozen=True)
class Asked:
    """A request, and what its buyer is called; empty when the buyer never told."""

    item: AfterSaleItem
    buyer_name: str


def request(
    merchant_id: str,
    order_id: OrderId,
    claim: Claim,
    *,
    other_ids: Sequence[str] = (),
    now_s: int,
) -> AfterSaleItem:
    """Ask for money back, or for an exchange: the request, and the order that names it, together.

    The same claim again while it is open is the same request. other_ids: of the same person, whose
    pictures are theirs, too. Raises NotFound,
    AfterSaleRefused, InvalidRequest for the amount or a picture that is not the buyer's accepted
    one, SessionSuperseded for a closed account, or Busy.
    """

    _refuse_foreign(merchant_id, {order_id.buyer_id, *other_ids}, claim.pictures)

    def step() -> AfterSaleItem:
        order = orders.get(merchant_id, order_id)
        asked = of_order(merchant_id, order_id)
        if order.after_sale is not None:
            return _same_claim(asked, order.after_sale, claim)
        days = shop_cache.merchant(merchant_id, now_s).after_sale_days
        amount_fen = _check(order.view(), claim, now_s, days * rules.DAY_S)
        made = AfterSaleItem.at(
            merchant_id,
            order_id,
            rules.next_letter(len(asked)),
            units=claim.units or None,
            exchange=claim.exchange or None,
            pickup=(claim.exchange and bool(order.pickup)) or None,
            status=AfterSaleStatus.REQUESTED.value,
            title=order.title,
            short_serial=order.short_serial,
            amount_fen=amount_fen,
            reason=claim.reason.value,
            words=claim.words,
            pictures=list(claim.pictures),
            requested_at_s=now_s,
            list_key=after_sales_list(merchant_id, AfterSaleStatus.REQUESTED),
            list_rank=f"{now_s:010d}#{order_id}",
        )
        with transaction() as writes:
            writes.put(made, refuse=LostRace)
            state_changes.write(writes, order, after_sale_requested(order.view(), made.letter))
            buyers.keep_open(writes, merchant_id, order_id.buyer_id)
        return made

    return retried(step)


def withdraw(merchant_id: str, order_id: OrderId, letter: str, *, now_s: int) -> AfterSaleItem:
    """Take an open request back; a repeat changes nothing. Raises NotFound, AfterSaleRefused."""

    def step() -> AfterSaleItem:
        order, asked = read(merchant_id, order_id, letter)
        if asked.status == AfterSaleStatus.WITHDRAWN:
            return asked
        check_open(asked)
        if asked.status not in (AfterSaleStatus.REQUESTED, AfterSaleStatus.RETURN_AGREED):
            then = Text("换新" if asked.exchange else "退款")
            raise AfterSaleRefused(
                Text("商品已寄出，不能撤销。商家收到后会{then}，需要帮助请联系商家。", then=then),
                state=asked.status,
            )
        with transaction() as writes:
            decide(writes, asked, AfterSaleStatus.WITHDRAWN, [], now_s)
            end_request(writes, order, letter)
            release_replacement(writes, order, asked)
        return read(merchant_id, order_id, letter)[1]

    return retried(step)


def refundable_fen(order: Order) -> int:
    """What a buyer may ask back of an order now; 0 where there is no after-sale."""
    return order.refundable_fen if order.status in rules.STARTED else 0


def of_order(merchant_id: str, order_id: OrderId) -> list[AfterSaleItem]:
    """All requests of an order, the first one first."""
    page = AfterSaleItem.query(
        buyer_pk(merchant_id, order_id.buyer_id),
        AfterSaleItem.sk.startswith(f"after_sale#{order_id.order_no}#"),
        consistent_read=True,
        limit=OPEN_MAX,
    )
    return list(page)


def in_status(
    merchant_id: str, status: str, *, after: PageKey | None, limit: int
) -> tuple[list[Asked], PageKey | None]:
    """(requests in one status, the longest waiting first; the key the next page starts after)."""
    page = TradeItem.by_list.query(
        after_sales_list(merchant_id, status), limit=limit, last_evaluated_key=after
    )
    keys = [(item.pk, item.sk) for item in page]
    buyers = {(pk, "buyer") for pk, _ in keys}
    found = list(TradeItem.batch_get([*keys, *buyers], consistent_read=True))
    names = {item.pk: item.name for item in found if isinstance(item, BuyerItem)}
    requests = [item for item in found if isinstance(item, AfterSaleItem)]
    requests.sort(key=lambda item: item.list_rank or "")
    return [Asked(item, names.get(item.pk, "")) for item in requests], page.last_evaluated_key


def _check(order: Order, claim: Claim, now_s: int, period_s: int) -> int:
    """The amount of a claim that may be made now. Raises AfterSaleRefused, InvalidRequest."""
    kind = claim.kind
    if kind is not Kind.EXCHANGE:
        rules.check_request(order, claim.amount_fen, now_s=now_s, period_s=period_s)
    else:
        rules.check_period(order, now_s=now_s, period_s=period_s)
    if kind is not Kind.REFUND:
        rules.check_return(order, claim.units, kind)
    return rules.worth_fen(order, claim.units) if kind is Kind.EXCHANGE else claim.amount_fen


def _refuse_foreign(merchant_id: str, owners: set[str], urls: tuple[str, ...]) -> None:
    for i, url in enumerate(urls):
        if not any(pictures.is_accepted(merchant_id, url, owner) for owner in owners):
            words = Text("第 {number} 张图片不是在这里上传的，请重新上传。", number=i + 1)
            raise InvalidRequest(words, field=f"pictures[{i}]")


def _same_claim(asked: list[AfterSaleItem], letter: str, claim: Claim) -> AfterSaleItem:
    mine = next((item for item in asked if item.letter == letter), None)
    if mine is None:  # decided between two reads
        raise LostRace
    known = Claim(
        0 if mine.exchange else mine.amount_fen,
        Reason(mine.reason),
        mine.words,
        tuple(mine.pictures),
        units=mine.units or 0,
        exchange=bool(mine.exchange),
    )
    if known != claim:
        raise AfterSaleRefused("已有一个申请在等商家处理。要修改，请先撤销它。")
    return mine


def read(merchant_id: str, order_id: OrderId, letter: str) -> tuple[OrderItem, AfterSaleItem]:
    """An order and one request, in one consistent round trip. Raises NotFound."""
    if len(letter) != 1:
        raise NotFound("没有找到这个售后申请。")
    asked_key = AfterSaleItem.at(merchant_id, order_id, letter)
    order, asked = get_two(OrderItem.at(merchant_id, order_id), asked_key)
    if order is None or asked is None:
        raise NotFound("没有找到这个售后申请。")
    return order, asked


def check_open(asked: AfterSaleItem) -> None:
    """Raises AfterSaleRefused when the request was decided."""
    if asked.status not in rules.OPEN:
        words = Text(rules.status_words(AfterSaleStatus(asked.status), asked.asks_for))
        raise AfterSaleRefused(
            Text("这个申请已有结果（{words}），请刷新后查看。", words=words), state=asked.status
        )


def decide(
    writes: Writes,
    asked: AfterSaleItem,
    status: AfterSaleStatus,
    more: Sequence[Action],
    now_s: int,
) -> None:
    """Decide an open request, which is as it was read."""
    move(writes, asked, status, [AfterSaleItem.decided_at_s.set(now_s), *more])


def move(
    writes: Writes, asked: AfterSaleItem, status: AfterSaleStatus, more: Sequence[Action]
) -> None:
    """Bring a request into another status, and into the list of that."""
    writes.update(
        asked,
        [
            AfterSaleItem.status.set(status.value),
            *listed(after_sales_list(asked.merchant_id, status)),
            *more,
        ],
        condition=AfterSaleItem.status == asked.status,
        refuse=LostRace,
    )


def end_request(writes: Writes, order: OrderItem, letter: str) -> None:
    """The order waits for this request no longer."""
    state_changes.write(writes, _naming(order, letter), after_sale_ended(order.view()))


def wait_until(writes: Writes, order: OrderItem, letter: str, by_s: int | None) -> None:
    """Let the order wait for its buyer until `by_s`, about its open request; None: no more."""
    state_changes.write(writes, _naming(order, letter), return_awaited(order.view(), by_s or 0))


def _naming(order: OrderItem, letter: str) -> OrderItem:
    """The order, which names that request. Raises LostRace when it was ended between two reads."""
    if order.after_sale != letter:
        raise LostRace
    return order


def release_replacement(writes: Writes, order: OrderItem, asked: AfterSaleItem) -> None:
    """Give what lies in the shop for an exchange back to the product; `asked` is as it was read."""
    if asked.reserved:
        reservations.give_back_to_product(
            writes, order.merchant_id, order.product_id, order.sku_id, asked.reserved
        )
