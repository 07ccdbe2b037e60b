"""When a reminder is looked at again, and what it tells."""

from dataclasses import replace

import pytest

from chalicelib.domain import reminder
from chalicelib.domain.activity import ActivityState
from chalicelib.domain.group import Group, GroupStatus
from chalicelib.domain.texts import TextKey

NOW_S = 1_800_000_000
LOOK_S, GRACE_S, RELEASE_S, AGAIN_S = 1800, 60, 60, 30
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
    ("changes", "held_in_s", "expected"),
    [
        ({}, 300, NOW_S + 300 + RELEASE_S),
        ({}, -90, NOW_S + AGAIN_S),  # it is being let go of: a gateway is silent
        ({}, 7200, NOW_S + 3600 + GRACE_S + RELEASE_S),  # the group is decided before
        ({}, None, NOW_S + 3600 + GRACE_S + RELEASE_S),  # paid, and not yet counted
        ({"members": {"a": "1", "b": "2"}}, None, TextKey.SEAT_FREE),
        ({"status": GroupStatus.FORMED}, None, TextKey.AWAITED_FORMED),
        ({"status": GroupStatus.FAILED}, None, TextKey.AWAITED_FAILED),
        ({"expires_at_s": NOW_S - GRACE_S}, None, TextKey.AWAITED_FAILED),
        ({"expires_at_s": NOW_S, "members": {"a": "1"}}, None, NOW_S + GRACE_S + RELEASE_S),
        ({"expires_at_s": NOW_S - 999, "seats_least": 2}, None, NOW_S + AGAIN_S),
    ],
)
def test_group_is_waited_for_until_a_seat_is_free_or_it_is_decided(
    changes: dict[str, object], held_in_s: int | None, expected: TextKey | int
) -> None:
    group = replace(FULL, **changes)  # type: ignore[arg-type]

    found = reminder.of_group(
        group,
        None if held_in_s is None else NOW_S + held_in_s,
        now_s=NOW_S,
        grace_s=GRACE_S,
        release_s=RELEASE_S,
        again_s=AGAIN_S,
    )

    assert found == expected
