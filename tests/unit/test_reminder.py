"""When a reminder is looked at again, and what it tells."""

from dataclasses import replace

import pytest

from chalicelib.domain import reminder
from chalicelib.domain.activity import ActivityState
from chalicelib.domain.group import Group, GroupStatus
from chalicelib.domain.texts import TextKey

NOW_S = 1_800_000_000
LOOK_S, GRACE_S = 1800, 60
FULL = Group(
    GroupStatus.OPEN,
    members={"a": "1", "b": "2", "c": "3"},
    seats_total=3,
    seats_paid=2,
    life_s=3600,
    ends_at_s=NOW_S + 9000,
    expires_at_s=NOW_S + 3600,
)


@pytest.mark.parametrize(
    ("state", "starts_in_s", "expected"),
    [
        (ActivityState.SCHEDULED, 60, NOW_S + 60),
        (ActivityState.SCHEDULED, 86400, NOW_S + LOOK_S),  # staff may move it
        (ActivityState.PAUSED, -60, NOW_S + LOOK_S),
        (ActivityState.RUNNING, 0, TextKey.ACTIVITY_BEGUN),
        (ActivityState.SOLD_OUT, -60, TextKey.ACTIVITY_SOLD_OUT),
        (ActivityState.ENDED, 60, TextKey.ACTIVITY_OVER),
    ],
)
def test_activity_is_waited_for_until_something_is_true_of_it(
    state: ActivityState, starts_in_s: int, expected: TextKey | int
) -> None:
    found = reminder.of_activity(state, NOW_S + starts_in_s, now_s=NOW_S, look_s=LOOK_S)

    assert found == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, NOW_S + LOOK_S),
        ({"members": {"a": "1", "b": "2"}}, TextKey.SEAT_FREE),
        ({"status": GroupStatus.FORMED}, TextKey.AWAITED_FORMED),
        ({"status": GroupStatus.FAILED}, TextKey.AWAITED_FAILED),
        ({"expires_at_s": NOW_S - GRACE_S}, TextKey.AWAITED_FAILED),
        ({"expires_at_s": NOW_S, "members": {"a": "1"}}, NOW_S + LOOK_S),
        ({"expires_at_s": NOW_S - 999, "seats_least": 2}, NOW_S + LOOK_S),
    ],
)
def test_group_is_waited_for_until_a_seat_is_free_or_it_is_decided(
    changes: dict[str, object], expected: TextKey | int
) -> None:
    group = replace(FULL, **changes)  # type: ignore[arg-type]

    found = reminder.of_group(group, now_s=NOW_S, grace_s=GRACE_S, look_s=LOOK_S)

    assert found == expected
