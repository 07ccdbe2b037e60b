"""Lists of activities, for staff and for buyers, and what stock an activity has left."""

from chalicelib.domain.activity import ActivityState, ActivityStatus
from chalicelib.tables.base import PageKey
from chalicelib.tables.catalogue import ActivityItem, CatalogueItem, activities_list, rank
from chalicelib.tables.trade import StockItem


def page(
    merchant_id: str,
    *,
    state: ActivityState | None = None,
    category_id: str | None = None,
    key: PageKey | None = None,
    limit: int,
    now_s: int,
) -> tuple[list[ActivityItem], PageKey | None]:
    """Activities in one state as staff look for them, and where the list goes on (None: nowhere).

    Ended ones (and all) come with the latest end first, the others with the soonest.
    """
    present = CatalogueItem.list_rank >= rank(now_s + 1)
    within, condition = {
        None: (None, None),
        ActivityState.ENDED: (CatalogueItem.list_rank < rank(now_s + 1), None),
        ActivityState.PAUSED: (present, ActivityItem.status == ActivityStatus.PAUSED.value),
        ActivityState.SCHEDULED: (
            present,
            (ActivityItem.status == ActivityStatus.PUBLISHED.value)
            & (ActivityItem.starts_at_s > now_s),
        ),
        ActivityState.RUNNING: (
            present,
            (ActivityItem.status == ActivityStatus.PUBLISHED.value)
            & (ActivityItem.starts_at_s <= now_s),
        ),
    }[state]
    index = CatalogueItem.by_category if category_id else CatalogueItem.by_list
    found = index.query(
        activities_list(merchant_id, category_id),
        within,
        condition,
        scan_index_forward=state not in (None, ActivityState.ENDED),
        limit=limit,
        last_evaluated_key=key,
    )
    return [item for item in found if isinstance(item, ActivityItem)], found.last_evaluated_key


def browse(
    merchant_id: str,
    *,
    category_id: str | None = None,
    key: PageKey | None = None,
    limit: int,
    now_s: int,
) -> tuple[list[ActivityItem], PageKey | None]:
    """What buyers see: activities that are not over, the soonest to end first, in one query."""
    index = CatalogueItem.by_category if category_id else CatalogueItem.by_list
    found = index.query(
        activities_list(merchant_id, category_id),
        CatalogueItem.list_rank >= rank(now_s + 1),
        limit=limit,
        last_evaluated_key=key,
    )
    return [item for item in found if isinstance(item, ActivityItem)], found.last_evaluated_key


def stock_left(activity: ActivityItem) -> dict[str, int]:
    """Units that the activity has left of each SKU, read consistently in one call."""
    of_bucket = {
        StockItem.at(activity.merchant_id, activity.activity_id, sku["sku_id"], bucket).pk: sku[
            "sku_id"
        ]
        for sku in activity.skus
        for bucket in range(activity.buckets)
    }
    left = dict.fromkeys(of_bucket.values(), 0)
    keys = [(pk, "stock") for pk in of_bucket]
    for bucket in StockItem.batch_get(keys, consistent_read=True):
        left[of_bucket[bucket.pk]] += bucket.available
    return left
