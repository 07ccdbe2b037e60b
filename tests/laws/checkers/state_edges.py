"""Law 13: only the published edges happen. A history watches one merchant's books."""

from collections.abc import Mapping

from chalicelib.domain import group as group_rules
from chalicelib.domain.order_transitions import STATUS_EDGES
from tests.fixtures.table_snapshot import TableSnapshot

PAYMENT_EDGES = {
    "created": {"succeeded", "closed"},
    # What the gateway had never heard of was closed by us alone: money that came yet is recorded.
    "closed": {"succeeded"},
    "succeeded": set[str](),
}
REFUND_EDGES = {
    "requested": {"processing", "succeeded", "failed"},
    "processing": {"requested", "succeeded", "failed"},
    # Sent again by a person, confirmed after all, or paid in another way.
    "failed": {"requested", "processing", "succeeded", "outside"},
    "succeeded": set[str](),
    "outside": set[str](),
}
AFTER_SALE_EDGES = {
    "requested": {"return_agreed", "approved", "refused", "withdrawn"},
    "return_agreed": {"returning", "replacing", "approved", "withdrawn", "expired"},
    "returning": {"replacing", "approved", "refused"},
    "replacing": {"replacement_sent", "exchanged", "approved"},
    "replacement_sent": {"exchanged"},
    **{end: set[str]() for end in ("approved", "refused", "withdrawn", "expired", "exchanged")},
}
GROUP_EDGES = {str(at): {str(to) for to in edges} for at, edges in group_rules.GROUP_EDGES.items()}
ORDER_EDGES = {str(at): {str(to) for to in edges} for at, edges in STATUS_EDGES.items()}


class StateHistory:
    """Law 13: watches one merchant's books and knows every state that was seen."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def check(self, snapshot: TableSnapshot) -> None:
        """Raise AssertionError when something moved where no published edge leads."""
        found = states(snapshot)
        wrong = [
            f"13 edges: {key} went from {self._seen[key]} to {now}"
            for key, (now, edges) in found.items()
            if key in self._seen and now not in _reachable(edges, self._seen[key])
        ]
        wrong += [f"13 edges: {key} is gone" for key in self._seen if key not in found]
        assert not wrong, "\n".join(wrong)
        self._seen = {key: now for key, (now, _) in found.items()}


def states(snapshot: TableSnapshot) -> dict[str, tuple[str, Mapping[str, set[str]]]]:
    """Everything that has a state: its state now, and the edges there are."""
    found: dict[str, tuple[str, Mapping[str, set[str]]]] = {}
    for group_id, group in snapshot.groups.items():
        found[f"group {group_id}"] = (group.status, GROUP_EDGES)
    for order_id, order in snapshot.orders.items():
        known = order.view()
        found[f"order {order_id}"] = (known.status.value, ORDER_EDGES)
        for attempt, payment in known.payments.items():
            found[f"payment {order_id}{attempt}"] = (payment.status.value, PAYMENT_EDGES)
        for key, refund in known.refunds.items():
            found[f"refund {order_id}{key}"] = (refund.status.value, REFUND_EDGES)
        for asked in snapshot.after_sales.get(order_id, ()):
            found[f"after-sale {order_id}{asked.letter}"] = (asked.status, AFTER_SALE_EDGES)
    return found


def _reachable(edges: Mapping[str, set[str]], start: str) -> set[str]:
    """`start` and everything that any number of edges lead to from it."""
    reached, ahead = {start}, [start]
    while ahead:
        for step in edges[ahead.pop()] - reached:
            reached.add(step)
            ahead.append(step)
    return reached
