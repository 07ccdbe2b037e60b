"""What is left, as buyers are shown it: read of the stock buckets, kept for a few seconds.

It decides nothing: what can be bought is decided by the condition of the write. A list is never
held up by it: it costs a bounded number of calls, and what they did not reach is shown as running.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from chalicelib.domain.activity import ActivityState, state_of
from chalicelib.errors import Busy
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.trade import StockItem
from chalicelib.timed_cache import TimedCache

KEPT_S = 5
KEPT_MAX = 512  # activities
KEYS_MAX = 100  # of one BatchGet; all buckets of an activity are fewer (domain.activity)
CALLS_MAX = 4  # for one list: one that looks into all activities, the others into the doubtful

Bucket = tuple[str, str]  # (SKU, key of the bucket)

_Key = tuple[str, str, int]  # merchant, activity, version
_left: TimedCache[_Key, Mapping[str, int]] = TimedCache(KEPT_S, KEPT_MAX)  # units by SKU
_in_stock: TimedCache[_Key, bool] = TimedCache(KEPT_S, KEPT_MAX)  # something is left of any SKU


def left(activity: ActivityItem, *, now_s: int) -> Mapping[str, int]:
    """Units left of each SKU of a running activity, at most KEPT_S old: one call or none.

    Of an activity that does not run nothing is told: its stock may have gone back.
    """
    if not _is_running(activity, now_s):
        return {}
    if _left.get(_key(activity), now_s) is None:
        with suppress(Busy):
            _read([activity], now_s)
    return _left.get(_key(activity), now_s) or {}


def is_sold_out(activity: ActivityItem, units: Mapping[str, int]) -> bool:
    """Whether the activity has nothing left, where so many units of its SKUs are."""
    return bool(activity.skus) and all(units.get(sku["sku_id"]) == 0 for sku in activity.skus)


def sold_out_among(activities: Iterable[ActivityItem], *, now_s: int) -> set[str]:
    """The ids of those that run and have nothing left, at most KEPT_S old: CALLS_MAX calls at most.

    One call looks into some buckets of each; of those in which it found nothing, all are read.
    """
    running = [item for item in activities if _is_running(item, now_s)]
    with suppress(Busy):
        _look_into([item for item in running if not _is_known(item, now_s)], now_s)
        doubtful = [item for item in running if not _is_known(item, now_s)]
        for part in _parts(doubtful)[: CALLS_MAX - 1]:
            _read(part, now_s)
    return {
        item.activity_id
        for item in running
        if is_sold_out(item, _left.get(_key(item), now_s) or {})
    }


def clear_cache() -> None:
    """Read everything anew."""
    _left.clear_cache()
    _in_stock.clear_cache()


def _look_into(activities: Sequence[ActivityItem], now_s: int) -> None:
    """Note which of the activities have something in a sample of their buckets. One call."""
    if not activities:
        return
    each = max(1, KEYS_MAX // len(activities))
    samples: dict[str, ActivityItem] = {}
    for item in activities[:KEYS_MAX]:
        buckets = _buckets(item)
        chosen = random.sample(buckets, min(each, len(buckets)))
        samples |= {pk: item for _, pk in chosen}
    for bucket in StockItem.batch_get([(pk, "stock") for pk in samples]):
        if bucket.available:
            _in_stock.put(_key(samples[bucket.pk]), True, now_s)


def _read(activities: Sequence[ActivityItem], now_s: int) -> None:
    """Note what is left of activities whose buckets are KEYS_MAX together at most. One call."""
    skus = {pk: (item, sku_id) for item in activities for sku_id, pk in _buckets(item)}
    units = {_key(item): dict.fromkeys((s["sku_id"] for s in item.skus), 0) for item in activities}
    for bucket in StockItem.batch_get([(pk, "stock") for pk in skus]):
        item, sku_id = skus[bucket.pk]
        units[_key(item)][sku_id] += bucket.available
    for key, of_skus in units.items():
        _left.put(key, of_skus, now_s)


def _parts(activities: Sequence[ActivityItem]) -> list[list[ActivityItem]]:
    """The activities in chunks whose buckets fit into one call."""
    parts: list[list[ActivityItem]] = []
    room = 0
    for item in activities:
        wanted = len(_buckets(item))
        if not parts or wanted > room:
            parts.append([])
            room = KEYS_MAX
        parts[-1].append(item)
        room -= wanted
    return parts


def _buckets(activity: ActivityItem) -> list[Bucket]:
    merchant_id, activity_id = activity.merchant_id, activity.activity_id
    return [
        (sku["sku_id"], StockItem.at(merchant_id, activity_id, sku["sku_id"], number).pk)
        for sku in activity.skus
        for number in range(activity.buckets)
    ]


def _is_running(activity: ActivityItem, now_s: int) -> bool:
    state = state_of(activity.status, activity.starts_at_s, activity.ends_at_s, now_s=now_s)
    return state is ActivityState.RUNNING


def _is_known(activity: ActivityItem, now_s: int) -> bool:
    key = _key(activity)
    return _left.get(key, now_s) is not None or _in_stock.get(key, now_s) is not None


def _key(activity: ActivityItem) -> _Key:
    return activity.merchant_id, activity.activity_id, activity.version
