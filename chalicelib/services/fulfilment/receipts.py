"""Receipt: an order that was shipped is completed, by its buyer or by itself after some days."""

from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import Intent, OrderStatus, next_intent
from chalicelib.domain.order_transitions import received
from chalicelib.errors import Conflict
from chalicelib.services.orders import orders, state_changes
from chalicelib.tables.base import retried
from chalicelib.tables.trade import OrderItem

REFUSED = {
    OrderStatus.PENDING: "订单还没有付款。",
    OrderStatus.PAID: "还没有成团，成团后商家才会发货。",
    OrderStatus.FULFILLING: "商品还没有全部发出，收到全部商品后再确认收货。",
    OrderStatus.READY_FOR_PICKUP: "请到门店出示取货码，取货后订单会自动完成。",
}


def confirm(merchant_id: str, order_id: OrderId, *, now_s: int) -> OrderItem:
    """Its buyer has received an order. A repeat changes nothing. Raises NotFound,
    SessionSuperseded, Conflict."""

    def step() -> OrderItem:
        order = orders.get_for_buyer(merchant_id, order_id)
        if order.status == OrderStatus.COMPLETED:
            return order
        if order.status != OrderStatus.SHIPPED:
            words = REFUSED.get(OrderStatus(order.status), "订单已关闭或已退款，不用确认收货。")
            raise Conflict(words, state=order.status)
        _receive(order, now_s)
        return orders.get(merchant_id, order_id)

    return retried(step)


def receive_due(order: OrderItem, *, now_s: int) -> None:
    """Complete an order that was shipped long ago, when it is due and nothing else is open.

    Safe to run twice: the order's own state decides.
    """

    def step() -> None:
        now = orders.get(order.merchant_id, order.order_id)
        if _is_due(now, now_s):
            _receive(now, now_s)

    if _is_due(order, now_s):
        retried(step)


def _is_due(order: OrderItem, now_s: int) -> bool:
    intent = next_intent(order.view())
    return intent is not None and intent[0] is Intent.RECEIPT and intent[1] <= now_s


def _receive(order: OrderItem, now_s: int) -> None:
    state_changes.write_alone(order, received(order.view(), now_s=now_s))
