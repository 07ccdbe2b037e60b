"""The one place that writes the state of orders and groups.

A transition of the domain says what an order or a group is before and after an event. What differs
becomes update actions; what it was computed from becomes the condition, so that the write is
refused (LostRace) when anything of it has changed since it was read.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import and_
from typing import Any, TypeVar

from pynamodb.attributes import MapAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.domain.group import GroupTransition
from chalicelib.domain.order import Intent, Order, OrderStatus, Payment, Refund, entry_of
from chalicelib.domain.order_transitions import Transition
from chalicelib.services import timeouts
from chalicelib.services.growth import coupons, invitations, points, rewards
from chalicelib.tables.base import LostRace, Writes, as_read, transaction, update_one
from chalicelib.tables.trade import (
    GroupItem,
    OrderItem,
    decided_groups_list,
    entered,
    open_groups_list,
    orders_list,
)
from chalicelib.tables.trade_item import listed

# Orders in these states stand in no list: staff have nothing to do about them.
UNLISTED = (OrderStatus.PENDING, OrderStatus.CLOSED)
# In these, what may happen next depends on the units that are still to be delivered.
TO_DELIVER = (OrderStatus.FULFILLING, OrderStatus.READY_FOR_PICKUP)
UNITS = ("returned", "cancelled", "brought_back", "shipped", "handed_over")
TIMES = ("receive_by_s", "return_by_s", "received_at_s")

_Record = TypeVar("_Record", Payment, Refund)


def write(
    writes: Writes, order: OrderItem, change: Transition, *, condition: Condition | None = None
) -> None:
    """Add the change of an order to a transaction. Raises LostRace when it commits too late."""
    actions, same = changes(order, change)
    same = same if condition is None else same & condition
    at_s = change.happened_at_s
    assert at_s or not change.moves_of_buyer, "it is not known when"
    if change.gives_coupon_back and coupons.is_late(order, at_s):
        actions.append(OrderItem.coupon_late.set(True))
    writes.update(order, actions, condition=same, refuse=LostRace)
    if change.gives_coupon_back:
        coupon_id = order.coupon or ""
        coupons.give_back(writes, order.merchant_id, coupon_id, order.order_id, now_s=at_s)
    if change.points or change.growth:
        points.move(writes, order, change.points, change.growth, now_s=at_s)
    if rewards.concern(order, change):
        rewards.mark(writes, order.merchant_id, order.buyer_id, now_s=at_s)
    if invitations.concern(order, change):
        invitations.mark(writes, order.merchant_id, order.buyer_id, now_s=at_s)


def write_alone(order: OrderItem, change: Transition) -> None:
    """Write the change of an order by itself, at half the price of a transaction; in one with what
    else changes, if anything does. Raises LostRace, Busy."""
    if change.moves_of_buyer or _concerns_others(order, change):
        with transaction() as writes:
            write(writes, order, change)
        return
    actions, same = changes(order, change)
    update_one(order, actions, condition=same, refuse=LostRace)


def _concerns_others(order: OrderItem, change: Transition) -> bool:
    """Whether something is marked with the change, besides the order."""
    return rewards.concern(order, change) or invitations.concern(order, change)


def changes(order: OrderItem, change: Transition) -> tuple[list[Action], Condition]:
    """The actions that change an order, and the condition that it is as it was read."""
    before, after = change.before, change.after
    payments = _changed(before.payments, after.payments)
    refunds = _changed(before.refunds, after.refunds)
    actions = [
        *_status_actions(order, change),
        *_set_records(OrderItem.payments, payments),
        *_set_records(OrderItem.refunds, refunds),
        *_set_fields(order, before, after),
        *entered(*change.entries),
    ]
    same: list[Condition] = [OrderItem.status == before.status.value]
    if before.status is OrderStatus.PENDING:
        same.append(OrderItem.total_fen == before.total_fen)  # staff may lower it
    same += _payments_as_read(before, payments)
    same += _refunds_as_read(before, refunds)
    if before.units != after.units or (change.moves and before.status in TO_DELIVER):
        same.append(order.units_as_read())
    if before.return_by_s != after.return_by_s:
        same.append(as_read(OrderItem.return_by_s, order.return_by_s))
    if change.marks_due:
        actions += order.due_next(after)
        same.append(order.marker_as_read())
    return actions, reduce(and_, same)


def group_actions(group: GroupItem, change: GroupTransition) -> list[Action]:
    """The actions that change a group; their condition is the caller's (GroupTransition.was)."""
    actions: list[Action] = []
    if change.seats_paid:
        actions.append(GroupItem.seats_paid.add(change.seats_paid))
    if change.status is not change.was:
        actions.append(GroupItem.status.set(change.status.value))
    if change.expires_at_s is not None:
        expires_at_s = change.expires_at_s
        key = open_groups_list(group.merchant_id, group.activity_id, group.list_shard)
        actions.append(GroupItem.expires_at_s.set(expires_at_s))
        actions += listed(key, f"{expires_at_s:010d}#{group.group_id}")
        actions += group.due(Intent.GROUP, expires_at_s + timeouts.GRACE_S)
    if change.decided_at_s is not None:
        actions.append(GroupItem.decided_at_s.set(change.decided_at_s))
    if change.failed_reason is not None:
        actions.append(GroupItem.failed_reason.set(change.failed_reason.value))
    if change.is_listed:
        key = decided_groups_list(group.merchant_id, change.status)
        actions += listed(key, f"{change.decided_at_s:010d}#{group.group_id}")
    if change.due_at_s is not None:
        actions += group.due(Intent.GROUP, change.due_at_s)
    return actions


def _status_actions(order: OrderItem, change: Transition) -> list[Action]:
    if not change.moves:
        return []
    status = change.after.status
    actions: list[Action] = [OrderItem.status.set(status.value)]
    if status in UNLISTED:
        return actions
    # An order keeps the rank that it got when it was paid.
    first = change.before.status in UNLISTED
    rank = f"{change.at_s:010d}#{order.order_no}" if first else None
    return actions + listed(orders_list(order.merchant_id, status), rank)


def _set_records(
    attribute: MapAttribute[str, Any], changed: Mapping[str, Payment | Refund]
) -> list[Action]:
    return [attribute[key].set(entry_of(record)) for key, record in changed.items()]


def _set_fields(order: OrderItem, before: Order, after: Order) -> list[Action]:
    """What differs of the order's own fields; of its units, whatever is not stored so."""
    actions: list[Action] = []
    if before.total_fen != after.total_fen:
        actions.append(OrderItem.total_fen.set(after.total_fen))
    if before.units != after.units:
        units = [(name, getattr(after.units, name)) for name in UNITS]
        actions += [
            getattr(OrderItem, name).set(count)
            for name, count in units
            if count != (getattr(order, name) or 0)
        ]
    if before.after_sale != after.after_sale:
        actions.append(_set_or_remove("after_sale", after.after_sale))
    actions += [
        _set_or_remove(name, getattr(after, name))
        for name in TIMES
        if getattr(before, name) != getattr(after, name)
    ]
    return actions


def _set_or_remove(name: str, value: str | int) -> Action:
    attribute = getattr(OrderItem, name)
    action: Action = attribute.set(value) if value else attribute.remove()
    return action


def _changed(before: Mapping[str, _Record], after: Mapping[str, _Record]) -> dict[str, _Record]:
    return {key: record for key, record in after.items() if record != before.get(key)}


def _payments_as_read(before: Order, changed: Iterable[str]) -> list[Condition]:
    known = before.payments
    return [
        OrderItem.payments[key]["status"] == known[key].status.value
        if key in known
        else OrderItem.payments[key].does_not_exist()
        for key in changed
    ]


def _refunds_as_read(before: Order, changed: Iterable[str]) -> list[Condition]:
    """A refund that is there is as it was read, but for when its gateway is asked next."""
    same: list[Condition] = []
    for key in changed:
        entry, known = OrderItem.refunds[key], before.refunds.get(key)
        if known is None:
            same.append(entry.does_not_exist())
            continue
        same += [
            entry["status"] == known.status.value,
            as_read(entry["serial"], known.serial or None),
            as_read(entry["trouble_at_s"], known.trouble_at_s or None),
        ]
    return same
