"""The groups of an activity that a buyer can join now, and the one that they are in already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chalicelib.domain.activity import Terms
from chalicelib.domain.group import has_free_seat, is_joinable
from chalicelib.domain.order import OrderStatus
from chalicelib.services.orders import orders
from chalicelib.tables.trade import GroupItem, OrderItem, open_groups_list
from chalicelib.tables.trade_item import ByList, TradeItem

LOOKED_AT = 50  # open groups of an activity, the soonest due


@dataclass(frozen=True)
class JoinableGroups:
    """Groups with a free seat, fewest missing first, then the soonest due.

    more: there are open groups beyond those that were looked at.
    """

    items: list[GroupItem]
    more: bool


def of_activity(
    merchant_id: str, activity_id: str, offer: Terms, buyer_ids: Sequence[str], *, now_s: int
) -> tuple[JoinableGroups, tuple[GroupItem, OrderItem] | None]:
    """The groups that a buyer (no ids: a visitor) can join, and the one that they wait in.

    A list and a read of what stands in it; a buyer's orders of the activity are one call more.
    """
    found = ids(listed(merchant_id, activity_id, offer, now_s=now_s))
    own = orders.of_buyer_since(merchant_id, buyer_ids, offer.starts_at_s, activity_id=activity_id)
    wanted = keys(merchant_id, sorted(waiting_in(own) | set(found)))
    groups = [i for i in TradeItem.batch_get(wanted) if isinstance(i, GroupItem)] if wanted else []
    joinable = choose(found, groups, buyer_ids, now_s=now_s)
    return joinable, next(iter(own_groups(own, groups, now_s=now_s)), None)


def listed(merchant_id: str, activity_id: str, offer: Terms, *, now_s: int) -> list[GroupItem]:
    """LOOKED_AT open groups of an activity and one more, the soonest due first, in one call per
    shard of their list, with what that has of them: not their members. Due ones are not among
    them, whether or not a job has run."""
    after = TradeItem.list_rank > f"{now_s:010d}~"
    most = LOOKED_AT + 1
    found: list[GroupItem] = []
    for shard in range(offer.list_shards):
        key = open_groups_list(merchant_id, activity_id, shard)
        found += GroupItem.query(
            key, after, index_name=ByList.Meta.index_name, limit=most, page_size=most
        )
    return sorted(found, key=lambda group: str(group.list_rank))[:most]


def ids(groups: Iterable[GroupItem]) -> list[str]:
    return [group.group_id for group in groups]


def keys(merchant_id: str, group_ids: Iterable[str]) -> list[tuple[str, str]]:
    """Where the groups are stored."""
    return [(GroupItem.at(merchant_id, group_id).pk, "group") for group_id in group_ids]


def waiting_in(own: Iterable[OrderItem]) -> set[str]:
    """The ids of the groups in which these orders of a buyer have a paid seat and wait."""
    return {o.group_id for o in own if o.group_id and o.status == OrderStatus.PAID}


def choose(
    group_ids: Sequence[str],
    groups: Iterable[GroupItem],
    buyer_ids: Sequence[str],
    *,
    now_s: int,
) -> JoinableGroups:
    """Which of the listed groups the buyer can join: of those whose last seat is held for somebody
    there are none, nor of those that the buyer is in. buyer_ids: of the buyer; empty: a visitor."""
    among = set(group_ids[:LOOKED_AT])
    free = [
        group
        for group in groups
        if group.group_id in among
        and has_free_seat(group.view(), now_s=now_s)
        and not set(buyer_ids) & set(group.members.as_dict())
    ]
    free.sort(key=lambda group: (group.view().seats_missing, group.expires_at_s, group.group_id))
    return JoinableGroups(free, more=len(group_ids) > LOOKED_AT)


def own_groups(
    own: Iterable[OrderItem], groups: Iterable[GroupItem], *, now_s: int
) -> list[tuple[GroupItem, OrderItem]]:
    """The groups that wait for members, the soonest due first, each with the buyer's paid order in
    it."""
    order_of = {order.group_id: order for order in own if order.status == OrderStatus.PAID}
    waiting = [
        (group, order_of[group.group_id])
        for group in groups
        if group.group_id in order_of and is_joinable(group.view(), now_s=now_s)
    ]
    return sorted(waiting, key=lambda one: one[0].expires_at_s or 0)
