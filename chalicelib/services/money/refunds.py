"""Refunds: from the recorded request to the gateway's confirmation, by one number for ever.

A refund that the gateway refuses is tried again for hours and then needs a person, who can send
it again; one whose outcome is unknown is asked for again under the same number.
"""

from dataclasses import replace

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import observability
from chalicelib.domain.ids import split_out_refund_no
from chalicelib.domain.ledger import Entry, Movement
from chalicelib.domain.order import (
    Intent,
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
from chalicelib.services.money import captures, day_book
from chalicelib.services.people.audit import audit
from chalicelib.services.reports import counting
from chalicelib.services.trade import news, orders, waits
from chalicelib.tables.base import LostRace, PageKey, retried, transaction, update_one
from chalicelib.tables.trade import OrderItem, entered, orders_list
from chalicelib.tables.trade_item import TradeItem, due_shard, listed

WORDS = {
    RefundReason.FAILED_GROUP: "未成团，自动退款",
    RefundReason.LATE_PAYMENT: "名额已满、订单已关闭或重复付款，自动退款",
    RefundReason.AFTER_SALE: "售后退款",
}
UNANSWERED = "no_answer"
NOT_CONFIGURED = "not_configured"


def drive(order: OrderItem, key: str, *, now_s: int) -> None:
    """Do what is next about one open refund: send it, or ask how it is. Safe to run twice."""
    refund = order.view().refunds[key]
    number = f"{order.order_id}{key}"
    if reason_of(key) is RefundReason.LATE_PAYMENT:
        news.tell_late(order, key, refund, now_s=now_s)
    if reason_of(key) is RefundReason.AFTER_SALE:
        news.tell_after_sale(order, key, refund, now_s=now_s)
    try:
        gateway = payment_gateway(order.merchant_id, order.view().payments[key[:2]].method)
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


def hear(merchant_id: str, said: port.Refund, *, now_s: int) -> RefundStatus:
    """Record what a gateway says of a refund, once: from an answer, a query or a callback.

    Returns the refund's status afterwards. Raises NotFound for a number that is not ours.
    """
    parts = split_out_refund_no(said.out_refund_no)
    if parts is None:
        raise NotFound
    order_id, key = parts

    def step() -> RefundStatus:
        order = orders.get(merchant_id, order_id)
        known = order.view().refunds.get(key)
        if known is None:
            raise NotFound
        # Confirmed is for ever; a refund that needs a person hears nothing but confirmation.
        confirmed = said.status is port.RefundStatus.SUCCEEDED
        if confirmed and said.amount_fen != known.amount_fen:
            raise captures.WrongAmount(expected_fen=known.amount_fen, refunded_fen=said.amount_fen)
        if known.status is RefundStatus.SUCCEEDED or (
            known.status is RefundStatus.FAILED and not confirmed
        ):
            return known.status
        after = _after(known, said, now_s)
        if after.status is RefundStatus.SUCCEEDED:
            news.tell_refunded(order, key, after, now_s=now_s)
        _store(order, key, known, after, at_s=said.succeeded_at_s or now_s)
        return after.status

    status = retried(step)
    if status is RefundStatus.FAILED:  # counted again on a repeat: an alarm must not be lost
        observability.count("RefundsNeedingPerson")
    return status


def send_again(merchant_id: str, out_refund_no: str, *, staff: str, now_s: int) -> None:
    """Send a refund that needed a person again, under the same number; audited.

    Raises NotFound, or Conflict when it is not one that failed.
    """
    parts = split_out_refund_no(out_refund_no)
    if parts is None:
        raise NotFound("没有找到这笔退款。")
    order_id, key = parts

    def step() -> None:
        order = orders.get(merchant_id, order_id)
        known = order.view().refunds.get(key)
        if known is None:
            raise NotFound("没有找到这笔退款。")
        if known.status is not RefundStatus.FAILED:
            raise Conflict("这笔退款正在处理或已到账，不用重新发起。")
        again = replace(known, status=RefundStatus.REQUESTED, at_s=now_s, next_at_s=now_s)
        actions, condition = _change(order, key, known, again)
        with transaction() as writes:
            writes.update(order, actions, condition=condition, refuse=LostRace)
            audit(
                writes,
                merchant_id,
                staff,
                "refund_sent_again",
                f"refund#{out_refund_no}",
                entry_of(known),
                entry_of(again),
                now_s,
            )

    retried(step)


def needing_person(
    merchant_id: str, *, after: PageKey | None, limit: int
) -> tuple[list[OrderItem], PageKey | None]:
    """(orders with a refund that only a person can mend, the longest waiting first; next key)."""
    page = TradeItem.by_due.query(
        due_shard(Intent.PERSON, f"{merchant_id}#"), limit=limit, last_evaluated_key=after
    )
    keys = [(item.pk, item.sk) for item in page]
    found = [i for i in TradeItem.batch_get(keys, consistent_read=True) if isinstance(i, OrderItem)]
    return sorted(found, key=lambda order: order.due_at_s or 0), page.last_evaluated_key


def _request_of(order: OrderItem, key: str, refund: Refund) -> port.RefundRequest:
    attempt = key[:2]
    payment = order.view().payments[attempt]
    return port.RefundRequest(
        out_trade_no=f"{order.order_id}{attempt}",
        out_refund_no=f"{order.order_id}{key}",
        amount_fen=refund.amount_fen,
        paid_fen=payment.amount_fen,
        reason=WORDS[reason_of(key)],
        notify_url=callback_url(order.merchant_id, payment.method, "refunds"),
    )


def _after(known: Refund, said: port.Refund, now_s: int) -> Refund:
    """The refund once the gateway has spoken."""
    if said.status is port.RefundStatus.SUCCEEDED:
        return replace(known, status=RefundStatus.SUCCEEDED, next_at_s=0, reason="")
    if said.status in (port.RefundStatus.CLOSED, port.RefundStatus.ABNORMAL):
        return replace(known, status=RefundStatus.FAILED, next_at_s=0, reason=said.status.value)
    next_at_s = waits.next_refund_s(known.at_s, now_s=now_s)
    if said.status is port.RefundStatus.PROCESSING:
        return replace(known, status=RefundStatus.PROCESSING, next_at_s=next_at_s, reason="")
    # Refused, unanswered, or unknown to the gateway: asked for again, or given up to a person.
    if known.status is RefundStatus.PROCESSING and said.reason in (UNANSWERED, NOT_CONFIGURED):
        return replace(known, next_at_s=next_at_s)
    if waits.refund_is_hopeless(known.at_s, now_s=now_s):
        return replace(known, status=RefundStatus.FAILED, next_at_s=0, reason=said.reason)
    return replace(known, status=RefundStatus.REQUESTED, next_at_s=next_at_s, reason=said.reason)


def _store(order: OrderItem, key: str, known: Refund, stored: Refund, *, at_s: int) -> None:
    """Store what the gateway said; a confirmation together with its rows in both books."""
    actions, condition = _change(order, key, known, stored)
    if stored.status is not RefundStatus.SUCCEEDED:
        update_one(order, actions, condition=condition, refuse=LostRace)
        return
    refunded = Entry(key, Movement.REFUNDED, stored.amount_fen, at_s)
    with transaction() as writes:
        writes.update(order, [*actions, *entered(refunded)], condition=condition, refuse=LostRace)
        day_book.post_refunded(writes, order, refunded)
        counting.count_refund(writes, order.merchant_id, refunded.amount_fen, at_s)


def _change(
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
    condition = (
        (OrderItem.refunds[key]["status"] == known.status.value)
        & (OrderItem.status == order.status)
        & order.marker_as_read()
    )
    return actions + order.due_next(after), condition
