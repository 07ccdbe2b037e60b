"""The first page of a shop: its activities in the order asked for, and nearly full groups."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pynamodb.expressions.condition import Condition

from chalicelib.domain.activity import ActivityState, state_of
from chalicelib.domain.counts import Sums
from chalicelib.domain.coupon import CouponFor, Scope, terms_of
from chalicelib.errors import NotFound
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
    """coupon: a template of coupons, and what they are for is wished for; empty: whatever."""

    category_id: str | None = None
    q: str = ""
    coupon: str = ""
    sort: Sort = Sort.ENDING


@dataclass(frozen=True)
class Activities:
    """next_key: what the next page starts after; None: there is none. formed: in groups of each."""

    items: list[ActivityItem]
    next_key: dict[str, Any] | None
    formed: Mapping[str, Sums]


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
    SORTED_MAX by that. Raises NotFound for a coupon that there is not."""
    by_end = wish.sort is Sort.ENDING
    items, after = activity_lists.browse(
        merchant_id,
        category_id=wish.category_id,
        q=wish.q,
        among=_covered(merchant_id, wish.coupon, now_s) if wish.coupon else (),
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


def _covered(merchant_id: str, template_id: str, now_s: int) -> list[Condition]:
    """What an activity has to be like, so that coupons of a template can be used for what it sells.
    Raises NotFound."""
    template = catalogue_cache.coupon(merchant_id, template_id, now_s)
    if template is None:
        raise NotFound("没有找到这张优惠券，请重新选择。")
    terms = terms_of(template.terms.as_dict())
    ids = set(terms.scope_ids)
    if terms.scope is Scope.CATEGORIES:
        shelves = catalogue_cache.shelves(merchant_id, now_s)
        ids |= {one.category_id for one in shelves if one.parent_id in ids}
    attribute = {
        Scope.CATEGORIES: ActivityItem.category_id,
        Scope.PRODUCTS: ActivityItem.product_id,
        Scope.ACTIVITIES: ActivityItem.activity_id,
    }.get(terms.scope)
    conditions: list[Condition] = []
    if attribute is not None:
        conditions.append(attribute.is_in(*sorted(ids)))
    if terms.usable_for is CouponFor.GROUPS:
        conditions.append(ActivityItem.coupons == True)  # noqa: E712
    return conditions


def _formed(merchant_id: str, items: Sequence[ActivityItem], now_s: int) -> dict[str, Sums]:
    return counting.formed(merchant_id, [item.activity_id for item in items], now_s)


def _rank(sort: Sort, formed: Mapping[str, Sums]) -> Callable[[ActivityItem], int]:
    def rank(item: ActivityItem) -> int:
        sku = catalogue_cache.terms_of(item).cheapest
        if sort is Sort.SAVING:
            return sku.group_price_fen - sku.solo_price_fen
        if sort is Sort.PRICE:
            return sku.group_price_fen
        return -formed[item.activity_id].groups_formed

    return rank
