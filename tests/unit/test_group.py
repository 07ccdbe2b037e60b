"""The rules of a group."""

from dataclasses import replace

import pytest

from chalicelib.domain.group import (
    FailedReason,
    Group,
    GroupStatus,
    GroupTransition,
    extended,
    failed,
    formed_when_due,
    has_free_seat,
    is_joinable,
    next_poll_s,
    payment_counts,
    refusal_to_join,
    seat_paid,
    shown_status,
)
from chalicelib.errors import Conflict, GroupClosed

NOW_S = 1_790_000_000
GRACE_S = 60
PENDING = Group(
    status=GroupStatus.PENDING,
    members={"leader": "n1"},
    seats_total=3,
    seats_paid=0,
    life_s=3600,
    ends_at_s=NOW_S + 86400,
    expires_at_s=None,
)
OPEN = replace(PENDING, status=GroupStatus.OPEN, seats_paid=1, expires_at_s=NOW_S + 3600)
FULL = replace(OPEN, members={"leader": "n1", "b": "n2", "c": "n3"})


def test_leaders_payment_opens_the_group_for_its_life() -> None:
    opened = seat_paid(PENDING, now_s=NOW_S)

    assert (opened.was, opened.status, opened.seats_paid) == ("pending", "open", 1)
    assert (opened.expires_at_s, opened.due_at_s) == (NOW_S + 3600, None)


def test_group_lives_no_longer_than_its_activity() -> None:
    late = replace(PENDING, ends_at_s=NOW_S + 100)

    assert seat_paid(late, now_s=NOW_S).expires_at_s == NOW_S + 100


def test_last_payment_forms_the_group() -> None:
    formed = seat_paid(replace(FULL, seats_paid=2), now_s=NOW_S)

    assert (formed.was, formed.status, formed.seats_paid) == ("open", "formed", 1)
    assert (formed.decided_at_s, formed.due_at_s, formed.is_listed) == (NOW_S, NOW_S, True)


def test_payment_in_the_middle_leaves_the_group_open() -> None:
    assert seat_paid(OPEN, now_s=NOW_S) == GroupTransition(OPEN.status, OPEN.status, 1)


@pytest.mark.parametrize(
    ("reason", "was", "due_at_s", "is_listed"),
    [
        ("due", "open", None, True),  # it is due already
        ("leader_cancelled", "open", NOW_S, True),
        ("closed_by_merchant", "open", NOW_S, True),
        ("leader_unpaid", "pending", None, False),  # nobody ever saw it
    ],
)
def test_failed_group_is_settled_and_listed(
    reason: str, was: str, due_at_s: int | None, is_listed: bool
) -> None:
    change = failed(FailedReason(reason), now_s=NOW_S)

    assert (change.was, change.status, change.due_at_s) == (was, "failed", due_at_s)
    assert change.is_listed is is_listed


def test_decided_group_stays_as_it_is() -> None:
    with pytest.raises(ValueError, match="no edge"):
        GroupTransition(GroupStatus.FORMED, GroupStatus.FAILED)


@pytest.mark.parametrize(
    ("paid_at_s", "counts"), [(NOW_S + 3600, True), (NOW_S + 3660, True), (NOW_S + 3661, False)]
)
def test_payment_counts_until_the_deadline_and_its_grace(paid_at_s: int, counts: bool) -> None:
    assert payment_counts(OPEN, paid_at_s=paid_at_s, grace_s=GRACE_S) is counts


def test_leaders_payment_counts_until_the_activity_ends() -> None:
    assert payment_counts(PENDING, paid_at_s=NOW_S + 86399, grace_s=GRACE_S)
    assert not payment_counts(PENDING, paid_at_s=NOW_S + 86400, grace_s=GRACE_S)


@pytest.mark.parametrize("status", [GroupStatus.FORMED, GroupStatus.FAILED])
def test_no_payment_counts_for_a_decided_group(status: GroupStatus) -> None:
    assert not payment_counts(replace(OPEN, status=status), paid_at_s=NOW_S, grace_s=GRACE_S)


def test_group_is_closed_to_joiners_at_its_very_deadline() -> None:
    assert is_joinable(OPEN, now_s=NOW_S + 3599)
    assert not is_joinable(OPEN, now_s=NOW_S + 3600)


def test_extended_group_lasts_longer_and_never_longer_than_its_activity() -> None:
    expires_at_s = OPEN.expires_at_s or 0

    assert extended(OPEN, 3600, now_s=NOW_S).expires_at_s == expires_at_s + 3600
    assert extended(OPEN, 10 * 86400, now_s=NOW_S).expires_at_s == OPEN.ends_at_s
    with pytest.raises(Conflict, match="活动结束时间"):
        extended(replace(OPEN, expires_at_s=OPEN.ends_at_s), 3600, now_s=NOW_S)


@pytest.mark.parametrize(
    ("status", "now_s"),
    [("open", NOW_S + 3600), ("pending", NOW_S), ("formed", NOW_S), ("failed", NOW_S)],
)
def test_group_that_takes_no_members_is_not_extended(status: str, now_s: int) -> None:
    with pytest.raises(GroupClosed):
        extended(replace(OPEN, status=GroupStatus(status)), 3600, now_s=now_s)


def test_held_seats_are_not_free() -> None:
    assert has_free_seat(OPEN, now_s=NOW_S)
    assert not has_free_seat(FULL, now_s=NOW_S)


@pytest.mark.parametrize(
    ("group", "now_s", "code"),
    [
        (None, NOW_S, "not_found"),
        (PENDING, NOW_S, "not_found"),  # others never see a group whose leader has not paid
        (FULL, NOW_S, "group_full"),
        (FULL, NOW_S + 3600, "group_closed"),
        (replace(FULL, status=GroupStatus.FORMED), NOW_S, "group_full"),
        (replace(OPEN, status=GroupStatus.FAILED), NOW_S, "group_closed"),
    ],
)
def test_refusal_says_why_there_is_no_seat(group: Group | None, now_s: int, code: str) -> None:
    assert refusal_to_join(group, now_s=now_s).code == code


@pytest.mark.parametrize(
    ("now_s", "status"), [(NOW_S + 3600, "open"), (NOW_S + 3659, "open"), (NOW_S + 3660, "failed")]
)
def test_readers_see_a_due_group_as_failed_without_any_job(now_s: int, status: str) -> None:
    assert shown_status(OPEN, now_s=now_s, grace_s=GRACE_S) == status


@pytest.mark.parametrize(
    ("least", "taken", "status"),
    [(0, 3, "failed"), (2, 1, "failed"), (2, 2, "open"), (3, 3, "open"), (3, 2, "failed")],
)
def test_readers_wait_for_a_due_group_that_may_form_with_fewer(
    least: int, taken: int, status: str
) -> None:
    members = dict(list(FULL.members.items())[:taken])
    group = replace(OPEN, seats_total=4, seats_least=least, members=members)

    assert shown_status(group, now_s=NOW_S + 3660, grace_s=GRACE_S) == status


@pytest.mark.parametrize(("least", "paid", "has"), [(0, 3, False), (2, 1, False), (2, 2, True)])
def test_group_has_the_least_with_as_many_paid_seats_as_were_promised(
    least: int, paid: int, has: bool
) -> None:
    assert replace(OPEN, seats_total=4, seats_least=least, seats_paid=paid).has_least is has


def test_group_that_formed_with_fewer_lacks_nobody() -> None:
    formed = formed_when_due(now_s=NOW_S)

    assert (formed.was, formed.status, formed.seats_paid) == ("open", "formed", 0)
    assert (formed.decided_at_s, formed.due_at_s, formed.is_listed) == (NOW_S, None, True)
    assert OPEN.seats_missing == 2
    assert replace(OPEN, status=formed.status).seats_missing == 0


@pytest.mark.parametrize(
    ("group", "now_s", "wait_s"),
    [
        (OPEN, NOW_S, 5),
        (FULL, NOW_S, 5),
        (OPEN, NOW_S + 3600, 2),
        (replace(OPEN, status=GroupStatus.FORMED), NOW_S, 0),
        (replace(OPEN, status=GroupStatus.FAILED), NOW_S, 0),
    ],
)
def test_clients_ask_again_as_soon_as_it_is_worth_it(group: Group, now_s: int, wait_s: int) -> None:
    assert next_poll_s(group, now_s=now_s, grace_s=GRACE_S) == wait_s
