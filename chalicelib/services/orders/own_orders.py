"""A buyer's own orders: by tab, with how many there are in each; by a number of a payment; one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.ids import OrderId, split_out_trade_no
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.own_order import Tab, check_urge, tabs_of, waiting_in
from chalicelib.errors import NotFound
from chalicelib.services.orders import orders
from chalicelib.services.orders.order_lists import Found
from chalicelib.services.people import buyers
from chalicelib.tables.base import LostRace, as_read, get_or_none, retried, transaction
from chalicelib.tables.buyers import AfterSaleItem, BuyerItem
from chalicelib.tables.trade import GroupItem, OrderDetailItem, OrderItem
from chalicelib.tables.trade_item import TradeItem, buyer_pk

LOOKED_AT = 300  # orders of less than 1 KB each: one call
ALL = "all"
# In these an order's group may still change; later its own state tells all.
IN_OPEN_GROUP = (OrderStatus.PENDING, OrderStatus.PAID)


_Key = tuple[str, str]


@dataclass(frozen=True)
class OwnOrder(Found):
    """group: as long as the order waits for it. request: for after-sale, while it is open."""

    request: AfterSaleItem | None


@dataclass(frozen=True)
class Page:
    """next_no: the page goes on with the orders before this number; None: it does not. counts: of
    those that wait in each tab, and of all; None where that is not known, on later pages or beyond
    LOOKED_AT."""

    found: list[OwnOrder]
    next_no: str | None
    counts: Mapping[str, int] | None


@dataclass(frozen=True)
class _Look:
    """Orders, newest first; whole: there are no older ones."""

    orders: list[OrderItem]
    whole: bool


def page(
    merchant_id: str, buyer_ids: Sequence[str], tab: Tab | None, *, before: str | None, limit: int
) -> Page:
    """A page of a buyer's orders, newest first: one query per id, and one read of what rows show.

    A tab's page may have fewer than `limit`, even none, while there is a next one. Raises
    SessionSuperseded for a closed account that has any.
    """
    everything = before is None or tab is not None
    look = _look(merchant_id, buyer_ids, before, LOOKED_AT if everything else limit + 1)
    fitting = [order for order in look.orders if tab is None or tab in tabs_of(order.view())]
    rows = fitting[:limit]
    next_no = None
    if len(fitting) > limit:
        next_no = rows[-1].order_no
    elif not look.whole:
        next_no = look.orders[-1].order_no
    if not rows:
        buyers.refuse_closed(get_or_none(BuyerItem.at(merchant_id, buyer_ids[0])))
    counts = _counts(look.orders) if before is None and look.whole else None
    return Page(_with_details(merchant_id, rows), next_no, counts)


def read(merchant_id: str, order_id: OrderId) -> OwnOrder:
    """One order with its detail; its group as long as that may change, and a request that is open:
    one read more. Raises NotFound, SessionSuperseded for a closed account."""
    order, detail = orders.detail_for_buyer(merchant_id, order_id)
    keys = _keys_around(order)
    items = {(item.pk, item.sk): item for item in TradeItem.batch_get(keys)} if keys else {}
    return _own(order, detail, items)


def urge(merchant_id: str, order_id: OrderId, *, now_s: int) -> None:
    """Note that its buyer asks the shop to hurry; staff see it with the order. Raises NotFound,
    SessionSuperseded, or Conflict where there is nothing to hurry, or too soon after the last
    time."""

    def step() -> None:
        order, detail = orders.detail_for_buyer(merchant_id, order_id)
        check_urge(order.view(), detail.urged_at_s or 0, now_s=now_s)
        with transaction() as writes:
            writes.check(order, condition=OrderItem.status == order.status, refuse=LostRace)
            writes.update(
                detail,
                [OrderDetailItem.urged_at_s.set(now_s)],
                condition=as_read(OrderDetailItem.urged_at_s, detail.urged_at_s)
                & OrderDetailItem.pk.exists(),
                refuse=LostRace,
            )

    retried(step)


def by_payment(merchant_id: str, buyer_ids: Sequence[str], number: str) -> OwnOrder:
    """The order of a payment: by our number of it (out_trade_no), or by the gateway's, among the
    newest LOOKED_AT orders. Raises as `read`."""
    ours = split_out_trade_no(number)
    if ours is not None and ours[0].buyer_id in buyer_ids:
        found = read(merchant_id, ours[0])
        if ours[1] in found.order.payments.as_dict():
            return found
    for order in _look(merchant_id, buyer_ids, None, LOOKED_AT).orders:
        payments = order.payments.as_dict().values()
        if any(payment.get("transaction_id") == number for payment in payments):
            return read(merchant_id, order.order_id)
    raise NotFound("没有找到这个订单。")


def _look(merchant_id: str, buyer_ids: Sequence[str], before: str | None, most: int) -> _Look:
    """The newest orders before a number. Of several ids, those that all of them were looked at
    for."""
    found: list[OrderItem] = []
    since = ""
    whole = True
    for buyer_id in buyer_ids:
        page = OrderItem.query(
            buyer_pk(merchant_id, buyer_id),
            OrderItem.sk.between("order#", f"order#{before or '~'}"),
            scan_index_forward=False,
            limit=most,
            page_size=most,
        )
        found += page
        if page.last_evaluated_key is not None:
            whole, since = False, max(since, page.last_evaluated_key["sk"]["S"])
    found = [order for order in found if order.sk >= since and order.order_no != before]
    return _Look(sorted(found, key=lambda order: order.order_no, reverse=True), whole)


def _counts(found: Sequence[OrderItem]) -> dict[str, int]:
    counted = Counter(tab for order in found for tab in waiting_in(order.view()))
    return {ALL: len(found), **{tab.value: counted[tab] for tab in Tab}}


def _with_details(merchant_id: str, rows: Sequence[OrderItem]) -> list[OwnOrder]:
    places = [OrderDetailItem.at(merchant_id, order.order_id) for order in rows]
    keys = {(place.pk, place.sk) for place in places}
    keys |= {key for order in rows for key in _keys_around(order)}
    keys |= {(order.pk, "buyer") for order in rows[:1]}
    items = {(i.pk, i.sk): i for i in TradeItem.batch_get(sorted(keys))} if keys else {}
    for order in rows[:1]:
        buyers.refuse_closed(items.get((order.pk, "buyer")))
    found = []
    for order, place in zip(rows, places, strict=True):
        detail = items.get((place.pk, place.sk))
        if isinstance(detail, OrderDetailItem):
            found.append(_own(order, detail, items))
    return found


def _keys_around(order: OrderItem) -> list[_Key]:
    """Of what else an order's row tells, where there is such a thing."""
    keys = []
    if order.group_id and order.status in IN_OPEN_GROUP:
        keys.append(_group_key(order))
    if order.after_sale:
        keys.append(_request_key(order))
    return keys


def _own(order: OrderItem, detail: OrderDetailItem, items: Mapping[_Key, TradeItem]) -> OwnOrder:
    group, request = items.get(_group_key(order)), items.get(_request_key(order))
    return OwnOrder(
        order,
        detail,
        group if isinstance(group, GroupItem) else None,
        request if isinstance(request, AfterSaleItem) else None,
    )


def _group_key(order: OrderItem) -> _Key:
    return GroupItem.at(order.merchant_id, order.group_id or "").pk, "group"


def _request_key(order: OrderItem) -> _Key:
    place = AfterSaleItem.at(order.merchant_id, order.order_id, order.after_sale or "")
    return place.pk, place.sk
