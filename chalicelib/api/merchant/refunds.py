"""What staff do about refunds that need a person."""

from chalicelib import clock
from chalicelib.api import pages
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api, Audience
from chalicelib.api.merchant import refund_schemas as schemas
from chalicelib.api.schemas import Done, PageQuery
from chalicelib.domain.order import RefundStatus
from chalicelib.domain.rights import Area, act, view
from chalicelib.domain.words import refund_trouble
from chalicelib.errors import Conflict, NotFound
from chalicelib.services.money import refunds
from chalicelib.tables.trade import OrderItem

api = Api(__name__, prefix="/v1/merchant")


@api.operation(
    "GET",
    "/refunds",
    audience=Audience.STAFF,
    right=view(Area.REFUNDS),
    query=PageQuery,
    answer=schemas.RefundRows,
)
def list_refunds(who: Staff, query: PageQuery) -> schemas.RefundRows:
    """Refunds that need a person, the longest waiting first."""
    scope = ("refunds", who.merchant_id)
    found, key = refunds.needing_person(
        who.merchant_id, after=pages.key_of(query.next, *scope), limit=query.limit
    )
    rows = [row for order in found for row in _refunds(order)]
    return schemas.RefundRows(items=rows, next=pages.token_of(key, *scope))


@api.operation(
    "POST",
    "/refunds/{out_refund_no}/retry",
    audience=Audience.STAFF,
    right=act(Area.REFUNDS),
    answer=Done,
    refusals=[NotFound, Conflict],
)
def retry_refund(who: Staff, out_refund_no: str) -> Done:
    """Send a refund that needed a person again, under the same number."""
    refunds.send_again(who.merchant_id, out_refund_no, staff=who.username, now_s=clock.now_s())
    return Done()


def _refunds(item: OrderItem) -> list[schemas.RefundRow]:
    return [
        schemas.RefundRow(
            out_refund_no=f"{item.order_id}{key}",
            order_id=str(item.order_id),
            title=item.title,
            amount_fen=refund.amount_fen,
            reason=refund.reason,
            reason_text=refund_trouble(refund.reason),
            since_s=refund.at_s,
        )
        for key, refund in sorted(item.view().refunds.items())
        if refund.status is RefundStatus.FAILED
    ]
