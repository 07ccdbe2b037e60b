"""Laws of what is still to be done, of traces, and of change: companions of tests.laws."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from chalicelib.domain.group import GroupStatus
from chalicelib.domain.order import (
    STATUS_EDGES,
    Intent,
    OrderStatus,
    PaymentStatus,
    RefundStatus,
    next_intent,
)
from chalicelib.services import waits
from chalicelib.tables.trade import TradeItem, due_shard
from tests.books import Books

Violations = Iterator[str]
UNDECIDED = (GroupStatus.PENDING, GroupStatus.OPEN)
GROUP_EDGES = {
    "pending": {"open", "failed"},
    "open": {"formed", "failed"},
    "formed": set[str](),
    "failed": set[str](),
}
PAYMENT_EDGES = {
    "created": {"succeeded", "closed"},
    # What the gateway had never heard of was closed by us alone: money that came yet is recorded.
    "closed": {"succeeded"},
    "succeeded": set[str](),
}
REFUND_EDGES = {
    "requested": {"processing", "succeeded", "failed"},
    "processing": {"requested", "succeeded", "failed"},
    "failed": {"requested", "succeeded"},  # sent again by a person, or confirmed after all
    "succeeded": set[str](),
}
ORDER_EDGES = {str(at): {str(to) for to in edges} for at, edges in STATUS_EDGES.items()}


def queues(books: Books) -> Violations:
    """A marker stands in a queue that is its own, and where the right job looks for it."""
    for item in books.items:
        if not isinstance(item, TradeItem) or item.due_at_s is None:
            continue
        intent = Intent(str(item.due_shard).partition("#")[0])
        if item.due_shard != due_shard(intent, item.pk):
            yield f"18 markers: {item.pk} {item.sk} is in {item.due_shard}"


def orders_work(books: Books) -> Violations:
    for order_id, order in books.orders.items():
        needed = next_intent(order.view())
        if needed is None:
            continue
        intent, at_s = needed
        what = f"15 work: order {order_id} ({order.status}) needs {intent} at {at_s}"
        if order.due_at_s is None:
            yield f"{what}, and nobody knows"
            continue
        if order.due_at_s > max(at_s, books.now_s) + waits.POSTPONE_S:
            yield f"{what}, and is marked for {order.due_at_s}"
        # Jobs drive an order whatever they came for; what stands with people they never see.
        waiting = str(order.due_shard).startswith(Intent.PERSON)
        if waiting and intent is not Intent.PERSON:
            yield f"{what}, and waits for a person"


def groups_work(books: Books) -> Violations:
    for group in books.groups.values():
        status, marked = GroupStatus(group.status), group.due_at_s is not None
        what = f"18 markers: group {group.group_id} is {status}"
        if status is GroupStatus.PENDING and marked:
            yield f"{what} and has a marker"
        if status is GroupStatus.OPEN and not marked:
            yield f"{what} and has none"
        due_at_s = (group.expires_at_s or 0) + waits.GRACE_S
        if status is GroupStatus.OPEN and marked and (group.due_at_s or 0) < due_at_s:
            yield f"{what} and due at {group.due_at_s}, before {due_at_s}"
        if status in UNDECIDED or marked:
            continue
        for order in books.members_orders(group):
            if order.status in (OrderStatus.PENDING, OrderStatus.PAID):
                yield f"{what}, has no marker, and order {order.order_id} is {order.status}"


def activities_work(books: Books) -> Violations:
    for activity_id in books.activities:
        closing = books.closings.get(activity_id)
        if closing is None:
            yield f"15 work: activity {activity_id} will never be closed"
        elif closing.due_at_s is None:
            for pk, bucket in books.buckets.items():
                if f"#{activity_id}#" in pk and not bucket.ended:
                    yield f"15 work: activity {activity_id} is closed, bucket {pk} is not"


def traces(books: Books) -> Violations:
    """Every change by staff has one audit row."""
    rows = Counter((row.action, row.subject.partition("#")[2]) for row in books.audits)
    expected: Counter[tuple[str, str]] = Counter()
    for activity_id, activity in books.activities.items():
        expected["activity_published", activity_id] += 1
        expected["activity_changed", activity_id] += activity.version - 1
        expected["activity_ended", activity_id] += activity.ended_at_s is not None
    for row in books.adjustments:
        product_id = row.pk.split("#")[2]
        if row.activity_id is None:
            expected["stock_adjusted", product_id] += 1
        else:
            expected["activity_stock_added", row.activity_id] += 1
    actions = {action for action, _ in expected}
    for key in {*expected, *(key for key in rows if key[0] in actions)}:
        if rows[key] != expected[key]:
            yield f"17 traces: {rows[key]} audit rows for {expected[key]} {key[0]} of {key[1]}"


def nothing_is_due(books: Books) -> Violations:
    for item in books.items:
        if not isinstance(item, TradeItem) or item.due_at_s is None:
            continue
        if str(item.due_shard).startswith(Intent.PERSON):
            continue
        if item.due_at_s <= books.now_s:
            yield f"16 liveness: {item.pk} {item.sk} has been due since {item.due_at_s}"


def decided_groups_are_done(books: Books) -> Violations:
    for group in books.groups.values():
        if group.status not in UNDECIDED and group.due_at_s is not None:
            yield f"18 markers: group {group.group_id} is {group.status} and has a marker"


def people_can_see(books: Books) -> Violations:
    """A refund that needs a person stands in the merchant's list of those, once nothing else is."""
    for order_id, order in books.orders.items():
        needed = next_intent(order.view())
        if needed is None or needed[0] is not Intent.PERSON:
            continue
        if order.due_shard != due_shard(Intent.PERSON, order.pk):
            yield f"15 work: order {order_id} needs a person and is in {order.due_shard}"


class History:
    """Law 13: watches one merchant's books and knows every state that was seen."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def check(self, books: Books) -> None:
        """Raise AssertionError when something moved where no published edge leads."""
        wrong = [
            f"13 edges: {key} went from {self._seen[key]} to {now}"
            for key, (now, edges) in states(books).items()
            if key in self._seen and now not in _reachable(edges, self._seen[key])
        ]
        gone = [f"13 edges: {key} is gone" for key in self._seen if key not in states(books)]
        assert not wrong + gone, "\n".join(wrong + gone)
        self._seen = {key: now for key, (now, _) in states(books).items()}


def states(books: Books) -> dict[str, tuple[str, Mapping[str, set[str]]]]:
    """Everything that has a state: its state now, and the edges there are."""
    found: dict[str, tuple[str, Mapping[str, set[str]]]] = {}
    for group_id, group in books.groups.items():
        found[f"group {group_id}"] = (group.status, GROUP_EDGES)
    for order_id, order in books.orders.items():
        known = order.view()
        found[f"order {order_id}"] = (known.status.value, ORDER_EDGES)
        for attempt, payment in known.payments.items():
            found[f"payment {order_id}{attempt}"] = (payment.status.value, PAYMENT_EDGES)
        for key, refund in known.refunds.items():
            found[f"refund {order_id}{key}"] = (refund.status.value, REFUND_EDGES)
    return found


def _reachable(edges: Mapping[str, set[str]], start: str) -> set[str]:
    """`start` and everything that any number of edges lead to from it."""
    reached, ahead = {start}, [start]
    while ahead:
        for step in edges[ahead.pop()] - reached:
            reached.add(step)
            ahead.append(step)
    return reached


assert set(PAYMENT_EDGES) == set(PaymentStatus)
assert set(REFUND_EDGES) == set(RefundStatus)

Law = Callable[[Books], Violations]
LAWS: tuple[Law, ...] = (queues, orders_work, groups_work, activities_work, traces)
FINAL: tuple[Law, ...] = (nothing_is_due, decided_groups_are_done, people_can_see)
