"""The first page of a shop: its activities in the order asked for, and nearly full groups."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chalicelib.domain.activity import ActivityState, state_of
from chalicelib.services.catalogue import activity_lists, catalogue_cache
from chalicelib.services.groups import joinable_groups
from chalicelib.services.orders import counting, orders
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.trade import GroupItem, OrderItem
from chalicelib.tables.trade_item import TradeItem
from chalicelib.timed_cache import TimedCache

SORTED_MAX = 100  # activities, the soonest to end, that are sorted in another order
ACTIVITIES_MAX = 10  # running ones, the soonest to end, whose groups are looked at
GROUPS_MAX = 20
LISTED_KEPT_S = 15
_nearly_full: TimedCache[str, list[str]] = TimedCache(LISTED_KEPT_S, entries_max=256)


class Sort(StrEnum):
    ENDING = "ending"  # the soonest to end first
    SAVING = "saving"  # against buying alone
    PRICE = "price"  # the cheapest first
    FORMED = "formed"  # most groups formed


@dataclass(frozen=True)
class Wish:
    category_id: str | None = None
    q: str = ""
    sort: Sort = Sort.ENDING


@dataclass(frozen=True)
class Activities:
    """next_key: what the next page starts after; None: there is none. formed: groups of each."""

    items: list[ActivityItem]
    next_key: dict[str, Any] | None
    formed: Mapping[str, int]


@dataclass(frozen=True)
class HomeGroups:
    """Groups that lack one member and can be joined; those of the asker that wait, the soonest due
    first."""

    nearly_full: list[GroupItem]
    own: list[tuple[GroupItem, OrderItem]]


def activities(
    merchant_id: str, wish: Wish, *, key: dict[str, Any] | None, limit: int, now_s: int
) -> Activities:
    """A page of the activities that are not over. Another order than by their end is of the first
    SORTED_MAX by that."""
    by_end = wish.sort is Sort.ENDING
    items, after = activity_lists.browse(
        merchant_id,
        category_id=wish.category_id,
        q=wish.q,
        key=key if by_end else None,
        limit=limit if by_end else SORTED_MAX,
        now_s=now_s,
    )
    if by_end:
        return Activities(items, after, _formed(merchant_id, items, now_s))
    formed = _formed(merchant_id, items, now_s)
    items.sort(key=_rank(wish.sort, formed))
    start = int((key or {}).get("start", 0))
    end = start + limit
    return Activities(items[start:end], {"start": end} if end < len(items) else None, formed)


def groups(merchant_id: str, buyer_ids: Sequence[str], *, now_s: int) -> HomeGroups:
    """The groups on the first page of a visitor (no ids) or a buyer."""
    nearly = _nearly_full.read(merchant_id, lambda: _look_up(merchant_id, now_s), now_s)
    own = orders.of_buyer_since(merchant_id, buyer_ids, 0)
    wanted = joinable_groups.keys(merchant_id, sorted({*nearly, *joinable_groups.waiting_in(own)}))
    found = [i for i in TradeItem.batch_get(wanted) if isinstance(i, GroupItem)] if wanted else []
    free = joinable_groups.choose(nearly, found, buyer_ids, now_s=now_s).items
    return HomeGroups(
        [group for group in free if group.view().seats_missing == 1],
        joinable_groups.own_groups(own, found, now_s=now_s),
    )


def clear_cache() -> None:
    """Read everything anew."""
    _nearly_full.clear_cache()


def _look_up(merchant_id: str, now_s: int) -> list[str]:
    """The ids of groups that lack one member, as the lists of open groups say: one call for the
    activities, and one for each."""
    items, _ = activity_lists.browse(merchant_id, key=None, limit=ACTIVITIES_MAX, now_s=now_s)
    found: list[GroupItem] = []
    for item in items:
        state = state_of(item.status, item.starts_at_s, item.ends_at_s, now_s=now_s)
        if state is ActivityState.SCHEDULED:
            continue
        offer = catalogue_cache.terms_of(item)
        listed = joinable_groups.listed(merchant_id, item.activity_id, offer, now_s=now_s)
        found += [group for group in listed if group.seats_total - group.seats_paid == 1]
    found.sort(key=lambda group: str(group.list_rank))
    return [group.group_id for group in found[:GROUPS_MAX]]


def _formed(merchant_id: str, items: Sequence[ActivityItem], now_s: int) -> dict[str, int]:
    return counting.groups_formed(merchant_id, [item.activity_id for item in items], now_s)


def _rank(sort: Sort, formed: Mapping[str, int]) -> Callable[[ActivityItem], int]:
    def rank(item: ActivityItem) -> int:
        sku = catalogue_cache.terms_of(item).cheapest
        if sort is Sort.SAVING:
            return sku.group_price_fen - sku.solo_price_fen
        return sku.group_price_fen if sort is Sort.PRICE else -formed[item.activity_id]

    return rank
