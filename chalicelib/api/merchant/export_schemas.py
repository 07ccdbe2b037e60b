"""Exports: what is asked for, and how far it is."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.merchant.order_schemas import OrderStatusName
from chalicelib.api.schemas import Id, RequestModel, ResponseModel, Seconds
from chalicelib.domain.exports import EVER_S, ExportStatus, Subject
from chalicelib.domain.levels import LEVELS_MAX

ColumnName = Annotated[str, Meta(min_length=1, max_length=32)]
Time = Annotated[int, Meta(ge=0, le=EVER_S)]


class ExportColumn(ResponseModel, frozen=True, kw_only=True):
    name: str
    title: Annotated[str, Meta(description="As it stands in the file.")]


class ExportSubject(ResponseModel, frozen=True, kw_only=True):
    subject: Subject
    columns: list[ExportColumn]


class ExportPreset(ResponseModel, frozen=True, kw_only=True):
    name: str
    title: str
    subject: Subject
    columns: list[str]
    personal: Annotated[bool, Meta(description="For recipients in full.")]


class ExportForm(ResponseModel, frozen=True, kw_only=True):
    """What the asking person may choose from."""

    subjects: list[ExportSubject]
    presets: list[ExportPreset]
    rows_max: int
    days_max: Annotated[int, Meta(description="Of movements.")]
    kept_s: Annotated[int, Meta(description="How long a file can be fetched.")]


class ExportWanted(RequestModel, frozen=True, kw_only=True):
    """Orders as the list of orders finds them; movements and customers by time, customers also by
    product; members as the list of members finds them. `personal`: names, phones and addresses in
    full, which needs the right to see them."""

    subject: Subject
    columns: Annotated[list[ColumnName], Meta(min_length=1, max_length=60)]
    personal: bool = False
    order_status: OrderStatusName | None = None
    product_id: Id | None = None
    of_buyer: Id | None = None
    q: Annotated[str, Meta(max_length=64)] = ""
    from_s: Time = 0
    to_s: Time = EVER_S
    tag_id: Id | None = None
    level: Annotated[int, Meta(ge=0, le=LEVELS_MAX, description="of members; 0: any or none")] = 0


class ExportShown(ResponseModel, frozen=True, kw_only=True):
    export_id: str
    staff: str
    subject: Subject
    columns: list[str]
    personal: bool
    from_s: Seconds
    to_s: Seconds
    status: ExportStatus
    rows: Annotated[int, Meta(description="Written so far.")]
    cut: Annotated[bool, Meta(description="There were more rows than a file may have.")]
    asked_at_s: Seconds
    expires_at_s: Annotated[Seconds | None, Meta(description="Once it is done.")]
    may_fetch: Annotated[bool, Meta(description="There is a file, and whoever asks may have it.")]


class ExportPage(ResponseModel, frozen=True, kw_only=True):
    items: list[ExportShown]
    next: str | None


class ExportLink(ResponseModel, frozen=True, kw_only=True):
    url: str
    expires_at_s: Seconds
