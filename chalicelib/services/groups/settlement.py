"""What becomes of a group is decided in one write, and then carried to its members' orders.

Deciding is conditional on the deadline itself; settling is guarded by each order's own state.
Both may run any number of times, at once, and be cut off anywhere: the group's due marker goes
only with the last chunk.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action

from chalicelib.domain import group as group_rules
from chalicelib.domain import order_transitions
from chalicelib.domain.group import FailedReason, GroupStatus, GroupTransition
from chalicelib.domain.order import Order, OrderStatus
from chalicelib.domain.order_transitions import Transition
from chalicelib.errors import Conflict, GatewayFailed, GroupClosed
from chalicelib.gateways.payment import GatewayRefused
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.services import timeouts
from chalicelib.services.catalogue import reservations
from chalicelib.services.catalogue.reservations import Shelf
from chalicelib.services.groups import combining, crowds, rebates
from chalicelib.services.groups.rebates import NO_REBATE, Rebate
from chalicelib.services.money import payments
from chalicelib.services.orders import (
    compensation,
    counting,
    notifications,
    order_release,
    orders,
    state_changes,
)
from chalicelib.tables.base import (
    TRANSACTION_ITEMS_MAX,
    LostRace,
    Writes,
    retried,
    transaction,
    update_one,
)
from chalicelib.tables.trade import GroupItem, OrderItem
from chalicelib.tables.trade_item import not_due

SETTLE_MAX = 40  # orders per transaction
WRITES_OF_THE_GROUP = 1 + counting.WRITES_OF_A_GROUP + crowds.WRITES_OF_A_GROUP
UNDECIDED = (GroupStatus.PENDING, GroupStatus.OPEN)


def decide_if_due(group: GroupItem, *, now_s: int) -> None:
    """Decide an open group that is past its deadline and grace. Nothing happens when it is not.

    It forms with as many paid seats as its activity promised that to, and fails with fewer; of one
    that may be combined, members who agreed go on in another group then. Its held orders are asked
    for at the gateway first: a payment made in time counts, even when its callback comes later.
    Raises GatewayFailed while the gateway is silent and patience lasts.
    """
    past_s = now_s - timeouts.GRACE_S
    if group.status != GroupStatus.OPEN or (group.expires_at_s or 0) > past_s:
        return
    _ask_for_held_orders(group, now_s=now_s)
    is_due: Condition = GroupItem.expires_at_s <= past_s
    least = group.seats_least
    too_few = is_due & (GroupItem.seats_paid < least) if least else is_due
    fail = _combine_or_fail if group.combines else _fail
    if not group.view().has_least and retried(lambda: fail(group, too_few, now_s)):
        return
    if least:  # a payment may have come: seats that are paid are never fewer again
        enough = is_due & (GroupItem.seats_paid >= least)
        formed = group_rules.formed_when_due(now_s=now_s)
        retried(lambda: _decide(group, formed, condition=enough))


def _fail(group: GroupItem, too_few: Condition, now_s: int) -> bool:
    failed = group_rules.failed(FailedReason.DUE, now_s=now_s)
    return _decide(group, failed, condition=too_few)


def _combine_or_fail(read: GroupItem, too_few: Condition, now_s: int) -> bool:
    """Let members who agreed go on in another group; without one, fail for everybody. False when
    it is decided, has more time, or is to form. Raises LostRace when more has been paid meanwhile:
    who pays may have agreed, too."""
    group = orders.find_group(read.merchant_id, read.group_id)
    past = group is not None and (group.expires_at_s or 0) <= now_s - timeouts.GRACE_S
    if group is None or group.status != GroupStatus.OPEN or not past or group.view().has_least:
        return False
    if combining.combine(group, condition=too_few, now_s=now_s):
        return True
    failed = group_rules.failed(FailedReason.DUE, now_s=now_s)
    looked_at = GroupItem.seats_paid == group.seats_paid
    return _decide(group, failed, condition=too_few & looked_at, refuse=LostRace)


def cancel_alone(merchant_id: str, group_id: str, leader_id: str, *, now_s: int) -> None:
    """Fail a group whose leader is still alone in it, at the leader's word; refund by settling.

    Raises GroupClosed when it is decided, Conflict when somebody has joined or is not the leader.
    """

    def step() -> None:
        group = orders.find_group(merchant_id, group_id)
        if group is not None and group.failed_reason == FailedReason.LEADER_CANCELLED:
            return  # it was me: the answer was lost, or this is a repeat
        if group is None or group.status != GroupStatus.OPEN or now_s >= (group.expires_at_s or 0):
            raise GroupClosed
        if group.leader_id != leader_id:
            raise Conflict("已付款的名额不能退出。到时未成团会自动退款。")
        if len(group.members.as_dict()) > 1:
            raise Conflict("已有人参团，不能取消。到时未成团会自动退款。")
        _decide(
            group,
            group_rules.failed(FailedReason.LEADER_CANCELLED, now_s=now_s),
            condition=(size(GroupItem.members) == 1) & group.marker_as_read(),
            refuse=LostRace,
        )

    retried(step)
    cancelled = orders.find_group(merchant_id, group_id)
    if cancelled is not None:
        carry_out(cancelled, now_s=now_s)


def is_not_to_form(now_s: int) -> Condition:
    """That staff may still fail an open group: not once it is due with as many paid seats as its
    activity promised to be enough (domain.group.is_to_form)."""
    promises_none, too_few = (
        GroupItem.seats_least == 0,
        GroupItem.seats_paid < GroupItem.seats_least,
    )
    either: Condition = promises_none | too_few | (GroupItem.expires_at_s > now_s)
    return either


def close_with_activity(group: GroupItem, *, now_s: int) -> None:
    """Fail an open group because its activity ended; nothing when it is decided, or is to form.
    Its key and list are all that is asked of `group`: an item of the list index will do."""
    merchant_id, _, rest = group.pk.partition("#G#")
    whole = GroupItem.at(merchant_id, rest)
    closed = group_rules.failed(FailedReason.CLOSED_BY_MERCHANT, now_s=now_s)
    retried(lambda: _decide(whole, closed, condition=is_not_to_form(now_s)))


def carry_out(group: GroupItem, *, now_s: int) -> None:
    """Tell the members of a decided group, give what was promised, settle it, and give what all of
    its activity have reached. Cut off anywhere, it is repeated."""
    if group.status in UNDECIDED or group.due_at_s is None:
        return
    combining.tell_targets(group, now_s=now_s)
    notifications.tell_outcome(group, now_s=now_s)
    if group.status == GroupStatus.FAILED:
        compensation.give(group, now_s=now_s)
    if settle(group.merchant_id, group.group_id, now_s=now_s) is GroupStatus.FORMED:
        crowds.give_at_once(group, now_s=now_s)


def settle(merchant_id: str, group_id: str, *, now_s: int) -> GroupStatus:
    """Carry a decided group to its members' orders, SETTLE_MAX at a time.

    Formed: paid orders are to be fulfilled, and what their terms give back of it is requested.
    Failed: paid orders get a refund request. Either way, held ones are closed, and what is not sold
    returns to stock and limits. Returns the group's status.
    """

    def step(to_product: bool) -> GroupStatus:
        group = orders.find_group(merchant_id, group_id)
        if group is None:
            return GroupStatus.FAILED
        status = GroupStatus(group.status)
        if status in UNDECIDED or group.due_at_s is None:
            return status
        unsettled = (OrderStatus.PENDING, OrderStatus.PAID)
        waiting = [order for order in orders.of_group(group) if order.status in unsettled]
        going_back = rebates.of_group(group, waiting)
        parts = _parts(waiting)
        for number, part in enumerate(parts, start=1):
            with transaction() as writes:
                _settle_orders(writes, part, status, going_back, to_product=to_product, now_s=now_s)
                actions = _free_seats(part, status)
                if number == len(parts):
                    actions += not_due()
                    counting.count_decided(writes, group, now_s)
                    if status is GroupStatus.FORMED:
                        crowds.register(writes, group, now_s=now_s)
                if actions:
                    same = group.marker_as_read()
                    writes.update(group, actions, condition=same, refuse=LostRace)
        return status

    return retried(lambda: reservations.giving_back(step))


def _parts(waiting: Sequence[OrderItem]) -> list[list[OrderItem]]:
    """Chunks that fit into a transaction each, with room for the group and for what counts it;
    at least one, if empty.

    An order is one write, its limit and its coupon one more each, its points two (their account,
    and perhaps a page of it), and the stock of each SKU one.
    """
    parts: list[list[OrderItem]] = [[]]
    writes, shelves = WRITES_OF_THE_GROUP, set[Shelf]()
    for order in waiting:
        shelf = order_release.shelf_of(order)
        own = 1 + int(order.limited) + int(order.coupon is not None)
        own += 2 * int(order.view().points.total > 0)
        cost = own + int(shelf not in shelves)
        if len(parts[-1]) == SETTLE_MAX or writes + cost > TRANSACTION_ITEMS_MAX:
            parts.append([])
            writes, shelves = WRITES_OF_THE_GROUP, set()
            cost = own + 1
        parts[-1].append(order)
        shelves.add(shelf)
        writes += cost
    return parts


def _ask_for_held_orders(group: GroupItem, *, now_s: int) -> None:
    if group.seats_paid == len(group.members.as_dict()):
        return
    patient = now_s < (group.expires_at_s or 0) + timeouts.GRACE_S + timeouts.GATEWAY_PATIENCE_S
    for order in orders.of_group(group):
        if order.status != OrderStatus.PENDING:
            continue
        for attempt in order.view().created_attempts:
            try:
                payments.resolve(order, attempt, closing=False, now_s=now_s)
            except (GatewayFailed, NotConfigured) as silence:
                if patient:
                    raise
                if not isinstance(silence, GatewayRefused):
                    return  # who does not answer once is not waited for again and again


def _decide(
    group: GroupItem,
    change: GroupTransition,
    *,
    condition: Condition | None = None,
    refuse: type[Exception] | None = None,
) -> bool:
    """Write the decision: listed so, due for settling now. False when it is refused: a lost race
    is no error for a deadline."""
    same = GroupItem.status == change.was.value
    try:
        update_one(
            group,
            state_changes.group_actions(group, change),
            condition=same if condition is None else same & condition,
            refuse=refuse or _DecidedOtherwise,
        )
    except _DecidedOtherwise:
        return False
    return True


class _DecidedOtherwise(Exception):
    """A payment came first, or another run of the same job did."""


def _settle_orders(
    writes: Writes,
    part: Sequence[OrderItem],
    outcome: GroupStatus,
    going_back: Mapping[str, Rebate],
    *,
    to_product: bool,
    now_s: int,
) -> None:
    for order in part:
        rebate = going_back.get(str(order.order_id), NO_REBATE)
        state_changes.write(writes, order, _settled(order.view(), outcome, rebate, now_s))
    units: Counter[Shelf] = Counter()
    for order in _without_sale(part, outcome):
        units[order_release.shelf_of(order)] += order.quantity
        if order.limited:
            reservations.uncount_limit(
                writes, order.merchant_id, order.buyer_id, order.activity_id, order.quantity
            )
    for shelf, count in units.items():
        reservations.give_back(writes, shelf, count, to_product=to_product)


def _without_sale(part: Sequence[OrderItem], outcome: GroupStatus) -> list[OrderItem]:
    """Those of the orders by which nothing is sold: what was not paid when the group formed."""
    failed = outcome is GroupStatus.FAILED
    return [order for order in part if failed or order.status == OrderStatus.PENDING]


def _free_seats(part: Sequence[OrderItem], outcome: GroupStatus) -> list[Action]:
    """Actions that leave a formed group its members alone; a failed one keeps all for its page."""
    if outcome is GroupStatus.FAILED:
        return []
    return [GroupItem.members[order.buyer_id].remove() for order in _without_sale(part, outcome)]


def _settled(order: Order, outcome: GroupStatus, rebate: Rebate, now_s: int) -> Transition:
    """What the decision about its group means for an order that waits for it."""
    if order.status is OrderStatus.PENDING:
        return order_transitions.released(order, now_s=now_s)
    if outcome is GroupStatus.FORMED:
        return order_transitions.group_formed(
            order, rebate_fen=rebate.amount_fen, goods_fen=rebate.goods_fen, now_s=now_s
        )
    return order_transitions.group_failed(order, now_s=now_s)
