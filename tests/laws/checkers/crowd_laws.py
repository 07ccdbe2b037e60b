"""Law 31, of what all groups of an activity reach together: counted, reached and given once."""

from collections.abc import Callable, Iterator, Sequence

from chalicelib.domain.group import GroupStatus
from chalicelib.domain.order import RefundReason, reason_of
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.crowd import CrowdGroupItem, CrowdItem
from chalicelib.tables.trade import GroupItem, OrderItem
from tests.fixtures.table_snapshot import TO_FULFIL, TableSnapshot, after_sale_fen, rebate_fen
from tests.laws.checkers.money_laws import less_as_member

Violations = Iterator[str]
Steps = Sequence[tuple[int, int]]  # (people, fen of each unit), ascending


def crowds(snapshot: TableSnapshot) -> Violations:
    for activity_id, activity in snapshot.activities.items():
        steps = [(tier["seats"], tier["off_fen"]) for tier in activity.crowd_tiers]
        crowd, what = snapshot.crowds.get(activity_id), f"31 rebates: crowd of {activity_id}"
        if (crowd is not None) != bool(steps):
            yield f"{what}: {steps}, counted in {crowd}"
        if crowd is not None and steps:
            yield from (f"{what}: {text}" for text in _of_crowd(snapshot, activity, crowd, steps))


def _of_crowd(
    snapshot: TableSnapshot, activity: ActivityItem, crowd: CrowdItem, steps: Steps
) -> Violations:
    settled = [
        group
        for group in snapshot.groups.values()
        if group.activity_id == activity.activity_id
        and group.status == GroupStatus.FORMED
        and group.due_at_s is None
    ]
    people = sum(group.seats_paid for group in settled)
    if crowd.seats > people or (crowd.due_at_s is None and crowd.seats < people):
        yield f"{crowd.seats} people counted of {people}"
    if crowd.due_at_s is None and snapshot.now_s < (activity.ended_at_s or activity.ends_at_s):
        yield "it will not be counted"
    reached = sum(seats <= crowd.seats for seats, _ in steps)
    times = list(crowd.reached_at_s)
    if len(times) != reached or times != sorted(times):
        yield f"{reached} tiers are reached, written down as {times}"
    listed = {
        group_id
        for group_id, row in snapshot.crowd_groups.items()
        if row.activity_id == activity.activity_id
    }
    for group_id in listed ^ {group.group_id for group in settled}:
        yield f"group {group_id} is settled or listed, not both"
    for group in settled:
        row = snapshot.crowd_groups.get(group.group_id)
        if row is not None:
            yield from _of_group(snapshot, group, row, crowd, steps)


def _of_group(
    snapshot: TableSnapshot, group: GroupItem, row: CrowdGroupItem, crowd: CrowdItem, steps: Steps
) -> Violations:
    place = f"{snapshot.merchant_id}#{group.activity_id}#crowd#{row.reached}"
    if row.list_key != place:
        yield f"group {group.group_id} is in {row.list_key}, not {place}"
    if row.reached > crowd.reached or (row.reached < crowd.reached and crowd.due_at_s is None):
        yield f"group {group.group_id} has got {row.reached} tiers of {crowd.reached}"
    for order in snapshot.members_orders(group):
        yield from _of_order(snapshot, order, row.reached, crowd.reached, steps)


def _of_order(
    snapshot: TableSnapshot, order: OrderItem, got: int, reached: int, steps: Steps
) -> Violations:
    """got: tiers that its group has; those that were reached since may be on their way."""
    known, name = order.view(), f"order {order.order_id}"
    detail = snapshot.details.get(str(order.order_id))
    given_fen = rebate_fen(known)
    tiers = {int(key[2:]) for key in known.refunds if reason_of(key) is RefundReason.REBATE}
    if tiers and max(tiers) > reached:
        yield f"{name} has got tiers {tiers} of {reached}"
    if detail is None:
        return
    goods_fen = order.total_fen - detail.lines.as_dict()["freight_fen"]

    def promised_fen(number: int, units: int) -> int:
        each_fen = steps[number - 1][1] - less_as_member(snapshot, order) if number else 0
        most_fen: int = min(each_fen * units, goods_fen - 1)
        return max(most_fen, 0)

    if given_fen > promised_fen(reached, order.quantity):
        yield f"{given_fen} fen of {name} go back, {promised_fen(reached, order.quantity)} at most"
    kept = order.quantity - known.units.cancelled - known.units.brought_back
    left_fen = order.total_fen - after_sale_fen(known) - given_fen
    owed_fen = min(promised_fen(got, kept) - given_fen, left_fen - 1)
    if order.status in TO_FULFIL and owed_fen > 0:
        yield f"{given_fen} fen of {name} go back, {owed_fen} more are owed"


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (crowds,)
