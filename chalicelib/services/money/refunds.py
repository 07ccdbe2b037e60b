"""Refunds: from the recorded request to the gateway's confirmation.

One whose outcome is unknown is asked for again under the same number. One that the gateway refuses
is listed for staff at once and tried again for hours; then it waits for them alone
(services.money.refund_recovery). It gets another number only when the earlier is proven dead.
"""

from dataclasses import replace

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import observability
from chalicelib.domain.ids import split_out_refund_no
from chalicelib.domain.ledger import Entry, Movement
from chalicelib.domain.order import (
    OrderStatus,
    Refund,
    RefundReason,
    RefundStatus,
    entry_of,
    reason_of,
)
from chalicelib.errors import Conflict, GatewayFailed, NotFound
from chalicelib.gateways import payment as port
from chalicelib.gateways.directory import callback_url, payment_gateway
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.services import timeouts
from chalicelib.services.money import captures, day_book
from chalicelib.services.orders import counting, notifications, orders
from chalicelib.tables.base import (
    LostRace,
    Writes,
    as_read,
    retried,
    transaction,
    update_one,
)
from chalicelib.tables.review_queue import list_refund_review
from chalicelib.tables.trade import OrderItem, entered, orders_list
from chalicelib.tables.trade_item import listed

WORDS = {
    RefundReason.FAILED_GROUP: "未成团，自动退款",
    RefundReason.LATE_PAYMENT: "名额已满、订单已关闭或重复付款，自动退款",
    RefundReason.AFTER_SALE: "售后退款",
}
UNANSWERED = "no_answer"
NOT_CONFIGURED = "not_configured"


class RefundedTwice(Conflict):
    """The gateway has carried out a refund whose number was given up, or which was paid in another
    way: nothing is changed, a person has to look."""

    code = "refunded_twice"
    default_message = "这笔退款已用其他方式退给买家，支付平台又退了一次。"


def drive(order: OrderItem, key: str, *, now_s: int) -> None:
    """Do what is next about one open refund: send it, or ask how it is. Safe to run twice."""
    refund = order.view().refunds[key]
    number = order.refund_number(key)
    if reason_of(key) is RefundReason.LATE_PAYMENT:
        notifications.tell_late(order, key, refund, now_s=now_s)
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
    hear(order.merchant_id, said, now_s=now_s)


def hear(
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
        store(order, key, known, after, at_s=said.succeeded_at_s or now_s)
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


def store(order: OrderItem, key: str, known: Refund, stored: Refund, *, at_s: int) -> None:
    """Store what became of a refund: with its place in the staff's list, and when it is done,
    with its rows in both books."""
    actions, condition = change(order, key, known, stored)
    done = stored.is_done
    if not done and stored.trouble_at_s == known.trouble_at_s:
        update_one(order, actions, condition=condition, refuse=LostRace)
        return
    with transaction() as writes:
        entry = enter_done(writes, order, key, stored, at_s) if done else []
        writes.update(order, [*actions, *entry], condition=condition, refuse=LostRace)
        place(writes, order, key, known, stored)


def enter_done(
    writes: Writes, order: OrderItem, key: str, stored: Refund, at_s: int
) -> list[Action]:
    """Enter a refund that is done into the day book and the counts; the actions that enter it
    into its order's ledger."""
    outside = stored.status is RefundStatus.OUTSIDE
    movement = Movement.REFUNDED_OUTSIDE if outside else Movement.REFUNDED
    refunded = Entry(key, movement, stored.amount_fen, at_s)
    day_book.post_refunded(writes, order, refunded, stored.number)
    counting.count_refund(writes, order.merchant_id, refunded.amount_fen, at_s)
    return entered(refunded)


def place(writes: Writes, order: OrderItem, key: str, known: Refund, stored: Refund) -> None:
    """Put a refund into the staff's list, or take it out, where that changes."""
    if stored.trouble_at_s != known.trouble_at_s:
        since_s = stored.trouble_at_s
        list_refund_review(writes, order.merchant_id, order.order_id, key, since_s)


def change(
    order: OrderItem, key: str, known: Refund, stored: Refund
) -> tuple[list[Action], Condition]:
    """One refund's new state, and the order's when it was what the order waited for."""
    before = order.view()
    after = replace(before, refunds={**before.refunds, key: stored})
    actions: list[Action] = [OrderItem.refunds[key].set(entry_of(stored))]
    if before.status is OrderStatus.REFUNDING and after.is_refunded:
        after = replace(after, status=OrderStatus.REFUNDED)
        actions.append(OrderItem.status.set(OrderStatus.REFUNDED.value))
        actions += listed(orders_list(order.merchant_id, OrderStatus.REFUNDED))
    entry = OrderItem.refunds[key]
    condition = (
        (entry["status"] == known.status.value)
        & as_read(entry["serial"], known.serial or None)
        & as_read(entry["trouble_at_s"], known.trouble_at_s or None)
        & (OrderItem.status == order.status)
        & order.marker_as_read()
    )
    return actions + order.due_next(after), condition
