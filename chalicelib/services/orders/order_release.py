"""Letting go of an unpaid order: it is closed, and what it held is free again."""

from collections.abc import Callable

from pynamodb.expressions.update import Action

from chalicelib.domain import group as group_rules
from chalicelib.domain.group import FailedReason, GroupStatus
from chalicelib.domain.order import OrderStatus, Payment
from chalicelib.domain.order_transitions import released
from chalicelib.services.catalogue import catalogue_cache, reservations
from chalicelib.services.catalogue.reservations import Shelf
from chalicelib.services.orders import orders, state_changes
from chalicelib.tables.base import LostRace, Writes, retried, transaction
from chalicelib.tables.trade import GroupItem, OrderItem


def release(
    order: OrderItem,
    closed: dict[str, Payment],
    *,
    also: Callable[[Writes, OrderItem], None] | None = None,
    now_s: int,
) -> bool:
    """Close an unpaid order: order, seat, stock and limit together. False when it is no longer so.

    closed: its attempts that the gateway has closed, stored in the same write. also: adds what else
    is written with it. The leader's
    unpaid group fails with its order. When the group has been decided, settling closes the order.
    """

    def step(to_product: bool) -> bool:
        current, group = orders.with_group(order.merchant_id, order.order_id, order.group_id)
        known = current.view()
        if known.status is not OrderStatus.PENDING:
            return False
        if group is not None and group.status in (GroupStatus.FORMED, GroupStatus.FAILED):
            return False
        with transaction() as writes:
            state_changes.write(writes, current, released(known, closed, now_s=now_s))
            if group is not None:
                _leave(writes, group, current, now_s)
            give_back(writes, current, to_product=to_product)
            if also is not None:
                also(writes, current)
        return True

    return retried(lambda: reservations.giving_back(step))


def give_back(writes: Writes, order: OrderItem, *, to_product: bool) -> None:
    """Return what one order reserved: its units, and its buyer's limit."""
    to_product = to_product or not order.has_shelf
    reservations.give_back(writes, shelf_of(order), order.quantity, to_product=to_product)
    if order.limited:
        reservations.uncount_limit(
            writes, order.merchant_id, order.buyer_id, order.activity_id, order.quantity
        )


def _leave(writes: Writes, group: GroupItem, order: OrderItem, now_s: int) -> None:
    """Free the order's seat. A leader's pending group fails with it: nobody ever saw it."""
    seat = GroupItem.members[order.buyer_id]
    actions: list[Action] = [seat.remove()]
    if group.status == GroupStatus.PENDING:
        unpaid = group_rules.failed(FailedReason.LEADER_UNPAID, now_s=now_s)
        actions += state_changes.group_actions(group, unpaid)
    writes.update(
        group,
        actions,
        condition=(seat == order.order_no) & (GroupItem.status == group.status),
        refuse=LostRace,
    )


def shelf_of(order: OrderItem) -> Shelf:
    """Where the order's units go back. The terms of a group order say how many buckets there are; a
    points offer has one."""
    if order.group_id is None:
        return Shelf(order.merchant_id, order.activity_id, order.product_id, order.sku_id, 1)
    offer = catalogue_cache.version(order.merchant_id, order.activity_id, order.version)
    return Shelf(
        order.merchant_id, order.activity_id, order.product_id, order.sku_id, offer.buckets
    )
