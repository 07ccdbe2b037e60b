"""A group (团): its states, who may join, which payment counts, what a payment makes of it.

pending ──leader paid──▶ open ──last seat paid, or due with as many as were promised──▶ formed
   │                      └──due, cancelled, closed by the merchant──▶ failed
   └──leader unpaid at the pay-by time──────────────▶ failed
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from chalicelib.errors import Conflict, GroupClosed, GroupFull, NotFound, ServiceError

POLL_SOON_S = 5  # while somebody may join, or pay for the last seat, at any moment
POLL_SETTLING_S = 2  # around the deadline and while a decision is carried out


class GroupStatus(StrEnum):
    PENDING = "pending"  # the leader has not paid; nobody else sees the group
    OPEN = "open"  # takes members until it is due
    FORMED = "formed"  # every seat is paid, or seats_least at the deadline; for ever
    FAILED = "failed"  # everybody gets the money back; for ever


class FailedReason(StrEnum):
    DUE = "due"  # the deadline passed first
    LEADER_CANCELLED = "leader_cancelled"  # alone, before anybody joined
    LEADER_UNPAID = "leader_unpaid"  # never visible
    CLOSED_BY_MERCHANT = "closed_by_merchant"  # by hand, or with its activity


# The checker of laws holds every observed change to these.
GROUP_EDGES: Mapping[GroupStatus, frozenset[GroupStatus]] = {
    GroupStatus.PENDING: frozenset({GroupStatus.OPEN, GroupStatus.FAILED}),
    GroupStatus.OPEN: frozenset({GroupStatus.FORMED, GroupStatus.FAILED}),
    GroupStatus.FORMED: frozenset(),
    GroupStatus.FAILED: frozenset(),
}


@dataclass(frozen=True)
class Group:
    """What decisions about a group need. Times are seconds since the epoch."""

    status: GroupStatus
    members: Mapping[str, str]  # buyer_id -> order_no; the leader included
    seats_total: int
    seats_paid: int
    life_s: int
    ends_at_s: int  # of the activity, when the group was opened
    expires_at_s: int | None  # None until the leader has paid
    seats_least: int = 0  # paid seats with which it forms at its deadline; 0: all of them
    combines: bool = False  # whether it may be combined with another one at its deadline

    @property
    def seats_taken(self) -> int:
        return len(self.members)

    @property
    def seats_missing(self) -> int:
        formed = self.status is GroupStatus.FORMED  # perhaps with fewer
        return 0 if formed else self.seats_total - self.seats_paid

    @property
    def seats_free(self) -> int:
        """Those that nobody has, and nobody holds for payment."""
        return self.seats_total - self.seats_taken

    @property
    def seats_lacking(self) -> int:
        """Seats that have to be paid yet for it to form at all: at its deadline, where fewer do."""
        if not self.seats_least:
            return self.seats_missing
        return max(self.seats_least - self.seats_paid, 0)

    @property
    def has_least(self) -> bool:
        """Whether as many seats are paid as it needs to form at its deadline."""
        return 0 < self.seats_least <= self.seats_paid


class GroupRole(StrEnum):
    """What somebody who looks at a group is in it."""

    LEADER = "leader"
    MEMBER = "member"  # has paid
    HOLDER = "holder"  # holds a seat that is not paid
    STRANGER = "stranger"


@dataclass(frozen=True)
class GroupTransition:
    """What an event changes of a group (services.orders.state_changes writes it). None: nothing."""

    was: GroupStatus  # when it is written; else somebody was faster
    status: GroupStatus
    seats_paid: int = 0  # more than before; fewer where members are moved to another group
    expires_at_s: int | None = None
    failed_reason: FailedReason | None = None
    decided_at_s: int | None = None
    due_at_s: int | None = None  # when the decision is to be carried out

    def __post_init__(self) -> None:
        if self.status is not self.was and self.status not in GROUP_EDGES[self.was]:
            raise ValueError(f"no edge leads from {self.was} to {self.status}")

    @property
    def is_listed(self) -> bool:
        """Whether it now stands in the list of decided groups. Nobody ever saw a group whose
        leader did not pay."""
        seen = self.failed_reason is not FailedReason.LEADER_UNPAID
        return self.decided_at_s is not None and seen


def refusal_to_join(group: Group | None, *, now_s: int) -> ServiceError:
    """Why a seat could not be taken. A pending group does not exist for others."""
    if group is None or group.status is GroupStatus.PENDING:
        return NotFound("没有找到这个团。")
    if is_joinable(group, now_s=now_s):  # the last seat is held by somebody who may not pay
        return GroupFull("最后一个名额正在付款中。没有付款就会空出来，请稍后再看，或参加其他团。")
    if group.status is GroupStatus.FORMED:
        fewer = group.seats_paid < group.seats_total
        words = "来晚一步，这个团已经成团。可以参加其他团，或自己开一个。"
        return GroupFull(words) if fewer else GroupFull()
    return GroupClosed()


def is_joinable(group: Group, *, now_s: int) -> bool:
    """Whether the group still takes members, free seats aside. At its deadline it does not."""
    return group.status is GroupStatus.OPEN and now_s < (group.expires_at_s or 0)


def has_free_seat(group: Group, *, now_s: int) -> bool:
    """Whether a seat could be taken now; seats that are held for payment are not free."""
    return is_joinable(group, now_s=now_s) and group.seats_taken < group.seats_total


def payment_counts(group: Group, *, paid_at_s: int, grace_s: int) -> bool:
    """Whether a payment made at `paid_at_s` (the gateway's own time) can take its held seat.

    An open group takes it until its deadline plus the grace that the job waits before it fails
    the group; a pending one until its activity ends, since its clock starts only now.
    """
    if group.status is GroupStatus.PENDING:
        return paid_at_s < group.ends_at_s
    return group.status is GroupStatus.OPEN and paid_at_s <= (group.expires_at_s or 0) + grace_s


def is_to_form(group: Group, *, now_s: int) -> bool:
    """Whether an open group only waits for its decision, and that can be no other: it is due, and
    as many seats are paid as were promised to be enough."""
    due = group.status is GroupStatus.OPEN and now_s >= (group.expires_at_s or 0)
    return due and group.has_least


def seat_paid(group: Group, *, now_s: int) -> GroupTransition:
    """One more seat is paid: the leader's payment opens the group, the last one forms it.

    A group opens at `now_s` and lives until min(now_s + life_s, ends_at_s). When the leader's
    callback is so late that the activity is over, the group is due at once and fails by its rule.
    """
    if group.status is GroupStatus.PENDING:
        expires_at_s = min(now_s + group.life_s, group.ends_at_s)
        return GroupTransition(group.status, GroupStatus.OPEN, 1, expires_at_s=expires_at_s)
    return _more_paid(group, 1, now_s=now_s)


def combined_away(moving: int, *, now_s: int) -> GroupTransition:
    """The group is due, and `moving` of its paid seats go on in another one; it fails for whoever
    stays."""
    return replace(failed(FailedReason.DUE, now_s=now_s), seats_paid=-moving)


def combined_with(group: Group, coming: int, *, now_s: int) -> GroupTransition:
    """`coming` paid seats of a group that was due come into this open one, and may form it."""
    return _more_paid(group, coming, now_s=now_s)


def _more_paid(group: Group, seats: int, *, now_s: int) -> GroupTransition:
    if group.seats_paid + seats == group.seats_total:
        formed = GroupStatus.FORMED
        return GroupTransition(group.status, formed, seats, decided_at_s=now_s, due_at_s=now_s)
    return GroupTransition(group.status, group.status, seats)


def failed(reason: FailedReason, *, now_s: int) -> GroupTransition:
    """The group fails for `reason`: an open one, or one that its leader did not pay.

    One whose deadline has passed is due already; who never saw a group has nothing to settle.
    """
    unpaid = reason is FailedReason.LEADER_UNPAID
    return GroupTransition(
        was=GroupStatus.PENDING if unpaid else GroupStatus.OPEN,
        status=GroupStatus.FAILED,
        failed_reason=reason,
        decided_at_s=now_s,
        due_at_s=None if reason in (FailedReason.DUE, FailedReason.LEADER_UNPAID) else now_s,
    )


def formed_when_due(*, now_s: int) -> GroupTransition:
    """The open group forms at its deadline, with the seats that are paid; it is due already."""
    return GroupTransition(GroupStatus.OPEN, GroupStatus.FORMED, decided_at_s=now_s)


def extended(group: Group, longer_s: int, *, now_s: int) -> GroupTransition:
    """An open group is given `longer_s` more, no later than it ever may be: the end of its
    activity, as it was when the group was opened.

    Raises GroupClosed when the group takes no members any more, Conflict when it has no more time
    to get.
    """
    if not is_joinable(group, now_s=now_s):
        raise GroupClosed("这个团已结束或已到截止时间，不能再延长。")
    expires_at_s = group.expires_at_s or 0
    later_s = min(expires_at_s + longer_s, group.ends_at_s)
    if later_s <= expires_at_s:
        raise Conflict("这个团的截止时间已经是活动结束时间，不能再延长。")
    return GroupTransition(group.status, group.status, expires_at_s=later_s)


def shown_status(group: Group, *, now_s: int, grace_s: int) -> GroupStatus:
    """The status that readers see: failed once it is past saving, whether or not a job has run.

    As long as the seats that are taken could be enough to form with, or it may be combined with
    another one, it is not past saving.
    """
    past = now_s >= (group.expires_at_s or 0) + grace_s
    may_form = 0 < group.seats_least <= group.seats_taken or group.combines
    lost = group.status is GroupStatus.OPEN and past and not may_form
    return GroupStatus.FAILED if lost else group.status


def next_poll_s(group: Group, *, now_s: int, grace_s: int) -> int:
    """In how many seconds it is worth asking again; 0: the answer will not change any more."""
    if group.status in (GroupStatus.FORMED, GroupStatus.FAILED):
        return 0
    return POLL_SOON_S if is_joinable(group, now_s=now_s) else POLL_SETTLING_S
