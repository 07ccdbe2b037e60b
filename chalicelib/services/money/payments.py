"""Payments: asking a gateway for them, asking it about them, closing what can no longer count."""

from dataclasses import dataclass, replace
from functools import partial

from chalicelib import observability
from chalicelib.domain import group as group_rules
from chalicelib.domain.ids import OrderId, out_trade_no
from chalicelib.domain.order import Payment, PaymentStatus
from chalicelib.domain.order_transitions import attempt_stored
from chalicelib.errors import (
    AlreadyPaid,
    GatewayFailed,
    GroupClosed,
    OrderClosed,
    PaymentUnsettled,
    TooLittleTime,
)
from chalicelib.gateways.directory import WECHAT_PAY, callback_url, payment_gateway
from chalicelib.gateways.payment import (
    Channel,
    GatewayRefused,
    PaymentGateway,
    Prepay,
    Trade,
    TradeStatus,
)
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.services import timeouts
from chalicelib.services.money import payment_attempts, rejected_gateway_results
from chalicelib.services.money.captures import Outcome, WrongAmount, record
from chalicelib.services.money.payers import IN_THE_MINI_PROGRAM, Payer, payer_id_of
from chalicelib.services.orders import orders, state_changes
from chalicelib.services.people import buyers
from chalicelib.settings import settings
from chalicelib.tables.base import retried
from chalicelib.tables.trade import OrderItem

FREE = "free"  # the method of an order of 0 fen: no gateway is asked
FREE_ATTEMPT = "00"
PREPAY_TRIES_MAX = 2
RESULT_PAGE = "pages/payment/payment"  # of the shop; a browser comes back to it


@dataclass(frozen=True)
class Asked:
    """What a client needs to ask its buyer for the money; nothing when the order is paid."""

    paid: bool
    parameters: dict[str, str]


def ask(
    merchant_id: str,
    order_id: OrderId,
    method: str,
    payer: Payer = IN_THE_MINI_PROGRAM,
    *,
    now_s: int,
) -> Asked:
    """Begin or go on with the payment of a pending order by `method`.

    The attempt is recorded before the gateway hears of it, so that a lost answer loses nothing.
    What a gateway knows of the attempt is sent again as it was; an attempt that no longer serves
    (its group was extended; the account, the channel or what is sent has changed) is closed for
    another one.
    Raises NotFound, SessionSuperseded, OrderClosed, GroupClosed, AlreadyPaid, TooLittleTime,
    AuthCodeRefused, PaymentMethodOff, PaymentChannelOff, PayerUnknown, PriceChanged,
    PaymentUnsettled, GatewayFailed.
    """
    payer_id = ""
    for tries_left in reversed(range(PREPAY_TRIES_MAX)):
        order, buyer = orders.with_buyer(merchant_id, order_id)
        buyers.refuse_closed(buyer)
        payment_attempts.check_payable(order.view(), now_s)
        expires_at_s = _payable_until(order, now_s)
        if order.total_fen == 0:
            free = _free_trade(order, now_s)
            if record(merchant_id, free, FREE, now_s=now_s) is Outcome.LATE:
                raise OrderClosed
            return Asked(paid=True, parameters={})
        gateway = payment_gateway(merchant_id, method)
        payer_id = payer_id or payer_id_of(gateway, payer, buyer)
        wanted = _wanted(order, gateway, payer, payer_id, expires_at_s)
        _check_time_left(order, gateway, wanted, now_s)
        wanted = _give_up_others(order, gateway, wanted, now_s)
        attempt, payment = retried(partial(_begin, order, gateway, wanted, now_s))
        prepay = payment_attempts.sent_again(order, attempt, payment, wanted)
        try:
            return Asked(paid=False, parameters=gateway.prepay(prepay, now_s=now_s))
        except GatewayRefused as refused:
            _after_refusal(order, attempt, gateway, refused, now_s)
            if not tries_left:
                raise OrderClosed from refused
    raise AssertionError("not reached")


def resolve(order: OrderItem, attempt: str, *, closing: bool, now_s: int) -> Payment:
    """Ask the gateway about one created attempt, and close it there when `closing`.

    A capture is recorded at once. Returns the attempt as it is now: succeeded, closed, or
    created with the time to ask again. Raises GatewayFailed when the gateway does not answer.
    """
    payment = order.view().payments[attempt]
    gateway = payment_gateway(order.merchant_id, payment.method, payment.account)
    number = out_trade_no(order.order_id, attempt)
    trade = gateway.query(number)
    again = replace(payment, query_at_s=timeouts.next_query_s(payment.at_s, now_s=now_s))
    if trade.status is TradeStatus.SUCCEEDED:
        try:
            record(order.merchant_id, trade, payment.method, account=payment.account, now_s=now_s)
        except WrongAmount as refusal:  # a person has to look; it must not hold up anything else
            observability.logger.error("wrong amount", extra={"details": dict(refusal.details)})
            observability.count("CapturesOfWrongAmount")
            told = rejected_gateway_results.describe(trade, now_s=now_s)
            rejected_gateway_results.keep(
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
        return payment_attempts.closed(payment)
    return again


def _payable_until(order: OrderItem, now_s: int) -> int:
    """Until when paying makes sense: while the seat is held and its group takes payments."""
    group = orders.find_group(order.merchant_id, order.group_id) if order.group_id else None
    if group is None:
        return order.pay_by_s
    view = group.view()
    if not group_rules.payment_counts(view, paid_at_s=now_s, grace_s=timeouts.GRACE_S):
        raise GroupClosed("这个团已结束，不用再付款。可以自己开一个团。")
    last_s = view.ends_at_s if view.expires_at_s is None else view.expires_at_s + timeouts.GRACE_S
    return min(order.pay_by_s, last_s)


def _check_time_left(order: OrderItem, gateway: PaymentGateway, wanted: Prepay, now_s: int) -> None:
    """Refuse to begin what could hardly be paid in time.

    An attempt that was begun in time is asked for again as it was, until its end. Nobody who may
    have paid by another one is told to buy again.
    Raises TooLittleTime, AlreadyPaid, or PaymentUnsettled when a gateway does not say.
    """
    if payment_attempts.has_time(wanted, now_s):
        return
    begun = order.view().created_attempts
    if any(payment_attempts.serves(order, attempt, gateway, wanted) for attempt in begun):
        return
    for attempt in begun:
        try:
            found = resolve(order, attempt, closing=False, now_s=now_s)
        except (GatewayFailed, NotConfigured) as error:
            raise PaymentUnsettled from error
        if found.status is PaymentStatus.SUCCEEDED:
            raise AlreadyPaid("订单已付款，不用再付。")
    raise TooLittleTime(left_s=wanted.expires_at_s - now_s)


def _wanted(
    order: OrderItem, gateway: PaymentGateway, payer: Payer, payer_id: str, expires_at_s: int
) -> Prepay:
    """What would be sent now, under a number that is yet to be found."""
    account, in_browser = gateway.place.account, payer.channel is Channel.BROWSER
    return Prepay(
        out_trade_no="",
        amount_fen=order.total_fen,
        description=order.title,
        payer=payer_id,
        attach=order.group_id or "",
        expires_at_s=expires_at_s,
        notify_url=callback_url(order.merchant_id, gateway.method, account, "payments"),
        channel=payer.channel,
        payer_ip=payer.ip if in_browser and gateway.method == WECHAT_PAY else "",
        return_url=f"{settings.web_url}/#/{RESULT_PAGE}?id={order.order_id}" if in_browser else "",
    )


def _begin(
    order: OrderItem, gateway: PaymentGateway, wanted: Prepay, now_s: int
) -> tuple[str, Payment]:
    return payment_attempts.begin(order.merchant_id, order.order_id, gateway, wanted, now_s=now_s)


def _give_up_others(
    order: OrderItem, gateway: PaymentGateway, wanted: Prepay, now_s: int
) -> Prepay:
    """Close this method's attempts that do not serve, each at its own account; what is wanted then.

    One that cannot be closed now, and could only be paid for longer, is asked for as it was. One
    of an account that does not answer any more stays open, and is refunded if it is paid, too.
    Raises AlreadyPaid, PaymentUnsettled.
    """
    for attempt, payment in order.view().created_attempts.items():
        if payment.method != gateway.method or payment_attempts.serves(
            order, attempt, gateway, wanted
        ):
            continue
        try:
            after = resolve(order, attempt, closing=True, now_s=now_s)
        except (GatewayFailed, NotConfigured) as error:
            if payment.account != gateway.place.account:
                continue
            if (
                payment_attempts.is_same(order, attempt, gateway, wanted)
                and now_s < payment.until_s
            ):
                return replace(wanted, expires_at_s=payment.until_s)
            raise PaymentUnsettled from error
        if after.status is PaymentStatus.SUCCEEDED:
            raise AlreadyPaid("订单已付款，不用再付。")
        store_attempt(order, attempt, after)
    return wanted


def _free_trade(order: OrderItem, now_s: int) -> Trade:
    """What nothing costs is paid without a gateway, and decided by the same rules."""
    number = out_trade_no(order.order_id, FREE_ATTEMPT)
    attach = order.group_id or ""
    return Trade(number, TradeStatus.SUCCEEDED, paid_at_s=now_s, attach=attach)


def _after_refusal(
    order: OrderItem, attempt: str, gateway: PaymentGateway, refused: GatewayRefused, now_s: int
) -> None:
    """The gateway would not have the attempt: perhaps it is paid, or closed, or it was begun in
    other words; it knows. Raises AlreadyPaid, PaymentUnsettled when it does not say, or what was
    refused when it has never heard of the attempt."""
    number = out_trade_no(order.order_id, attempt)
    try:
        trade = gateway.query(number)
        if trade.status is TradeStatus.UNPAID:
            gateway.close(number)
    except GatewayFailed as error:
        raise PaymentUnsettled from error
    if trade.status is TradeStatus.SUCCEEDED:
        account = gateway.place.account
        record(order.merchant_id, trade, gateway.method, account=account, now_s=now_s)
        raise AlreadyPaid("订单已付款，不用再付。") from refused
    if trade.status is TradeStatus.UNKNOWN:
        raise refused
    payment = orders.get(order.merchant_id, order.order_id).view().payments[attempt]
    store_attempt(order, attempt, payment_attempts.closed(payment))


def store_attempt(order: OrderItem, attempt: str, stored: Payment) -> None:
    """Store what the gateway said of a created attempt, with the marker that follows from it."""

    def step() -> None:
        current = orders.get(order.merchant_id, order.order_id)
        known = current.view()
        if known.payments[attempt].status is not PaymentStatus.CREATED:
            return
        state_changes.write_alone(current, attempt_stored(known, attempt, stored))

    retried(step)
