"""What staff decide about after-sale: an approval is a refund like any other, from then on.

It puts the refund, its ledger entry, what comes back to the stock and the audit row into one
transaction. The group stays formed, its other members are untouched.
"""

from collections.abc import Mapping

from chalicelib.domain import after_sale as rules
from chalicelib.domain.after_sale import AfterSaleRefused, AfterSaleStatus
from chalicelib.domain.ids import OrderId
from chalicelib.errors import InvalidRequest
from chalicelib.services.money import after_sales, refund_requests
from chalicelib.services.people.audit import audit
from chalicelib.services.trade import news, reservations
from chalicelib.tables.base import Writes, retried, transaction
from chalicelib.tables.buyers import AfterSaleItem
from chalicelib.tables.trade import OrderItem


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
    come. A repeat changes nothing. Raises NotFound, AfterSaleRefused when it was decided
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
        known = order.view()
        rules.check_request(known, amount_fen, now_s=now_s)
        if amount_fen > asked.amount_fen:
            raise InvalidRequest(
                "退款金额不能超过买家申请的金额。", field="amount_fen", max=asked.amount_fen
            )
        came_back = (asked.units or 0) if asked.status == AfterSaleStatus.RETURNING else 0
        rules.check_units_back(known, units_back, came_back=came_back)
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
                to_product=to_product,
                condition=OrderItem.after_sale == letter,
                now_s=now_s,
            )
            before = {"status": asked.status, "amount_fen": asked.amount_fen, "units_back": 0}
            _audit(writes, asked, "after_sale_approved", before, decided, staff, now_s)
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
        if asked.status == AfterSaleStatus.RETURN_AGREED:
            raise AfterSaleRefused("已同意退货，等买家寄回。收到商品后再决定。", state=asked.status)
        after = {"status": AfterSaleStatus.REFUSED.value, "reply": reply}
        with transaction() as writes:
            after_sales.decide(
                writes, asked, AfterSaleStatus.REFUSED, [AfterSaleItem.reply.set(reply)], now_s
            )
            after_sales.forget(writes, order, letter)
            news.put_after_sale_refused(writes, order, letter, reply, now_s=now_s)
            _audit(
                writes, asked, "after_sale_refused", {"status": asked.status}, after, staff, now_s
            )
        return after_sales.read(merchant_id, order_id, letter)[1]

    return retried(step)


def _audit(
    writes: Writes,
    asked: AfterSaleItem,
    action: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
    staff: str,
    now_s: int,
) -> None:
    subject = f"after_sale#{asked.order_id}{asked.letter}"
    audit(writes, asked.merchant_id, staff, action, subject, before, after, now_s)
