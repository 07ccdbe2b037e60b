"""What staff do to a shop, its activities and orders, and the audit rows that it leaves."""

from chalicelib.domain.after_sale import Reason
from chalicelib.domain.shipping import PARCELS_MAX
from chalicelib.services import timeouts
from chalicelib.services.after_sale import after_sale_decisions, after_sales
from chalicelib.services.after_sale.after_sales import Claim
from chalicelib.services.catalogue import activities, adjustments, products
from chalicelib.services.fulfilment import shipping
from chalicelib.services.groups import activity_closing
from chalicelib.services.orders import orders
from chalicelib.tables.catalogue import ActivityItem, ProductStockItem
from chalicelib.tables.records import AuditItem, RecordItem
from chalicelib.tables.trade import OrderDetailItem, OrderItem
from tests.shop import STAFF, Shop, Sold

SF = "SF1234567890123"


def audited(shop: Shop, action: str) -> int:
    """How often this was done, by the audit log of the month that it is."""
    month = AuditItem.at(shop.merchant_id, shop.now_s, "").pk
    rows = RecordItem.query(month, consistent_read=True)
    return sum(isinstance(row, AuditItem) and row.action == action for row in rows)


def stock_of(shop: Shop, sold: Sold) -> ProductStockItem:
    """Of the product: what no activity holds."""
    return products.read(shop.merchant_id, sold.product_id).stocks[sold.sku_id]


def adjust(shop: Shop, sold: Sold, delta: int, adjustment_id: str | None = None) -> int:
    """Change the product's stock by hand; the units that it has then."""
    stock = adjustments.adjust_stock(
        shop.merchant_id,
        sold.product_id,
        sold.sku_id,
        delta=delta,
        reason="盘点",
        staff=STAFF,
        now_s=shop.now_s,
        adjustment_id=adjustment_id,
    )
    return int(stock.available)


def add_stock(
    shop: Shop,
    sold: Sold,
    quantity: int,
    *,
    sku_id: str | None = None,
    adjustment_id: str | None = None,
) -> int:
    """Move units from the product to the activity; the units that the product has then."""
    return adjustments.add_stock(
        shop.merchant_id,
        sold.activity_id,
        sku_id or sold.sku_id,
        quantity=quantity,
        staff=STAFF,
        now_s=shop.now_s,
        adjustment_id=adjustment_id,
    )


def pause(shop: Shop, sold: Sold) -> ActivityItem:
    return activities.pause(shop.merchant_id, sold.activity_id, staff=STAFF, now_s=shop.now_s)


def end(shop: Shop, sold: Sold, *, close_groups: bool = False) -> ActivityItem:
    return activity_closing.end(
        shop.merchant_id,
        sold.activity_id,
        close_groups=close_groups,
        staff=STAFF,
        now_s=shop.now_s,
    )


def close(shop: Shop, sold: Sold, *, later_s: int = 0) -> int:
    """Give the unsold stock back, as the job does; the units given back."""
    now_s = shop.now_s + later_s
    return activities.close(shop.merchant_id, sold.activity_id, now_s=now_s)


def close_is_due(shop: Shop, sold: Sold) -> None:
    """Let time pass until the activity is over and its stock may go back."""
    activity = activities.read(shop.merchant_id, sold.activity_id)
    shop.now_s = activity.ends_at_s + timeouts.CLOSING_AFTER_S


def to_ship(shop: Shop, quantity: int = 2) -> OrderItem:
    """A member's order of a group that is formed and settled."""
    sold = shop.activity(seats=2, limit_per_order=PARCELS_MAX + 1)
    order = shop.join(sold, shop.opened(sold), shop.buyer(), quantity=quantity)
    shop.pay(order)
    shop.run_jobs()
    return shop.order(order.order_id)


def ship(shop: Shop, order: OrderItem, number: str = SF, units: int | None = None) -> None:
    given = shipping.draft("顺丰", number, units)
    shipping.ship(shop.merchant_id, order.order_id, given, staff=STAFF, now_s=shop.now_s)


def give_back(shop: Shop, order: OrderItem, amount_fen: int, units: int = 0) -> None:
    """After-sale, asked for and approved, still to be carried out."""
    claim = Claim(amount_fen, Reason.LATE)
    asked = after_sales.request(shop.merchant_id, order.order_id, claim, now_s=shop.now_s)
    after_sale_decisions.approve(
        shop.merchant_id,
        order.order_id,
        str(asked.letter),
        amount_fen=amount_fen,
        units_back=units,
        staff=STAFF,
        now_s=shop.now_s,
    )


def detail(shop: Shop, order: OrderItem) -> OrderDetailItem:
    return orders.detail(shop.merchant_id, order.order_id)[1]
