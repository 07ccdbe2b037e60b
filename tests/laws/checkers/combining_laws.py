"""Laws of combined groups: only who agreed is moved, from a group that failed when it was due into
one of the same terms, and each move can be followed from both ends."""

from collections.abc import Callable, Iterator

from chalicelib.domain.group import FailedReason
from chalicelib.domain.texts import TextKey
from chalicelib.services import timeouts
from chalicelib.services.orders import notifications
from chalicelib.tables.trade import GroupItem, OrderItem
from tests.fixtures.table_snapshot import GIVEN_BACK, KEPT, TableSnapshot

Violations = Iterator[str]


def sources(snapshot: TableSnapshot) -> Violations:
    """Whose members have gone on was due, and failed; where they went knows it."""
    for group in snapshot.groups.values():
        what = f"35 combining: group {group.group_id}"
        terms = snapshot.versions.get((group.activity_id, group.version))
        if terms is not None and terms.combines != bool(group.combines):
            yield f"{what} combines: {group.combines}, its terms {terms.combines}"
        if bool(group.moved) != (group.combined_into is not None):
            yield f"{what} let {len(group.moved)} go to {group.combined_into}"
        if group.combined_into is None:
            continue
        due_at_s = (group.expires_at_s or 0) + timeouts.GRACE_S
        if group.failed_reason != FailedReason.DUE or (group.decided_at_s or 0) < due_at_s:
            yield f"{what} was combined, and {group.failed_reason} at {group.decided_at_s}"
        into = snapshot.groups.get(group.combined_into)
        if into is None or (into.activity_id, into.version) != (group.activity_id, group.version):
            yield f"{what} was combined with {group.combined_into} of other terms"
        elif list(into.combined_from or ()).count(group.group_id) != 1:
            yield f"{what} was combined with {group.combined_into}, which does not know"


def targets(snapshot: TableSnapshot) -> Violations:
    for group in snapshot.groups.values():
        for source_id in group.combined_from or ():
            source = snapshot.groups.get(source_id)
            if source is None or source.combined_into != group.group_id:
                yield f"35 combining: group {group.group_id} knows of {source_id}, which is not so"


def moves(snapshot: TableSnapshot) -> Violations:
    """Each order is where its moves lead from the group in which it took its seat; its buyer had
    agreed, had paid, and was told of each."""
    moved = {
        (buyer_id, number)
        for group in snapshot.groups.values()
        for buyer_id, number in group.moved.items()
    }
    for order_id, order in snapshot.orders.items():
        what = f"35 combining: order {order_id}"
        way = _way(snapshot, order)
        if (order.buyer_id, order.order_no) in moved or order.first_group_id is not None:
            if not way or way[-1] != order.group_id:
                yield f"{what} is in {order.group_id}, was moved to {way}"
            if not order.combinable or order.status not in KEPT | GIVEN_BACK:
                yield f"{what} was moved, is {order.status}, agreed: {order.combinable}"
        told = {message.sk.split("#")[2] for message in snapshot.messages.get(order_id, ())}
        stage = notifications.STAGES[TextKey.COMBINED]
        if {one for one in told if one.startswith(stage)} != {stage + into for into in way}:
            yield f"{what} was moved to {way}, its buyer was told otherwise"
        terms = snapshot.terms_of(order)
        if order.combinable and (order.group_id is None or terms is None or not terms.combines):
            yield f"{what} agrees to what its terms do not offer"


def _way(snapshot: TableSnapshot, order: OrderItem) -> list[str]:
    """Return the groups that an order was moved to, one after the other."""
    way: list[str] = []
    group: GroupItem | None = snapshot.first_group_of(order)
    while group is not None and group.moved.get(order.buyer_id) == order.order_no:
        way.append(group.combined_into or "")
        group = snapshot.groups.get(way[-1])
    return way


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (sources, targets, moves)
