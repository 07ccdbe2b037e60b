"""Laws of invitations: who came by a share is counted once."""

from collections import Counter
from collections.abc import Callable, Iterator

from chalicelib.tables.shares import VisitItem, VisitsItem
from tests.fixtures.table_snapshot import TableSnapshot

Violations = Iterator[str]


def visits(snapshot: TableSnapshot) -> Violations:
    """A share has been visited by as many as came by it."""
    came = Counter(item.pk for item in snapshot.items if isinstance(item, VisitItem))
    came.subtract({it.pk: it.visits for it in snapshot.items if isinstance(it, VisitsItem)})
    for place, count in came.items():
        if count:
            yield f"37 invitations: {count} visitors of {place} are not counted"


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (visits,)
