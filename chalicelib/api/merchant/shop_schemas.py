"""What staff send and receive about the shop as a whole: its settings and its categories."""

from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.api.merchant.catalogue_schemas import Revision
from chalicelib.api.schemas import Id, RequestModel
from chalicelib.domain import attribution, invitations, levels, points, rewards
from chalicelib.domain.ids import ID_LENGTH
from chalicelib.domain.phone import SERVICE_PATTERN
from chalicelib.domain.product import IMAGE_URL_MAX
from chalicelib.services.catalogue import categories
from chalicelib.services.people import merchants

Position = Annotated[
    int, Meta(ge=0, le=categories.POSITION_MAX, description="Smaller comes first.")
]
PayBy = Annotated[
    int,
    Meta(
        ge=merchants.PAY_BY_MIN_S,
        le=merchants.PAY_BY_MAX_S,
        description="Seconds that a seat is held for payment; for orders placed from now on.",
    ),
]
Logo = Annotated[
    str,
    Meta(max_length=IMAGE_URL_MAX, description="Address of an accepted picture; empty: none."),
]
ReceiptAfter = Annotated[
    int,
    Meta(
        ge=merchants.RECEIPT_AFTER_MIN_D,
        le=merchants.RECEIPT_AFTER_MAX_D,
        description="Days after shipping, then an order counts as received. Default 10.",
    ),
]
ShipWithin = Annotated[
    int,
    Meta(
        ge=merchants.SHIP_WITHIN_MIN_H,
        le=merchants.SHIP_WITHIN_MAX_H,
        description="Hours after forming (or paying alone) within which to ship. Default 48.",
    ),
]
AfterSaleDays = Annotated[
    int,
    Meta(
        ge=merchants.AFTER_SALE_MIN_DAYS,
        le=merchants.AFTER_SALE_MAX_DAYS,
        description="Days after the payment in which buyers may ask for after-sale. Default 360.",
    ),
]

UnpaidOrders = Annotated[
    int,
    Meta(
        ge=merchants.UNPAID_ORDERS_MIN,
        le=merchants.UNPAID_ORDERS_MAX,
        description="Unpaid orders that one buyer may have at a time; each holds stock. Default 3.",
    ),
]

AttributionDays = Annotated[
    int,
    Meta(
        ge=1,
        le=attribution.DAYS_MAX,
        description="Days before a purchase in which a visit by a share counts. Default 7.",
    ),
]


ReturnAddress = Annotated[
    str,
    Meta(
        max_length=merchants.RETURN_ADDRESS_MAX,
        description="Where buyers send goods back, with a name and a phone number; empty: none.",
    ),
]


BusinessName = Annotated[
    str,
    Meta(
        max_length=merchants.BUSINESS_NAME_MAX,
        description="Who runs the shop, as the licence has it; shown to buyers.",
    ),
]
LicenceNumber = Annotated[
    str,
    Meta(
        pattern=r"^([0-9A-Z]{15}|[0-9A-Z]{18})?\Z",
        description="The uniform social credit code, or an older number; empty: none.",
    ),
]
Licences = Annotated[
    list[Logo],
    Meta(max_length=merchants.LICENCES_MAX, description="Pictures of licences, for buyers."),
]


class PointsSettings(RequestModel, frozen=True, kw_only=True):
    """How points are earned and used, of orders placed from now on; runs out: of what comes in."""

    on: bool
    per_yuan: Annotated[
        int, Meta(ge=0, le=points.PER_YUAN_MAX, description="earned for each whole yuan paid")
    ] = 1
    for_yuan: Annotated[
        int, Meta(ge=1, le=points.FOR_YUAN_MAX, description="that take 1 yuan off")
    ] = 100
    share_max: Annotated[
        int,
        Meta(ge=1, le=points.SHARE_MAX, description="percent of the goods that they pay at most"),
    ] = 50
    expiry: Annotated[
        points.PointsExpiry,
        Meta(description="year: with the year after the one of earning; days: by `days`"),
    ] = points.PointsExpiry.YEAR
    days: Annotated[int, Meta(ge=points.DAYS_MIN, le=points.DAYS_MAX)] = 365


class MemberLevelSettings(RequestModel, frozen=True, kw_only=True):
    """What a level gives. Its number is its place in the list, from 1."""

    name: Annotated[str, Meta(min_length=1, max_length=levels.NAME_MAX)]
    from_growth: Annotated[
        int, Meta(ge=1, le=levels.FROM_GROWTH_MAX, description="more than of the level before")
    ]
    price_percent: Annotated[
        int,
        Meta(
            ge=levels.PERCENT_MIN,
            le=levels.PERCENT_MAX,
            description="of the solo price that a unit costs; 95 is 9.5 折",
        ),
    ] = 100
    member_prices: Annotated[bool, Meta(description="whether SKUs' own member price counts")] = (
        False
    )
    points_percent: Annotated[
        int,
        Meta(
            ge=levels.POINTS_PERCENT_MIN,
            le=levels.POINTS_PERCENT_MAX,
            description="of what others earn; 150 is 1.5 times",
        ),
    ] = 100
    free_from_fen: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=levels.FREE_FROM_FEN_MAX,
                description="goods from that amount are sent for nothing; null: as everybody's",
            ),
        ]
        | None
    ) = None
    birthday_coupon_id: Annotated[
        str, Meta(pattern=rf"^([0-9A-Za-z]{{{ID_LENGTH}}})?\Z", description="template; empty: none")
    ] = ""


class LevelsSettings(RequestModel, frozen=True, kw_only=True):
    """Levels of members. Growth counts of orders placed from now on; levels act at once."""

    on: bool
    per_yuan: Annotated[
        int, Meta(ge=0, le=levels.PER_YUAN_MAX, description="growth for each whole yuan kept")
    ] = 1
    per_group: Annotated[
        int, Meta(ge=0, le=levels.PER_GROUP_MAX, description="growth for a seat of a formed group")
    ] = 0
    levels: Annotated[
        list[MemberLevelSettings],
        Meta(max_length=levels.LEVELS_MAX, description="the lowest first"),
    ]


class RewardsSettings(RequestModel, frozen=True, kw_only=True):
    """What buyers are given for groups that formed; of orders completed from when it is on."""

    on: bool
    every: Annotated[
        int,
        Meta(ge=rewards.EVERY_MIN, le=rewards.EVERY_MAX, description="so many bring a reward"),
    ] = 5
    days: Annotated[
        int,
        Meta(
            ge=0,
            le=rewards.DAYS_MAX,
            description=f"within which they are completed, {rewards.DAYS_MIN} or more; 0: whenever",
        ),
    ] = 0
    coupon_id: Annotated[
        str, Meta(pattern=rf"^([0-9A-Za-z]{{{ID_LENGTH}}})?\Z", description="template; empty: none")
    ] = ""
    points: Annotated[int, Meta(ge=0, le=rewards.POINTS_MAX)] = 0


class InvitationsSettings(RequestModel, frozen=True, kw_only=True):
    """What is given to who brings a new buyer; for orders placed from when it is on."""

    on: bool
    coupon_id: Annotated[
        str, Meta(pattern=rf"^([0-9A-Za-z]{{{ID_LENGTH}}})?\Z", description="template; empty: none")
    ] = ""
    points: Annotated[int, Meta(ge=0, le=invitations.POINTS_MAX)] = 0
    gift_id: Annotated[
        str,
        Meta(
            pattern=rf"^([0-9A-Za-z]{{{ID_LENGTH}}})?\Z",
            description="template of the new buyer's coupon; empty: none",
        ),
    ] = ""
    wait_days: Annotated[
        int,
        Meta(ge=0, le=invitations.WAIT_DAYS_MAX, description="after the order is completed"),
    ] = 7
    per_month: Annotated[
        int, Meta(ge=1, le=invitations.PER_MONTH_MAX, description="of one inviter")
    ] = 10


class SettingsChange(RequestModel, frozen=True):
    """What is left out stays as it is."""

    name: Annotated[str, Meta(min_length=1, max_length=merchants.NAME_MAX)]
    service_phone: Annotated[
        str, Meta(max_length=merchants.PHONE_MAX, pattern=rf"^\Z|{SERVICE_PATTERN}")
    ]
    pay_by_s: PayBy
    revision: Revision
    logo: Logo | None = None
    receipt_after_d: ReceiptAfter | None = None
    ship_within_h: ShipWithin | None = None
    after_sale_days: AfterSaleDays | None = None
    unpaid_orders_max: UnpaidOrders | None = None
    attribution_days: AttributionDays | None = None
    return_address: ReturnAddress | None = None
    business_name: BusinessName | None = None
    licence_number: LicenceNumber | None = None
    licences: Licences | None = None
    points: PointsSettings | None = None
    levels: LevelsSettings | None = None
    rewards: RewardsSettings | None = None
    invitations: InvitationsSettings | None = None


class Settings(msgspec.Struct, frozen=True):
    merchant_id: str
    name: str
    service_phone: str
    pay_by_s: PayBy
    logo: str
    receipt_after_d: ReceiptAfter
    ship_within_h: ShipWithin
    after_sale_days: AfterSaleDays
    unpaid_orders_max: UnpaidOrders
    attribution_days: AttributionDays
    return_address: ReturnAddress
    business_name: BusinessName
    licence_number: LicenceNumber
    licences: Licences
    points: PointsSettings
    levels: LevelsSettings
    rewards: RewardsSettings
    invitations: InvitationsSettings
    revision: int


class NewCategory(RequestModel, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=categories.NAME_MAX)]
    position: Position = 0
    parent_id: Annotated[Id | None, Meta(description="None: of the top level.")] = None


class CategoryChange(NewCategory, frozen=True, kw_only=True):
    revision: Revision


class Category(msgspec.Struct, frozen=True):
    category_id: str
    name: str
    position: int
    parent_id: str | None
    children: int
    revision: int


class CategoryList(msgspec.Struct, frozen=True):
    items: list[Category]
