"""到时提醒我: what a buyer wants to be told of when it is there."""

from chalicelib import clock
from chalicelib.api import limits
from chalicelib.api.auth import Buyer
from chalicelib.api.http import Api, Audience
from chalicelib.api.schemas import Done
from chalicelib.errors import (
    ActivityClosed,
    Conflict,
    GroupClosed,
    GroupFull,
    LimitReached,
    NotFound,
    SessionSuperseded,
)
from chalicelib.services.groups import reminders

api = Api(__name__, audience=Audience.BUYER)


@api.operation(
    "PUT",
    "/activities/{activity_id}/reminder",
    refusals=[NotFound, ActivityClosed, Conflict, LimitReached, SessionSuperseded],
    limited=[limits.REMINDERS],
)
def remind_of_start(who: Buyer, activity_id: str) -> Done:
    """Be told when an activity begins, once; a repeat changes nothing."""
    now_s = clock.now_s()
    reminders.ask_for_activity(who.merchant_id, who.buyer_id, activity_id, now_s=now_s)
    return Done()


@api.operation(
    "DELETE", "/activities/{activity_id}/reminder", refusals=[NotFound, SessionSuperseded]
)
def forget_start(who: Buyer, activity_id: str) -> Done:
    """Not be told of it; a repeat changes nothing."""
    now_s = clock.now_s()
    reminders.forget_activity(who.merchant_id, who.buyer_id, activity_id, now_s=now_s)
    return Done()


@api.operation(
    "PUT",
    "/groups/{group_id}/reminder",
    refusals=[NotFound, GroupFull, GroupClosed, Conflict, LimitReached, SessionSuperseded],
    limited=[limits.REMINDERS],
)
def remind_of_seat(who: Buyer, group_id: str) -> Done:
    """Be told, once, when a group whose last seats are held has a free one, or is decided; a repeat
    changes nothing."""
    reminders.ask_for_group(who.merchant_id, who.buyer_id, group_id, now_s=clock.now_s())
    return Done()


@api.operation("DELETE", "/groups/{group_id}/reminder", refusals=[NotFound, SessionSuperseded])
def forget_seat(who: Buyer, group_id: str) -> Done:
    """Not be told of it; a repeat changes nothing."""
    reminders.forget_group(who.merchant_id, who.buyer_id, group_id)
    return Done()
