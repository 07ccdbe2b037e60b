"""到时提醒我: when it is worth looking at what a buyer waits for, and what they are told of it.

One who waits is told once, what is true then; else it is looked at again. So each rule gives what
to tell, or when to look again.
"""

from enum import StrEnum

from chalicelib.domain import group as group_rules
from chalicelib.domain.activity import ActivityState
from chalicelib.domain.group import Group, GroupStatus
from chalicelib.domain.texts import TextKey

REMINDERS_MAX = 20  # of one person that wait


class Awaited(StrEnum):
    """What a reminder waits for."""

    ACTIVITY = "activity"  # that it begins
    GROUP = "group"  # a seat of it that is free: others hold all that are left


def of_activity(
    state: ActivityState, starts_at_s: int, *, now_s: int, look_s: int
) -> TextKey | int:
    """What to tell of an activity that had not begun, or when to look again.

    look_s: staff may move its start or pause it, so it is looked at so often.
    """
    if state is ActivityState.SCHEDULED:
        return min(starts_at_s, now_s + look_s)
    if state is ActivityState.PAUSED:
        return now_s + look_s
    return {
        ActivityState.RUNNING: TextKey.ACTIVITY_BEGUN,
        ActivityState.SOLD_OUT: TextKey.ACTIVITY_SOLD_OUT,
    }.get(state, TextKey.ACTIVITY_OVER)


def of_group(group: Group, *, now_s: int, grace_s: int, look_s: int) -> TextKey | int:
    """What to tell of a group whose last seats were held, or when to look again.

    look_s: a seat may be given up long before it has to be paid, so it is looked at so often.
    """
    status = group_rules.shown_status(group, now_s=now_s, grace_s=grace_s)
    if status is GroupStatus.FORMED:
        return TextKey.AWAITED_FORMED
    if status is GroupStatus.FAILED:
        return TextKey.AWAITED_FAILED
    if group_rules.has_free_seat(group, now_s=now_s):
        return TextKey.SEAT_FREE
    return now_s + look_s
