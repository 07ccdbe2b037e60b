"""拼团合并: members of a due group go on in another one, in one transaction of both groups.

The group that is due is decided by that same transaction: it fails for whoever stays. So a seat
is in one group at any time, and nothing of its order changes but the group that it waits for: its
units, its limit and its money stay what they are.
"""

from collections.abc import Sequence

from pynamodb.expressions.condition import Condition, size

from chalicelib.domain import combining as rules
from chalicelib.domain import group as group_rules
from chalicelib.domain.combining import Choice, Mover
from chalicelib.domain.group import GroupStatus
from chalicelib.domain.order import OrderStatus
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.orders import notifications, orders, state_changes
from chalicelib.services.people import buyers, identities
from chalicelib.tables.base import LostRace, Writes, all_of, chunks, transaction
from chalicelib.tables.trade import GroupItem, OrderItem, open_groups_list
from chalicelib.tables.trade_item import TradeItem

LOOKED_AT = 100  # open groups of the activity
READ_AT_ONCE = 20  # of these: mostly one of the first takes them


def combine(due: GroupItem, *, condition: Condition, now_s: int) -> bool:
    """Move the members of the due group, as it was read, who agreed to it into the oldest group
    that takes them all; it fails for the others. False when there is nobody, or nowhere, to move.

    condition: on which it may be decided. Raises LostRace when either group, an order or a person
    has changed meanwhile, Busy.
    """
    paid = {
        order.buyer_id: order
        for order in orders.of_group(due)
        if order.combinable and order.status == OrderStatus.PAID
    }
    others = _others(due) if paid else []
    if not others:
        return False
    persons = {one: identities.root(due.merchant_id, one) for one in paid}
    movers = [
        Mover(one, order.order_no, frozenset(persons[one].ids)) for one, order in paid.items()
    ]
    found = _first_that_takes(movers, due, others)
    if found is None:
        return False
    target, choice = found
    with transaction() as writes:
        _leave(writes, due, choice, condition, now_s)
        _come(writes, due, target, choice, now_s)
        for mover in choice.movers:
            buyers.check_as_read(writes, persons[mover.buyer_id])
            coming = len(choice.movers)
            _move(writes, paid[mover.buyer_id], due, target, coming=coming, now_s=now_s)
    return True


def tell_targets(due: GroupItem, *, now_s: int) -> None:
    """Tell who was in the group that others came into when one seat is left, as after a payment."""
    target = orders.find_group(due.merchant_id, due.combined_into) if due.combined_into else None
    if target is not None:
        notifications.tell_one_left(target, but=due.moved, now_s=now_s)


def _others(due: GroupItem) -> list[str]:
    """The ids of open groups of the same activity, LOOKED_AT at most, the soonest due first: of one
    life, the oldest. Those that are due themselves are among them until they are decided."""
    terms = catalogue_cache.version(due.merchant_id, due.activity_id, due.version)
    entries: list[TradeItem] = []
    for shard in range(terms.list_shards):
        key = open_groups_list(due.merchant_id, due.activity_id, shard)
        entries += TradeItem.by_list.query(key, limit=LOOKED_AT, page_size=LOOKED_AT)
    entries.sort(key=lambda entry: str(entry.list_rank))
    found = [entry.group_id for entry in entries if isinstance(entry, GroupItem)]
    return [group_id for group_id in found[:LOOKED_AT] if group_id != due.group_id]


def _first_that_takes(
    movers: Sequence[Mover], due: GroupItem, others: Sequence[str]
) -> tuple[GroupItem, Choice] | None:
    """The first of the other groups that has the same version and takes the movers, and who of them
    goes there; READ_AT_ONCE of them are read in one call."""
    for part in chunks(others, READ_AT_ONCE):
        stored = {group.group_id: group for group in orders.find_groups(due.merchant_id, part)}
        groups = {
            one: stored[one].view()
            for one in part
            if one in stored and stored[one].version == due.version
        }
        choice = rules.choose(movers, groups)
        if choice is not None:
            return stored[choice.group_id], choice
    return None


def _leave(
    writes: Writes, due: GroupItem, choice: Choice, condition: Condition, now_s: int
) -> None:
    """The due group is decided, and remembers where its members went on."""
    away = group_rules.combined_away(len(choice.movers), now_s=now_s)
    actions = state_changes.group_actions(due, away)
    actions += [GroupItem.members[mover.buyer_id].remove() for mover in choice.movers]
    actions += [
        GroupItem.combined_into.set(choice.group_id),
        GroupItem.combined.set({mover.buyer_id: mover.order_no for mover in choice.movers}),
    ]
    same = (GroupItem.status == away.was.value) & (GroupItem.seats_paid == due.seats_paid)
    writes.update(due, actions, condition=same & condition, refuse=LostRace)


def _come(writes: Writes, due: GroupItem, target: GroupItem, choice: Choice, now_s: int) -> None:
    """The other group has their seats, and may have formed by them."""
    coming = len(choice.movers)
    with_them = group_rules.combined_with(target.view(), coming, now_s=now_s)
    actions = state_changes.group_actions(target, with_them)
    actions += [GroupItem.members[one.buyer_id].set(one.order_no) for one in choice.movers]
    before = target.combined_from
    came = [due.group_id] if not before else GroupItem.combined_from.append([due.group_id])
    actions.append(GroupItem.combined_from.set(came))
    nobody_twice = all_of(
        [
            GroupItem.members[one].does_not_exist()
            for mover in choice.movers
            for one in sorted(mover.ids)
        ]
    )
    writes.update(
        target,
        actions,
        condition=(GroupItem.status == GroupStatus.OPEN.value)
        & (GroupItem.seats_paid == target.seats_paid)
        & (size(GroupItem.members) <= target.seats_total - coming)
        & nobody_twice,
        refuse=LostRace,
    )


def _move(
    writes: Writes,
    order: OrderItem,
    due: GroupItem,
    target: GroupItem,
    *,
    coming: int,
    now_s: int,
) -> None:
    """The order waits for the other group, and its buyer is told."""
    same = (OrderItem.status == OrderStatus.PAID.value) & (OrderItem.group_id == order.group_id)
    actions = [OrderItem.group_id.set(target.group_id)]
    if order.first_group_id is None:
        actions.append(OrderItem.first_group_id.set(order.group_id))
        actions += [OrderItem.led.set(True)] if order.buyer_id == due.leader_id else []
    writes.update(order, actions, condition=same, refuse=LostRace)
    notifications.put_combined(writes, order, target, coming=coming, now_s=now_s)
