"""Where gateways call back. Not a 2xx means "send it again"; a 2xx means it is safe with us."""

from chalice import Response

from chalicelib import clock, observability
from chalicelib.api import schemas
from chalicelib.api.http import Api, Audience, raw_body
from chalicelib.errors import GatewayFailed, NotFound, ServiceError
from chalicelib.gateways.directory import ALIPAY, WECHAT_PAY, payment_gateway
from chalicelib.gateways.payment import CallbackRefused, Refund, Trade, TradeStatus
from chalicelib.services.money import captures, refunds
from chalicelib.services.people import refused_statements
from chalicelib.services.trade import terms

api = Api(__name__)
REFUSALS = [
    CallbackRefused,
    NotFound,
    captures.WrongAmount,
    refunds.RefundedTwice,
    GatewayFailed,
]
SIGNED = frozenset({"mismatch", "incomplete", "unknown_state"})  # refused after the signature held


@api.operation(
    "POST",
    "/callbacks/wechat-pay/{merchant_id}/payments",
    audience=Audience.GATEWAY,
    answer=schemas.Done,
    refusals=REFUSALS,
)
def hear_payment(merchant_id: str) -> schemas.Done:
    """WeChat Pay tells of a payment. Telling it again changes nothing."""
    _hear(merchant_id, WECHAT_PAY)
    return schemas.Done()


@api.operation(
    "POST",
    "/callbacks/wechat-pay/{merchant_id}/refunds",
    audience=Audience.GATEWAY,
    answer=schemas.Done,
    refusals=REFUSALS,
)
def hear_refund(merchant_id: str) -> schemas.Done:
    """WeChat Pay tells of a refund. Telling it again changes nothing."""
    _hear(merchant_id, WECHAT_PAY)
    return schemas.Done()


@api.operation(
    "POST",
    "/callbacks/alipay/{merchant_id}",
    audience=Audience.GATEWAY,
    answer=None,
    refusals=REFUSALS,
    content_type="application/x-www-form-urlencoded",
)
def hear_alipay(merchant_id: str) -> Response:
    """Alipay tells of a payment, or of a refund of one. Anything but `success` is told again."""
    _hear(merchant_id, ALIPAY)
    return Response("success", headers={"Content-Type": "text/plain"})


def _hear(merchant_id: str, method: str) -> None:
    now_s = clock.now_s()
    terms.merchant(merchant_id, now_s)  # no secrets are looked up for merchants that are not
    gateway = payment_gateway(merchant_id, method)
    request = api.current_request
    said: Trade | Refund | None = None
    try:
        said = gateway.read_callback(request.headers, raw_body(request), now_s=now_s)
        if isinstance(said, Refund):
            refunds.hear(merchant_id, said, now_s=now_s)
        elif said.status is TradeStatus.SUCCEEDED:
            outcome = captures.record(merchant_id, said, method, now_s=now_s)
            observability.count(f"Payments{outcome.value.title()}")
    except (CallbackRefused, NotFound, captures.WrongAmount, refunds.RefundedTwice) as refusal:
        _note(merchant_id, method, refusal, said, now_s)
        raise


def _note(
    merchant_id: str, method: str, refusal: ServiceError, said: Trade | Refund | None, now_s: int
) -> None:
    """Log every refused callback; keep a record of those that carried a right signature.

    Anybody can send a forged one: it must not cost a write.
    """
    observability.count("CallbacksRefused")
    if isinstance(refusal, captures.WrongAmount):
        observability.count("CapturesOfWrongAmount")
    observability.logger.warning(
        "callback refused", extra={"code": refusal.code, "details": dict(refusal.details)}
    )
    if not isinstance(refusal, CallbackRefused) or refusal.details.get("reason") in SIGNED:
        observability.count("SignedCallbacksRefused")
        told = refused_statements.told_by(said, now_s=now_s)
        refused_statements.keep(
            merchant_id, method, refusal.code, refusal.details, told, now_s=now_s
        )
