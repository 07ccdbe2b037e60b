"""What staff see of groups, and what they may ask of one."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.schemas import (
    Fen,
    Id,
    PageQuery,
    RebateText,
    RequestModel,
    ResponseModel,
    Seconds,
    TierShown,
)
from chalicelib.services.groups import group_controls

Reason = Annotated[
    str,
    Meta(min_length=1, max_length=group_controls.REASON_MAX, description="The members read it."),
]
Hours = Annotated[int, Meta(ge=group_controls.HOURS_MIN, le=group_controls.HOURS_MAX)]


class GroupQuery(PageQuery, frozen=True, kw_only=True):
    tab: Annotated[
        str,
        Meta(
            pattern=r"^(open|ends_soon|formed|failed)\Z", description="ends_soon: within 2 hours."
        ),
    ] = "open"
    activity_id: Annotated[Id | None, Meta(description="None: of the whole shop.")] = None
    q: Annotated[
        str, Meta(max_length=30, description="A group's number, or how its leader's name begins.")
    ] = ""


class ClosingRequest(RequestModel, frozen=True, kw_only=True):
    reason: Reason


class ExtensionRequest(RequestModel, frozen=True, kw_only=True):
    hours: Hours
    expires_at_s: Annotated[Seconds, Meta(description="The deadline as read.")]


class GroupRow(ResponseModel, frozen=True, kw_only=True):
    group_id: str
    activity_id: str
    title: str
    image: str
    leader_name: str
    status: str
    status_text: str
    failed_reason: str | None
    seats_total: int
    seats_least: Annotated[
        int, Meta(description="Paid seats with which it forms at its deadline; 0: all.")
    ]
    seats_taken: Annotated[int, Meta(description="Those that are held for payment among them.")]
    seats_paid: int
    opened_at_s: Annotated[Seconds, Meta(description="When its leader ordered.")]
    expires_at_s: Seconds | None
    decided_at_s: Seconds | None
    combined_into: Annotated[
        str | None, Meta(description="The group in which members went on when this one was due.")
    ]
    moved: Annotated[int, Meta(description="How many did; they are no members here any more.")]


class GroupRows(ResponseModel, frozen=True, kw_only=True):
    items: list[GroupRow]
    next: str | None


class GroupTerms(ResponseModel, frozen=True, kw_only=True):
    """The activity's terms when the group was opened, which are the group's for ever."""

    version: int
    seats_total: int
    life_h: int
    ends_at_s: Seconds
    limit_per_buyer: int
    limit_per_order: int
    group_price_fen: Annotated[Fen, Meta(description="The lowest of the SKUs.")]
    leader_free: bool
    compensation_words: Annotated[
        str, Meta(description="What a coupon takes off that members get if it fails; or empty.")
    ]
    compensation_points: Annotated[int, Meta(description="That members get as well; 0: none.")]
    tiers: list[TierShown]
    combines: bool


class GroupMember(ResponseModel, frozen=True, kw_only=True):
    name: str
    phone: Annotated[str, Meta(description="Masked.")]
    is_leader: bool
    sku_id: str
    spec: str
    quantity: int
    paid_fen: Annotated[Fen, Meta(description="0 while the seat is held for payment.")]
    order_id: str
    short_no: str
    status: str
    status_text: str
    refund_status: Annotated[str | None, Meta(description="Of the refund that came last.")]
    rebate_text: RebateText
    refunded_fen: Annotated[Fen, Meta(description="Confirmed by the gateway.")]
    invited_by: Annotated[str, Meta(description="Whose share they came by; empty: nobody's.")]
    combinable: Annotated[bool, Meta(description="Agreed to go on in another group.")]
    came: Annotated[bool, Meta(description="Came from a group that was due.")]
    is_gone: Annotated[bool, Meta(description="Has gone on in another group.")]


class GroupEvent(ResponseModel, frozen=True, kw_only=True):
    at_s: Seconds
    what: Annotated[
        str,
        Meta(
            description="opened, paid, formed, failed, refund_requested, refunded, "
            "rebate_requested, rebated, compensated, compensated_points, "
            "combined_from, combined_into"
        ),
    ]
    text: str
    order_id: str
    amount_fen: Fen


class GroupShown(GroupRow, frozen=True, kw_only=True):
    closed_words: Annotated[str | None, Meta(description="Why staff closed it.")]
    extensible_until_s: Annotated[
        Seconds | None, Meta(description="Until when it may be extended; None: no more.")
    ]
    terms: GroupTerms
    members: list[GroupMember]
    events: list[GroupEvent]
