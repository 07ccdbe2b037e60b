"""Changes of stock by hand: into the shop, out of it, or on to an activity.

Each is recorded under an id of its own, so that a repeat changes nothing and every unit that
staff moved can be traced.
"""

from collections.abc import Callable

from chalicelib.domain.activity import spread
from chalicelib.domain.ids import new_id
from chalicelib.domain.product import STOCK_MAX
from chalicelib.errors import (
    ActivityClosed,
    IdempotencyMismatch,
    InvalidRequest,
    NotFound,
    ServiceError,
    SoldOut,
)
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, PageKey, Writes, get_or_none, retried, transaction
from chalicelib.tables.catalogue import ActivityItem, ProductItem, ProductStockItem
from chalicelib.tables.records import (
    RecordItem,
    StockAdjustmentItem,
    StockHistoryItem,
    adjusted,
)
from chalicelib.tables.trade import StockItem
from chalicelib.text import Text

REASON_MAX = 60


class _Repeated(Exception):
    """The adjustment is recorded already: this very request made it before."""

    def __init__(self, old: StockAdjustmentItem) -> None:
        super().__init__("repeated")
        self.old = old


def adjust_stock(
    merchant_id: str,
    product_id: str,
    sku_id: str,
    *,
    delta: int,
    reason: str,
    staff: str,
    now_s: int,
    adjustment_id: str | None = None,
) -> ProductStockItem:
    """Add `delta` units (or take them away) to what no activity holds; the record, the audit row.

    Raises NotFound, SoldOut when fewer are there than are to go, InvalidRequest, or Busy.
    """
    if delta == 0 or abs(delta) > STOCK_MAX:
        words = Text("增减数量要在 1 到 {max} 件之间，请修改。", max=STOCK_MAX)
        raise InvalidRequest(words, field="delta")
    record = StockAdjustmentItem.at(
        merchant_id,
        product_id,
        adjustment_id or new_id(),
        at_s=now_s,
        sku_id=sku_id,
        delta=delta,
        reason=reason,
        staff=staff,
    )
    stock = ProductStockItem.at(merchant_id, product_id, sku_id)
    enough = ProductStockItem.available.between(max(0, -delta), STOCK_MAX - max(0, delta))

    def step() -> None:
        with transaction() as writes:
            _put(writes, record)
            writes.update(
                stock,
                [ProductStockItem.available.add(delta)],
                condition=enough,
                refuse=lambda old: _refusal_to_adjust(old, delta),
            )
            subject = f"product#{product_id}"
            after = {"sku_id": sku_id, "delta": delta, "reason": reason}
            audit(writes, merchant_id, staff, "stock_adjusted", subject, {}, after, now_s)

    _once(step, record)
    return _read(stock)


def add_stock(
    merchant_id: str,
    activity_id: str,
    sku_id: str,
    *,
    quantity: int,
    staff: str,
    now_s: int,
    adjustment_id: str | None = None,
) -> int:
    """Move `quantity` units from the product to an activity that is not over, over all buckets.

    Written together: product, buckets, record, audit row. Returns what the product has left.
    Raises NotFound, ActivityClosed, SoldOut, InvalidRequest or Busy.
    """
    if not 1 <= quantity <= STOCK_MAX:
        words = Text("增加数量要在 1 到 {max} 件之间，请修改。", max=STOCK_MAX)
        raise InvalidRequest(words, field="quantity")
    activity = get_or_none(ActivityItem.at(merchant_id, activity_id))
    if activity is None:
        raise NotFound("没有找到这个活动。")
    catalogue_cache.terms_of(activity).sku(sku_id)
    record = StockAdjustmentItem.at(
        merchant_id,
        activity.product_id,
        adjustment_id or new_id(),
        at_s=now_s,
        sku_id=sku_id,
        delta=-quantity,
        activity_id=activity_id,
        reason="活动补货",
        staff=staff,
    )
    stock = ProductStockItem.at(merchant_id, activity.product_id, sku_id)

    def step() -> None:
        with transaction() as writes:
            _put(writes, record)
            _refuse_when_over(writes, activity, now_s)
            writes.update(
                stock,
                [ProductStockItem.available.add(-quantity)],
                condition=ProductStockItem.available >= quantity,
                refuse=lambda old: _refusal_to_adjust(old, -quantity),
            )
            for bucket, units in enumerate(spread(quantity, activity.buckets)):
                if units:
                    _fill(writes, StockItem.at(merchant_id, activity_id, sku_id, bucket), units)
            subject = f"activity#{activity_id}"
            after = {"sku_id": sku_id, "quantity": quantity}
            audit(writes, merchant_id, staff, "activity_stock_added", subject, {}, after, now_s)

    _once(step, record)
    return _read(stock).available


def history(
    merchant_id: str, product_id: str, *, after: PageKey | None = None, limit: int
) -> tuple[list[StockHistoryItem], PageKey | None]:
    """The changes of a product's stock by hand, the newest first, and where the list goes on.

    Raises NotFound.
    """
    if get_or_none(ProductItem.at(merchant_id, product_id)) is None:
        raise NotFound("没有找到这个商品。")
    found = RecordItem.query(
        adjusted(merchant_id, product_id),
        scan_index_forward=False,
        limit=limit,
        last_evaluated_key=after,
    )
    return [item for item in found if isinstance(item, StockHistoryItem)], found.last_evaluated_key


def _put(writes: Writes, record: StockAdjustmentItem) -> None:
    """The record under its id, where a repeat meets it, and in the order of time."""
    writes.put(record, refuse=_Repeated)
    listed = StockHistoryItem.at(
        record.merchant_id,
        record.pk.rsplit("#", 1)[1],
        record.at_s,
        record.sk,
        sku_id=record.sku_id,
        delta=record.delta,
        activity_id=record.activity_id,
        reason=record.reason,
        staff=record.staff,
    )
    writes.put(listed, refuse=LostRace)


def _refuse_when_over(writes: Writes, activity: ActivityItem, now_s: int) -> None:
    writes.check(
        activity,
        condition=(ActivityItem.ends_at_s > now_s) & ActivityItem.ended_at_s.does_not_exist(),
        refuse=lambda old: ActivityClosed("活动已结束，不能增加库存。可以复制为新活动。"),
    )


def _fill(writes: Writes, bucket: StockItem, units: int) -> None:
    writes.update(
        bucket,
        [StockItem.available.add(units)],
        condition=StockItem.available.exists() & StockItem.ended.does_not_exist(),
        refuse=lambda old: ActivityClosed("活动已结束，不能增加库存。可以复制为新活动。"),
    )


def _once(step: Callable[[], None], record: StockAdjustmentItem) -> None:
    """Make the adjustment, or find that it was made. Raises IdempotencyMismatch for another one."""
    try:
        retried(step)
    except _Repeated as repeated:
        old = repeated.old
        was = (old.pk, old.sku_id, old.delta, old.activity_id)
        if was != (record.pk, record.sku_id, record.delta, record.activity_id):
            raise IdempotencyMismatch from repeated


def _refusal_to_adjust(old: ProductStockItem | None, delta: int) -> ServiceError:
    if old is None:
        return NotFound("没有找到这个规格。")
    if delta < 0:
        words = Text(
            "可售库存只有 {available} 件，请减少数量，或先补充库存。", available=old.available
        )
        return SoldOut(words, available=old.available)
    return InvalidRequest(
        Text("库存最多 {max} 件，现有 {available} 件。", max=STOCK_MAX, available=old.available),
        field="delta",
    )


def _read(stock: ProductStockItem) -> ProductStockItem:
    item = get_or_none(stock)
    if item is None:
        raise LostRace
    return item
