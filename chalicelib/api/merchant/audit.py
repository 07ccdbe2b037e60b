"""/v1/merchant/audit: who changed what and who looked at whom, and when."""

from functools import partial
from typing import Annotated, Any

from msgspec import Meta

from chalicelib import clock
from chalicelib.api import pages
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api
from chalicelib.api.schemas import PageQuery, ResponseModel, Seconds, from_attributes
from chalicelib.domain import recipient
from chalicelib.domain.audit_words import words_of
from chalicelib.domain.beijing import day_of
from chalicelib.domain.rights import Area, view
from chalicelib.services.people import audit_log
from chalicelib.tables.records import AuditItem
from chalicelib.text import Text

api = Api(__name__, prefix="/v1/merchant")
Month = Annotated[str, Meta(pattern=r"^20[0-9]{2}(0[1-9]|1[0-2])\Z", description="In Beijing.")]
Person = Annotated[str, Meta(max_length=32, description="Only what this person did.")]
Subject = Annotated[
    str, Meta(max_length=128, description='Of what: "product#…", or "product" for all of them.')
]


class AuditQuery(PageQuery, frozen=True, kw_only=True):
    month: Month | None = None  # None: this one
    staff: Person | None = None
    subject: Subject | None = None


class AuditRow(ResponseModel, frozen=True, kw_only=True):
    """`before` and `after` hold the fields that differ; `before` is empty for what is new, and
    for a look. A look at several orders has the subject "order" and names them in `after`, as
    `order_ids`. Addresses are masked."""

    at_s: Seconds
    staff: str
    action: str
    words: Annotated[str, Meta(description="The action, for people.")]
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]


class AuditPage(ResponseModel, frozen=True, kw_only=True):
    items: list[AuditRow]
    next: str | None


@api.operation("GET", "/audit", right=view(Area.AUDIT))
def list_audit(who: Staff, query: AuditQuery) -> AuditPage:
    """Changes and looks by staff, the newest first; a page of a search may be short and go on."""
    month = query.month or f"{day_of(clock.now_s()):%Y%m}"
    scope = ("audit", who.merchant_id, month, query.staff or "", query.subject or "")
    read = partial(audit_log.page, who.merchant_id, month, staff=query.staff, subject=query.subject)
    return pages.page(AuditPage, query, scope, read, _shown)


def _shown(row: AuditItem) -> AuditRow:
    before, after = row.before.as_dict(), row.after.as_dict()
    if row.action == "address_changed":  # the log of looks is none at the recipients themselves
        before, after = recipient.masked(before), recipient.masked(after)
    words = Text(words_of(row.action))
    return from_attributes(AuditRow, row, words=words, before=before, after=after)
