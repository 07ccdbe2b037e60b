"""拼团合并: who of a group that is due without being full goes on in which other one.

Only members who have paid and agreed to it when they bought are moved, all of them into one group,
so that friends stay together. (Not to be confused with the merging of buyers, domain.identity.)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.group import Group, GroupStatus

# Of one transaction of at most 100 writes, both groups take 2; each member takes 3: the order, the
# message, and the condition that they have no other id in the group that they come into.
MOVED_MAX = 32


@dataclass(frozen=True)
class Mover:
    """A member who has paid and agreed. ids: all that the person has."""

    buyer_id: str
    order_no: str
    ids: frozenset[str]


@dataclass(frozen=True)
class Choice:
    """The group that takes them, and those who move there."""

    group_id: str
    movers: tuple[Mover, ...]


def choose(movers: Sequence[Mover], groups: Mapping[str, Group]) -> Choice | None:
    """The first of `groups` that has a free seat for everybody who can move there; None: there is
    no such.

    groups: others of the same version by id, those that are to be asked first coming first. Nobody
    moves into a group in which they have a seat already, and nobody with two seats at once; of more
    than MOVED_MAX, those who came first do. Whoever does not move stays.
    """
    first_come = sorted(movers, key=lambda mover: mover.order_no)
    for group_id, group in groups.items():
        coming = tuple(_strangers(first_come, group))[:MOVED_MAX]
        takes_them = group.status is GroupStatus.OPEN and group.combines
        if takes_them and 0 < len(coming) <= group.seats_free:
            return Choice(group_id, coming)
    return None


def _strangers(movers: Iterable[Mover], group: Group) -> Iterable[Mover]:
    """Those of the movers who have no seat in the group, each person once."""
    seated = set(group.members)
    for mover in movers:
        if seated.isdisjoint(mover.ids):
            seated |= mover.ids
            yield mover
