"""Lists of activities, for staff and for buyers, and what stock an activity has left."""

from collections.abc import Iterable, Sequence

from pynamodb.expressions.condition import Condition

from chalicelib.domain.activity import ActivityState, ActivityStatus, state_of
from chalicelib.domain.product import sought
from chalicelib.tables.base import PageKey, all_of
from chalicelib.tables.catalogue import ActivityItem, activities_list, rank
from chalicelib.tables.catalogue_item import ByCategory, ByList, CatalogueItem
from chalicelib.tables.trade import StockItem

LOOKED_AT_ONCE = 300  # activities in one call, where some are left aside; of some 2 KB each


def page(
    merchant_id: str,
    *,
    state: ActivityState | None = None,
    category_id: str | None = None,
    q: str = "",
    key: PageKey | None = None,
    limit: int,
    now_s: int,
) -> tuple[list[ActivityItem], PageKey | None]:
    """Activities in one state as staff look for them, and where the list goes on (None: nowhere).

    Ended ones (and all) come with the latest end first, the others with the soonest. q: words that
    the activity's title or its product's holds, all of them.
    """
    present = CatalogueItem.list_rank >= rank(now_s + 1)
    published = ActivityItem.status == ActivityStatus.PUBLISHED.value
    states: dict[ActivityState | None, tuple[Condition | None, list[Condition]]] = {
        None: (None, []),
        ActivityState.ENDED: (CatalogueItem.list_rank < rank(now_s + 1), []),
        ActivityState.PAUSED: (present, [ActivityItem.status == ActivityStatus.PAUSED.value]),
        ActivityState.SCHEDULED: (present, [published, ActivityItem.starts_at_s > now_s]),
        ActivityState.RUNNING: (present, [published, ActivityItem.starts_at_s <= now_s]),
    }
    within, conditions = states[state]
    conditions += [ActivityItem.words.contains(word) for word in sought(q)]
    found = ActivityItem.query(
        activities_list(merchant_id, category_id),
        within,
        all_of(conditions),
        scan_index_forward=state not in (None, ActivityState.ENDED),
        index_name=_index(category_id),
        limit=limit,
        page_size=LOOKED_AT_ONCE if conditions else None,
        last_evaluated_key=key,
    )
    return list(found), found.last_evaluated_key


def browse(
    merchant_id: str,
    *,
    category_id: str | None = None,
    q: str = "",
    among: Sequence[Condition] = (),
    key: PageKey | None = None,
    limit: int,
    now_s: int,
) -> tuple[list[ActivityItem], PageKey | None]:
    """What buyers see: activities that are not over, the soonest to end first, in one query. q: as
    for `page`."""
    conditions = [*among, *(ActivityItem.words.contains(word) for word in sought(q))]
    found = ActivityItem.query(
        activities_list(merchant_id, category_id),
        CatalogueItem.list_rank >= rank(now_s + 1),
        all_of(conditions),
        index_name=_index(category_id),
        limit=limit,
        page_size=LOOKED_AT_ONCE if conditions else None,
        last_evaluated_key=key,
    )
    return list(found), found.last_evaluated_key


def _index(category_id: str | None) -> str:
    """The index of a list: asked through the class of what is in it, a query names one kind; asked
    through the index, it would name all that the table has."""
    return (ByCategory if category_id else ByList).Meta.index_name


def stock_left(activity: ActivityItem) -> dict[str, int]:
    """Units that the activity has left of each SKU, read consistently in one call."""
    return stocks_left([activity])[activity.activity_id]


def stocks_left(activities: Iterable[ActivityItem]) -> dict[str, dict[str, int]]:
    """The same of many activities, by their ids: a hundred buckets in one call."""
    of_bucket = {
        StockItem.at(item.merchant_id, item.activity_id, sku["sku_id"], bucket).pk: (
            item.activity_id,
            sku["sku_id"],
        )
        for item in activities
        for sku in item.skus
        for bucket in range(item.buckets)
    }
    left: dict[str, dict[str, int]] = {}
    for activity_id, sku_id in of_bucket.values():
        left.setdefault(activity_id, {})[sku_id] = 0
    keys = [(pk, "stock") for pk in of_bucket]
    for bucket in StockItem.batch_get(keys, consistent_read=True):
        activity_id, sku_id = of_bucket[bucket.pk]
        left[activity_id][sku_id] += bucket.available
    return left


def sold_out(activities: Iterable[ActivityItem], *, now_s: int) -> set[str]:
    """The ids of those that run and have nothing left."""
    running = [
        item
        for item in activities
        if state_of(item.status, item.starts_at_s, item.ends_at_s, now_s=now_s)
        is ActivityState.RUNNING
    ]
    left = stocks_left(running)
    return {activity_id for activity_id, skus in left.items() if not any(skus.values())}
