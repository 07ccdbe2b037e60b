"""Closing attempts to pay at their gateways, before what they would pay for changes or ends."""

from chalicelib.domain.order import Payment, PaymentStatus
from chalicelib.errors import GatewayFailed, PaymentUnsettled
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.services.money import payments
from chalicelib.tables.trade import OrderItem


def close_attempts(order: OrderItem, *, patient: bool, now_s: int) -> dict[str, Payment]:
    """Close what can be closed, and record at once what was paid. Return the attempts that can
    never be paid any more.

    patient: raise GatewayFailed or NotConfigured for an attempt that is not known, else pass over
    it.
    """
    closed = {}
    for attempt in order.view().created_attempts:
        try:
            payment = payments.resolve(order, attempt, closing=True, now_s=now_s)
        except (GatewayFailed, NotConfigured):
            if patient:
                raise
            continue
        if payment.status is PaymentStatus.CLOSED:
            closed[attempt] = payment
    return closed


def close_attempts_now(order: OrderItem, *, now_s: int) -> dict[str, Payment]:
    """Do as `close_attempts` for somebody who waits. Raises PaymentUnsettled when the gateway
    does not say what became of a payment."""
    try:
        return close_attempts(order, patient=True, now_s=now_s)
    except GatewayFailed as error:
        raise PaymentUnsettled from error
