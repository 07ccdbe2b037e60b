"""What buyers read of their own orders."""

from typing import Annotated, Any

from msgspec import Meta

from chalicelib.api.after_sale_schemas import AfterSaleShown
from chalicelib.api.schemas import (
    CrowdShown,
    Fen,
    LevelShown,
    OrderShown,
    PageQuery,
    ParcelShown,
    PriceLineShown,
    ResponseModel,
    SeatsLeast,
    Seconds,
    TierShown,
)
from chalicelib.domain.own_order import NextAction, Step, Tab
from chalicelib.domain.pricing import PriceKind


class OwnOrdersQuery(PageQuery, frozen=True, kw_only=True):
    tab: Annotated[str, Meta(pattern=rf"^({'|'.join(Tab)})?\Z", description="empty: all")] = ""


class OrderGroup(ResponseModel, frozen=True, kw_only=True):
    """The group that an order waits for; it tells nothing that its page would not."""

    status: str
    seats_total: int
    seats_least: SeatsLeast
    seats_taken: int
    seats_paid: int
    seats_missing: int
    tiers: list[TierShown]
    expires_at_s: Annotated[Seconds | None, Meta(description="null: its leader has not paid")]


class OwnOrderRow(OrderShown, frozen=True, kw_only=True):
    spec: str
    image: str
    unit_price_fen: Fen
    freight_fen: Annotated[Fen, Meta(description="of the total")]
    placed_at_s: Seconds
    group: Annotated[OrderGroup | None, Meta(description="as long as the order waits for it")]
    after_sale: Annotated[AfterSaleShown | None, Meta(description="the request that is open")]
    receive_by_s: Annotated[
        Seconds | None, Meta(description="once all is shipped: received by itself then")
    ]
    urged_at_s: Annotated[Seconds | None, Meta(description="when the shop was last asked to hurry")]
    actions: Annotated[
        list[NextAction], Meta(description="what the buyer can do now, the next best first")
    ]


class OwnOrderCounts(ResponseModel, frozen=True, kw_only=True):
    """How many orders wait in each tab, exactly; one that is being refunded in part waits in two.
    What was asked back and has arrived still stands in after_sale, and waits for nothing."""

    all: int
    to_pay: int
    waiting: int
    to_ship: int
    to_receive: int
    after_sale: int


class OrderList(ResponseModel, frozen=True, kw_only=True):
    items: list[OwnOrderRow]
    counts: Annotated[
        OwnOrderCounts | None, Meta(description="with the first page; null: too many to be counted")
    ]
    now_s: Seconds
    next: Annotated[str | None, Meta(description="of a tab: a page may be short, even empty")]


class StepShown(ResponseModel, frozen=True, kw_only=True):
    step: Step
    at_s: Annotated[Seconds | None, Meta(description="null: it has not come, or no time is noted")]


class OrderDetail(OwnOrderRow, frozen=True, kw_only=True):
    address: dict[str, str]
    lines: dict[str, Any]
    price_lines: list[PriceLineShown]
    unit_price_kind: Annotated[PriceKind, Meta(description="whose price a unit was sold at")]
    level: Annotated[
        LevelShown | None, Meta(description="of its buyer, where it counted when it was placed")
    ]
    remark: str
    store: Annotated[dict[str, Any] | None, Meta(description="of a pickup, as it was then")]
    pickup_code: Annotated[
        str | None, Meta(description="once a pickup is ready: shown in the store")
    ]
    pickup_qr: Annotated[
        str | None,
        Meta(description="while it waits there: the code as a QR code, a PNG data URI"),
    ]
    parcels: list[ParcelShown]
    steps: Annotated[
        list[StepShown], Meta(description="the order's way; of one that ended, what it took of it")
    ]
    method: Annotated[str, Meta(description="by which it was paid; empty: it was not")]
    method_text: str
    closed_words: Annotated[str, Meta(description="why the shop closed it unpaid; else empty")]
    crowd: Annotated[
        CrowdShown | None, Meta(description="of a 万人团, while the order is or may be a sale")
    ]
    now_s: Seconds
