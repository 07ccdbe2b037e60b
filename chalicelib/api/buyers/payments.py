"""Paying for an order, and what became of it."""

from chalicelib import clock
from chalicelib.api import group_shapes, limits, schemas, shapes
from chalicelib.api.auth import Buyer
from chalicelib.api.buyers.buyer import own_order
from chalicelib.api.http import Api, Audience
from chalicelib.domain.subscribe_message import wanted_kinds
from chalicelib.errors import (
    AlreadyPaid,
    AuthCodeRefused,
    GatewayFailed,
    GroupClosed,
    NotFound,
    OrderClosed,
    PayerUnknown,
    PaymentChannelOff,
    PaymentMethodOff,
    PaymentUnsettled,
    PriceChanged,
    TooLittleTime,
)
from chalicelib.gateways.directory import ALIPAY
from chalicelib.gateways.payment import Channel
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.money import payment_results, payments
from chalicelib.services.money.payers import Payer
from chalicelib.services.people import subscriptions

api = Api(__name__, audience=Audience.BUYER)


@api.operation(
    "POST",
    "/orders/{order_id}/payments",
    status=201,
    refusals=[
        NotFound,
        OrderClosed,
        GroupClosed,
        AlreadyPaid,
        TooLittleTime,
        AuthCodeRefused,
        PaymentMethodOff,
        PaymentChannelOff,
        PayerUnknown,
        PriceChanged,
        PaymentUnsettled,
        GatewayFailed,
    ],
)
def pay(who: Buyer, order_id: str, body: schemas.PaymentRequest) -> schemas.PaymentAsked:
    """Ask the gateway for the payment of a pending order."""
    own = own_order(who, order_id)
    payer = Payer(_channel(body), limits.address_of(api.current_request), body.auth_code or "")
    asked = payments.ask(who.merchant_id, own, body.method, payer, now_s=clock.now_s())
    return schemas.PaymentAsked(paid=asked.paid, parameters=asked.parameters)


@api.operation(
    "POST",
    "/orders/{order_id}/payment-result",
    refusals=[NotFound],
    limited=[limits.PAYMENT_RESULTS],
)
def find_payment_result(who: Buyer, order_id: str) -> schemas.PaymentResult:
    """What became of the payment, asked of the gateway unless it is known: for the page that the
    buyer returns to."""
    now_s = clock.now_s()
    found = payment_results.find(who.merchant_id, own_order(who, order_id), now_s=now_s)
    group, order = found.group, found.order
    progress = None
    if group is not None:
        offer = catalogue_cache.version(who.merchant_id, group.activity_id, group.version)
        progress = group_shapes.progress(group, offer, now_s=now_s)
    return schemas.PaymentResult(
        state=found.state,
        order=shapes.order(order),
        group=progress,
        image=found.image,
        is_leader=group is not None and group.leader_id == order.order_id.buyer_id,
        subscribe=subscriptions.offered(who.merchant_id, wanted_kinds(order.view()), now_s=now_s),
        now_s=now_s,
    )


def _channel(body: schemas.PaymentRequest) -> Channel:
    if body.channel is not None:
        return body.channel
    on_a_page = body.method == ALIPAY and body.auth_code is None
    return Channel.BROWSER if on_a_page else Channel.MINI_PROGRAM
