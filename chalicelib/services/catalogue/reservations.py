"""What an order reserves and gives back: units of stock, and of its buyer's limit; and a seat of
the minute, which stays taken.

An activity's stock of a SKU lies in buckets with partition keys of their own. One bucket is
tried unread; when it is short, all are read, and only that read may say sold out.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pynamodb.expressions.condition import Condition

from chalicelib.errors import Busy, LimitReached, SoldOut, TooFastNow
from chalicelib.services import timeouts
from chalicelib.tables.base import TRIES_MAX, LostRace, Writes, retried
from chalicelib.tables.catalogue import ProductStockItem, SeatMinuteItem
from chalicelib.tables.trade import LimitItem, StockItem
from chalicelib.tables.trade_item import TradeItem
from chalicelib.text import Text
from chalicelib.timed_cache import TimedCache

SHORT_HINT_S = 1.0
SHORT_HINTS_MAX = 1000
MINUTE_KEPT_S = 3600  # what was counted in a minute, once it is over

_T = TypeVar("_T")
Plan = Mapping[int, int]  # bucket -> units to take from it

# A refused transaction is charged, a read of the buckets is cheap: for a second after a shortage
# this container reads first. A hint only; it decides nothing.
_short: TimedCache[tuple[str, str], bool] = TimedCache(SHORT_HINT_S, SHORT_HINTS_MAX)


@dataclass(frozen=True)
class Shelf:
    """Where the units of one SKU of an activity are; `product_id` is where they came from."""

    merchant_id: str
    activity_id: str
    product_id: str
    sku_id: str
    buckets: int


class StockShort(Exception):
    """The buckets of a plan had less than it wanted; others may have more."""


class ShelfEnded(Exception):
    """The activity is over and its buckets are emptied: returns go to the product."""


def taking(shelf: Shelf, quantity: int, attempt: Callable[[Plan], _T]) -> _T:
    """Call `attempt(plan)` until one finds its units.

    Raises SoldOut only after a consistent read of all buckets showed fewer than `quantity`;
    Busy when others were faster each time we looked.
    """
    hint = (shelf.activity_id, shelf.sku_id)
    read_first = _short.get(hint, time.monotonic()) is not None
    plan = (
        retried(lambda: _plan(shelf, quantity))
        if read_first
        else {random.randrange(shelf.buckets): quantity}
    )
    for _ in range(TRIES_MAX):
        try:
            return attempt(plan)
        except StockShort:
            _short.put(hint, True, time.monotonic())
        plan = retried(lambda: _plan(shelf, quantity))
    raise Busy


def clear_cache() -> None:
    """Forget what was short."""
    _short.clear_cache()


def _plan(shelf: Shelf, quantity: int) -> Plan:
    """From which buckets to take `quantity` units: the fullest first, ties at random."""
    left = {bucket.bucket: bucket.available for bucket in buckets_of(shelf)}
    plan, need = {}, quantity
    for bucket in sorted(left, key=lambda number: (-left[number], random.random())):
        units = min(left[bucket], need)
        if units > 0:
            plan[bucket] = units
            need -= units
    if need:
        raise SoldOut(available=sum(left.values()))
    return plan


def buckets_of(shelf: Shelf) -> list[StockItem]:
    """All buckets of the shelf, read consistently in one call."""
    keys = [(_bucket(shelf, number).pk, "stock") for number in range(shelf.buckets)]
    found = TradeItem.batch_get(keys, consistent_read=True)
    return [item for item in found if isinstance(item, StockItem)]


def take(writes: Writes, shelf: Shelf, plan: Plan) -> None:
    for number, units in plan.items():
        writes.update(
            _bucket(shelf, number),
            [StockItem.available.add(-units)],
            condition=(StockItem.available >= units) & StockItem.ended.does_not_exist(),
            refuse=lambda old: StockShort(),
        )


def take_from_only_bucket(writes: Writes, shelf: Shelf, units: int) -> None:
    """Take units of a shelf that has a single bucket: what it has left is all there is."""
    writes.update(
        _bucket(shelf, 0),
        [StockItem.available.add(-units)],
        condition=(StockItem.available >= units) & StockItem.ended.does_not_exist(),
        refuse=lambda old: SoldOut(available=old.available if old else 0),
    )


def give_back(writes: Writes, shelf: Shelf, units: int, *, to_product: bool) -> None:
    """Return units to any one bucket, or to the product once the activity's shelf has ended."""
    if to_product:
        give_back_to_product(writes, shelf.merchant_id, shelf.product_id, shelf.sku_id, units)
        return
    writes.update(
        _bucket(shelf, random.randrange(shelf.buckets)),
        [StockItem.available.add(units)],
        condition=StockItem.available.exists() & StockItem.ended.does_not_exist(),
        refuse=lambda old: ShelfEnded(),
    )


def giving_back(step: Callable[[bool], _T]) -> _T:
    """Run `step(to_product)`, first towards the shelf, and to the product when that has ended."""
    try:
        return step(False)
    except ShelfEnded:
        return step(True)


def take_from_product(
    writes: Writes, merchant_id: str, product_id: str, sku_id: str, units: int
) -> None:
    writes.update(
        ProductStockItem.at(merchant_id, product_id, sku_id),
        [ProductStockItem.available.add(-units)],
        condition=ProductStockItem.available >= units,
        refuse=lambda old: SoldOut(available=old.available if old else 0),
    )


def give_back_to_product(
    writes: Writes, merchant_id: str, product_id: str, sku_id: str, units: int
) -> None:
    writes.update(
        ProductStockItem.at(merchant_id, product_id, sku_id),
        [ProductStockItem.available.add(units)],
        condition=ProductStockItem.available.exists(),
        refuse=LostRace,
    )


def limit_used(merchant_id: str, ids: Sequence[str], activity_id: str) -> int:
    """Units of the activity that count against buyers who buy no more: they can only be fewer."""
    keys = [(item.pk, item.sk) for item in (LimitItem.at(merchant_id, i, activity_id) for i in ids)]
    found = list(TradeItem.batch_get(keys, consistent_read=True)) if keys else []
    return sum(item.used for item in found if isinstance(item, LimitItem))


def keep_pace(
    writes: Writes, merchant_id: str, activity_id: str, *, per_minute: int, now_s: int
) -> None:
    """Count a seat that is taken in this minute. One that is let go of gives nothing back."""
    minute = now_s // timeouts.PACE_S
    retry_at_s = (minute + 1) * timeouts.PACE_S
    room: Condition = SeatMinuteItem.taken < per_minute
    writes.update(
        SeatMinuteItem.at(merchant_id, activity_id, minute),
        [
            SeatMinuteItem.taken.add(1),
            SeatMinuteItem.ttl_s.set(retry_at_s + MINUTE_KEPT_S),
            SeatMinuteItem.merchant_id.set(merchant_id),
            SeatMinuteItem.kind.set(SeatMinuteItem),
        ],
        condition=SeatMinuteItem.taken.does_not_exist() | room,
        refuse=lambda old: TooFastNow(retry_at_s=retry_at_s),
    )


def count_limit(
    writes: Writes,
    merchant_id: str,
    buyer_id: str,
    activity_id: str,
    units: int,
    *,
    limit: int,
    elsewhere: int = 0,
    words: str = "这个活动每人限购 {max} 件，你已买 {used} 件。可以单独购买。",
) -> None:
    """Count `units` against the buyer's limit of the activity. elsewhere: see SeatClaim."""

    def refuse(old: LimitItem | None) -> LimitReached:
        used = (old.used if old else 0) + elsewhere
        return LimitReached(Text(words, max=limit, used=used), limit=limit, used=used)

    room = limit - elsewhere - units
    condition = LimitItem.used <= room
    writes.update(
        LimitItem.at(merchant_id, buyer_id, activity_id),
        [LimitItem.used.add(units), LimitItem.kind.set(LimitItem)],
        condition=condition if room < 0 else LimitItem.used.does_not_exist() | condition,
        refuse=refuse,
    )


def uncount_limit(
    writes: Writes, merchant_id: str, buyer_id: str, activity_id: str, units: int
) -> None:
    writes.update(
        LimitItem.at(merchant_id, buyer_id, activity_id),
        [LimitItem.used.add(-units)],
        condition=LimitItem.used >= units,
        refuse=LostRace,
    )


def _bucket(shelf: Shelf, number: int) -> StockItem:
    return StockItem.at(shelf.merchant_id, shelf.activity_id, shelf.sku_id, number)
