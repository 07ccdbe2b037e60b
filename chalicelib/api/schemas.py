"""What the buyer's operations take and give. Money is whole fen, time epoch seconds UTC."""

from dataclasses import fields, is_dataclass
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from chalicelib.domain import phone
from chalicelib.domain.activity import ActivityState, NewBuyers
from chalicelib.domain.group import GroupRole
from chalicelib.domain.ids import ID_LENGTH
from chalicelib.domain.order import Delivery
from chalicelib.domain.payment_state import PaymentState
from chalicelib.domain.points_account import BALANCE_MAX
from chalicelib.domain.pricing import PriceCode
from chalicelib.domain.subscribe_message import PROMPT_MAX
from chalicelib.gateways.payment import Channel

PAGE_MAX = 50

Id = Annotated[str, Meta(pattern=rf"^[0-9A-Za-z]{{{ID_LENGTH}}}\Z", description="22 characters")]
CouponIdText = Annotated[
    str,
    Meta(
        pattern=rf"^[0-9A-Za-z]{{{2 * ID_LENGTH}}}[0-9]{{2}}\Z",
        description="of one of the buyer's own",
    ),
]
Fen = Annotated[int, Meta(ge=0, description="fen, 1/100 yuan")]
Seconds = Annotated[int, Meta(ge=0, description="seconds since the epoch, UTC")]
Phone = Annotated[
    str,
    Meta(
        pattern=phone.PATTERN,
        description="mobile, landline with area code, or +852, +853, +886; spaces, dashes, "
        "full-width digits and +86 are taken away first",
    ),
]
Text20 = Annotated[str, Meta(min_length=1, max_length=20)]
Text100 = Annotated[str, Meta(min_length=1, max_length=100)]


class RequestModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of what clients send: a field we do not know is a mistake, not a wish."""


class ResponseModel(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what we answer."""


T = TypeVar("T")


def from_attributes(kind: type[T], source: Any, **others: Any) -> T:
    """Return the schema or dataclass whose fields are `others`, and else the attributes of the
    same names that `source` has."""
    of: Any = kind
    names = [f.name for f in fields(of)] if is_dataclass(of) else of.__struct_fields__
    return kind(**{name: getattr(source, name) for name in names if name not in others}, **others)


class ErrorAnswer(ResponseModel, frozen=True, kw_only=True):
    code: Annotated[str, Meta(description="stable")]
    message: Annotated[str, Meta(description="for people, in the language asked for")]
    details: dict[str, Any]


class LevelShown(ResponseModel, frozen=True, kw_only=True):
    """A level of the shop's members; 1 is the lowest."""

    no: int
    name: str


class PageQuery(RequestModel, frozen=True, kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=PAGE_MAX)] = 20
    next: Annotated[str, Meta(max_length=2000, description="of the page before")] | None = None


class BuyerSession(ResponseModel, frozen=True, kw_only=True):
    token: str
    buyer_id: str
    name: str
    avatar: str
    expires_at_s: Seconds


class ProfileRequest(RequestModel, frozen=True, kw_only=True):
    name: Text20
    avatar: Annotated[str, Meta(max_length=300, pattern=r"^(https://[!-~]+)?\Z")] = ""


class Address(RequestModel, frozen=True, kw_only=True):
    """Where an order goes; copied into the order."""

    name: Text20
    phone: Phone
    province: Text20
    city: Text20
    district: Annotated[str, Meta(max_length=20)] = ""
    street: Text100


class PickupRequest(RequestModel, frozen=True, kw_only=True):
    """Who collects an order, and where."""

    store_id: Id
    name: Text20
    phone: Phone


class PurchaseRequest(RequestModel, frozen=True, kw_only=True):
    """`address` for express, `pickup` for pickup. `expected_total_fen` is what the buyer was
    quoted: with another total the purchase is refused, 409 price_changed."""

    sku_id: Id
    quantity: Annotated[int, Meta(ge=1, le=999)] = 1
    delivery: Delivery = Delivery.EXPRESS
    address: Address | None = None
    pickup: PickupRequest | None = None
    remark: Annotated[str, Meta(max_length=100)] = ""
    share_id: Id | None = None
    coupon_id: CouponIdText | None = None
    points: Annotated[
        int, Meta(ge=0, le=BALANCE_MAX, description="to be used: whole steps; 0: none")
    ] = 0
    agrees_to_combine: Annotated[
        bool,
        Meta(
            description="in a group of an activity with `combines`: if it is not full at its "
            "deadline, go on in another one of the same terms; else the money goes back"
        ),
    ] = False
    expected_total_fen: Fen | None = None


class OpenRequest(PurchaseRequest, frozen=True, kw_only=True):
    """`expected_seats`: how many the buyer was told that the group has; with another number the
    purchase is refused, 409 changed."""

    expected_seats: Annotated[int, Meta(ge=2, le=100)] | None = None


class JoinRequest(PurchaseRequest, frozen=True, kw_only=True):
    """`activity_id` and `version` are the group's, as reading it gave them: hints that save a
    round trip. Amounts never come from here."""

    activity_id: Id | None = None
    version: Annotated[int, Meta(ge=1)] | None = None


class OrderPlaced(ResponseModel, frozen=True, kw_only=True):
    order_id: str
    short_no: Annotated[str, Meta(description="the number for people: day and six digits")]
    group_id: str | None
    total_fen: Fen
    pay_by_s: Seconds


class PaymentRequest(RequestModel, frozen=True, kw_only=True):
    """`channel`: where the buyer pays; left out, WeChat's mini-program or, of Alipay, the browser
    without an `auth_code` (of my.getAuthCode inside Alipay's mini-program) and that with one."""

    method: Annotated[str, Meta(pattern=r"^(wechat_pay|alipay)\Z")] = "wechat_pay"
    channel: Channel | None = None
    auth_code: Annotated[str, Meta(min_length=1, max_length=128)] | None = None


class PaymentAsked(ResponseModel, frozen=True, kw_only=True):
    paid: Annotated[bool, Meta(description="true: nothing is left to pay")]
    parameters: Annotated[
        dict[str, str],
        Meta(
            description="for wx.requestPayment; in an official account for WeixinJSBridge, with "
            "the `appId`; in a browser the `url` of the gateway's page, which leads back to the "
            "shop's and, of WeChat, lives five minutes; of Alipay's mini-program the `trade_no` "
            "for my.tradePay"
        ),
    ]


class PriceLineShown(ResponseModel, frozen=True, kw_only=True):
    """A part of what a purchase costs; all of them add up to its total."""

    code: PriceCode
    amount_fen: Annotated[int, Meta(description="whole fen; negative: taken off")]
    text: Annotated[str, Meta(description="what people read beside it")]


class ReductionShown(ResponseModel, frozen=True, kw_only=True):
    """满减: goods of one order in a group for `from_fen` or more cost `off_fen` less; of several
    that are reached, the one that takes most off."""

    from_fen: Fen
    off_fen: Fen
    text: str


class TierShown(ResponseModel, frozen=True, kw_only=True):
    """阶梯价: from so many paid seats on, `off_fen` of each unit go back once the group formed;
    of several that are reached, the highest."""

    seats: int
    off_fen: Fen


class CrowdShown(ResponseModel, frozen=True, kw_only=True):
    """万人团: from so many people in the groups of the activity that have formed, `off_fen` of each
    unit go back, to everybody."""

    tiers: Annotated[list[TierShown], Meta(description="ascending")]
    seats: Annotated[int, Meta(description="people in groups that formed; a minute old at most")]
    is_over: Annotated[bool, Meta(description="all were counted: no other tier will be reached")]


RebateText = Annotated[
    str,
    Meta(
        description="what goes back by the terms of a group that formed is called, while the order "
        "goes on; empty: a refund of another reason"
    ),
]


SeatsLeast = Annotated[
    int, Meta(description="paid seats with which it forms at its deadline, all the same; 0: all")
]


class RefundShown(ResponseModel, frozen=True, kw_only=True):
    out_refund_no: str
    status: str
    status_text: str
    amount_fen: Fen
    method: Annotated[str, Meta(description="of the payment that goes back")]
    requested_at_s: Seconds
    expected_by_s: Annotated[
        Seconds | None, Meta(description="an estimate; null: it has arrived, or needs a person")
    ]
    arrived_at_s: Seconds | None
    is_surplus: Annotated[bool, Meta(description="of a second payment; the order goes on")]
    rebate_text: RebateText


class OrderShown(ResponseModel, frozen=True, kw_only=True):
    order_id: str
    short_no: Annotated[str, Meta(description="the number for people: day and six digits")]
    group_id: str | None
    activity_id: Annotated[str, Meta(description="for points: of the offer")]
    for_points: Annotated[bool, Meta(description="its units are of a points offer")]
    sku_id: str
    title: str
    quantity: int
    delivery: Delivery
    total_fen: Fen
    status: str
    status_text: Annotated[str, Meta(description="what the buyer reads")]
    pay_by_s: Seconds
    refunds: list[RefundShown]
    coupon_back: Annotated[
        bool, Meta(description="its coupon is the buyer's again: no sale, not revoked")
    ]
    points_used: Annotated[int, Meta(description="that it was bought with")]
    points_back: Annotated[int, Meta(description="of these, that came back")]
    points_earned: Annotated[
        int, Meta(description="once it is completed; less what was taken back")
    ]
    points_to_come: Annotated[int, Meta(description="that it will earn when it is completed")]
    agrees_to_combine: Annotated[
        bool, Meta(description="to go on in another group, if its own is not full in time")
    ]
    combined: Annotated[
        str,
        Meta(description="that it has gone on in this group, from another one; empty: it has not"),
    ]


class ParcelShown(ResponseModel, frozen=True, kw_only=True):
    parcel_id: str
    carrier: Annotated[str, Meta(description="its code")]
    carrier_name: str
    number: str
    units: int
    shipped_at_s: Seconds


class LevelPriceShown(LevelShown, frozen=True, kw_only=True):
    price_fen: Fen


class LevelSeatsShown(LevelShown, frozen=True, kw_only=True):
    seats: int


class SkuShown(ResponseModel, frozen=True, kw_only=True):
    sku_id: str
    spec: str
    list_price_fen: Fen
    solo_price_fen: Fen
    group_price_fen: Fen
    leader_price_fen: Annotated[
        int | None, Meta(description="of who opens a group; null: as everybody")
    ]
    member_prices: Annotated[
        list[LevelPriceShown],
        Meta(description="in groups, by level: those below what everybody pays"),
    ]
    solo_member_prices: Annotated[list[LevelPriceShown], Meta(description="the same, bought alone")]
    image: Annotated[str, Meta(description="empty: none of its own")]
    left: Annotated[
        int | None,
        Meta(description="units at the group price, a few seconds old; null: it does not run"),
    ]
    sold_out: Annotated[
        bool,
        Meta(description="nothing is left at the group price; a few seconds old at most"),
    ]


class OwnGroup(ResponseModel, frozen=True, kw_only=True):
    """A group in which the asker has paid and waits."""

    group_id: str
    order_id: str
    seats_total: int
    seats_least: SeatsLeast
    seats_paid: int
    seats_missing: int
    expires_at_s: Seconds


class JoinableGroup(ResponseModel, frozen=True, kw_only=True):
    group_id: str
    leader_name: Annotated[str, Meta(description="masked")]
    seats_total: int
    seats_least: SeatsLeast
    seats_taken: Annotated[int, Meta(description="paid, or held for somebody who is paying")]
    seats_paid: int
    seats_missing: Annotated[int, Meta(description="until it forms: those that are not paid")]
    expires_at_s: Seconds


class FreightShown(ResponseModel, frozen=True, kw_only=True):
    """What sending one piece costs, of an activity one of its cheapest SKU, by province."""

    least_fen: Fen
    most_fen: Fen
    free_from_fen: Annotated[int | None, Meta(description="in most provinces; null: never")]
    free_from_units: Annotated[int | None, Meta(description="in most provinces; null: never")]


class ReminderOffer(ResponseModel, frozen=True, kw_only=True):
    """到时提醒我: the asker may be told when there is something to do."""

    is_set: Annotated[bool, Meta(description="of who asks with a session")]
    subscribe: Annotated[
        list[str],
        Meta(
            max_length=PROMPT_MAX,
            description="templates of WeChat's subscribe messages for which the mini-program may "
            "ask, on that tap; what the buyer agrees to is told to /v1/me/subscriptions",
        ),
    ]


class ActivityDetail(ResponseModel, frozen=True, kw_only=True):
    activity_id: str
    version: int
    category_id: str
    state: ActivityState
    title: str
    product_title: Annotated[str, Meta(description="what an order of it alone is called")]
    image: str
    images: Annotated[list[str], Meta(description="of its product, the first one first")]
    selling_point: str
    description: Annotated[str, Meta(description="clean HTML: p, br, b, i, lists, h3, img")]
    unit: Annotated[str, Meta(description="what one of it is called; empty: not said")]
    groups_formed: Annotated[int, Meta(description="since it began; a minute old at most")]
    skus: list[SkuShown]
    seats_total: int
    seats_least: Annotated[
        int,
        Meta(
            description="paid seats with which a group forms at its deadline, all the same; 0: all"
        ),
    ]
    life_s: int
    starts_at_s: Seconds
    ends_at_s: Seconds
    limit_per_buyer: Annotated[int, Meta(description="0: no limit")]
    limit_per_order: int
    reductions: list[ReductionShown]
    new_buyers: Annotated[
        NewBuyers, Meta(description="who has to be new to the shop: have bought nothing in it")
    ]
    compensation: Annotated[
        str,
        Meta(description="what a coupon takes off that members of a failed group get; empty: none"),
    ]
    compensation_points: Annotated[
        int, Meta(description="that members of a failed group get; 0: none")
    ]
    takes_coupons: Annotated[bool, Meta(description="in its groups; bought alone it always does")]
    points: Annotated[
        bool, Meta(description="can be used in its groups now; alone whenever the shop has them on")
    ]
    leader_free: Annotated[
        bool, Meta(description="what the goods cost the leader goes back once the group formed")
    ]
    leader_points: Annotated[
        int, Meta(description="that who opens a group earns, once the order is completed; 0: none")
    ]
    leader_coupon: Annotated[
        str,
        Meta(
            description="what a coupon takes off that who opens a group gets, once the order is "
            "completed; empty: none"
        ),
    ]
    tiers: Annotated[list[TierShown], Meta(description="ascending; the last is of all seats")]
    members_from: Annotated[
        LevelShown | None, Meta(description="the level that buying in it takes; null: none")
    ]
    level_seats: Annotated[
        list[LevelSeatsShown],
        Meta(description="of smaller groups, by the level of who opens them; ascending"),
    ]
    opens_seats: Annotated[int, Meta(description="of a group that the asker opens now")]
    combines: Annotated[bool, Meta(description="who buys may agree to be moved when it is due")]
    crowd: CrowdShown | None
    solo_on_sale: Annotated[
        bool, Meta(description="whether its product can be bought alone; off sale: in groups only")
    ]
    deliveries: list[Delivery]
    freight: FreightShown
    ship_within_h: Annotated[int, Meta(description="hours after forming")]
    joinable_groups: Annotated[
        list[JoinableGroup],
        Meta(description="with a free seat, without the asker's: fewest missing, then soonest due"),
    ]
    joinable_more: Annotated[bool, Meta(description="there may be more: say 50+")]
    own_group: Annotated[OwnGroup | None, Meta(description="of who asks with a session")]
    reminder: Annotated[
        ReminderOffer | None, Meta(description="of its start; null: it waits for none")
    ]
    now_s: Seconds


class GroupGoods(ResponseModel, frozen=True, kw_only=True):
    """What a group buys; the prices are those of its cheapest SKU."""

    activity_id: str
    title: str
    image: str
    group_price_fen: int
    price_varies: bool
    solo_price_fen: int
    new_buyers: NewBuyers
    leader_free: bool
    tiers: list[TierShown]
    members_from: Annotated[LevelShown | None, Meta(description="Who may buy; null: anybody.")]
    is_crowd: Annotated[bool, Meta(description="a 万人团: more people bring everybody more back")]


class ListedGroup(ResponseModel, frozen=True, kw_only=True):
    """A group beside what it buys."""

    goods: GroupGoods
    group: JoinableGroup


class Seat(ResponseModel, frozen=True, kw_only=True):
    name: Annotated[str, Meta(description="masked")]
    avatar: str
    is_leader: bool
    is_paid: Annotated[bool, Meta(description="false: held for somebody who is paying")]
    is_mine: Annotated[bool, Meta(description="of who asks with a session")]


class GroupProgress(ResponseModel, frozen=True, kw_only=True):
    group_id: str
    activity_id: str
    version: int
    status: str
    failed_reason: str | None
    title: str
    image: str
    group_price_fen: Annotated[int, Meta(description="the lowest of the SKUs")]
    seats_total: int
    seats_least: SeatsLeast
    seats_taken: int
    seats_paid: int
    seats_missing: Annotated[int, Meta(description="until it forms at once; formed: 0")]
    expires_at_s: Seconds | None
    leader_name: Annotated[str, Meta(description="masked")]
    next_poll_s: Annotated[int, Meta(ge=0, description="0: it will not change any more")]
    now_s: Seconds


class PaymentResult(ResponseModel, frozen=True, kw_only=True):
    """What the page shows that a buyer returns to after paying, or after giving up."""

    state: Annotated[
        PaymentState,
        Meta(
            description="paid: it took its seat; seat_lost: it found none and goes back; "
            "confirming: the gateway does not say, it is not to be paid again yet; unpaid: it can "
            "be until the pay-by time; timed_out: nothing was paid in time; closed: given up "
            "before that"
        ),
    ]
    order: OrderShown
    group: Annotated[GroupProgress | None, Meta(description="None of an order bought alone")]
    image: Annotated[str, Meta(description="of what was bought")]
    is_leader: Annotated[bool, Meta(description="the order opened the group")]
    subscribe: Annotated[
        list[str],
        Meta(
            max_length=PROMPT_MAX,
            description="templates of WeChat's subscribe messages for which the mini-program may "
            "ask, on a tap; what the buyer agrees to is told to /v1/me/subscriptions",
        ),
    ]
    now_s: Seconds


class CombinedGroup(ResponseModel, frozen=True, kw_only=True):
    group_id: str
    mine: Annotated[bool, Meta(description="the asker went on there, too")]
    text: str


class GroupPage(ResponseModel, frozen=True, kw_only=True):
    """A group as the one who asks sees it; without a session, as a stranger."""

    progress: GroupProgress
    seats: Annotated[list[Seat], Meta(description="that are taken, the leader's first")]
    role: GroupRole
    order: Annotated[OrderShown | None, Meta(description="the asker's newest in this group")]
    own_group: Annotated[OwnGroup | None, Meta(description="another of this activity")]
    reminder: Annotated[
        ReminderOffer | None,
        Meta(description="of a free seat, while others hold all that are left; else null"),
    ]
    others: Annotated[
        list[JoinableGroup], Meta(description="to join instead, where this one is full or over")
    ]
    similar: Annotated[
        list[ListedGroup],
        Meta(description="of a failed group: others that buy the same product or one of its kind"),
    ]
    skus: Annotated[list[SkuShown], Meta(description="at the prices of this group")]
    solo_price_fen: Annotated[int, Meta(description="of the SKU with the lowest group price")]
    solo_on_sale: bool
    activity_state: Annotated[ActivityState, Meta(description="running: groups can be opened")]
    limit_per_buyer: Annotated[int, Meta(description="0: no limit")]
    limit_per_order: int
    reductions: list[ReductionShown]
    new_buyers: Annotated[
        NewBuyers, Meta(description="who has to be new to the shop: have bought nothing in it")
    ]
    compensation: Annotated[
        str,
        Meta(description="what a coupon takes off that members of a failed group get; empty: none"),
    ]
    compensation_points: Annotated[
        int, Meta(description="that members of a failed group get; 0: none")
    ]
    compensated: Annotated[bool, Meta(description="the asker was given that coupon")]
    compensated_points: Annotated[bool, Meta(description="and these points")]
    takes_coupons: bool
    points: Annotated[bool, Meta(description="can be used in it now")]
    leader_free: Annotated[
        bool, Meta(description="what the goods cost the leader goes back once the group formed")
    ]
    tiers: Annotated[list[TierShown], Meta(description="ascending; the last is of all seats")]
    members_from: Annotated[
        LevelShown | None, Meta(description="the level that buying in it takes; null: none")
    ]
    level_seats: Annotated[
        list[LevelSeatsShown],
        Meta(description="of smaller groups, by the level of who opens them; ascending"),
    ]
    combines: Annotated[bool, Meta(description="who joins may agree to be moved when it is due")]
    combined: Annotated[
        CombinedGroup | None, Meta(description="where members went on, since it was not full")
    ]
    crowd: CrowdShown | None
    deliveries: list[Delivery]
    ship_within_h: Annotated[int, Meta(description="hours after forming")]
    decided_at_s: Annotated[Seconds | None, Meta(description="when it formed or failed")]
    closed_words: Annotated[
        str, Meta(description="why the shop closed it, to who had a seat; else empty")
    ]
    next_poll_s: Annotated[int, Meta(ge=0, description="0: it will not change any more")]


class ShareRequest(RequestModel, frozen=True, kw_only=True):
    channel: Annotated[str, Meta(pattern=r"^(friend|chat|moments|poster|qr|link)\Z")]


class ShareMade(ResponseModel, frozen=True, kw_only=True):
    share_id: str
    path: Annotated[str, Meta(description="opens the mini-program")]
    link: Annotated[str, Meta(description="opens a browser")]
    scene: Annotated[str, Meta(description="of a mini-program code")]
    title: str
    qr_svg: Annotated[str, Meta(description="the link as a QR code, SVG")]
    qr_png: Annotated[str, Meta(description="the link as a QR code, a PNG data URI")]


class WechatPageQuery(RequestModel, frozen=True, kw_only=True):
    url: Annotated[str, Meta(min_length=1, max_length=2000, description="the page's address")]


class WechatPage(ResponseModel, frozen=True, kw_only=True):
    appid: Annotated[str, Meta(description="of the official account")]
    timestamp_s: int
    nonce: str
    signature: str


class MiniProgramCode(ResponseModel, frozen=True, kw_only=True):
    image: Annotated[
        str | None, Meta(description="its picture, a JPEG; null while WeChat has not released it")
    ]


VisitorId = Annotated[
    str, Meta(pattern=r"^[0-9A-Za-z_-]{8,64}\Z", description="made once by the client")
]


class VisitRequest(RequestModel, frozen=True, kw_only=True):
    visitor_id: VisitorId


class VisitCounted(ResponseModel, frozen=True, kw_only=True):
    group_id: Annotated[str, Meta(description="empty: the share leads to the activity")]
    activity_id: str
    share_id: Annotated[str, Meta(description="send it along when ordering")]


class MessageShown(ResponseModel, frozen=True, kw_only=True):
    message_id: str
    order_id: Annotated[str | None, Meta(description="null: of a reminder")]
    short_no: Annotated[str, Meta(description="of the order; empty: of a reminder")]
    group_id: str | None
    activity_id: Annotated[str | None, Meta(description="of a reminder; else null")]
    text_key: str
    title: str
    text: str
    facts: dict[str, Any]
    at_s: Annotated[int, Meta(ge=0, description="when it happened")]
    told_at_s: Annotated[int, Meta(ge=0, description="when it was told; messages stand by it")]
    unread: bool


class MessageList(ResponseModel, frozen=True, kw_only=True):
    items: list[MessageShown]
    next: str | None


class Done(ResponseModel, frozen=True, kw_only=True):
    """Nothing more to say: it is done, now or by an earlier request."""

    done: bool = True
