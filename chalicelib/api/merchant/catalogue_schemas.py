"""What staff send and receive. Amounts are whole fen, times epoch seconds, UTC.

Limits here keep nonsense out; what a shop may promise is decided by the domain, which tells all
problems of a draft at once, each with its field and what to do.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from chalicelib.api.schemas import Id, PageQuery, RequestModel
from chalicelib.domain.activity import ActivityState, NewBuyers
from chalicelib.domain.activity_draft import PROMISED_POINTS_MAX
from chalicelib.domain.levels import LEVELS_MAX
from chalicelib.domain.product import (
    PRICE_FEN_MAX,
    SKUS_MAX,
    SPEC_NAMES_MAX,
    STOCK_MAX,
)
from chalicelib.services.catalogue import adjustments

Fen = Annotated[int, Meta(ge=0, le=PRICE_FEN_MAX, description="Whole fen.")]
Units = Annotated[int, Meta(ge=0, le=STOCK_MAX, description="Units of stock.")]
EpochS = Annotated[int, Meta(ge=0, le=9_999_999_999, description="Epoch seconds, UTC.")]
Revision = Annotated[
    int, Meta(ge=1, description="As read; when somebody changed the item since: 409 changed.")
]
Text = Annotated[str, Meta(max_length=200)]


class CategoryPageQuery(PageQuery, frozen=True):
    category: Id | None = None


class ActivityPageQuery(CategoryPageQuery, frozen=True):
    state: Literal["scheduled", "running", "paused", "ended"] | None = None
    q: Annotated[
        str, Meta(max_length=60, description="Words that its title or its product's holds.")
    ] = ""


class SkuInput(RequestModel, frozen=True):
    specs: Annotated[
        dict[Text, Text], Meta(max_length=SPEC_NAMES_MAX + 7, description="Name to value.")
    ]
    list_price_fen: Fen
    solo_price_fen: Fen
    sku_id: Annotated[Id | None, Meta(description="None: a new SKU, which brings its stock.")] = (
        None
    )
    stock: Units | None = None
    image: Annotated[str, Meta(max_length=1000, description="Of an accepted picture.")] = ""
    code: Annotated[str, Meta(max_length=100, description="The shop's own, searched for.")] = ""
    cost_fen: Annotated[
        Fen | None,
        Meta(description="What the shop paid. Null without statistics:view, which keeps it."),
    ] = None
    weight_g: Annotated[int, Meta(ge=0, description="Packed; 0: not known.")] = 0
    member_price_fen: Annotated[
        Fen | None, Meta(description="Of levels with own prices, below the solo price; null: none.")
    ] = None


class ProductInput(RequestModel, frozen=True):
    title: Text
    category_id: Id
    skus: Annotated[list[SkuInput], Meta(max_length=SKUS_MAX)]
    description: Annotated[
        str,
        Meta(
            max_length=20_000,
            description="HTML: p, br, b, strong, i, em, ul, ol, li, h3, img of accepted pictures.",
        ),
    ] = ""
    images: Annotated[
        list[Annotated[str, Meta(max_length=1000)]],
        Meta(max_length=50, description="Of accepted pictures."),
    ] = field(default_factory=list)
    on_sale: bool = True
    selling_point: Text = ""
    unit: Annotated[str, Meta(max_length=50, description="What one of it is called.")] = ""
    warn_below: Annotated[
        Units, Meta(description="The state low_stock: a SKU has fewer units. 0: never.")
    ] = 0
    freight_template_id: Annotated[
        str, Meta(pattern=r"^([0-9A-Za-z]{22})?\Z", description="Empty: sent free of charge.")
    ] = ""


class ProductChange(ProductInput, frozen=True, kw_only=True):
    revision: Revision


class Sku(msgspec.Struct, frozen=True):
    sku_id: str
    specs: dict[str, str]
    image: str
    code: str
    list_price_fen: int
    solo_price_fen: int
    cost_fen: Annotated[int | None, Meta(description="Null without the right statistics:view.")]
    weight_g: int = 0
    member_price_fen: int | None = None


class StockedSku(Sku, frozen=True, kw_only=True):
    available: int  # units that no activity holds
    activities: list[str]  # ids of those that sell it


class ProductPageQuery(CategoryPageQuery, frozen=True):
    state: Literal["on_sale", "off_sale", "low_stock", "sold_out"] | None = None
    q: Annotated[
        str, Meta(max_length=60, description="Words that the title or a SKU's code holds.")
    ] = ""


class ProductSummary(msgspec.Struct, frozen=True):
    product_id: str
    category_id: str
    title: str
    image: str
    on_sale: bool
    skus: list[Sku]
    available: Annotated[int, Meta(description="Units that no activity holds, of all SKUs.")]
    activities: Annotated[list[str], Meta(description="Ids of those that hold some of its stock.")]
    held: Annotated[int, Meta(description="Units that those have left, of all SKUs.")]
    warn_below: int
    created_at_s: int
    revision: int


class ProductPage(msgspec.Struct, frozen=True):
    items: list[ProductSummary]
    next: str | None


class SellingActivity(msgspec.Struct, frozen=True):
    """An activity that sells a product and is not over; it goes on when that is off sale."""

    activity_id: str
    title: str
    state: ActivityState
    starts_at_s: int
    ends_at_s: int


class Product(msgspec.Struct, frozen=True):
    product_id: str
    category_id: str
    title: str
    description: str
    images: list[str]
    on_sale: bool
    selling_point: str
    unit: str
    warn_below: int
    skus: list[StockedSku]
    activities: list[SellingActivity]
    freight_template_id: str
    created_at_s: int
    revision: int


class ShelfChange(RequestModel, frozen=True):
    on_sale: bool
    revision: Revision


class StockAdjustment(RequestModel, frozen=True):
    sku_id: Id
    delta: Annotated[
        int, Meta(ge=-STOCK_MAX, le=STOCK_MAX, description="Units to add, or to take away.")
    ]
    reason: Annotated[str, Meta(min_length=1, max_length=adjustments.REASON_MAX)]


class SkuStock(msgspec.Struct, frozen=True):
    sku_id: str
    available: int


class StockChange(msgspec.Struct, frozen=True):
    sku_id: str
    delta: Annotated[int, Meta(description="Units added, or taken away.")]
    activity_id: Annotated[str | None, Meta(description="Where they went; null: in or out.")]
    reason: str
    staff: str
    at_s: int


class StockHistory(msgspec.Struct, frozen=True):
    items: list[StockChange]
    next: str | None


class ActivitySkuChange(RequestModel, frozen=True):
    sku_id: Id
    group_price_fen: Annotated[
        int, Meta(ge=0, le=PRICE_FEN_MAX, description="Below the solo price.")
    ]
    leader_price_fen: (
        Annotated[
            int,
            Meta(ge=0, le=PRICE_FEN_MAX, description="Of who opens a group, below the other."),
        ]
        | None
    ) = None


class ActivitySkuInput(ActivitySkuChange, frozen=True, kw_only=True):
    stock: Annotated[int, Meta(ge=0, le=STOCK_MAX, description="Units to move from the product.")]


class Reduction(RequestModel, frozen=True):
    """满减: goods of one order in a group for `from_fen` or more cost `off_fen` less."""

    from_fen: Fen
    off_fen: Fen


class Tier(RequestModel, frozen=True):
    """From `seats` paid seats on, `off_fen` of each unit go back: 阶梯价, of a group that formed;
    万人团, of all groups that formed."""

    seats: Annotated[int, Meta(ge=0, le=9_999)]
    off_fen: Fen


class LevelSeats(RequestModel, frozen=True):
    """Who has that level, or a higher one, opens groups of so many seats."""

    level: Annotated[int, Meta(ge=1, le=LEVELS_MAX)]
    seats: Annotated[int, Meta(ge=0, le=9_999)]


class ActivityRules(RequestModel, frozen=True, kw_only=True):
    title: Text
    seats_total: Annotated[int, Meta(ge=0, le=9_999, description="2 to 100.")]
    life_h: Annotated[int, Meta(ge=0, le=9_999, description="Hours of a group, 1 to 72.")]
    ends_at_s: EpochS
    limit_per_buyer: Annotated[
        int, Meta(ge=0, le=99_999, description="Units over the activity; 0: no limit.")
    ] = 0
    limit_per_order: Annotated[int, Meta(ge=0, le=99_999, description="1 to 999.")] = 1
    reductions: Annotated[
        list[Reduction], Meta(max_length=20, description="Up to 5, each above the one before.")
    ] = field(default_factory=list)
    coupons: Annotated[bool, Meta(description="Whether they can be used for its groups.")] = True
    points: Annotated[bool, Meta(description="Whether its groups take points.")] = False
    new_buyers: Annotated[NewBuyers, Meta(description="Who has to be new to the shop.")] = (
        NewBuyers.NOBODY
    )
    compensation_id: Annotated[
        str,
        Meta(
            max_length=22,
            description="Coupon template, of which who is in a failed group gets one.",
        ),
    ] = ""
    compensation_points: Annotated[
        int,
        Meta(
            ge=0,
            le=PROMISED_POINTS_MAX,
            description="What who is in a failed group gets as well; 0: nothing.",
        ),
    ] = 0
    seats_least: Annotated[
        int,
        Meta(
            ge=0,
            le=9_999,
            description="Paid seats with which a group forms at its deadline, all the same: "
            "2 or more, fewer than seats_total. 0: only with all of them.",
        ),
    ] = 0
    leader_free: Annotated[
        bool, Meta(description="What the goods cost the leader goes back once the group formed.")
    ] = False
    leader_points: Annotated[
        int,
        Meta(
            ge=0,
            le=PROMISED_POINTS_MAX,
            description="What who opened a group earns, once the order is completed; 0: nothing.",
        ),
    ] = 0
    leader_coupon_id: Annotated[
        str,
        Meta(
            max_length=22,
            description="Coupon template, of which who opened a group gets one, once the order is "
            "completed.",
        ),
    ] = ""
    tiers: Annotated[
        list[Tier],
        Meta(
            max_length=20,
            description="Up to 5, each above the one before, from more than seats_least up to "
            "seats_total.",
        ),
    ] = field(default_factory=list)
    member_prices: Annotated[
        bool, Meta(description="Whether members' prices count in its groups.")
    ] = False
    members_from: Annotated[
        int,
        Meta(ge=0, le=LEVELS_MAX, description="Level that buying in its groups takes; 0: none."),
    ] = 0
    level_seats: Annotated[
        list[LevelSeats],
        Meta(
            max_length=LEVELS_MAX,
            description="Smaller groups, by the level of who opens them: ascending by level, "
            "fewer seats each.",
        ),
    ] = field(default_factory=list)
    combines: Annotated[
        bool,
        Meta(
            description="A group that is not full at its deadline may be combined with another "
            "one, of whose members who agreed to it when they bought go on there."
        ),
    ] = False
    crowd_tiers: Annotated[
        list[Tier],
        Meta(
            max_length=20,
            description="万人团: 2 to 6, by the people of all its groups that form; they "
            "never change.",
        ),
    ] = field(default_factory=list)
    per_minute: Annotated[
        int,
        Meta(
            ge=0,
            le=9_999,
            description="Seats that are taken in one minute at most, 1 to 1,000; 0: any number.",
        ),
    ] = 0
    confirms_free: Annotated[
        bool, Meta(description="That a group price of 0 is meant, where there is one.")
    ] = False


class ActivityInput(ActivityRules, frozen=True, kw_only=True):
    product_id: Id
    skus: Annotated[list[ActivitySkuInput], Meta(max_length=SKUS_MAX)]
    starts_at_s: Annotated[
        int, Meta(ge=0, le=9_999_999_999, description="0 or a time that has passed: at once.")
    ] = 0


class ActivityChange(ActivityRules, frozen=True, kw_only=True):
    skus: Annotated[list[ActivitySkuChange], Meta(max_length=SKUS_MAX)]
    starts_at_s: Annotated[
        EpochS | None, Meta(description="Only before it has begun; a past time: at once.")
    ] = None
    revision: Revision


class NewActivityStock(RequestModel, frozen=True):
    sku_id: Id
    quantity: Annotated[int, Meta(ge=1, le=STOCK_MAX)]


class ActivitySku(msgspec.Struct, frozen=True):
    sku_id: str
    spec: str
    list_price_fen: int
    solo_price_fen: int
    group_price_fen: int
    leader_price_fen: int | None
    member_price_fen: Annotated[int | None, Meta(description="The product's; null: none.")]


class StockedActivitySku(ActivitySku, frozen=True):
    available: int


class ActivityEnd(RequestModel, frozen=True):
    groups: Annotated[
        Literal["keep", "close"],
        Meta(description="Open groups keep their deadlines, or are closed and refunded."),
    ] = "keep"


class ActivityGroups(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an activity's groups, as far as it has been counted."""

    opened: int
    open: int
    formed: int
    failed: int
    formed_permille: Annotated[
        int | None, Meta(description="Formed of formed and failed, in thousandths.")
    ]


class _ActivityTerms(msgspec.Struct, frozen=True, kw_only=True):
    activity_id: str
    product_id: str
    category_id: str
    title: str
    image: str
    state: ActivityState
    version: int
    revision: int
    seats_total: int
    life_h: int
    starts_at_s: int
    ends_at_s: int
    ended_at_s: int | None  # when staff ended it early
    groups: ActivityGroups
    limit_per_buyer: int
    limit_per_order: int
    reductions: list[Reduction]
    coupons: bool
    points: bool
    new_buyers: NewBuyers
    leader_free: bool
    leader_points: int
    leader_coupon_id: str
    tiers: list[Tier]
    member_prices: bool
    members_from: int
    level_seats: list[LevelSeats]
    crowd_tiers: list[Tier]
    per_minute: int
    compensation_id: str
    compensation_points: int
    seats_least: Annotated[int, Meta(description="0: groups form with all seats only.")]
    combines: Annotated[bool, Meta(description="Whether due groups may be combined.")]


class Crowd(msgspec.Struct, frozen=True, kw_only=True):
    """万人团: what all groups of the activity have reached."""

    seats: Annotated[int, Meta(description="People in groups that formed, as counted last.")]
    reached_at_s: Annotated[list[int], Meta(description="When each tier was reached, in turn.")]
    is_over: Annotated[bool, Meta(description="All groups were counted.")]


class ActivitySummary(_ActivityTerms, frozen=True, kw_only=True):
    skus: list[ActivitySku]


class Activity(_ActivityTerms, frozen=True, kw_only=True):
    skus: list[StockedActivitySku]
    crowd: Crowd | None
    compensation_words: Annotated[str, Meta(description="what its coupons take off")]
    compensation_kept: Annotated[
        bool,
        Meta(description="whether there are such coupons to give; buyers are told of no other"),
    ]
    leader_coupon_words: Annotated[str, Meta(description="what its coupons take off")]
    leader_coupon_kept: Annotated[bool, Meta(description="as compensation_kept")]


class ActivityPage(msgspec.Struct, frozen=True):
    items: list[ActivitySummary]
    next: str | None
