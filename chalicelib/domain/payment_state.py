"""What became of paying for an order, in the words of the page that a buyer returns to."""

from enum import StrEnum

from chalicelib.domain.order import Order, OrderStatus, PaymentStatus


class PaymentState(StrEnum):
    PAID = "paid"  # it took its seat, whatever became of the group since: the order says
    SEAT_LOST = "seat_lost"  # it was paid and found no seat: all of it goes back
    CONFIRMING = "confirming"  # a gateway does not say: it is not to be paid again yet
    UNPAID = "unpaid"  # nothing was paid; it can be until the pay-by time
    TIMED_OUT = "timed_out"  # nothing was paid in time
    CLOSED = "closed"  # given up before that, by its buyer or the shop


def state_of(order: Order, *, is_known: bool, now_s: int) -> PaymentState:
    """is_known: whether the gateways have said what became of every open attempt."""
    if order.seat_payment is not None:
        return PaymentState.PAID
    if order.total_fen == 0 and order.status not in (OrderStatus.PENDING, OrderStatus.CLOSED):
        return PaymentState.PAID
    if any(paid.status is PaymentStatus.SUCCEEDED for paid in order.payments.values()):
        return PaymentState.SEAT_LOST
    if not is_known:
        return PaymentState.CONFIRMING
    if now_s >= order.pay_by_s:
        return PaymentState.TIMED_OUT
    return PaymentState.UNPAID if order.status is OrderStatus.PENDING else PaymentState.CLOSED
