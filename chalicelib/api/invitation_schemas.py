"""What buyers and staff read of who invited whom."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.schemas import PageQuery, RequestModel, ResponseModel, Seconds
from chalicelib.domain.invitations import InvitationState, Why

REPLY_MAX = 60


class InvitedShown(ResponseModel, frozen=True, kw_only=True):
    """Somebody whom a buyer has invited."""

    at_s: Annotated[Seconds, Meta(description="when they had paid")]
    name: Annotated[str, Meta(description="masked")]
    state: InvitationState
    state_words: str
    coupon: Annotated[str, Meta(description="its name; empty: it brought none")]
    points: int


class OwnInvitations(ResponseModel, frozen=True, kw_only=True):
    """What the shop gives to who brings a new buyer, and whom the buyer has brought."""

    on: bool
    rules: list[str]
    gives: Annotated[str, Meta(description="what an invitation brings; empty: nothing now")]
    gift: Annotated[str, Meta(description="what the new buyer is given; empty: nothing")]
    items: Annotated[list[InvitedShown], Meta(description="the newest first")]


class InvitationsQuery(PageQuery, frozen=True):
    """A page of the shop's invitations of one state."""

    state: InvitationState = InvitationState.HELD


class InvitationShown(ResponseModel, frozen=True, kw_only=True):
    """An invitation as staff see it."""

    buyer_id: Annotated[str, Meta(description="who was invited")]
    name: Annotated[str, Meta(description="empty: none, or closed")]
    inviter_id: str
    inviter_name: str
    channel: str
    touched_at_s: Annotated[Seconds, Meta(description="when they came by the share")]
    order_id: Annotated[str, Meta(description="the first that they bought")]
    at_s: Annotated[Seconds, Meta(description="when they had paid")]
    state: InvitationState
    state_words: str
    doubts: Annotated[list[Why], Meta(description="why staff are to decide")]
    doubt_words: list[str]
    coupon: Annotated[str, Meta(description="of the inviter: its name; empty: none")]
    points: int
    gift: Annotated[str, Meta(description="coupon of who was invited: its name; empty: none")]
    reply: Annotated[str, Meta(description="of the staff who refused it")]
    decided_by: Annotated[str | None, Meta(description="of the staff, if they decided")]


class InvitationPage(ResponseModel, frozen=True, kw_only=True):
    items: Annotated[list[InvitationShown], Meta(description="the latest first")]
    next: str | None


class InvitationRefusal(RequestModel, frozen=True, kw_only=True):
    reply: Annotated[
        str, Meta(min_length=1, max_length=REPLY_MAX, description="why; the inviter reads it")
    ]
