"""What staff decide about after-sale: an approval is a refund like any other, from then on.

It puts the refund, its ledger entry, what comes back to the stock and the audit row into one
transaction. The group stays formed, its other members are untouched. Approving an exchange refunds
its units instead, and its replacement goes back to the product.
"""

from collections.abc import Mapping

from chalicelib.domain import after_sale as rules
from chalicelib.domain.after_sale import AfterSaleRefused, AfterSaleStatus
from chalicelib.domain.ids import OrderId
from chalicelib.domain.money import yuan
from chalicelib.domain.texts import TextKey
from chalicelib.errors import InvalidRequest
from chalicelib.services.after_sale import after_sales, refund_requests
from chalicelib.services.catalogue import reservations
from chalicelib.services.orders import notifications
from chalicelib.services.people.audit import audit_item
from chalicelib.tables.base import retried, transaction
from chalicelib.tables.buyers import AfterSaleItem
from chalicelib.tables.trade import OrderItem
from chalicelib.text import Text

ON_ITS_WAY = "换新的商品已寄出，等买家收货。"
TOO_LATE_TO_REFUSE: Mapping[str, str] = {
    AfterSaleStatus.RETURN_AGREED: "已同意，等买家寄回。收到商品后再决定。",
    AfterSaleStatus.REPLACING: "已收到退回的商品，不能拒绝。请换新，或改为退款。",
    AfterSaleStatus.REPLACEMENT_SENT: ON_ITS_WAY,
}


def approve(
    merchant_id: str,
    order_id: OrderId,
    letter: str,
    *,
    amount_fen: int,
    units_back: int,
    staff: str,
    now_s: int,
) -> AfterSaleItem:
    """Approve a request, for what was asked or for less, and return units to the stock.

    Of a return that is on its way it says that the goods have come; before that, that they need not
    come. Of an exchange whose goods have come, the units are those that went back to the stock
    then. A repeat changes nothing. Raises NotFound, AfterSaleRefused when it was decided
    otherwise, InvalidRequest for the amount or the units.
    """

    def step(to_product: bool) -> AfterSaleItem:
        order, asked = after_sales.read(merchant_id, order_id, letter)
        if (asked.status, asked.amount_fen, asked.units_back) == (
            AfterSaleStatus.APPROVED,
            amount_fen,
            units_back,
        ):
            return asked
        after_sales.check_open(asked)
        rules.check_request(order.view(), amount_fen, now_s=now_s)
        _check_approval(order, asked, amount_fen, units_back)
        sent = asked.status in (AfterSaleStatus.RETURNING, AfterSaleStatus.REPLACING)
        came_back = (asked.units or 0) if sent else 0
        decided = {
            "status": AfterSaleStatus.APPROVED.value,
            "amount_fen": amount_fen,
            "units_back": units_back,
        }
        with transaction() as writes:
            after_sales.decide(
                writes,
                asked,
                AfterSaleStatus.APPROVED,
                [
                    AfterSaleItem.amount_fen.set(amount_fen),
                    AfterSaleItem.units_back.set(units_back),
                    AfterSaleItem.decided_by.set(staff),
                ],
                now_s,
            )
            refund_requests.request(
                writes,
                order,
                letter,
                amount_fen,
                units_back,
                came_back=came_back,
                on_sale=asked.units_back,
                reserved=asked.reserved,
                to_product=to_product,
                condition=OrderItem.after_sale == letter,
                now_s=now_s,
            )
            before = {
                "status": asked.status,
                "amount_fen": asked.amount_fen,
                "units_back": asked.units_back,
            }
            audit_item(writes, asked, staff, "after_sale_approved", before, decided, now_s)
        return after_sales.read(merchant_id, order_id, letter)[1]

    return retried(lambda: reservations.giving_back(step))


def refuse(
    merchant_id: str, order_id: OrderId, letter: str, *, reply: str, staff: str, now_s: int
) -> AfterSaleItem:
    """Refuse a request; its buyer is told `reply`. Raises NotFound, AfterSaleRefused."""

    def step() -> AfterSaleItem:
        order, asked = after_sales.read(merchant_id, order_id, letter)
        if (asked.status, asked.reply) == (AfterSaleStatus.REFUSED, reply):
            return asked
        after_sales.check_open(asked)
        if asked.status in TOO_LATE_TO_REFUSE:
            raise AfterSaleRefused(TOO_LATE_TO_REFUSE[asked.status], state=asked.status)
        after = {"status": AfterSaleStatus.REFUSED.value, "reply": reply}
        with transaction() as writes:
            said = [AfterSaleItem.reply.set(reply), AfterSaleItem.decided_by.set(staff)]
            after_sales.decide(writes, asked, AfterSaleStatus.REFUSED, said, now_s)
            after_sales.end_request(writes, order, letter)
            after_sales.release_replacement(writes, order, asked)
            key = TextKey.AFTER_SALE_REFUSED
            notifications.put(writes, order, key, letter, now_s=now_s, reply=reply)
            before = {"status": asked.status}
            audit_item(writes, asked, staff, "after_sale_refused", before, after, now_s)
        return after_sales.read(merchant_id, order_id, letter)[1]

    return retried(step)


def _check_approval(
    order: OrderItem, asked: AfterSaleItem, amount_fen: int, units_back: int
) -> None:
    """Raises AfterSaleRefused, or InvalidRequest for more than was asked or, of an exchange, than
    its units are worth by now; for units that the buyer keeps, or for others than those that are
    back on sale already."""
    if asked.status == AfterSaleStatus.REPLACEMENT_SENT:
        words = "换新的商品已寄出，等买家收货。买家收到后仍要退款的，可以再申请。"
        raise AfterSaleRefused(words, state=asked.status)
    most = asked.amount_fen
    if asked.exchange:  # its group may have given back some of what was paid since
        most = min(most, rules.worth_fen(order.view(), asked.units or 0))
    if amount_fen > most:
        words = "退款金额不能超过买家申请的金额。"
        if asked.exchange:
            words = Text("退款金额最多 {max}。", max=yuan(most))
        raise InvalidRequest(words, field="amount_fen", max=most)
    if asked.units and units_back > asked.units:
        words = Text("买家只退回 {units} 件，退回库存不能超过这个件数。", units=asked.units)
        raise InvalidRequest(words, field="units_back", max=asked.units)
    if asked.goods_at_s is not None and units_back != asked.units_back:
        raise InvalidRequest(
            Text("收货时已退回库存 {units} 件，请填 {units}。", units=asked.units_back),
            field="units_back",
            max=asked.units_back,
        )
