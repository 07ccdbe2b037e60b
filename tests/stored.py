"""All items of one merchant, sorted out: what the laws are checked on."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from chalicelib.domain.group import GroupStatus
from chalicelib.domain.ids import split_out_refund_no
from chalicelib.domain.order import Order, OrderStatus, RefundReason, reason_of
from chalicelib.gateways.wechat_pay_statements import REFUND_STATUSES
from chalicelib.tables.base import StoredItem
from chalicelib.tables.buyers import AfterSaleItem, MessageItem, UnpaidOrdersItem
from chalicelib.tables.catalogue import ActivityItem, ProductStockItem, VersionItem
from chalicelib.tables.catalogue_item import CatalogueItem
from chalicelib.tables.counts import DayItem, TallyItem
from chalicelib.tables.records import (
    AuditItem,
    DayBookItem,
    DifferenceItem,
    RecordItem,
    RefusedCallbackItem,
    StockAdjustmentItem,
)
from chalicelib.tables.review_queue import (
    DifferenceReviewItem,
    RefundReviewItem,
    RejectedResultItem,
)
from chalicelib.tables.trade import (
    ClosingItem,
    GroupItem,
    LimitItem,
    OrderDetailItem,
    OrderItem,
    StockItem,
)
from chalicelib.tables.trade_item import TradeItem
from tests.gateway import HeldRefund, Record

UNDECIDED = {GroupStatus.PENDING, GroupStatus.OPEN}
KEPT = {  # orders that keep their money
    OrderStatus.PAID,
    OrderStatus.FULFILLING,
    OrderStatus.SHIPPED,
    OrderStatus.READY_FOR_PICKUP,
    OrderStatus.COMPLETED,
}
LIVE = KEPT | {OrderStatus.PENDING}  # orders that hold their units
TO_FULFIL = KEPT - {OrderStatus.PAID}
GIVEN_BACK = {OrderStatus.REFUNDING, OrderStatus.REFUNDED}


TABLES: tuple[type[StoredItem], ...] = (CatalogueItem, TradeItem, RecordItem)


@dataclass
class Books:
    """What is stored of one merchant, and what it is compared with."""

    merchant_id: str
    ledger: Record
    initial_stock: Mapping[str, int]
    now_s: int
    items: Sequence[StoredItem]
    orders: dict[str, OrderItem] = field(default_factory=dict)
    details: dict[str, OrderDetailItem] = field(default_factory=dict)  # by order
    groups: dict[str, GroupItem] = field(default_factory=dict)
    buckets: dict[str, StockItem] = field(default_factory=dict)  # by pk
    limits: dict[tuple[str, str], LimitItem] = field(default_factory=dict)  # buyer, activity
    holds: dict[str, UnpaidOrdersItem] = field(default_factory=dict)  # by buyer
    messages: dict[str, list[MessageItem]] = field(default_factory=dict)  # by order
    closings: dict[str, ClosingItem] = field(default_factory=dict)
    activities: dict[str, ActivityItem] = field(default_factory=dict)
    versions: dict[tuple[str, int], VersionItem] = field(default_factory=dict)
    product_stocks: dict[str, ProductStockItem] = field(default_factory=dict)  # by SKU
    after_sales: dict[str, list[AfterSaleItem]] = field(default_factory=dict)  # by order
    day_book: dict[str, list[DayBookItem]] = field(default_factory=dict)  # by number
    differences: list[DifferenceItem] = field(default_factory=list)
    difference_reviews: list[DifferenceReviewItem] = field(default_factory=list)
    adjustments: list[StockAdjustmentItem] = field(default_factory=list)
    audits: list[AuditItem] = field(default_factory=list)
    days: list[DayItem] = field(default_factory=list)  # the shards of all
    tallies: list[TallyItem] = field(default_factory=list)
    refund_troubles: list[RefundReviewItem] = field(default_factory=list)
    rejected_results: list[RejectedResultItem] = field(default_factory=list)
    refused_callbacks: list[RefusedCallbackItem] = field(default_factory=list)

    def __post_init__(self) -> None:
        for item in self.items:
            sort = _SORT.get(type(item))
            if sort is not None:
                sort(self, item)

    @cached_property
    def adjusted(self) -> Counter[str]:
        """Units that staff brought in or took out of the shop by hand, by SKU."""
        units: Counter[str] = Counter()
        for row in self.adjustments:
            if row.activity_id is None:
                units[row.sku_id] += row.delta
        return units

    def refund_of(self, number: str) -> tuple[OrderItem, str] | None:
        """(order, key) of a refund under a number of ours, or under one of staff's own that they
        have recorded; None when nobody recorded it."""
        parts = split_out_refund_no(number)
        if parts is not None:
            order = self.orders.get(str(parts[0]))
            known = order.view().refunds.get(parts[1]) if order else None
            return (order, parts[1]) if order and known and parts[2] <= known.serial else None
        for order in self.orders.values():
            for key, refund in order.view().refunds.items():
                if refund.number == number:
                    return order, key
        return None

    def members_orders(self, group: GroupItem) -> list[OrderItem]:
        seats = group.members.as_dict().items()
        found = (self.orders.get(buyer_id + order_no) for buyer_id, order_no in seats)
        return [order for order in found if order is not None]

    def gone(self, order: OrderItem) -> int:
        """Units of an order that are neither on a shelf nor will be: its buyer has or had them."""
        back = order.returned or 0
        if order.status in LIVE:
            return int(order.quantity - back)
        given_back_after_sale = order.status in GIVEN_BACK and after_sale_fen(order.view())
        return int(order.quantity - back) if given_back_after_sale else 0

    def terms_of(self, order: OrderItem) -> VersionItem | None:
        """The terms a group order was placed under; None for one bought alone."""
        return self.versions.get((order.activity_id, order.version))

    def group_price_fen(self, order: OrderItem) -> int | None:
        """What one unit of a group order costs by its terms; None for one bought alone."""
        offer = self.terms_of(order)
        skus = offer.skus if offer else ()
        prices = (sku["group_price_fen"] for sku in skus if sku["sku_id"] == order.sku_id)
        return next(prices, None)


def after_sale_fen(order: Order) -> int:
    """What after-sale gives or gave back of an order."""
    refunds = order.refunds.items()
    return sum(r.amount_fen for key, r in refunds if reason_of(key) is RefundReason.AFTER_SALE)


def items_of(merchant_id: str) -> list[StoredItem]:
    """Everything the three tables hold of the merchant, read consistently."""
    ours = StoredItem.pk.startswith(f"{merchant_id}#")
    return [item for table in TABLES for item in table.scan(ours, consistent_read=True)]


def items_of_all() -> dict[str, list[StoredItem]]:
    """The same of every merchant, by merchant_id, in one reading."""
    found: dict[str, list[StoredItem]] = {}
    for table in TABLES:
        for item in table.scan(consistent_read=True):
            found.setdefault(item.pk.partition("#")[0], []).append(item)
    return found


def record_of(summaries: list[dict[str, Any]], mchid: str, account: str = "") -> Record:
    """The record of one account of a merchant's in a local gateway's ledger
    (`Ledger.summaries()`)."""
    ours = [trade for trade in summaries if trade["mchid"] == mchid]
    captured = {t["out_trade_no"]: t["captured_fen"] for t in ours if t["captured_fen"]}
    asked = {trade["out_trade_no"]: trade["asked"] for trade in ours}
    asked |= {r["out_refund_no"]: r["asked"] for trade in ours for r in trade["refunds"]}
    refunds = {
        refund["out_refund_no"]: HeldRefund(
            trade["out_trade_no"], refund["amount_fen"], REFUND_STATUSES[refund["status"]]
        )
        for trade in ours
        for refund in trade["refunds"]
    }
    return Record(captured, refunds, dict.fromkeys(captured, account), asked)


def _third(item: StoredItem) -> str:
    """The id in the key m#X#id."""
    return item.pk.split("#")[2]


def _rest(item: StoredItem) -> str:
    return item.sk.split("#")[1]


_SORT: dict[type[StoredItem], Callable[[Books, Any], Any]] = {
    OrderItem: lambda books, item: books.orders.update({str(item.order_id): item}),
    OrderDetailItem: lambda books, item: books.details.update({_third(item) + _rest(item): item}),
    GroupItem: lambda books, item: books.groups.update({item.group_id: item}),
    StockItem: lambda books, item: books.buckets.update({item.pk: item}),
    LimitItem: lambda books, item: books.limits.update({(_third(item), _rest(item)): item}),
    UnpaidOrdersItem: lambda books, item: books.holds.update({_third(item): item}),
    MessageItem: lambda books, item: books.messages.setdefault(item.order_id, []).append(item),
    ClosingItem: lambda books, item: books.closings.update({item.activity_id: item}),
    ActivityItem: lambda books, item: books.activities.update({item.activity_id: item}),
    VersionItem: lambda books, item: books.versions.update(
        {(item.activity_id, item.version): item}
    ),
    ProductStockItem: lambda books, item: books.product_stocks.update({item.sku_id: item}),
    AfterSaleItem: lambda books, item: books.after_sales.setdefault(item.order_id, []).append(item),
    DayBookItem: lambda books, item: books.day_book.setdefault(item.number, []).append(item),
    DifferenceItem: lambda books, item: books.differences.append(item),
    DifferenceReviewItem: lambda books, item: books.difference_reviews.append(item),
    StockAdjustmentItem: lambda books, item: books.adjustments.append(item),
    AuditItem: lambda books, item: books.audits.append(item),
    DayItem: lambda books, item: books.days.append(item),
    TallyItem: lambda books, item: books.tallies.append(item),
    RefundReviewItem: lambda books, item: books.refund_troubles.append(item),
    RejectedResultItem: lambda books, item: books.rejected_results.append(item),
    RefusedCallbackItem: lambda books, item: books.refused_callbacks.append(item),
}
