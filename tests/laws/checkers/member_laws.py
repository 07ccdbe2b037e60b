"""Laws of members: what their orders come to, and where they stand in the shop's lists."""

from collections.abc import Callable, Iterator

from chalicelib.domain.member import figures_of
from tests.fixtures.table_snapshot import TableSnapshot

Violations = Iterator[str]


def rows(snapshot: TableSnapshot) -> Violations:
    """A member stands in every list, once and as they are; nobody else does."""
    wanted = {(row.pk, row.sk): row for item in snapshot.members.values() for row in item.rows()}
    there = {(row.pk, row.sk): row for row in snapshot.member_rows}
    for key in sorted({*wanted, *there}):
        one, other = wanted.get(key), there.get(key)
        if one is None or other is None:
            yield f"34 members: row {key} is {'not there' if one else 'of nobody'}"
        elif (one.figures, one.tags) != (other.figures, other.tags):
            yield f"34 members: row {key} says {other.figures}, its member {one.figures}"


def figures(snapshot: TableSnapshot) -> Violations:
    """What is kept of a member is what the orders of all their ids come to, under the first."""
    for buyer_id, buyer in snapshot.buyers.items():
        what, item = f"34 members: {buyer_id}", snapshot.members.get(buyer_id)
        orders = [one for one in snapshot.orders.values() if one.buyer_id in buyer.ids]
        accounts = [snapshot.points[one] for one in buyer.ids if one in snapshot.points]
        growth = sum(account.growth for account in accounts)
        expected = figures_of(((it.order_id, it.entries()) for it in orders), growth=growth)
        is_member = buyer.merged_into is None and buyer.erased_at_s is None
        if not is_member or not expected.last_order_id:
            if item is not None:
                yield f"{what} is no member, and is kept as one"
        elif any(one.unposted for one in orders):
            continue  # reckoned once the payment is posted
        elif item is None or item.figures != expected:
            yield f"{what} has {item.figures if item else None}, their orders {expected}"


def kept(snapshot: TableSnapshot) -> Violations:
    """Nothing is noted of a closed account."""
    for buyer_id in snapshot.member_notes:
        buyer = snapshot.buyers.get(buyer_id)
        if buyer is None or buyer.erased_at_s is not None:
            yield f"34 members: there are notes about {buyer_id}, whose account is closed"


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (rows, kept)
FINAL: tuple[Law, ...] = (figures,)
