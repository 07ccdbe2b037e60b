"""Where gateways call back. Not a 2xx means "send it again"; a 2xx means it is safe with us."""

from chalicelib import clock, observability
from chalicelib.api import schemas
from chalicelib.api.http import Api, Audience, raw_body
from chalicelib.errors import GatewayFailed, NotFound, ServiceError
from chalicelib.gateways.directory import WECHAT_PAY, payment_gateway
from chalicelib.gateways.payment import CallbackRefused, TradeStatus
from chalicelib.services import captures, refunds, terms
from chalicelib.services.audit import keep_refused_callback

api = Api(__name__)
SIGNED = frozenset({"mismatch", "incomplete", "unknown_state"})  # refused after the signature held


@api.operation(
    "POST",
    "/callbacks/wechat-pay/{merchant_id}/payments",
    audience=Audience.GATEWAY,
    answer=schemas.Done,
    refusals=[CallbackRefused, NotFound, captures.WrongAmount, GatewayFailed],
)
def hear_payment(merchant_id: str) -> schemas.Done:
    """WeChat Pay tells of a payment. Telling it again changes nothing."""
    now_s = clock.now_s()
    terms.merchant(merchant_id, now_s)  # no secrets are looked up for merchants that are not
    gateway = payment_gateway(merchant_id, WECHAT_PAY)
    try:
        trade = gateway.read_payment_callback(
            api.current_request.headers, raw_body(api.current_request), now_s=now_s
        )
        if trade.status is TradeStatus.SUCCEEDED:
            outcome = captures.record(merchant_id, trade, WECHAT_PAY, now_s=now_s)
            observability.count(f"Payments{outcome.value.title()}")
    except (CallbackRefused, NotFound, captures.WrongAmount) as refusal:
        _note(merchant_id, refusal, now_s)
        raise
    return schemas.Done()


@api.operation(
    "POST",
    "/callbacks/wechat-pay/{merchant_id}/refunds",
    audience=Audience.GATEWAY,
    answer=schemas.Done,
    refusals=[CallbackRefused, NotFound, captures.WrongAmount, GatewayFailed],
)
def hear_refund(merchant_id: str) -> schemas.Done:
    """WeChat Pay tells of a refund. Telling it again changes nothing."""
    now_s = clock.now_s()
    terms.merchant(merchant_id, now_s)
    gateway = payment_gateway(merchant_id, WECHAT_PAY)
    try:
        said = gateway.read_refund_callback(
            api.current_request.headers, raw_body(api.current_request), now_s=now_s
        )
        refunds.hear(merchant_id, said, now_s=now_s)
    except (CallbackRefused, NotFound, captures.WrongAmount) as refusal:
        _note(merchant_id, refusal, now_s)
        raise
    return schemas.Done()


def _note(merchant_id: str, refusal: ServiceError, now_s: int) -> None:
    """Log every refused callback; keep a record of those that carried a right signature.

    Anybody can send a forged one: it must not cost a write.
    """
    observability.count("CallbacksRefused")
    observability.logger.warning(
        "callback refused", extra={"code": refusal.code, "details": dict(refusal.details)}
    )
    if not isinstance(refusal, CallbackRefused) or refusal.details.get("reason") in SIGNED:
        keep_refused_callback(merchant_id, refusal.code, dict(refusal.details), now_s=now_s)
