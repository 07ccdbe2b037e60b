"""Letting go of an unpaid order: the gateway closes its attempts, then its seat is free."""

from chalicelib import observability
from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import OrderStatus, Payment, PaymentStatus
from chalicelib.errors import AlreadyPaid, GatewayFailed
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.services.money import payments
from chalicelib.services.trade import groups, orders, settlement, waits
from chalicelib.tables.trade import OrderItem


def cancel(merchant_id: str, order_id: OrderId, *, now_s: int) -> None:
    """Give up an order at its buyer's word: a pending one, or a leader's who is still alone.

    A repeat changes nothing. Raises NotFound, AlreadyPaid, Conflict when somebody has joined,
    GatewayFailed when the gateway does not answer: nothing has changed then.
    """
    order = orders.get(merchant_id, order_id)
    if order.status == OrderStatus.PAID and order.group_id is not None:
        settlement.cancel_alone(merchant_id, order.group_id, order_id.buyer_id, now_s=now_s)
        return
    if order.status in (OrderStatus.CLOSED, OrderStatus.REFUNDING, OrderStatus.REFUNDED):
        return
    if order.status != OrderStatus.PENDING:
        raise AlreadyPaid("订单已付款，不能取消。需要退款请联系商家。")
    closed = _close_attempts(order, patient=True, now_s=now_s)
    if orders.release(order, closed, now_s=now_s):
        return
    group = groups.find(merchant_id, order.group_id) if order.group_id else None
    if group is not None:  # decided, perhaps: then settling closes what was not paid
        settlement.carry_out(group, now_s=now_s)
    if orders.get(merchant_id, order_id).status != OrderStatus.CLOSED:
        raise AlreadyPaid("订单刚刚付款成功，不能取消。")


def release_due(order: OrderItem, *, now_s: int) -> None:
    """Release a pending order at its pay-by time.

    A silent gateway is waited for a while (GatewayFailed); then the seat is freed all the same,
    the attempt stays due, and a payment that comes yet is refunded as late.
    """
    patient = now_s < order.pay_by_s + waits.GATEWAY_PATIENCE_S
    closed = _close_attempts(order, patient=patient, now_s=now_s)
    if orders.release(order, closed, now_s=now_s):
        observability.count("SeatsReleased")


def _close_attempts(order: OrderItem, *, patient: bool, now_s: int) -> dict[str, Payment]:
    """The attempts that can never be paid any more. One that was paid is recorded at once."""
    closed = {}
    for attempt in order.view().created_attempts:
        try:
            payment = payments.resolve(order, attempt, closing=True, now_s=now_s)
        except (GatewayFailed, NotConfigured):
            if patient:
                raise
            continue
        if payment.status is PaymentStatus.CLOSED:
            closed[attempt] = payment
    return closed
