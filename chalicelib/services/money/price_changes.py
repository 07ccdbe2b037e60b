"""A lower price for one order that is not paid yet, by staff.

Attempts to pay the old price are closed at their gateways first: one that was paid wins, and the
order is then paid at the old price. What a gateway cannot close (a page that was never opened) may
still be paid there; that is refunded as a payment too many (services.money.captures). The terms of
the order's activity and group stay as they are.
"""

from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import Payment
from chalicelib.domain.order_transitions import price_lowered
from chalicelib.domain.texts import TextKey
from chalicelib.domain.unpaid_order import check_price
from chalicelib.services.money import attempt_closing
from chalicelib.services.orders import notifications, orders, state_changes
from chalicelib.services.people.audit import audit_item
from chalicelib.tables.base import LostRace, Writes, as_read, retried, transaction
from chalicelib.tables.trade import OrderDetailItem, OrderItem


def lower(
    merchant_id: str, order_id: OrderId, total_fen: int, *, staff: str, now_s: int
) -> OrderItem:
    """Let an unpaid order cost `total_fen`, freight included; its buyer is told. Audited.

    A repeat changes nothing. Raises NotFound, OrderClosed, AlreadyPaid, InvalidRequest,
    or PaymentUnsettled when a gateway does not answer: nothing has changed then.
    """

    def step() -> OrderItem:
        order, detail = orders.detail(merchant_id, order_id)
        if order.total_fen == total_fen:
            return order
        check_price(order.view(), total_fen, now_s=now_s)
        closed = attempt_closing.close_attempts_now(order, now_s=now_s)
        order, detail = orders.detail(merchant_id, order_id)
        check_price(order.view(), total_fen, now_s=now_s)  # one may have been paid
        with transaction() as writes:
            _write(writes, order, detail, total_fen, closed, staff, now_s)
        return orders.get(merchant_id, order_id)

    return retried(step)


def _write(
    writes: Writes,
    order: OrderItem,
    detail: OrderDetailItem,
    total_fen: int,
    closed: dict[str, Payment],
    staff: str,
    now_s: int,
) -> None:
    state_changes.write(writes, order, price_lowered(order.view(), total_fen, closed))
    changes = detail.price_changes or 0
    lines = detail.lines.as_dict()
    discount_fen = lines.get("discount_fen", 0) + order.total_fen - total_fen
    changed = {"total_fen": total_fen, "discount_fen": discount_fen}
    writes.update(
        detail,
        [
            OrderDetailItem.lines.set(lines | changed),
            OrderDetailItem.price_changes.set(changes + 1),
            OrderDetailItem.price_changed_at_s.set(now_s),
            OrderDetailItem.price_changed_by.set(staff),
        ],
        condition=OrderDetailItem.pk.exists()
        & as_read(OrderDetailItem.price_changes, detail.price_changes),
        refuse=LostRace,
    )
    key, suffix = TextKey.PRICE_LOWERED, f"{changes + 1:03d}"
    notifications.put(writes, order, key, suffix, now_s=now_s, amount_fen=total_fen)
    before, after = {"total_fen": order.total_fen}, {"total_fen": total_fen}
    audit_item(writes, order, staff, "order_price_lowered", before, after, now_s)
