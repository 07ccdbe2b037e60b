"""Letting go of an unpaid order: the gateway closes its attempts, then its seat is free."""

from chalicelib import observability
from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.plain_text import within_sentence
from chalicelib.domain.texts import TextKey
from chalicelib.domain.unpaid_order import check_pending
from chalicelib.errors import AlreadyPaid
from chalicelib.services import timeouts
from chalicelib.services.groups import settlement
from chalicelib.services.growth import coupons
from chalicelib.services.money import attempt_closing
from chalicelib.services.orders import notifications, order_release, orders
from chalicelib.services.people.audit import audit_item
from chalicelib.tables.base import LostRace, Writes
from chalicelib.tables.trade import OrderDetailItem, OrderItem


def cancel(merchant_id: str, order_id: OrderId, *, now_s: int) -> None:
    """Give up an order at its buyer's word: a pending one, or a leader's who is still alone.

    A repeat changes nothing. Raises NotFound, SessionSuperseded, AlreadyPaid, Conflict when
    somebody has joined, PaymentUnsettled when the gateway does not say what became of a payment:
    nothing has changed then.
    """
    order = orders.get_for_buyer(merchant_id, order_id)
    if order.status == OrderStatus.PAID and order.group_id is not None:
        settlement.cancel_alone(merchant_id, order.group_id, order_id.buyer_id, now_s=now_s)
        return
    if order.status in (OrderStatus.CLOSED, OrderStatus.REFUNDING, OrderStatus.REFUNDED):
        return
    if order.status != OrderStatus.PENDING:
        raise AlreadyPaid("订单已付款，不能取消。需要退款请联系商家。")
    closed = attempt_closing.close_attempts_now(order, now_s=now_s)
    if order_release.release(order, closed, now_s=now_s):
        return
    _settle_decided(order, now_s=now_s)
    if orders.get(merchant_id, order_id).status != OrderStatus.CLOSED:
        raise AlreadyPaid("订单刚刚付款成功，不能取消。")


def close_by_shop(
    merchant_id: str, order_id: OrderId, reason: str, *, staff: str, now_s: int
) -> None:
    """Close an unpaid order at the shop's word; its buyer is told `reason`. Audited.

    A repeat changes nothing. Raises NotFound, AlreadyPaid, PaymentUnsettled as `cancel` does.
    """
    order = orders.get(merchant_id, order_id)
    if order.status == OrderStatus.CLOSED:
        return
    check_pending(order.view(), "closing")
    closed = attempt_closing.close_attempts_now(order, now_s=now_s)

    def also(writes: Writes, current: OrderItem) -> None:
        writes.update(
            OrderDetailItem.at(merchant_id, order_id),
            [
                OrderDetailItem.closed_words.set(reason),
                OrderDetailItem.closed_at_s.set(now_s),
                OrderDetailItem.closed_by.set(staff),
            ],
            condition=OrderDetailItem.pk.exists(),  # the order tells that it was not closed
            refuse=LostRace,
        )
        back = notifications.coupon_fact(coupons.comes_back(current, now_s=now_s))
        told = {"reason": within_sentence(reason), **back}
        notifications.put(writes, current, TextKey.CLOSED_BY_SHOP, now_s=now_s, **told)
        audit_item(writes, current, staff, "order_closed", {}, {"reason": reason}, now_s)

    if order_release.release(order, closed, also=also, now_s=now_s):
        return
    _settle_decided(order, now_s=now_s)
    if orders.get(merchant_id, order_id).status != OrderStatus.CLOSED:
        raise AlreadyPaid("订单刚刚付款成功，不能关闭。要退款，请用「退款」。")


def release_due(order: OrderItem, *, now_s: int) -> None:
    """Release a pending order at its pay-by time.

    A silent gateway is waited for a while (GatewayFailed); then the seat is freed all the same,
    the attempt stays due, and a payment that comes yet is refunded as late.
    """
    patient = now_s < order.pay_by_s + timeouts.GATEWAY_PATIENCE_S
    closed = attempt_closing.close_attempts(order, patient=patient, now_s=now_s)
    if order_release.release(order, closed, now_s=now_s):
        observability.count("SeatsReleased")


def _settle_decided(order: OrderItem, *, now_s: int) -> None:
    """Where the order's group was decided meanwhile, settling closes what was not paid."""
    group = orders.find_group(order.merchant_id, order.group_id) if order.group_id else None
    if group is not None:
        settlement.carry_out(group, now_s=now_s)
