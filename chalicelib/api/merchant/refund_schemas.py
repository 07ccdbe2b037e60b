"""What staff see and decide of refunds that need a person."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.schemas import Fen, RebateText, RequestModel, ResponseModel, Seconds
from chalicelib.domain.manual_refund import PROOF_MAX, ManualRefundMethod


class RefundRow(ResponseModel, frozen=True, kw_only=True):
    out_refund_no: str
    order_id: str
    short_no: str
    title: str
    amount_fen: Fen
    status: Annotated[str, Meta(description="requested: still tried again by itself")]
    reason: Annotated[str, Meta(description="the gateway's last word")]
    reason_text: Annotated[str, Meta(description="what to do about it")]
    rebate_text: RebateText
    since_s: Seconds
    next_at_s: Annotated[Seconds | None, Meta(description="when it is tried again by itself")]


class RefundRows(ResponseModel, frozen=True, kw_only=True):
    items: list[RefundRow]
    next: str | None


class PaidOutside(RequestModel, frozen=True, kw_only=True):
    """How staff have paid a buyer back."""

    way: Annotated[str, Meta(pattern=rf"^({'|'.join(ManualRefundMethod)})\Z")]
    amount_fen: Annotated[int, Meta(ge=1, le=100_000_000, description="all of the refund")]
    proof: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=PROOF_MAX,
            pattern=r"\S",
            description="a reference that its buyer reads; for `gateway`, its number there",
        ),
    ]
