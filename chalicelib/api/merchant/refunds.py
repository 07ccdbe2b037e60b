"""What staff do about refunds that need a person."""

from functools import partial

from chalicelib import clock
from chalicelib.api import pages
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api
from chalicelib.api.merchant import refund_schemas as schemas
from chalicelib.api.schemas import Done, PageQuery
from chalicelib.domain.manual_refund import ManualRefundMethod
from chalicelib.domain.order_words import rebate_text, refund_trouble
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import Conflict, GatewayFailed, InvalidRequest, NotFound
from chalicelib.services.money import refund_recovery
from chalicelib.services.money.refund_recovery import ManualPayment, RefundUnderWay
from chalicelib.tables.trade import OrderItem
from chalicelib.text import Text

api = Api(__name__, prefix="/v1/merchant")


@api.operation("GET", "/refunds", right=view(Area.REFUNDS))
def list_refunds(who: Staff, query: PageQuery) -> schemas.RefundRows:
    """Refunds that only a person can mend, the longest waiting first."""
    scope = ("refunds", who.merchant_id)
    read = partial(refund_recovery.needing_person, who.merchant_id)
    return pages.page(schemas.RefundRows, query, scope, read, lambda found: _row(*found))


@api.operation(
    "POST",
    "/refunds/{out_refund_no}/retry",
    right=act(Area.REFUNDS),
    refusals=[NotFound, Conflict, GatewayFailed],
)
def retry_refund(who: Staff, out_refund_no: str) -> Done:
    """Send a refund that needs a person again: under the same number, or under a fresh one when
    the gateway says that it has closed this one."""
    refund_recovery.resend(who.merchant_id, out_refund_no, staff=who.username, now_s=clock.now_s())
    return Done()


@api.operation(
    "POST",
    "/refunds/{out_refund_no}/outside",
    right=act(Area.REFUNDS),
    refusals=[NotFound, InvalidRequest, Conflict, RefundUnderWay, GatewayFailed],
)
def pay_refund_outside(who: Staff, out_refund_no: str, body: schemas.PaidOutside) -> Done:
    """Put on record that a refund was paid back in another way; it cannot be taken back."""
    refund_recovery.record_manual_refund(
        who.merchant_id,
        out_refund_no,
        ManualPayment(ManualRefundMethod(body.way), body.amount_fen, body.proof.strip()),
        staff=who.username,
        now_s=clock.now_s(),
    )
    return Done()


def _row(item: OrderItem, key: str) -> schemas.RefundRow:
    refund = item.view().refunds[key]
    return schemas.RefundRow(
        out_refund_no=item.refund_number(key),
        order_id=str(item.order_id),
        short_no=item.short_no,
        title=item.title,
        amount_fen=refund.amount_fen,
        status=refund.status.value,
        reason=refund.reason,
        reason_text=Text(refund_trouble(refund.reason)),
        rebate_text=Text(rebate_text(key)),
        since_s=refund.trouble_at_s,
        next_at_s=refund.next_at_s if key in item.view().open_refunds else None,
    )
