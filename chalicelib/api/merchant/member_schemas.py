"""Members as staff see them: lists, everything of one, tags, notes."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.buyers.coupon_schemas import CouponShown
from chalicelib.api.schemas import Fen, Id, PageQuery, RequestModel, ResponseModel, Seconds
from chalicelib.domain.levels import LEVELS_MAX
from chalicelib.domain.member import NOTE_MAX, TAG_NAME_MAX, TAGS_OF_MEMBER_MAX, MemberSort

MEMBERS_MAX = 50  # tagged at once
SortName = Annotated[str, Meta(pattern=rf"^({'|'.join(MemberSort)})\Z")]
Days = Annotated[int, Meta(ge=0, le=3650, description="0: it asks nothing")]


class MemberQuery(PageQuery, frozen=True, kw_only=True):
    """All are optional and hold together."""

    sort: Annotated[
        SortName,
        Meta(
            description="by their last order, by what they spent, by when they came: greatest first"
        ),
    ] = "last"
    tag_id: Id | None = None
    level: Annotated[int, Meta(ge=0, le=LEVELS_MAX, description="0: any or none")] = 0
    q: Annotated[
        str,
        Meta(
            max_length=64,
            description="the phone of an order's recipient or its last 4 digits, the phone that a "
            "member logs in with, a part of the name of a recipient or of the member",
        ),
    ] = ""


class TagRuleInput(RequestModel, frozen=True, kw_only=True):
    """What all has to hold of a member; what is 0 asks nothing."""

    orders_least: Annotated[int, Meta(ge=0, le=100_000)] = 0
    spent_least_fen: Annotated[int, Meta(ge=0, le=10_000_000_000)] = 0
    within_days: Annotated[Days, Meta(description="the last order: so many days ago at most")] = 0
    longer_ago_days: Annotated[Days, Meta(description="the last order: longer ago")] = 0


class TagRuleShown(ResponseModel, frozen=True, kw_only=True):
    orders_least: int
    spent_least_fen: Fen
    within_days: int
    longer_ago_days: int


class MemberTagInput(RequestModel, frozen=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=TAG_NAME_MAX)]
    rule: Annotated[TagRuleInput | None, Meta(description="null: it is given by hand")] = None


class MemberTagChange(MemberTagInput, frozen=True, kw_only=True):
    revision: int


class MemberTagShown(ResponseModel, frozen=True, kw_only=True):
    tag_id: str
    name: str
    rule: TagRuleShown | None
    revision: int


class MemberTagList(ResponseModel, frozen=True):
    items: list[MemberTagShown]


class TagOfMember(ResponseModel, frozen=True, kw_only=True):
    tag_id: str
    name: str
    by_rule: bool


class LevelOfMember(ResponseModel, frozen=True, kw_only=True):
    no: int
    name: str


class MemberRow(ResponseModel, frozen=True, kw_only=True):
    buyer_id: str
    name: Annotated[str, Meta(description="what they call themselves; perhaps empty")]
    avatar: str
    phone: Annotated[str, Meta(description="masked: theirs, else of their last order's recipient")]
    recipient: Annotated[str, Meta(description="of their last order, masked")]
    orders: Annotated[int, Meta(description="paid, and not given back whole")]
    spent_fen: Annotated[Fen, Meta(description="paid, less what went back")]
    last_at_s: Annotated[Seconds, Meta(description="when the last paid order was placed")]
    since_s: Seconds
    growth: int
    level: Annotated[LevelOfMember | None, Meta(description="null: none, or the shop has none")]
    tags: list[TagOfMember]


class MemberRows(ResponseModel, frozen=True, kw_only=True):
    """A page may have fewer rows than asked for, even none, while `next` says that it goes on."""

    items: list[MemberRow]
    next: str | None
    levels: Annotated[list[LevelOfMember], Meta(description="that the shop has, the lowest first")]
    left_out: Annotated[
        bool, Meta(description="More orders fit the phone or the name than were looked at.")
    ]


class MemberNote(ResponseModel, frozen=True, kw_only=True):
    note_id: str
    at_s: Seconds
    staff: str
    text: str


class MemberFileShown(MemberRow, frozen=True, kw_only=True):
    notes: Annotated[list[MemberNote], Meta(description="the latest, the newest first")]
    points: Annotated[int, Meta(description="below zero: what is earned next pays that first")]
    coupons: Annotated[list[CouponShown], Meta(description="the newest first")]


class MemberNoteRequest(RequestModel, frozen=True, kw_only=True):
    text: Annotated[str, Meta(min_length=1, max_length=NOTE_MAX)]


class MembersTagged(RequestModel, frozen=True, kw_only=True):
    """Tags that are given by hand, to give these members, and to take from them."""

    buyer_ids: Annotated[list[Id], Meta(min_length=1, max_length=MEMBERS_MAX)]
    add: Annotated[list[Id], Meta(max_length=TAGS_OF_MEMBER_MAX)]
    remove: Annotated[list[Id], Meta(max_length=TAGS_OF_MEMBER_MAX)]


class TagRefusal(ResponseModel, frozen=True, kw_only=True):
    buyer_id: str
    message: str


class TagsGiven(ResponseModel, frozen=True, kw_only=True):
    done: int
    refused: Annotated[list[TagRefusal], Meta(description="members who are as they were, and why")]
