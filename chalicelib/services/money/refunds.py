"""Refunds: from the recorded request to the gateway's confirmation.

One whose outcome is unknown is asked for again under the same number. One that the gateway refuses
is listed for staff at once and tried again for hours; then it waits for them alone
(services.money.refund_recovery). It gets another number only when the earlier is proven dead.
"""

from dataclasses import replace

from chalicelib import observability
from chalicelib.domain.ids import split_out_refund_no
from chalicelib.domain.order import Refund, RefundReason, RefundStatus, reason_of
from chalicelib.domain.order_transitions import refund_stored
from chalicelib.errors import Conflict, GatewayFailed, NotFound
from chalicelib.gateways import payment as port
from chalicelib.gateways.directory import callback_url, payment_gateway
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.services import timeouts
from chalicelib.services.money import captures, day_book
from chalicelib.services.orders import counting, notifications, orders, state_changes
from chalicelib.tables.base import Writes, retried, transaction
from chalicelib.tables.review_queue import list_refund_review
from chalicelib.tables.trade import OrderItem

WORDS = {
    RefundReason.FAILED_GROUP: "未成团，自动退款",
    RefundReason.LATE_PAYMENT: "名额已满、订单已关闭或重复付款，自动退款",
    RefundReason.AFTER_SALE: "售后退款",
    RefundReason.REBATE: "成团返还",
}
UNANSWERED = "no_answer"
NOT_CONFIGURED = "not_configured"


class RefundedTwice(Conflict):
    """The gateway has carried out a refund whose number was given up, or which was paid in another
    way: nothing is changed, a person has to look."""

    code = "refunded_twice"
    default_message = "这笔退款已用其他方式退给买家，支付平台又退了一次。"


def process(order: OrderItem, key: str, *, now_s: int) -> None:
    """Do what is next about one open refund: send it, or ask how it is. Safe to run twice."""
    refund = order.view().refunds[key]
    number = order.refund_number(key)
    if reason_of(key) is RefundReason.LATE_PAYMENT:
        notifications.tell_late(order, key, refund, now_s=now_s)
    if reason_of(key) is RefundReason.REBATE:
        notifications.tell_rebate(order, key, refund, now_s=now_s)
    if reason_of(key) is RefundReason.AFTER_SALE:
        notifications.tell_after_sale(order, key, refund, now_s=now_s)
    try:
        payment = order.view().payments[key[:2]]
        gateway = payment_gateway(order.merchant_id, payment.method, payment.account)
        if refund.status is RefundStatus.PROCESSING:
            said = gateway.query_refund(number)
        else:
            said = gateway.refund(_request_of(order, key, refund))
    except port.GatewayRefused as refused:
        said = port.Refund(number, port.RefundStatus.UNKNOWN, reason=refused.reason)
    except NotConfigured:
        said = port.Refund(number, port.RefundStatus.UNKNOWN, reason=NOT_CONFIGURED)
    except GatewayFailed:
        said = port.Refund(number, port.RefundStatus.UNKNOWN, reason=UNANSWERED)
    apply_result(order.merchant_id, said, now_s=now_s)


def apply_result(
    merchant_id: str, said: port.Refund, *, heard_from: tuple[str, str] | None = None, now_s: int
) -> RefundStatus:
    """Record what a gateway says of a refund, once: from an answer, a query or a callback.

    heard_from: (method, account) that speaks, where it is not known to be that of the payment.
    Returns the refund's status afterwards. Raises NotFound for a number that is not ours,
    WrongAmount, WrongAccount when it is not the payment's, and RefundedTwice when it was paid
    under another number or in another way.
    """
    parts = split_out_refund_no(said.out_refund_no)
    if parts is None:
        raise NotFound
    order_id, key, serial = parts

    def step() -> Refund:
        order = orders.get(merchant_id, order_id)
        known = order.view().refunds.get(key)
        if known is None or serial > known.serial:
            raise NotFound
        _check_speaker(order, key, heard_from)
        confirmed = said.status is port.RefundStatus.SUCCEEDED
        if _is_settled(known, serial, confirmed=confirmed):
            return known
        if confirmed and said.amount_fen != known.amount_fen:
            raise captures.WrongAmount(expected_fen=known.amount_fen, refunded_fen=said.amount_fen)
        after = _after(known, said, now_s)
        if after.status is RefundStatus.SUCCEEDED:
            notifications.tell_refunded(order, key, after, now_s=now_s)
        store(order, key, after, at_s=said.succeeded_at_s or now_s)
        return after

    stored = retried(step)
    if stored.trouble_at_s:  # counted again on a repeat: an alarm must not be lost
        observability.count("RefundsNeedingPerson")
    return stored.status


def _check_speaker(order: OrderItem, key: str, heard_from: tuple[str, str] | None) -> None:
    if heard_from is not None:
        captures.check_account(order.view(), key[:2], *heard_from)


def _is_settled(known: Refund, serial: int, *, confirmed: bool) -> bool:
    """Whether what a gateway says under the number of that serial changes nothing.

    Confirmed is for ever; a refund that needs a person hears nothing but confirmation. Raises
    RefundedTwice.
    """
    elsewhere = known.number or known.status is RefundStatus.OUTSIDE or serial < known.serial
    if elsewhere:
        if confirmed:
            raise RefundedTwice(amount_fen=known.amount_fen, status=known.status.value)
        return True
    failed = known.status is RefundStatus.FAILED
    return known.status is RefundStatus.SUCCEEDED or (failed and not confirmed)


def _request_of(order: OrderItem, key: str, refund: Refund) -> port.RefundRequest:
    attempt = key[:2]
    payment = order.view().payments[attempt]
    return port.RefundRequest(
        out_trade_no=f"{order.order_id}{attempt}",
        out_refund_no=order.refund_number(key),
        amount_fen=refund.amount_fen,
        paid_fen=payment.amount_fen,
        reason=WORDS[reason_of(key)],
        notify_url=callback_url(order.merchant_id, payment.method, payment.account, "refunds"),
    )


def _after(known: Refund, said: port.Refund, now_s: int) -> Refund:
    """The refund once the gateway has spoken."""
    if said.status is port.RefundStatus.SUCCEEDED:
        return replace(known, status=RefundStatus.SUCCEEDED, next_at_s=0, reason="", trouble_at_s=0)
    if said.status in (port.RefundStatus.CLOSED, port.RefundStatus.ABNORMAL):
        return failed(known, said.status.value, now_s)
    next_at_s = timeouts.next_refund_s(known.at_s, now_s=now_s)
    if said.status is port.RefundStatus.PROCESSING:
        return replace(
            known, status=RefundStatus.PROCESSING, next_at_s=next_at_s, reason="", trouble_at_s=0
        )
    # Refused, unanswered, or unknown to the gateway: asked for again, or given up to a person.
    reason, trouble_at_s = said.reason, known.trouble_at_s
    if reason == UNANSWERED:  # what was refused before still is, as far as anybody knows
        reason = known.reason if trouble_at_s else reason
    elif reason:  # the same request gets the same answer until somebody does something
        trouble_at_s = trouble_at_s or now_s
    if known.status is RefundStatus.PROCESSING and said.reason in (UNANSWERED, NOT_CONFIGURED):
        return replace(
            known,
            next_at_s=next_at_s,
            reason=reason if trouble_at_s else "",
            trouble_at_s=trouble_at_s,
        )
    if timeouts.refund_is_hopeless(known.at_s, now_s=now_s):
        return failed(known, reason, now_s)
    return replace(
        known,
        status=RefundStatus.REQUESTED,
        next_at_s=next_at_s,
        reason=reason,
        trouble_at_s=trouble_at_s,
    )


def failed(known: Refund, reason: str, now_s: int) -> Refund:
    """The refund as one that is not sent any more until a person says so."""
    return replace(
        known,
        status=RefundStatus.FAILED,
        next_at_s=now_s + timeouts.UNDER_WAY_S,
        reason=reason,
        trouble_at_s=known.trouble_at_s or now_s,
    )


def store(order: OrderItem, key: str, stored: Refund, *, at_s: int) -> None:
    """Store what became of a refund: with its place in the staff's list, and when it is done,
    with its rows in both books."""
    known = order.view().refunds[key]
    if not stored.is_done and stored.trouble_at_s == known.trouble_at_s:
        change = refund_stored(order.view(), key, stored, at_s=at_s)
        state_changes.write_alone(order, change)
        return
    with transaction() as writes:
        write(writes, order, key, stored, at_s=at_s)


def write(writes: Writes, order: OrderItem, key: str, stored: Refund, *, at_s: int) -> None:
    """Add what became of a refund to a transaction, with all that belongs to it."""
    known = order.view().refunds[key]
    change = refund_stored(order.view(), key, stored, at_s=at_s)
    state_changes.write(writes, order, change)
    for refunded in change.entries:
        day_book.post_refunded(writes, order, refunded, stored.number)
        counting.count_refund(writes, order, key, refunded.amount_fen, at_s)
    if stored.trouble_at_s != known.trouble_at_s:
        since_s = stored.trouble_at_s
        list_refund_review(writes, order.merchant_id, order.order_id, key, since_s)
