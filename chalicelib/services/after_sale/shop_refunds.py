"""The shop gives money back of its own accord, by the machinery of after-sale.

It is recorded as a request that the shop made and approved at once: it takes the next letter of the
order's refunds, and buyers and staff find it among the order's after-sales.
"""

from chalicelib.domain import after_sale as rules
from chalicelib.domain.after_sale import AfterSaleStatus, Reason
from chalicelib.domain.ids import OrderId
from chalicelib.errors import IdempotencyMismatch
from chalicelib.services.after_sale import after_sales, refund_requests
from chalicelib.services.catalogue import reservations
from chalicelib.services.orders import orders
from chalicelib.services.people.audit import audit_item
from chalicelib.tables.base import LostRace, retried, transaction
from chalicelib.tables.buyers import AfterSaleItem, after_sales_list
from chalicelib.tables.trade import OrderItem


def refund(
    merchant_id: str,
    order_id: OrderId,
    *,
    amount_fen: int,
    units_back: int,
    reason: str,
    key: str,
    staff: str,
    now_s: int,
) -> AfterSaleItem:
    """Refund a paid order, all or part of what is left of it, and put units on sale again.

    reason: its buyer reads it. key: the same one again is the same refund. Raises NotFound,
    AfterSaleRefused, InvalidRequest for the amount or the units, IdempotencyMismatch.
    """

    def step(to_product: bool) -> AfterSaleItem:
        order = orders.get(merchant_id, order_id)
        asked = after_sales.of_order(merchant_id, order_id)
        mine = next((item for item in asked if item.key == key), None)
        if mine is not None:
            if (mine.amount_fen, mine.units_back, mine.words) != (amount_fen, units_back, reason):
                raise IdempotencyMismatch
            return mine
        rules.check_shop_refund(order.view(), amount_fen, now_s=now_s)
        made = AfterSaleItem.at(
            merchant_id,
            order_id,
            rules.next_letter(len(asked)),
            status=AfterSaleStatus.APPROVED.value,
            title=order.title,
            short_serial=order.short_serial,
            amount_fen=amount_fen,
            reason=Reason.OTHER.value,
            words=reason,
            requested_at_s=now_s,
            decided_at_s=now_s,
            units_back=units_back,
            by_staff=staff,
            key=key,
            list_key=after_sales_list(merchant_id, AfterSaleStatus.APPROVED),
            list_rank=f"{now_s:010d}#{order_id}",
        )
        with transaction() as writes:
            writes.put(made, refuse=LostRace)
            refund_requests.request(
                writes,
                order,
                made.letter,
                amount_fen,
                units_back,
                to_product=to_product,
                condition=OrderItem.after_sale.does_not_exist(),
                now_s=now_s,
            )
            after = {"amount_fen": amount_fen, "units_back": units_back, "reason": reason}
            audit_item(writes, made, staff, "order_refunded", {}, after, now_s)
        return made

    return retried(lambda: reservations.giving_back(step))
