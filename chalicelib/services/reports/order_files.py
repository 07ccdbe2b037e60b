"""Everything that is kept of one order, for the staff who look after it."""

from dataclasses import dataclass

from chalicelib.domain.ids import OrderId
from chalicelib.errors import NotFound
from chalicelib.services.after_sale import after_sales
from chalicelib.services.orders import notifications, orders
from chalicelib.tables.buyers import AfterSaleItem, BuyerItem, MessageItem
from chalicelib.tables.trade import GroupItem, OrderDetailItem, OrderItem
from chalicelib.tables.trade_item import TradeItem


@dataclass(frozen=True)
class OrderFile:
    order: OrderItem
    detail: OrderDetailItem
    buyer: BuyerItem | None
    group: GroupItem | None
    after_sales: list[AfterSaleItem]  # the first one first
    messages: list[MessageItem]  # of coupons that the shop gave, and of other groups


def read(merchant_id: str, order_id: OrderId) -> OrderFile:
    """The order with all that belongs to it, in four round trips. Raises NotFound."""
    key = OrderItem.at(merchant_id, order_id)
    keys = [(key.pk, key.sk), (key.pk, f"detail#{order_id.order_no}"), (key.pk, "buyer")]
    found = list(TradeItem.batch_get(keys, consistent_read=True))
    order = next((item for item in found if isinstance(item, OrderItem)), None)
    detail = next((item for item in found if isinstance(item, OrderDetailItem)), None)
    if order is None or detail is None:
        raise NotFound("没有找到这个订单。")
    return OrderFile(
        order=order,
        detail=detail,
        buyer=next((item for item in found if isinstance(item, BuyerItem)), None),
        group=orders.find_group(merchant_id, order.group_id) if order.group_id else None,
        after_sales=after_sales.of_order(merchant_id, order_id),
        messages=notifications.of_timeline(order),
    )
