"""Pickup: which orders may be made ready in their store, and which handed over."""

from collections.abc import Mapping

from chalicelib.domain.order import Order, OrderStatus
from chalicelib.errors import Conflict

CODE_LENGTH = 8  # digits, as people read them out


class PickupRefused(Conflict):
    """The order cannot be made ready or handed over, or not now: the message says why."""

    code = "pickup_refused"
    default_message = "这个订单现在不能备货或交货。"


NOT_READY_YET = "还没有点「备好了」，请先备货。"
REFUSALS: Mapping[OrderStatus, str] = {
    OrderStatus.PENDING: "订单还没有付款，不用备货。",
    OrderStatus.PAID: "还没有成团，成团后才能备货。",
    OrderStatus.COMPLETED: "订单已完成，买家已取货。",
    OrderStatus.CLOSED: "订单已关闭，不能交货。",
    OrderStatus.REFUNDING: "订单正在退款，不能交货。",
    OrderStatus.REFUNDED: "订单已退款，不能交货。",
}


def check_readiness(order: Order) -> None:
    """Return only when the order can be made ready. Raises PickupRefused."""
    if not order.pickup:
        raise PickupRefused("这个订单要快递发货，不是到店自提。", state=order.status.value)
    _check(order, OrderStatus.FULFILLING)


def check_hand_over(order: Order) -> None:
    """Return only when the order can be handed over. Raises PickupRefused."""
    _check(order, OrderStatus.READY_FOR_PICKUP)


def _check(order: Order, wanted: OrderStatus) -> None:
    if order.status is not wanted:
        words = REFUSALS.get(order.status, NOT_READY_YET)
        raise PickupRefused(words, state=order.status.value)
    if order.units.to_deliver <= 0:
        raise PickupRefused("商品都已退回库存，没有要交的货了。", state=order.status.value)
    if order.disputed:
        words = "买家申请了售后。请先处理售后申请，再备货或交货。"
        raise PickupRefused(words, state=order.status.value)
