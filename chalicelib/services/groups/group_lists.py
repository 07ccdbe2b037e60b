"""Lists of groups for staff: of the whole shop, or of one activity.

Decided groups stand in one list of the shop, by when that was. Open ones stand in a list of their
activity, where buyers look for them; for the whole shop, those of all activities that can have any
are merged by deadline. That costs a query per activity and nothing in the writes of the trade.
"""

import heapq
from collections.abc import Iterable, Iterator
from enum import StrEnum

from pynamodb.expressions.condition import Condition

from chalicelib import deadline
from chalicelib.domain.activity_draft import LIFE_H_MAX
from chalicelib.domain.group import GroupStatus
from chalicelib.errors import InvalidRequest
from chalicelib.services import timeouts
from chalicelib.services.catalogue import activities
from chalicelib.services.orders import orders
from chalicelib.services.people import merchants
from chalicelib.settings import settings
from chalicelib.tables.base import PageKey
from chalicelib.tables.catalogue import ActivityItem, activities_list, rank
from chalicelib.tables.catalogue_item import CatalogueItem
from chalicelib.tables.trade import GroupItem, decided_groups_list, open_groups_list
from chalicelib.tables.trade_item import TradeItem, listed_count
from chalicelib.text import Text

SOON_S = settings.shortened(2 * 3600)
MERGED_MAX = 100  # activities whose open groups are merged
READ_MAX = 200  # entries of one call, where a filter leaves few of them
ROUNDS_MAX = 5  # calls of one page
WORKERS = 8

# How long a group may stay open after its activity was ended: whatever its life, from the payment
# of its leader on.
_LINGER_S = settings.shortened(LIFE_H_MAX * 3600 + merchants.PAY_BY_MAX_S) + (
    timeouts.GRACE_S + timeouts.GATEWAY_PATIENCE_S
)


class Tab(StrEnum):
    OPEN = "open"
    ENDS_SOON = "ends_soon"  # open, and due within SOON_S
    FORMED = "formed"
    FAILED = "failed"


def page(
    merchant_id: str,
    tab: Tab,
    *,
    activity_id: str | None = None,
    leader: str = "",
    after: PageKey | None,
    limit: int,
    now_s: int,
) -> tuple[list[GroupItem], PageKey | None]:
    """(groups as they are now, the key that the next page starts after; None at the end).

    Open ones come with the soonest due first, decided ones with the newest decision. leader: how
    the leader's name begins. With a filter a page may have fewer groups than there are.
    Raises NotFound for the activity, InvalidRequest when the shop has too many for one list.
    """
    name = GroupItem.leader_name.startswith(leader) if leader else None
    if tab in (Tab.OPEN, Tab.ENDS_SOON):
        until_s = now_s + SOON_S if tab is Tab.ENDS_SOON else None
        keys = _open_lists(merchant_id, activity_id, now_s)
        found, key = _merged(keys, name, after=after, limit=limit, now_s=now_s, until_s=until_s)
        return _as_they_are(found, GroupStatus.OPEN), key
    status = GroupStatus(tab)
    found, key = _decided(merchant_id, status, activity_id, name, after=after, limit=limit)
    return _as_they_are(found, status), key


def by_id(merchant_id: str, group_id: str) -> list[GroupItem]:
    """The group of that number, in a list, where it is no longer hidden from staff."""
    group = orders.find_group(merchant_id, group_id)
    return [] if group is None or group.expires_at_s is None else [group]


def ending_soon(merchant_id: str, *, at_most: int, now_s: int) -> int:
    """How many open groups are due within SOON_S; counted up to `at_most`."""
    within = _between(now_s, now_s + SOON_S)

    def count(key: str) -> int:
        return listed_count(key, most=at_most, within=within)

    with deadline.Threads(WORKERS) as pool:
        counts = pool.map(count, _open_lists(merchant_id, None, now_s))
    return min(at_most, sum(counts))


def _open_lists(merchant_id: str, activity_id: str | None, now_s: int) -> list[str]:
    """The lists in which open groups may be."""
    if activity_id is not None:
        found = [activities.read(merchant_id, activity_id)]
    else:
        found = _with_open_groups(merchant_id, now_s)
    return [
        open_groups_list(merchant_id, item.activity_id, shard)
        for item in found
        for shard in range(item.list_shards)
    ]


def _with_open_groups(merchant_id: str, now_s: int) -> list[ActivityItem]:
    """Activities that run, and those whose groups may yet have outlived them."""
    query = CatalogueItem.by_list.query(
        activities_list(merchant_id),
        CatalogueItem.list_rank >= rank(now_s - _LINGER_S),
        ActivityItem.starts_at_s <= now_s,
        limit=MERGED_MAX + 1,
    )
    found = [item for item in query if isinstance(item, ActivityItem)]
    if len(found) > MERGED_MAX:
        words = Text("进行中的活动超过 {max} 个，请先选择一个活动。", max=MERGED_MAX)
        raise InvalidRequest(words, field="activity_id", max=MERGED_MAX)
    return found


def _merged(
    keys: Iterable[str],
    name: Condition | None,
    *,
    after: PageKey | None,
    limit: int,
    now_s: int,
    until_s: int | None,
) -> tuple[list[GroupItem], PageKey | None]:
    """The first `limit` open groups of several lists by deadline, after the rank in `after`."""
    start = after["rank"]["S"] if after else None
    if until_s is not None:
        within: Condition | None = _between(now_s, until_s, start)
    else:
        within = TradeItem.list_rank > start if start else None

    def first(key: str) -> list[GroupItem]:
        query = TradeItem.by_list.query(
            key, within, name, limit=limit + 1, page_size=limit + 1 if name is None else READ_MAX
        )
        return [item for item in query if isinstance(item, GroupItem)]

    with deadline.Threads(WORKERS) as pool:
        lists = list(pool.map(first, keys))
    merged = list(heapq.merge(*lists, key=lambda group: group.list_rank or ""))
    found = merged[:limit]
    more = len(merged) > limit
    return found, {"rank": {"S": found[-1].list_rank}} if more else None


def _between(from_s: int, until_s: int, start: str | None = None) -> Condition:
    """Deadlines after `from_s` and until `until_s`; after the rank `start`, where there is one."""
    within: Condition = TradeItem.list_rank.between(
        f"{start}!" if start else f"{from_s + 1:010d}", f"{until_s:010d}~"
    )
    return within


def _decided(
    merchant_id: str,
    status: GroupStatus,
    activity_id: str | None,
    name: Condition | None,
    *,
    after: PageKey | None,
    limit: int,
) -> tuple[list[GroupItem], PageKey | None]:
    """Decided groups of the shop, the newest first, at most ROUNDS_MAX calls of the index."""
    within, wanted = None, name
    if activity_id is not None:
        starts_at_s = activities.read(merchant_id, activity_id).starts_at_s
        within = TradeItem.list_rank > f"{starts_at_s:010d}"
        of_activity = GroupItem.activity_id == activity_id
        wanted = of_activity if name is None else of_activity & name
    found: list[GroupItem] = []
    for _ in range(ROUNDS_MAX):
        query = TradeItem.by_list.query(
            decided_groups_list(merchant_id, status),
            within,
            wanted,
            scan_index_forward=False,
            page_size=limit if wanted is None else READ_MAX,
            last_evaluated_key=after,
        )
        answer: PageKey = next(query.page_iter, {})
        found += _items_of(answer)
        after = query.page_iter.last_evaluated_key
        if after is None or len(found) >= limit:
            break
    if len(found) > limit:
        after = _key_of(found[limit - 1])
    return found[:limit], after


def _items_of(answer: PageKey) -> Iterator[GroupItem]:
    for raw in answer.get("Items", ()):
        item = TradeItem.from_raw_data(raw)  # type: ignore[arg-type]
        if isinstance(item, GroupItem):
            yield item


def _key_of(entry: GroupItem) -> PageKey:
    """Where a query of the list index goes on after this entry."""
    names = ("pk", "sk", "list_key", "list_rank")
    return {name: {"S": getattr(entry, name)} for name in names}


def _as_they_are(entries: list[GroupItem], status: GroupStatus) -> list[GroupItem]:
    """The groups of these index entries, read consistently; what has moved on is left out."""
    keys = [(entry.pk, entry.sk) for entry in entries]
    stored = TradeItem.batch_get(keys, consistent_read=True) if keys else ()
    found = {
        item.pk: item for item in stored if isinstance(item, GroupItem) and item.status == status
    }
    return [found[entry.pk] for entry in entries if entry.pk in found]
