"""Touches: by whose shares a buyer came before they bought.

A touch is a visit by a share of somebody else's, of a buyer who is known by then or has logged in
since. Of each share the first and the latest visit are kept: a purchase looks at the days before.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from chalicelib.domain.beijing import DAY_S

DAYS = 7  # before a purchase, in which a touch counts
KEPT_DAYS = 2 * DAYS  # what follows a purchase may come late
KEPT_MAX = 20  # of one person


class VisitState(StrEnum):
    """Whose a visit is. The same person may come by a share on two phones: that is one visit, once
    the server has heard of both."""

    NEW = "new"  # nobody has said so far that it is theirs
    TOLD = "told"
    AGAIN = "again"  # it is somebody's who had come by the share before: it does not count


@dataclass(frozen=True)
class Touch:
    """Visits of one buyer by one share: the first and the latest. sharer_id: empty where the shop
    itself has spread it. group_id: empty where it leads to the activity. told_at_s: when the buyer
    was known to be the visitor, who may have been somebody else on the same phone until then."""

    share_id: str
    sharer_id: str
    channel: str
    group_id: str
    activity_id: str
    at_s: int
    last_at_s: int
    told_at_s: int = 0


def added(kept: Collection[Touch], new: Collection[Touch], *, now_s: int) -> tuple[Touch, ...]:
    """All touches of a person that are worth keeping, the earliest first: one for each share, the
    first one and the latest when there are too many."""
    by_share: dict[str, Touch] = {}
    for one in (*kept, *new):
        known = by_share.get(one.share_id, one)
        by_share[one.share_id] = replace(
            known,
            at_s=min(known.at_s, one.at_s),
            last_at_s=max(known.last_at_s, one.last_at_s),
            told_at_s=min(known.told_at_s, one.told_at_s),
        )
    recent = [it for it in by_share.values() if it.last_at_s >= now_s - KEPT_DAYS * DAY_S]
    in_order = sorted(recent, key=lambda it: (it.at_s, it.share_id))
    return tuple(in_order[:1] + in_order[1:][-(KEPT_MAX - 1) :])


def first_before(touches: Collection[Touch], until_s: int) -> tuple[Touch, int] | None:
    """(the touch of another buyer's that came first in the days before a purchase, when); None:
    there was none."""
    found = _within([it for it in touches if it.sharer_id], until_s, DAYS)
    return found[0] if found else None


def first_and_last(
    touches: Collection[Touch], activity_id: str, until_s: int, *, days: int
) -> tuple[tuple[Touch, int], tuple[Touch, int]] | None:
    """(touch, when) that came first, and last, in the days before a purchase of an activity, of
    those that lead to it; None: there was none."""
    leading = [it for it in touches if it.activity_id == activity_id]
    found = _within(leading, until_s, days)
    return (found[0], found[-1]) if found else None


def _within(touches: Collection[Touch], until_s: int, days: int) -> Sequence[tuple[Touch, int]]:
    """(touch, when) of every visit of those days that the buyer had told of, the earliest first:
    who lends a phone that has visited to who has just bought has not brought them."""
    since_s = until_s - days * DAY_S
    visits = {
        (at_s, it.share_id): it
        for it in touches
        if it.told_at_s <= until_s
        for at_s in (it.at_s, it.last_at_s)
        if since_s <= at_s <= until_s
    }
    return [(visits[key], key[0]) for key in sorted(visits)]
