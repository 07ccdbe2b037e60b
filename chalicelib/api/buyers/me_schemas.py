"""What buyers send and receive about themselves."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.after_sale_schemas import AfterSaleShown
from chalicelib.api.buyers.coupon_schemas import CouponShown
from chalicelib.api.buyers.level_schemas import BirthdayShown
from chalicelib.api.buyers.order_schemas import OrderDetail
from chalicelib.api.buyers.points_schemas import PointsAccountShown
from chalicelib.api.invitation_schemas import InvitedShown
from chalicelib.api.reward_schemas import RewardShown
from chalicelib.api.schemas import (
    Address,
    Id,
    MessageShown,
    RequestModel,
    ResponseModel,
    Seconds,
    VisitorId,
)
from chalicelib.domain.agreements import AgreementKind
from chalicelib.domain.pasted_address import PASTE_MAX
from chalicelib.domain.subscribe_message import PROMPT_MAX


class ReadMark(RequestModel, frozen=True, kw_only=True):
    up_to_s: Annotated[
        int, Meta(ge=0, le=9_999_999_999, description="`told_at_s` of the newest message seen")
    ]


class Unread(ResponseModel, frozen=True, kw_only=True):
    unread_messages: Annotated[int, Meta(description="100: more than 99")]


class Subscriptions(RequestModel, frozen=True, kw_only=True):
    template_ids: Annotated[
        list[Annotated[str, Meta(max_length=64)]], Meta(min_length=1, max_length=PROMPT_MAX)
    ]


class Consent(RequestModel, frozen=True, kw_only=True):
    kind: AgreementKind
    version: Annotated[int, Meta(ge=0, description="as it was read")]


class ConsentRequest(RequestModel, frozen=True, kw_only=True):
    accepted: Annotated[list[Consent], Meta(min_length=1, max_length=len(AgreementKind))]


ToAccept = Annotated[
    list[AgreementKind], Meta(description="agreements whose version in force was not accepted")
]


class ConsentState(ResponseModel, frozen=True, kw_only=True):
    to_accept: ToAccept


class Agreement(ResponseModel, frozen=True, kw_only=True):
    kind: AgreementKind
    title: str
    version: int
    text: Annotated[str, Meta(description="plain text with line breaks")]


class AgreementList(ResponseModel, frozen=True, kw_only=True):
    items: list[Agreement]


class Profile(Unread, frozen=True, kw_only=True):
    buyer_id: str
    name: str
    avatar: str
    phone: Annotated[str | None, Meta(description="that was proven, masked; null: none")]
    to_accept: ToAccept


class NewAddress(Address, frozen=True, kw_only=True):
    """`is_default`: from now on. The first one is the default anyway, and one always is."""

    is_default: bool = False


class SavedAddress(Address, frozen=True, kw_only=True):
    address_id: str
    is_default: bool


class AddressBook(ResponseModel, frozen=True, kw_only=True):
    items: Annotated[list[SavedAddress], Meta(description="the default first, then the newest")]


class PastedAddress(RequestModel, frozen=True, kw_only=True):
    text: Annotated[str, Meta(min_length=1, max_length=PASTE_MAX)]


class ParsedAddress(ResponseModel, frozen=True, kw_only=True):
    """What the text says; an empty string is what it does not say."""

    name: str
    phone: str
    province: str
    city: str
    district: str
    street: str
    missing: Annotated[list[str], Meta(description="fields that are needed and not in the text")]


class ReminderShown(ResponseModel, frozen=True, kw_only=True):
    activity_id: str
    group_id: Annotated[str | None, Meta(description="null: of the activity's start")]
    asked_at_s: Seconds


class Visits(RequestModel, frozen=True, kw_only=True):
    """Shares by which the buyer came before they were logged in, or came just now."""

    visitor_id: VisitorId
    share_ids: Annotated[list[Id], Meta(min_length=1, max_length=10)]


class TouchShown(ResponseModel, frozen=True, kw_only=True):
    """Visits of the buyer by one share."""

    share_id: str
    channel: str
    group_id: str
    activity_id: str
    at_s: Seconds
    last_at_s: Seconds


class NoteOnBuyer(ResponseModel, frozen=True, kw_only=True):
    at_s: Seconds
    text: str


class OwnData(ResponseModel, frozen=True, kw_only=True):
    """A copy of what is kept of a buyer; orders, requests and messages page by page."""

    buyer_id: str
    name: str
    avatar: str
    phone: Annotated[str | None, Meta(description="masked; the number itself is not kept")]
    accepted: Annotated[list[str], Meta(description="agreements: kind#version")]
    addresses: list[SavedAddress]
    coupons: list[CouponShown]
    points: Annotated[PointsAccountShown, Meta(description="earlier entries: GET /v1/me/points")]
    rewards: Annotated[list[RewardShown], Meta(description="for groups that formed")]
    invitations: Annotated[list[InvitedShown], Meta(description="whom they brought")]
    growth: Annotated[int, Meta(description="that leads to a level: GET /v1/me/level")]
    birthday: Annotated[BirthdayShown | None, Meta(description="null: not told")]
    orders: list[OrderDetail]
    after_sales: Annotated[list[AfterSaleShown], Meta(description="about these orders")]
    messages: Annotated[
        list[MessageShown],
        Meta(description="about these orders; on the first page, of reminders, too"),
    ]
    reminders: Annotated[
        list[ReminderShown], Meta(description="what the buyer waits for: on the first page")
    ]
    touches: Annotated[list[TouchShown], Meta(description="by whose shares they came lately")]
    tags: Annotated[list[str], Meta(description="by which the shop sorts its members")]
    notes: Annotated[list[NoteOnBuyer], Meta(description="by the shop's staff, the newest first")]
    next: str | None


class Regions(ResponseModel, frozen=True, kw_only=True):
    version: str
    regions: Annotated[
        dict[str, dict[str, list[str]]],
        Meta(description="province, city, districts; of some cities none"),
    ]
