"""Orders as staff see them: lists, counts, everything of one, and what staff write into it."""

from typing import Annotated, Any

from msgspec import Meta

from chalicelib.api.after_sale_schemas import AfterSaleShown
from chalicelib.api.schemas import (
    Address,
    Fen,
    Id,
    LevelShown,
    PageQuery,
    ParcelShown,
    PriceLineShown,
    RebateText,
    RequestModel,
    ResponseModel,
    SeatsLeast,
    Seconds,
)
from chalicelib.domain.order import Delivery, OrderStatus
from chalicelib.domain.pricing import PriceKind
from chalicelib.domain.recipient import ORDERS_MAX, Purpose
from chalicelib.domain.unpaid_order import REASON_MAX
from chalicelib.gateways.payment import Channel
from chalicelib.services.fulfilment import shipping_batches
from chalicelib.services.orders.points_changes import CHANGE_MAX

_STATUSES = "|".join(OrderStatus)


OrderStatusName = Annotated[str, Meta(pattern=rf"^({_STATUSES})\Z")]


class OrderQuery(PageQuery, frozen=True, kw_only=True):
    """All are optional and hold together. Nothing at all: every order."""

    status: OrderStatusName | None = None
    q: Annotated[
        str,
        Meta(
            max_length=64,
            description="an order's short or long number, a group's, a payment's at the gateway, a "
            "tracking number, a pickup code, the recipient's phone or its last 4 digits, the "
            "beginning or a part of the name of the recipient or buyer, words of a product's or an "
            "activity's title; whatever it fits is found",
        ),
    ] = ""
    product_id: Id | None = None
    buyer_id: Id | None = None
    from_s: Annotated[
        int,
        Meta(
            ge=0,
            le=9_999_999_999,
            description="placed then or later; with status alone: paid, if it was",
        ),
    ] = 0
    to_s: Annotated[int, Meta(ge=0, le=9_999_999_999, description="then or before")] = 9_999_999_999


class GroupOfOrder(ResponseModel, frozen=True, kw_only=True):
    group_id: str
    status: str
    seats_total: int
    seats_least: SeatsLeast
    seats_paid: int
    seats_missing: int
    expires_at_s: Seconds | None


class Recipient(ResponseModel, frozen=True, kw_only=True):
    name: Annotated[str, Meta(description="masked")]
    phone: Annotated[str, Meta(description="masked")]
    province: str
    city: str
    district: str


class OrderRow(ResponseModel, frozen=True, kw_only=True):
    order_id: str
    short_no: Annotated[str, Meta(description="the number for people: day and six digits")]
    group_id: str | None
    buyer_id: str
    product_id: str
    title: str
    spec: str
    image: str
    quantity: int
    total_fen: Fen
    status: str
    status_text: Annotated[str, Meta(description="what staff read")]
    ship_refusal: Annotated[
        str, Meta(description="why nothing of it can be shipped now; empty: it can")
    ]
    shipped: Annotated[int, Meta(description="units in parcels")]
    to_deliver: Annotated[int, Meta(description="units still to be shipped or handed over")]
    may_go_back: Annotated[int, Meta(description="units that are not back on sale yet")]
    delivery: Delivery
    recipient: Recipient
    group: GroupOfOrder | None
    has_remark: bool
    has_notes: bool
    after_sale_open: bool
    urged_at_s: Annotated[Seconds | None, Meta(description="when its buyer last asked to hurry")]
    placed_at_s: Seconds
    pay_by_s: Annotated[Seconds, Meta(description="closed then, unless it is paid")]
    listed_at_s: Annotated[Seconds, Meta(description="when it was paid; else when placed")]


class OrderRows(ResponseModel, frozen=True, kw_only=True):
    """A page may have fewer rows than asked for, even none, while `next` says that it goes on."""

    items: list[OrderRow]
    next: str | None
    left_out: Annotated[
        bool,
        Meta(
            description="The word is in the titles of more products or activities than were looked "
            "at, the newest: orders of the others are missing. A product finds them all."
        ),
    ]


class OrderCounts(ResponseModel, frozen=True, kw_only=True):
    counts: Annotated[
        dict[str, int], Meta(description="orders by status; 100 stands for 100 or more")
    ]


class ParcelOfStaff(ParcelShown, frozen=True, kw_only=True):
    staff: str
    correctable_until_s: Seconds


class NoteShown(ResponseModel, frozen=True, kw_only=True):
    note_id: str
    text: str
    staff: str
    at_s: Seconds


class PaymentOfOrder(ResponseModel, frozen=True, kw_only=True):
    out_trade_no: str
    method: str
    channel: Channel
    status: str
    amount_fen: Fen
    transaction_id: str
    paid_at_s: Seconds


class RefundOfOrder(ResponseModel, frozen=True, kw_only=True):
    out_refund_no: str
    status: str
    amount_fen: Fen
    requested_at_s: Seconds
    status_text: Annotated[str, Meta(description="what its buyer reads")]
    needs_person: bool
    reason: Annotated[str, Meta(description="the gateway's last word against it")]
    reason_text: Annotated[str, Meta(description="what to do about it, when it needs a person")]
    rebate_text: RebateText


class Happening(ResponseModel, frozen=True, kw_only=True):
    at_s: Seconds
    what: str
    text: str
    by: Annotated[str, Meta(description="a staff's username; empty: the buyer or the system")]


class OrderFileShown(OrderRow, frozen=True, kw_only=True):
    """Everything of one order but who gets it, which is masked."""

    activity_id: str
    sku_id: str
    buyer_name: str
    address: Annotated[dict[str, str], Meta(description="masked; the street is hidden")]
    address_changes: Annotated[int, Meta(description="send it back with another address")]
    store: Annotated[dict[str, Any] | None, Meta(description="of a pickup, as it was then")]
    lines: dict[str, Any]
    price_lines: list[PriceLineShown]
    unit_price_kind: Annotated[PriceKind, Meta(description="whose price a unit was sold at")]
    level: Annotated[
        LevelShown | None, Meta(description="of its buyer, where it counted when it was placed")
    ]
    coupon_back: Annotated[bool, Meta(description="its coupon is the buyer's again")]
    for_points: Annotated[bool, Meta(description="its units are of a points offer")]
    points_used: Annotated[int, Meta(description="that it was bought with")]
    points_back: Annotated[int, Meta(description="of these, that came back")]
    points_earned: int
    points_to_come: Annotated[int, Meta(description="that it will earn when it is completed")]
    agrees_to_combine: Annotated[
        bool, Meta(description="to go on in another group, if its own is not full in time")
    ]
    first_group_id: Annotated[
        str | None, Meta(description="in which it took its seat, since it has gone on in another")
    ]
    remark: str
    has_free_goods: Annotated[
        bool, Meta(description="by its group's terms: units that go back end it, money does not")
    ]
    refundable_fen: Annotated[Fen, Meta(description="what the shop may give back now")]
    refund_refusal: Annotated[
        str, Meta(description="why the shop cannot give money back now; empty: it can")
    ]
    receive_by_s: Annotated[Seconds | None, Meta(description="received by itself then")]
    received_at_s: Seconds | None
    parcels: list[ParcelOfStaff]
    notes: list[NoteShown]
    payments: list[PaymentOfOrder]
    refunds: list[RefundOfOrder]
    after_sales: list[AfterSaleShown]
    timeline: Annotated[list[Happening], Meta(description="the first one first")]


class RecipientsWanted(RequestModel, frozen=True, kw_only=True):
    order_ids: Annotated[
        list[Annotated[str, Meta(max_length=64)]], Meta(min_length=1, max_length=ORDERS_MAX)
    ]
    purpose: Annotated[
        Purpose, Meta(description="view and edit: of one order; print and ship: by who may ship")
    ]


class RecipientResponse(OrderRow, frozen=True, kw_only=True):
    """One order with its recipient in full, and what else whoever packs it reads."""

    address: dict[str, str]
    address_changes: Annotated[int, Meta(description="send it back with another address")]
    store: Annotated[dict[str, Any] | None, Meta(description="of a pickup, as it was then")]
    remark: str
    notes: list[NoteShown]


class RecipientsResponse(ResponseModel, frozen=True, kw_only=True):
    items: Annotated[list[RecipientResponse], Meta(description="in the order asked for, each once")]


class AddressChange(RequestModel, frozen=True, kw_only=True):
    address: Address
    address_changes: Annotated[int, Meta(ge=0, le=10_000, description="as the order was read")]


class ShopRefundRequest(RequestModel, frozen=True, kw_only=True):
    amount_fen: Annotated[int, Meta(ge=1, le=10_000_000, description="at most what is left")]
    units_back: Annotated[int, Meta(ge=0, le=999, description="that return to the stock")] = 0
    reason: Annotated[str, Meta(min_length=1, max_length=100, description="the buyer reads it")]


class HeldCoupons(ResponseModel, frozen=True):
    template_id: str
    held: Annotated[int, Meta(description="used ones too")]


class BuyersCoupons(ResponseModel, frozen=True):
    items: Annotated[list[HeldCoupons], Meta(description="of templates of which there are any")]


class CouponGiftRequest(RequestModel, frozen=True, kw_only=True):
    template_id: Annotated[str, Meta(min_length=22, max_length=22)]
    reason: Annotated[str, Meta(min_length=1, max_length=60, description="the buyer reads it")]


class PointsChange(RequestModel, frozen=True, kw_only=True):
    points: Annotated[
        int, Meta(ge=-CHANGE_MAX, le=CHANGE_MAX, description="below zero: they are taken")
    ]
    reason: Annotated[str, Meta(min_length=1, max_length=60, description="the buyer reads it")]


class PriceRequest(RequestModel, frozen=True, kw_only=True):
    total_fen: Annotated[
        int, Meta(ge=1, le=10_000_000, description="freight included; less than it is")
    ]


class OrderClosingRequest(RequestModel, frozen=True, kw_only=True):
    reason: Annotated[
        str, Meta(min_length=1, max_length=REASON_MAX, description="the buyer reads it")
    ]


class NoteRequest(RequestModel, frozen=True, kw_only=True):
    text: Annotated[str, Meta(min_length=1, max_length=200, description="buyers never read it")]


class ParcelCorrection(RequestModel, frozen=True, kw_only=True):
    carrier: Annotated[str, Meta(min_length=1, max_length=40, description="code, name or alias")]
    number: Annotated[str, Meta(min_length=1, max_length=60)]


class ParcelRequest(ParcelCorrection, frozen=True, kw_only=True):
    """The same carrier and number again is the same parcel."""

    units: Annotated[int, Meta(ge=1, le=999, description="left out: all that are left")] | None = (
        None
    )


class ShipmentRow(RequestModel, frozen=True, kw_only=True):
    """As it stands in the table: what is wrong with it, the answer says."""

    order_id: Annotated[str, Meta(max_length=100)]
    carrier: Annotated[str, Meta(max_length=100)]
    number: Annotated[str, Meta(max_length=100)]


class RefusedRow(ShipmentRow, frozen=True, kw_only=True):
    words: Annotated[str, Meta(max_length=200, description="As the check answered.")]


class BatchPart(RequestModel, frozen=True, kw_only=True):
    """Which part of which table this is. Sent again, it is the same."""

    batch_id: Annotated[
        str, Meta(pattern=r"^[0-9A-Za-z-]{16,36}\Z", description="Of the sender's own making.")
    ]
    started_at_s: Annotated[int, Meta(ge=0, description="When the table began to be sent.")]
    part: Annotated[int, Meta(ge=0, lt=shipping_batches.PARTS_MAX)]
    left_out: Annotated[
        Annotated[list[RefusedRow], Meta(max_length=50)] | None,
        Meta(description="Rows of the table that are not sent, because the check refused them."),
    ] = None


class ShipmentsRequest(RequestModel, frozen=True, kw_only=True):
    rows: Annotated[
        list[ShipmentRow],
        Meta(max_length=50, description="None only in a part that tells of rows left out."),
    ]
    check_only: Annotated[bool, Meta(description="true: nothing is shipped")]
    batch: Annotated[
        BatchPart | None, Meta(description="Kept in the history, unless nothing is shipped.")
    ] = None


class ShipmentResult(ResponseModel, frozen=True, kw_only=True):
    order_id: Annotated[str, Meta(description="as it was sent")]
    result: Annotated[
        str,
        Meta(
            description="shipped, would_ship, already_shipped, needs_change (a field of the row), "
            "skipped (by the order's state) or try_again (unchanged)"
        ),
    ]
    field: Annotated[str, Meta(description="what to change: order_id, carrier or number")]
    words: str


class ShipmentResults(ResponseModel, frozen=True, kw_only=True):
    results: Annotated[list[ShipmentResult], Meta(description="in the order of the rows")]
    summary: Annotated[dict[str, int], Meta(description="rows by result")]


class FailedShipment(ResponseModel, frozen=True, kw_only=True):
    """A row as it was typed."""

    order_id: str
    carrier: str
    number: str
    words: Annotated[str, Meta(description="why it was not shipped")]


class ShippingBatch(ResponseModel, frozen=True, kw_only=True):
    batch_id: str
    started_at_s: Seconds
    staff: str
    summary: Annotated[dict[str, int], Meta(description="rows by result")]
    failures: list[FailedShipment]


class ShippingBatches(ResponseModel, frozen=True, kw_only=True):
    items: list[ShippingBatch]
    next: str | None


class CarrierShown(ResponseModel, frozen=True, kw_only=True):
    code: str
    name: str
    aliases: list[str]
    form: Annotated[str, Meta(description="what its numbers look like")]
    number: Annotated[str, Meta(description="the same as a regular expression")]


class Carriers(ResponseModel, frozen=True, kw_only=True):
    items: list[CarrierShown]
