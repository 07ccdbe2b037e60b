"""Attempts to pay: which number an order is asked to be paid under, and what was sent under it.

A gateway takes a number again only with what it was first sent with. So an attempt keeps until
when it was asked for and a digest of all that was sent: it is sent again unchanged, or given up
for another number. It belongs for ever to the account that it was begun with.
"""

import hashlib
import json
from dataclasses import asdict, replace

from chalicelib.domain.ids import ATTEMPTS_MAX, OrderId, base62, out_trade_no
from chalicelib.domain.order import Order, OrderStatus, Payment, PaymentStatus
from chalicelib.domain.order_transitions import attempt_stored
from chalicelib.errors import (
    AlreadyPaid,
    OrderClosed,
    PaymentMethodOff,
    PriceChanged,
    TooLittleTime,
)
from chalicelib.gateways.payment import Channel, PaymentGateway, Prepay
from chalicelib.services import timeouts
from chalicelib.services.orders import orders, state_changes
from chalicelib.services.people import shop_cache
from chalicelib.tables.trade import OrderItem

DIGEST_LENGTH = 6  # of what was sent; short, because an order pays for every KB


def begin(
    merchant_id: str, order_id: OrderId, gateway: PaymentGateway, wanted: Prepay, *, now_s: int
) -> tuple[str, Payment]:
    """The attempt under way that can go on as `wanted`, or a new one, recorded with the time to
    ask about it.

    Raises OrderClosed, AlreadyPaid, LostRace, PriceChanged when the order costs no longer what is
    wanted; PaymentMethodOff or TooLittleTime where a new one would be needed.
    """
    order = orders.get(merchant_id, order_id)
    known = order.view()
    check_payable(known, now_s)
    if order.total_fen != wanted.amount_fen:
        raise PriceChanged(old_fen=wanted.amount_fen, new_fen=order.total_fen)
    for attempt, payment in known.created_attempts.items():
        if serves(order, attempt, gateway, wanted):
            return attempt, payment
    if gateway.method in (shop_cache.merchant(merchant_id, now_s).payments_off or ()):
        raise PaymentMethodOff
    if not has_time(wanted, now_s):
        raise TooLittleTime(left_s=wanted.expires_at_s - now_s)
    return _new(order, known, gateway, wanted, now_s)


def has_time(wanted: Prepay, now_s: int) -> bool:
    """Whether an attempt that is begun now can well be paid before it ends."""
    return wanted.expires_at_s - now_s >= timeouts.PAYABLE_S


def serves(order: OrderItem, attempt: str, gateway: PaymentGateway, wanted: Prepay) -> bool:
    """Whether a created attempt is what is wanted: of that account, asked for in the same words,
    and payable for as long."""
    payment = order.view().payments[attempt]
    if not is_same(order, attempt, gateway, wanted):
        return False
    return payment.until_s >= wanted.expires_at_s or not payment.sent


def is_same(order: OrderItem, attempt: str, gateway: PaymentGateway, wanted: Prepay) -> bool:
    """Whether only the time until which it can be paid may differ from what is wanted.

    Of an attempt that was stored before digests were, nobody knows: its gateway will say.
    """
    payment = order.view().payments[attempt]
    if (payment.method, payment.account) != (gateway.method, gateway.place.account):
        return False
    if payment.amount_fen != wanted.amount_fen:
        return False
    return payment.sent in ("", digest(sent_again(order, attempt, payment, wanted)))


def sent_again(order: OrderItem, attempt: str, payment: Payment, wanted: Prepay) -> Prepay:
    """What is sent under an attempt's number, however often."""
    number = out_trade_no(order.order_id, attempt)
    until_s = payment.until_s or wanted.expires_at_s
    return replace(wanted, out_trade_no=number, expires_at_s=until_s)


def digest(prepay: Prepay) -> str:
    said = json.dumps(asdict(prepay), sort_keys=True).encode()
    return base62(int.from_bytes(hashlib.sha256(said).digest()[:8], "big"), DIGEST_LENGTH)


def closed(payment: Payment) -> Payment:
    """The attempt once it can never be paid any more; what was sent does not matter then."""
    return replace(payment, status=PaymentStatus.CLOSED, query_at_s=0, until_s=0, sent="")


def check_payable(order: Order, now_s: int) -> None:
    """Raises OrderClosed or AlreadyPaid for an order that is not to be paid any more."""
    if order.status is OrderStatus.CLOSED:
        raise OrderClosed
    if order.status is not OrderStatus.PENDING:
        raise AlreadyPaid("订单已付款，不用再付。")
    if now_s >= order.pay_by_s:
        raise OrderClosed("没有在时间内付款，名额已释放。请重新下单。")


def _new(
    order: OrderItem, known: Order, gateway: PaymentGateway, wanted: Prepay, now_s: int
) -> tuple[str, Payment]:
    number = len(known.payments) + 1
    if number > ATTEMPTS_MAX:
        raise OrderClosed
    attempt = f"{number:02d}"
    payment = Payment(
        status=PaymentStatus.CREATED,
        method=gateway.method,
        amount_fen=order.total_fen,
        at_s=now_s,
        query_at_s=now_s + timeouts.QUERY_AFTER_S,
        account=gateway.place.account,
        until_s=wanted.expires_at_s,
        channel="" if wanted.channel is Channel.MINI_PROGRAM else wanted.channel.value,
    )
    payment = replace(payment, sent=digest(sent_again(order, attempt, payment, wanted)))
    state_changes.write_alone(order, attempt_stored(known, attempt, payment))
    return attempt, payment
