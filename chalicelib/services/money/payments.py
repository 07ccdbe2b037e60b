"""Payments: asking a gateway for them, asking it about them, closing what can no longer count."""

from dataclasses import dataclass, replace
from functools import partial

from chalicelib import observability
from chalicelib.domain import group as group_rules
from chalicelib.domain.ids import ATTEMPTS_MAX, OrderId, out_trade_no
from chalicelib.domain.order import (
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    entry_of,
)
from chalicelib.errors import AlreadyPaid, GroupClosed, OrderClosed, PriceChanged
from chalicelib.gateways.directory import WECHAT_PAY, callback_url, payer_of, payment_gateway
from chalicelib.gateways.payment import GatewayRefused, PaymentGateway, Prepay, Trade, TradeStatus
from chalicelib.services.money.captures import Outcome, WrongAmount, record
from chalicelib.services.people import refused_statements
from chalicelib.services.trade import groups, orders, waits
from chalicelib.tables.base import LostRace, retried, update_one
from chalicelib.tables.trade import OrderItem

FREE = "free"  # the method of an order of 0 fen: no gateway is asked
FREE_ATTEMPT = "00"
PREPAY_TRIES_MAX = 2


@dataclass(frozen=True)
class Asked:
    """What a client needs to ask its buyer for the money; nothing when the order is paid."""

    paid: bool
    parameters: dict[str, str]


def ask(
    merchant_id: str, order_id: OrderId, method: str, *, payer_code: str = "", now_s: int
) -> Asked:
    """Begin or go on with the payment of a pending order by `method`.

    payer_code: who pays, by a login code of the gateway's client that is good once; the attempt
    is recorded before the gateway hears of it, so that a lost answer loses nothing.
    Raises NotFound, OrderClosed, GroupClosed, AlreadyPaid, AuthCodeRefused, PriceChanged,
    GatewayFailed.
    """
    payer = ""
    for _ in range(PREPAY_TRIES_MAX):
        order, buyer = orders.with_buyer(merchant_id, order_id)
        _check_payable(order.view(), now_s)
        expires_at_s = _payable_until(order, now_s)
        if order.total_fen == 0:
            free = _free_trade(order, now_s)
            if record(merchant_id, free, FREE, now_s=now_s) is Outcome.LATE:
                raise OrderClosed
            return Asked(paid=True, parameters={})
        gateway = payment_gateway(merchant_id, method)
        payer = payer or _payer(order, method, buyer.openid, payer_code)
        begin = partial(_begin_attempt, merchant_id, order_id, method, order.total_fen, now_s)
        attempt = retried(begin)
        try:
            prepay = _prepay_of(order, attempt, gateway.method, payer, expires_at_s)
            return Asked(paid=False, parameters=gateway.prepay(prepay, now_s=now_s))
        except GatewayRefused as refused:
            _after_refusal(order, attempt, gateway, refused, now_s)
    raise OrderClosed


def resolve(order: OrderItem, attempt: str, *, closing: bool, now_s: int) -> Payment:
    """Ask the gateway about one created attempt, and close it there when `closing`.

    A capture is recorded at once. Returns the attempt as it is now: succeeded, closed, or
    created with the time to ask again. Raises GatewayFailed when the gateway does not answer.
    """
    payment = order.view().payments[attempt]
    gateway = payment_gateway(order.merchant_id, payment.method)
    number = out_trade_no(order.order_id, attempt)
    trade = gateway.query(number)
    again = replace(payment, query_at_s=waits.next_query_s(payment.at_s, now_s=now_s))
    if trade.status is TradeStatus.SUCCEEDED:
        try:
            record(order.merchant_id, trade, payment.method, now_s=now_s)
        except WrongAmount as refusal:  # a person has to look; it must not hold up anything else
            observability.logger.error("wrong amount", extra={"details": dict(refusal.details)})
            observability.count("CapturesOfWrongAmount")
            told = refused_statements.told_by(trade, now_s=now_s)
            refused_statements.keep(
                order.merchant_id,
                payment.method,
                refusal.code,
                refusal.details,
                told,
                now_s=now_s,
            )
            return again
        return replace(payment, status=PaymentStatus.SUCCEEDED, query_at_s=0)
    if trade.status is TradeStatus.UNKNOWN and now_s < order.pay_by_s:
        # A prepay may be under way yet; nothing can be paid after the pay-by time.
        return replace(again, query_at_s=order.pay_by_s) if closing else again
    if closing and trade.status is TradeStatus.UNPAID:
        try:
            gateway.close(number)
        except GatewayRefused:
            if gateway.query(number).status is not TradeStatus.SUCCEEDED:
                raise
            return resolve(order, attempt, closing=closing, now_s=now_s)  # paid in between
    if closing or trade.status is TradeStatus.CLOSED:
        return replace(payment, status=PaymentStatus.CLOSED, query_at_s=0)
    return again


def _check_payable(order: Order, now_s: int) -> None:
    if order.status is OrderStatus.CLOSED:
        raise OrderClosed
    if order.status is not OrderStatus.PENDING:
        raise AlreadyPaid("订单已付款，不用再付。")
    if now_s >= order.pay_by_s:
        raise OrderClosed("没有在时间内付款，名额已释放。请重新下单。")


def _begin_attempt(
    merchant_id: str, order_id: OrderId, method: str, total_fen: int, now_s: int
) -> str:
    """The attempt under way with `method`, or a new one, recorded with the time to ask about it.

    Raises PriceChanged when the order costs no longer `total_fen`.
    """
    order = orders.get(merchant_id, order_id)
    known = order.view()
    _check_payable(known, now_s)
    if order.total_fen != total_fen:
        raise PriceChanged(old_fen=total_fen, new_fen=order.total_fen)
    for attempt, payment in known.created_attempts.items():
        if payment.method == method and payment.amount_fen == total_fen:
            return attempt
    number = len(known.payments) + 1
    if number > ATTEMPTS_MAX:
        raise OrderClosed
    attempt = f"{number:02d}"
    payment = Payment(
        status=PaymentStatus.CREATED,
        method=method,
        amount_fen=order.total_fen,
        at_s=now_s,
        query_at_s=now_s + waits.QUERY_AFTER_S,
    )
    after = replace(known, payments={**known.payments, attempt: payment})
    update_one(
        order,
        [OrderItem.payments[attempt].set(entry_of(payment)), *order.due_next(after)],
        condition=(OrderItem.status == OrderStatus.PENDING.value)
        & OrderItem.payments[attempt].does_not_exist()
        & (OrderItem.total_fen == order.total_fen)
        & order.marker_as_read(),
        refuse=LostRace,
    )
    return attempt


def _payable_until(order: OrderItem, now_s: int) -> int:
    """Until when paying makes sense: while the seat is held and its group takes payments."""
    group = groups.find(order.merchant_id, order.group_id) if order.group_id else None
    if group is None:
        return order.pay_by_s
    view = group.view()
    if not group_rules.payment_counts(view, paid_at_s=now_s, grace_s=waits.GRACE_S):
        raise GroupClosed("这个团已结束，不用再付款。可以自己开一个团。")
    last_s = view.ends_at_s if view.expires_at_s is None else view.expires_at_s + waits.GRACE_S
    return min(order.pay_by_s, last_s)


def _payer(order: OrderItem, method: str, openid: str, code: str) -> str:
    """The buyer's id at the gateway: WeChat's from the login, another's by its code, if given."""
    if code:
        return payer_of(order.merchant_id, method, code)
    return openid if method == WECHAT_PAY else ""


def _prepay_of(
    order: OrderItem, attempt: str, method: str, payer: str, expires_at_s: int
) -> Prepay:
    return Prepay(
        out_trade_no=out_trade_no(order.order_id, attempt),
        amount_fen=order.total_fen,
        description=order.title,
        payer=payer,
        attach=order.group_id or "",
        expires_at_s=expires_at_s,
        notify_url=callback_url(order.merchant_id, method, "payments"),
    )


def _free_trade(order: OrderItem, now_s: int) -> Trade:
    """What nothing costs is paid without a gateway, and decided by the same rules."""
    number = out_trade_no(order.order_id, FREE_ATTEMPT)
    attach = order.group_id or ""
    return Trade(number, TradeStatus.SUCCEEDED, paid_at_s=now_s, attach=attach)


def _after_refusal(
    order: OrderItem, attempt: str, gateway: PaymentGateway, refused: GatewayRefused, now_s: int
) -> None:
    """The gateway would not have the attempt: perhaps it is paid, or closed; it knows."""
    trade = gateway.query(out_trade_no(order.order_id, attempt))
    if trade.status is TradeStatus.SUCCEEDED:
        record(order.merchant_id, trade, gateway.method, now_s=now_s)
        raise AlreadyPaid("订单已付款，不用再付。") from refused
    if trade.status is not TradeStatus.CLOSED:
        raise refused
    payment = orders.get(order.merchant_id, order.order_id).view().payments[attempt]
    store_attempt(order, attempt, replace(payment, status=PaymentStatus.CLOSED, query_at_s=0))


def store_attempt(order: OrderItem, attempt: str, stored: Payment) -> None:
    """Store what the gateway said of a created attempt, with the marker that follows from it."""

    def step() -> None:
        current = orders.get(order.merchant_id, order.order_id)
        known = current.view()
        if known.payments[attempt].status is not PaymentStatus.CREATED:
            return
        after = replace(known, payments={**known.payments, attempt: stored})
        update_one(
            current,
            [OrderItem.payments[attempt].set(entry_of(stored)), *current.due_next(after)],
            condition=(OrderItem.payments[attempt]["status"] == PaymentStatus.CREATED.value)
            & (OrderItem.status == current.status)
            & current.marker_as_read(),
            refuse=LostRace,
        )

    retried(step)
