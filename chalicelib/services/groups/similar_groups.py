"""Open groups that buy the same product as one that has failed, in another activity, or something
of its category: what its members are offered instead.
"""

from typing import NamedTuple

from chalicelib.domain.activity import ActivityState, Terms, state_of
from chalicelib.services.catalogue import activity_lists, catalogue_cache
from chalicelib.services.groups import joinable_groups
from chalicelib.timed_cache import TimedCache

ACTIVITIES_MAX = 10  # running ones of the category, the soonest to end, whose groups are looked at
GROUPS_MAX = 20  # of a category
LISTED_KEPT_S = 15


class _Listed(NamedTuple):
    list_rank: str  # the soonest due first
    product_id: str
    activity_id: str
    group_id: str


_listed: TimedCache[tuple[str, str], list[_Listed]] = TimedCache(LISTED_KEPT_S, entries_max=256)


def ids(merchant_id: str, like: Terms, *, now_s: int) -> list[str]:
    """The ids of open groups of other activities, as the lists of open groups say: those of the
    same product first, then the soonest due."""
    key = (merchant_id, like.category_id)
    found = _listed.read(key, lambda: _look_up(merchant_id, like.category_id, now_s), now_s)
    others = [one for one in found if one.activity_id != like.activity_id]
    others.sort(key=lambda one: one.product_id != like.product_id)
    return [one.group_id for one in others]


def clear_cache() -> None:
    """Read everything anew."""
    _listed.clear_cache()


def _look_up(merchant_id: str, category_id: str, now_s: int) -> list[_Listed]:
    """One call for the activities of a category, and one for each that runs."""
    items, _ = activity_lists.browse(
        merchant_id, category_id=category_id, limit=ACTIVITIES_MAX, now_s=now_s
    )
    found: list[_Listed] = []
    for item in items:
        state = state_of(item.status, item.starts_at_s, item.ends_at_s, now_s=now_s)
        if state is not ActivityState.RUNNING:
            continue
        offer = catalogue_cache.terms_of(item)
        found += [
            _Listed(str(group.list_rank), item.product_id, item.activity_id, group.group_id)
            for group in joinable_groups.listed(merchant_id, item.activity_id, offer, now_s=now_s)
        ]
    return sorted(found)[:GROUPS_MAX]
