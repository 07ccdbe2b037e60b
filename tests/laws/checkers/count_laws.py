"""Laws of what is counted: counters of every hour and activity say what orders and groups say."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator

from chalicelib.domain.beijing import BEIJING
from chalicelib.domain.counts import Counted
from chalicelib.domain.group import FailedReason, GroupStatus
from chalicelib.domain.ledger import Movement
from chalicelib.domain.order import RefundReason, reason_of
from chalicelib.tables.trade import GroupItem, OrderItem
from tests.fixtures.table_snapshot import UNDECIDED, TableSnapshot

Violations = Iterator[str]
Hour = tuple[str, int]  # YYYYMMDD in Beijing, hour


def hours(snapshot: TableSnapshot) -> Violations:
    there, expected = _counted(snapshot), Counter[tuple[Hour, str]]()
    for order in snapshot.orders.values():
        for name, count, at_s in _of_order(order):
            expected[_hour(at_s), name] += count
    for group in snapshot.groups.values():
        for name, at_s in _of_group(snapshot, group):
            expected[_hour(at_s), name] += 1
    for key in {*there, *expected}:
        if there[key] != expected[key]:
            (day, hour), name = key
            yield f"26 counts: {there[key]} {name} counted on {day} at {hour}, not {expected[key]}"


def _counted(snapshot: TableSnapshot) -> Counter[tuple[Hour, str]]:
    there: Counter[tuple[Hour, str]] = Counter()
    for item in snapshot.days:
        day = item.pk.split("#")[2]
        for hour in range(24):
            before, until = item.counts(hour), item.counts(hour + 1)
            there.update({((day, hour), name): until[name] - before[name] for name in Counted})
    return there


def tallies(snapshot: TableSnapshot) -> Violations:
    there: Counter[tuple[str, str]] = Counter()
    for item in snapshot.tallies:
        for name, count in item.counts().items():
            there[item.pk.split("#")[2], name] += count
    expected: Counter[tuple[str, str]] = Counter()
    for group in snapshot.groups.values():
        for name, _ in _of_group(snapshot, group):
            expected[group.activity_id, name] += 1
            if name == Counted.GROUPS_FORMED:
                expected[group.activity_id, "seats_formed"] += group.seats_paid
    for key in {*there, *expected}:
        if there[key] != expected[key]:
            activity_id, name = key
            what = f"activity {activity_id}: {there[key]} {name}"
            yield f"26 counts: {what} counted, not {expected[key]}"


def _of_order(order: OrderItem) -> Iterator[tuple[str, int, int]]:
    """(what, how many, when) was counted of an order."""
    known = order.view()
    for attempt in order.posted or ():
        payment = known.payments[attempt]
        yield Counted.PAID_FEN, payment.amount_fen, payment.paid_at_s
        if attempt + RefundReason.LATE_PAYMENT not in known.refunds:
            yield Counted.ORDERS_PAID, 1, payment.paid_at_s
    for entry in order.entries():
        if entry.movement in (Movement.REFUNDED, Movement.REFUNDED_OUTSIDE):
            yield Counted.REFUNDED_FEN, entry.amount_fen, entry.at_s
            if reason_of(entry.of) is RefundReason.REBATE:
                yield Counted.REBATED_FEN, entry.amount_fen, entry.at_s


def _of_group(snapshot: TableSnapshot, group: GroupItem) -> Iterator[tuple[str, int]]:
    """(what, when) was counted of a group: its leader's payment posted, its orders settled."""
    leader = snapshot.orders.get(group.leader_id + group.everybody.get(group.leader_id, ""))
    seat = leader.view().seat_payment if leader is not None else None
    if leader is not None and seat is not None and seat[0] in (leader.posted or ()):
        yield Counted.GROUPS_OPENED, seat[1].paid_at_s
    unseen = group.failed_reason == FailedReason.LEADER_UNPAID
    if group.status in UNDECIDED or group.due_at_s is not None or unseen:
        return
    formed = group.status == GroupStatus.FORMED
    yield Counted.GROUPS_FORMED if formed else Counted.GROUPS_FAILED, group.decided_at_s or 0


def _hour(at_s: int) -> Hour:
    local = dt.datetime.fromtimestamp(at_s, BEIJING)
    return f"{local:%Y%m%d}", local.hour


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (hours, tallies)
