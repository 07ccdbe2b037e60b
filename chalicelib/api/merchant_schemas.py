"""What staff send and receive. Amounts are whole fen, times epoch seconds, UTC.

Limits here keep nonsense out; what a shop may promise is decided by the domain, which tells all
problems of a draft at once, each with its field and what to do.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.api import auth
from chalicelib.api.pages import PAGE_MAX
from chalicelib.domain.activity import ActivityState
from chalicelib.domain.product import PRICE_FEN_MAX, SKUS_MAX, SPEC_NAMES_MAX, STOCK_MAX
from chalicelib.services import adjustments, categories, merchants, staff

Fen = Annotated[int, Meta(ge=0, le=PRICE_FEN_MAX, description="Whole fen.")]
Units = Annotated[int, Meta(ge=0, le=STOCK_MAX, description="Units of stock.")]
EpochS = Annotated[int, Meta(ge=0, le=9_999_999_999, description="Epoch seconds, UTC.")]
Id = Annotated[str, Meta(min_length=22, max_length=22, pattern=r"^[0-9A-Za-z]+\Z")]
Revision = Annotated[
    int, Meta(ge=1, description="As read; when somebody changed the item since: 409 changed.")
]
Text = Annotated[str, Meta(max_length=200)]
Name = Annotated[str, Meta(min_length=1, max_length=30)]
Username = Annotated[str, Meta(pattern=staff.USERNAME_PATTERN)]
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


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body or a query; what it does not name is refused."""


class PageQuery(Input, frozen=True):
    next: Annotated[str, Meta(max_length=1000, description="From the page before.")] | None = None
    limit: Annotated[int, Meta(ge=1, le=PAGE_MAX)] = 20


class CategoryPageQuery(PageQuery, frozen=True):
    category: Id | None = None


class ActivityPageQuery(CategoryPageQuery, frozen=True):
    state: Literal["scheduled", "running", "paused", "ended"] | None = None


class Login(Input, frozen=True):
    username: Annotated[str, Meta(max_length=32)]
    password: Annotated[str, Meta(max_length=staff.PASSWORD_MAX)]


class Session(msgspec.Struct, frozen=True):
    token: str
    role: auth.Role
    name: str
    expires_at_s: int


class SettingsChange(Input, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=merchants.NAME_MAX)]
    service_phone: Annotated[str, Meta(max_length=merchants.PHONE_MAX, pattern=r"^[0-9+() -]*\Z")]
    pay_by_s: PayBy
    revision: Revision


class Settings(msgspec.Struct, frozen=True):
    merchant_id: str
    name: str
    service_phone: str
    pay_by_s: int
    revision: int


class NewStaff(Input, frozen=True):
    username: Username
    name: Name
    role: auth.Role
    password: Annotated[str, Meta(min_length=staff.PASSWORD_MIN, max_length=staff.PASSWORD_MAX)]


class StaffMember(msgspec.Struct, frozen=True):
    username: str
    name: str
    role: auth.Role


class StaffList(msgspec.Struct, frozen=True):
    items: list[StaffMember]


class NewCategory(Input, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=categories.NAME_MAX)]
    position: Position = 0


class CategoryChange(NewCategory, frozen=True, kw_only=True):
    revision: Revision


class Category(msgspec.Struct, frozen=True):
    category_id: str
    name: str
    position: int
    revision: int


class CategoryList(msgspec.Struct, frozen=True):
    items: list[Category]


class SkuInput(Input, frozen=True):
    specs: Annotated[
        dict[Text, Text], Meta(max_length=SPEC_NAMES_MAX + 7, description="Name to value.")
    ]
    list_price_fen: Fen
    solo_price_fen: Fen
    sku_id: Annotated[Id | None, Meta(description="None: a new SKU, which brings its stock.")] = (
        None
    )
    stock: Units | None = None
    image: Annotated[str, Meta(max_length=1000)] = ""


class ProductInput(Input, frozen=True):
    title: Text
    category_id: Id
    skus: Annotated[list[SkuInput], Meta(max_length=SKUS_MAX)]
    description: Annotated[str, Meta(max_length=10_000)] = ""
    images: Annotated[list[Annotated[str, Meta(max_length=1000)]], Meta(max_length=50)] = []
    on_sale: bool = True


class ProductChange(ProductInput, frozen=True, kw_only=True):
    revision: Revision


class Sku(msgspec.Struct, frozen=True):
    sku_id: str
    specs: dict[str, str]
    image: str
    list_price_fen: int
    solo_price_fen: int


class StockedSku(Sku, frozen=True):
    available: int  # units that no activity holds
    activities: list[str]  # ids of those that sell it


class ProductSummary(msgspec.Struct, frozen=True):
    product_id: str
    category_id: str
    title: str
    image: str
    on_sale: bool
    skus: list[Sku]
    created_at_s: int
    revision: int


class ProductPage(msgspec.Struct, frozen=True):
    items: list[ProductSummary]
    next: str | None


class Product(msgspec.Struct, frozen=True):
    product_id: str
    category_id: str
    title: str
    description: str
    images: list[str]
    on_sale: bool
    skus: list[StockedSku]
    created_at_s: int
    revision: int


class StockAdjustment(Input, frozen=True):
    sku_id: Id
    delta: Annotated[
        int, Meta(ge=-STOCK_MAX, le=STOCK_MAX, description="Units to add, or to take away.")
    ]
    reason: Annotated[str, Meta(min_length=1, max_length=adjustments.REASON_MAX)]


class SkuStock(msgspec.Struct, frozen=True):
    sku_id: str
    available: int


class ActivitySkuChange(Input, frozen=True):
    sku_id: Id
    group_price_fen: Annotated[
        int, Meta(ge=0, le=PRICE_FEN_MAX, description="Below the solo price.")
    ]


class ActivitySkuInput(ActivitySkuChange, frozen=True, kw_only=True):
    stock: Annotated[int, Meta(ge=0, le=STOCK_MAX, description="Units to move from the product.")]


class ActivityRules(Input, frozen=True, kw_only=True):
    title: Text
    seats_total: Annotated[int, Meta(ge=0, le=9_999, description="2 to 100.")]
    life_h: Annotated[int, Meta(ge=0, le=9_999, description="Hours of a group, 1 to 72.")]
    ends_at_s: EpochS
    limit_per_buyer: Annotated[
        int, Meta(ge=0, le=99_999, description="Units over the activity; 0: no limit.")
    ] = 0
    limit_per_order: Annotated[int, Meta(ge=0, le=99_999, description="1 to 999.")] = 1


class ActivityInput(ActivityRules, frozen=True, kw_only=True):
    product_id: Id
    skus: Annotated[list[ActivitySkuInput], Meta(max_length=SKUS_MAX)]
    starts_at_s: Annotated[
        int, Meta(ge=0, le=9_999_999_999, description="0 or a time that has passed: at once.")
    ] = 0


class ActivityChange(ActivityRules, frozen=True, kw_only=True):
    skus: Annotated[list[ActivitySkuChange], Meta(max_length=SKUS_MAX)]
    revision: Revision


class NewActivityStock(Input, frozen=True):
    sku_id: Id
    quantity: Annotated[int, Meta(ge=1, le=STOCK_MAX)]


class ActivitySku(msgspec.Struct, frozen=True):
    sku_id: str
    spec: str
    list_price_fen: int
    solo_price_fen: int
    group_price_fen: int


class StockedActivitySku(ActivitySku, frozen=True):
    available: int


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
    limit_per_buyer: int
    limit_per_order: int


class ActivitySummary(_ActivityTerms, frozen=True, kw_only=True):
    skus: list[ActivitySku]


class Activity(_ActivityTerms, frozen=True, kw_only=True):
    skus: list[StockedActivitySku]


class ActivityPage(msgspec.Struct, frozen=True):
    items: list[ActivitySummary]
    next: str | None
