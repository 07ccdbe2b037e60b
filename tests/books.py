"""All items of one merchant, sorted out: what the laws are checked on."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pynamodb.models import Model

from chalicelib.tables.base import StoredItem
from chalicelib.tables.catalogue import ActivityItem, CatalogueItem, ProductStockItem, VersionItem
from chalicelib.tables.records import AuditItem, RecordItem, StockAdjustmentItem
from chalicelib.tables.trade import (
    ClosingItem,
    GroupItem,
    LimitItem,
    MessageItem,
    OrderDetailItem,
    OrderItem,
    StockItem,
    TradeItem,
)
from tests.gateway import HeldRefund, Record

TABLES: tuple[type[Model], ...] = (CatalogueItem, TradeItem, RecordItem)


@dataclass
class Books:
    """What is stored of one merchant, and what it is compared with."""

    merchant_id: str
    ledger: Record
    initial_stock: Mapping[str, int]
    now_s: int
    items: list[StoredItem]
    orders: dict[str, OrderItem] = field(default_factory=dict)
    details: dict[str, OrderDetailItem] = field(default_factory=dict)
    groups: dict[str, GroupItem] = field(default_factory=dict)
    buckets: dict[str, StockItem] = field(default_factory=dict)  # by pk
    limits: dict[tuple[str, str], LimitItem] = field(default_factory=dict)  # buyer, activity
    messages: dict[str, list[MessageItem]] = field(default_factory=dict)  # by order
    closings: dict[str, ClosingItem] = field(default_factory=dict)
    activities: dict[str, ActivityItem] = field(default_factory=dict)
    versions: dict[tuple[str, int], VersionItem] = field(default_factory=dict)
    product_stocks: dict[str, ProductStockItem] = field(default_factory=dict)  # by SKU
    adjustments: list[StockAdjustmentItem] = field(default_factory=list)
    audits: list[AuditItem] = field(default_factory=list)

    def sort_out(self) -> None:
        for item in self.items:
            match item:
                case OrderItem():
                    self.orders[str(item.order_id)] = item
                case OrderDetailItem():
                    self.details[_third(item) + item.sk.split("#")[1]] = item
                case GroupItem():
                    self.groups[item.group_id] = item
                case StockItem():
                    self.buckets[item.pk] = item
                case LimitItem():
                    self.limits[_third(item), item.sk.split("#")[1]] = item
                case MessageItem():
                    self.messages.setdefault(item.order_id, []).append(item)
                case ClosingItem():
                    self.closings[item.activity_id] = item
                case _:
                    self._sort_out_rest(item)

    def _sort_out_rest(self, item: Any) -> None:
        match item:
            case ActivityItem():
                self.activities[item.activity_id] = item
            case VersionItem():
                self.versions[item.activity_id, item.version] = item
            case ProductStockItem():
                self.product_stocks[item.sku_id] = item
            case StockAdjustmentItem():
                self.adjustments.append(item)
            case AuditItem():
                self.audits.append(item)

    @cached_property
    def adjusted(self) -> Counter[str]:
        """Units that staff brought in or took out of the shop by hand, by SKU."""
        units: Counter[str] = Counter()
        for row in self.adjustments:
            if row.activity_id is None:
                units[row.sku_id] += row.delta
        return units

    def members_orders(self, group: GroupItem) -> list[OrderItem]:
        seats = group.members.as_dict().items()
        found = (self.orders.get(buyer_id + order_no) for buyer_id, order_no in seats)
        return [order for order in found if order is not None]

    def terms_of(self, order: OrderItem) -> VersionItem | None:
        """The terms a group order was placed under; None for one bought alone."""
        return self.versions.get((order.activity_id, order.version))

    def group_price_fen(self, order: OrderItem) -> int | None:
        """What one unit of a group order costs by its terms; None for one bought alone."""
        offer = self.terms_of(order)
        skus = offer.skus if offer else ()
        prices = (sku["group_price_fen"] for sku in skus if sku["sku_id"] == order.sku_id)
        return next(prices, None)


def read(
    merchant_id: str, *, ledger: Record, initial_stock: Mapping[str, int], now_s: int
) -> Books:
    """Everything the three tables hold of the merchant, read consistently."""
    items = [
        item
        for table in TABLES
        for item in table.scan(StoredItem.pk.startswith(f"{merchant_id}#"), consistent_read=True)
    ]
    books = Books(merchant_id, ledger, initial_stock, now_s, items)  # type: ignore[arg-type]
    books.sort_out()
    return books


def record_of(summaries: list[dict[str, Any]], mchid: str) -> Record:
    """The record of one merchant in the local WeChat's ledger (`Ledger.summaries()`)."""
    from chalicelib.gateways.wechat_pay_statements import REFUND_STATUSES

    ours = [trade for trade in summaries if trade["mchid"] == mchid]
    captured = {t["out_trade_no"]: t["captured_fen"] for t in ours if t["captured_fen"]}
    refunds = {
        refund["out_refund_no"]: HeldRefund(
            trade["out_trade_no"], refund["amount_fen"], REFUND_STATUSES[refund["status"]]
        )
        for trade in ours
        for refund in trade["refunds"]
    }
    return Record(captured, refunds)


def _third(item: StoredItem) -> str:
    """The id in the key m#X#id."""
    return item.pk.split("#")[2]
