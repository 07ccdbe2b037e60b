"""After-sale, as buyers ask for it and staff decide it; the ledger that shows what it moved."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.schemas import Fen, PageQuery, RefundShown, RequestModel, ResponseModel, Seconds
from chalicelib.domain.after_sale import PICTURES_MAX, AfterSaleStatus, Reason

_STATUSES = "|".join(AfterSaleStatus)
_REASONS = "|".join(Reason)
Picture = Annotated[
    str, Meta(max_length=300, pattern=r"^https?://[!-~]+\Z", description="the buyer's accepted one")
]


class AfterSaleRequest(RequestModel, frozen=True, kw_only=True):
    amount_fen: Annotated[int, Meta(ge=1, le=10_000_000, description="fen to be given back")]
    reason: Annotated[str, Meta(pattern=rf"^({_REASONS})\Z")]
    units: Annotated[
        int, Meta(ge=0, le=999, description="that are sent back; 0: only money is asked for")
    ] = 0
    words: Annotated[str, Meta(max_length=200)] = ""
    pictures: Annotated[tuple[Picture, ...], Meta(max_length=PICTURES_MAX)] = ()


class ExchangeRequest(RequestModel, frozen=True, kw_only=True):
    units: Annotated[
        int, Meta(ge=1, le=999, description="that are sent back, for as many of the same SKU")
    ]
    reason: Annotated[str, Meta(pattern=rf"^({_REASONS})\Z")]
    words: Annotated[str, Meta(max_length=200)] = ""
    pictures: Annotated[tuple[Picture, ...], Meta(max_length=PICTURES_MAX)] = ()


class ReturnParcelRequest(RequestModel, frozen=True, kw_only=True):
    carrier: Annotated[str, Meta(min_length=1, max_length=40, description="code, name or alias")]
    number: Annotated[str, Meta(min_length=1, max_length=60)]


class AfterSaleShown(ResponseModel, frozen=True, kw_only=True):
    after_sale_id: Annotated[str, Meta(description="order_id and one letter")]
    order_id: str
    short_no: str
    title: str
    kind: Annotated[str, Meta(description="refund, return or exchange")]
    status: str
    status_text: str
    amount_fen: Annotated[
        Fen, Meta(description="of an exchange: what may be refunded instead, or is")
    ]
    reason: str
    reason_text: str
    words: str
    pictures: list[str]
    reply: Annotated[str, Meta(description="of the staff who refused it")]
    units_back: Annotated[int, Meta(description="returned to the stock")]
    units: Annotated[int, Meta(description="that the buyer sends back; 0: only money is asked for")]
    return_to: Annotated[str, Meta(description="where to send them, once that is agreed to")]
    return_by_s: Annotated[Seconds | None, Meta(description="closed then, unless they are sent")]
    carrier: str
    carrier_name: str
    number: Annotated[str, Meta(description="of the parcel with the goods")]
    sent_at_s: Seconds | None
    goods_at_s: Annotated[
        Seconds | None, Meta(description="of an exchange: when the shop had the goods")
    ]
    pickup: Annotated[bool, Meta(description="the replacement of an exchange is collected")]
    replacement_carrier: str
    replacement_carrier_name: str
    replacement_number: Annotated[str, Meta(description="of the parcel with the replacement")]
    replacement_at_s: Annotated[Seconds | None, Meta(description="when it was sent or handed over")]
    receive_by_s: Annotated[Seconds | None, Meta(description="received by itself then")]
    by_shop: Annotated[bool, Meta(description="of its own accord; `words` are the shop's then")]
    requested_at_s: Seconds
    decided_at_s: Seconds | None


class OwnAfterSales(ResponseModel, frozen=True, kw_only=True):
    refundable_fen: Annotated[Fen, Meta(description="what may yet be asked back")]
    units_left: Annotated[int, Meta(description="that are not back: all of them end the order")]
    items: list[AfterSaleShown]


class AfterSaleQuery(PageQuery, frozen=True, kw_only=True):
    status: Annotated[str, Meta(pattern=rf"^({_STATUSES})\Z")] = "requested"


class AfterSaleRow(AfterSaleShown, frozen=True, kw_only=True):
    buyer_name: Annotated[str, Meta(description="empty: the buyer never told one")]


class AfterSaleRows(ResponseModel, frozen=True, kw_only=True):
    items: list[AfterSaleRow]
    next: str | None


class ApprovalRequest(RequestModel, frozen=True, kw_only=True):
    amount_fen: Annotated[int, Meta(ge=1, le=10_000_000, description="at most what was asked")]
    units_back: Annotated[int, Meta(ge=0, le=999, description="that return to the stock")] = 0


class GoodsReceiptRequest(RequestModel, frozen=True, kw_only=True):
    units_back: Annotated[
        int, Meta(ge=0, le=999, description="of those that came, on sale again; 0: none")
    ] = 0


class ReplacementRequest(ReturnParcelRequest, frozen=True, kw_only=True):
    corrects: Annotated[
        bool, Meta(description="it was sent already, and this is its right number")
    ] = False


class RefusalRequest(RequestModel, frozen=True, kw_only=True):
    reply: Annotated[str, Meta(min_length=1, max_length=100, description="the buyer reads it")]


class LedgerRow(ResponseModel, frozen=True, kw_only=True):
    number: Annotated[str, Meta(description="out_trade_no, or out_refund_no")]
    movement: Annotated[str, Meta(description="captured, earned, requested, refunded or fee")]
    movement_text: str
    debit: str
    credit: str
    amount_fen: Annotated[int, Meta(description="fen; a fee given back is less than 0")]
    at_s: Seconds


class LedgerShown(ResponseModel, frozen=True, kw_only=True):
    order_id: str
    short_no: str
    rows: list[LedgerRow]
    balances: Annotated[
        dict[str, int], Meta(description="fen by account, debits positive; they add up to 0")
    ]
    refunds: list[RefundShown]


class ReconciliationRow(ResponseModel, frozen=True, kw_only=True):
    day: Annotated[str, Meta(description="YYYY-MM-DD in Beijing")]
    method: str
    payments: int
    paid_fen: Fen
    refunds: int
    refunded_fen: Fen
    fee_fen: int
    foreign: Annotated[int, Meta(description="lines of other systems on the same account")]
    compared_at_s: Seconds


class ReconciliationRows(ResponseModel, frozen=True, kw_only=True):
    items: list[ReconciliationRow]
    next: str | None


class RejectedResultRow(ResponseModel, frozen=True, kw_only=True):
    """What a gateway told, rightly signed, and the books do not take."""

    result_id: str
    method: str
    code: Annotated[str, Meta(description="why it was refused")]
    trouble_text: Annotated[str, Meta(description="what it is and what to do about it")]
    told: Annotated[dict[str, str | int], Meta(description="what it says")]
    details: Annotated[dict[str, str | int], Meta(description="what does not fit")]
    order_id: Annotated[str | None, Meta(description="whose number it has, if there is one")]
    first_at_s: Seconds


class RejectedResultRows(ResponseModel, frozen=True, kw_only=True):
    items: list[RejectedResultRow]
    next: str | None


class DealtWithRequest(RequestModel, frozen=True, kw_only=True):
    note: Annotated[
        str,
        Meta(min_length=1, max_length=100, pattern=r"\S", description="what was done about it"),
    ]


class DifferenceQuery(PageQuery, frozen=True, kw_only=True):
    status: Annotated[str, Meta(pattern=r"^(open|closed)\Z")] = "open"


class DifferenceRow(ResponseModel, frozen=True, kw_only=True):
    difference_id: str
    status: Annotated[str, Meta(description="open, dealt_with, repaired, agreed")]
    day: str
    method: str
    number: Annotated[str, Meta(description="out_trade_no or out_refund_no")]
    difference: str
    difference_text: Annotated[str, Meta(description="what it is and what to do about it")]
    repaired: bool
    ours: Annotated[dict[str, str | int], Meta(description="what we have of it")]
    theirs: Annotated[dict[str, str | int], Meta(description="what the gateway's bill says")]
    found_at_s: Seconds
    closed_at_s: Seconds | None
    dealt_by: Annotated[str | None, Meta(description="null: nobody had to")]
    note: Annotated[str | None, Meta(description="what was done about it")]


class DifferenceRows(ResponseModel, frozen=True, kw_only=True):
    items: list[DifferenceRow]
    next: str | None
