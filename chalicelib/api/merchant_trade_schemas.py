"""What staff see of the trade: groups, orders, refunds that need a person."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.schemas import Fen, Id, PageQuery, Seconds, Told


class GroupQuery(PageQuery, frozen=True, kw_only=True):
    activity_id: Id
    status: Annotated[str, Meta(pattern=r"^(open|formed|failed)\Z")] = "open"


class OrderQuery(PageQuery, frozen=True, kw_only=True):
    status: Annotated[str, Meta(pattern=r"^(paid|fulfilling|refunding|refunded)\Z")] = "fulfilling"


class GroupRow(Told, frozen=True, kw_only=True):
    group_id: str
    activity_id: str
    leader_name: str
    status: str
    seats_total: int
    seats_paid: int
    expires_at_s: Seconds


class GroupRows(Told, frozen=True, kw_only=True):
    items: list[GroupRow]
    next: str | None


class OrderRow(Told, frozen=True, kw_only=True):
    order_id: str
    group_id: str | None
    title: str
    total_fen: Fen
    status: str
    status_text: str
    listed_at_s: Annotated[Seconds, Meta(description="when it was paid")]


class OrderRows(Told, frozen=True, kw_only=True):
    items: list[OrderRow]
    next: str | None


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
