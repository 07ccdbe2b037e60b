"""/v1/merchant/exports: tables to take away, written in the background."""

from functools import partial

from chalicelib import clock
from chalicelib.api import pages
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api
from chalicelib.api.merchant import export_schemas as schemas
from chalicelib.api.once import HEADERS, once
from chalicelib.api.schemas import PageQuery, from_attributes
from chalicelib.domain import exports as domain
from chalicelib.domain.beijing import day_of
from chalicelib.domain.exports import COLUMNS, PRESETS, Subject, Wanted
from chalicelib.domain.rights import Area, act
from chalicelib.errors import (
    Conflict,
    Forbidden,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    NotFound,
)
from chalicelib.services.reports import exports
from chalicelib.tables.exports import ExportItem
from chalicelib.text import Text

api = Api(__name__, prefix="/v1/merchant")
FILE_NAMES = {
    Subject.ORDERS: "订单",
    Subject.MOVEMENTS: "账务明细",
    Subject.CUSTOMERS: "客户",
    Subject.MEMBERS: "会员",
}


@api.operation("GET", "/exports/form", right=act(Area.EXPORTS))
def read_export_form(who: Staff) -> schemas.ExportForm:
    """What can be exported: subjects with their columns, and usual choices of them."""
    return schemas.ExportForm(
        subjects=[
            schemas.ExportSubject(
                subject=subject,
                columns=[schemas.ExportColumn(name=c.name, title=Text(c.title)) for c in columns],
            )
            for subject, columns in COLUMNS.items()
            if _may(who, subject, personal=False)
        ],
        presets=[
            schemas.ExportPreset(
                name=preset.name,
                title=Text(preset.title),
                subject=preset.subject,
                columns=list(preset.columns),
                personal=preset.personal and _may(who, preset.subject, personal=True),
            )
            for preset in PRESETS
            if _may(who, preset.subject, personal=False)
        ],
        rows_max=domain.ROWS_MAX,
        days_max=domain.DAYS_MAX,
        kept_s=domain.KEPT_S,
    )


@api.operation(
    "POST",
    "/exports",
    right=act(Area.EXPORTS),
    status=201,
    refusals=[InvalidRequest, LimitReached, IdempotencyMismatch],
    headers=HEADERS,
)
def ask_for_export(who: Staff, body: schemas.ExportWanted) -> schemas.ExportShown:
    """Have a file written; it is in the audit log who wants which columns of what."""
    _refuse(who, body.subject, personal=body.personal)
    made = once(api.current_request, who, "export")
    item = exports.ask(
        who.merchant_id,
        made.item_id,
        _wanted(body),
        body_hash=made.body_hash,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _shown(item, who)


@api.operation("GET", "/exports", right=act(Area.EXPORTS))
def list_exports(who: Staff, query: PageQuery) -> schemas.ExportPage:
    """Everybody's exports, the newest first."""
    scope = ("exports", who.merchant_id)
    read = partial(exports.recent, who.merchant_id)
    return pages.page(schemas.ExportPage, query, scope, read, lambda item: _shown(item, who))


@api.operation("GET", "/exports/{export_id}", right=act(Area.EXPORTS), refusals=[NotFound])
def read_export(who: Staff, export_id: str) -> schemas.ExportShown:
    """How far an export is."""
    return _shown(exports.read(who.merchant_id, export_id), who)


@api.operation(
    "POST", "/exports/{export_id}/link", right=act(Area.EXPORTS), refusals=[NotFound, Conflict]
)
def link_export(who: Staff, export_id: str) -> schemas.ExportLink:
    """A link to the file, good for ten minutes; it is in the audit log who fetches it."""
    item, now_s = exports.read(who.merchant_id, export_id), clock.now_s()
    wanted = exports.wanted_of(item)
    _refuse(who, wanted.subject, personal=wanted.personal)
    name = f"{FILE_NAMES[wanted.subject]}-{day_of(item.asked_at_s):%Y%m%d}-{export_id[:6]}.csv"
    made = exports.link(who.merchant_id, export_id, name, staff=who.username, now_s=now_s)
    return schemas.ExportLink(url=made.url, expires_at_s=made.expires_at_s)


def _may(who: Staff, subject: Subject, *, personal: bool) -> bool:
    return all(who.may(right) for right in domain.rights_for(subject, personal=personal))


def _refuse(who: Staff, subject: Subject, *, personal: bool) -> None:
    """Raise Forbidden with the right that is missing."""
    for right in domain.rights_for(subject, personal=personal):
        if not who.may(right):
            words = "没有权限导出这些内容。需要的话，请店主在“员工”里开通。"
            raise Forbidden(words, right=str(right))


def _wanted(body: schemas.ExportWanted) -> Wanted:
    return Wanted(
        subject=body.subject,
        columns=tuple(body.columns),
        personal=body.personal,
        status=body.order_status or "",
        product_id=body.product_id or "",
        buyer_id=body.of_buyer or "",
        q=body.q.strip(),
        from_s=body.from_s,
        to_s=body.to_s,
        tag_id=body.tag_id or "",
        level=body.level,
    )


def _shown(item: ExportItem, who: Staff) -> schemas.ExportShown:
    wanted, ends_at_s = exports.wanted_of(item), exports.expires_at_s(item)
    is_there = ends_at_s is not None and clock.now_s() < ends_at_s
    return from_attributes(
        schemas.ExportShown,
        item,
        subject=wanted.subject,
        columns=list(wanted.columns),
        personal=wanted.personal,
        from_s=wanted.from_s,
        to_s=wanted.to_s,
        status=domain.ExportStatus(item.status),
        expires_at_s=ends_at_s,
        may_fetch=is_there and _may(who, wanted.subject, personal=wanted.personal),
    )
