"""What buyers, and staff with an order of theirs, read of points."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.schemas import Fen, RequestModel, ResponseModel, Seconds
from chalicelib.domain.points_account import PointsKind


class PointsQuery(RequestModel, frozen=True, kw_only=True):
    next: Annotated[str, Meta(max_length=2000, description="of the page before")] | None = None


class PointsExpiringShown(ResponseModel, frozen=True, kw_only=True):
    points: int
    on: Annotated[str, Meta(description="the last day on which they are good, ISO")]


class PointsEntryShown(ResponseModel, frozen=True, kw_only=True):
    at_s: Seconds
    points: Annotated[int, Meta(description="below zero: they went")]
    kind: PointsKind
    words: Annotated[str, Meta(description="what it was")]
    order_id: Annotated[str | None, Meta(description="of the order that it is about")]


class PointsAccountShown(ResponseModel, frozen=True, kw_only=True):
    """`step` points take 1 yuan off; worth_fen: what the balance takes off in whole steps, 0 while
    points cannot be used in the shop."""

    on: Annotated[bool, Meta(description="whether points are earned and used in the shop now")]
    balance: Annotated[int, Meta(description="below zero: what is earned next pays that first")]
    worth_fen: Fen
    step: int
    expiring: Annotated[
        PointsExpiringShown | None, Meta(description="what runs out next; null: nothing does")
    ]
    rules: Annotated[list[str], Meta(description="how points are earned and used")]
    entries: Annotated[list[PointsEntryShown], Meta(description="the newest first, page by page")]
    next: str | None
