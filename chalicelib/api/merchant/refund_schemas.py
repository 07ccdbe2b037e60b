"""What staff see of refunds that need a person."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.schemas import Fen, Seconds, Told


class RefundRow(Told, frozen=True, kw_only=True):
    out_refund_no: str
    order_id: str
    title: str
    amount_fen: Fen
    reason: Annotated[str, Meta(description="the gateway's last word")]
    reason_text: Annotated[str, Meta(description="what to do about it")]
    since_s: Seconds


class RefundRows(Told, frozen=True, kw_only=True):
    items: list[RefundRow]
    next: str | None
