"""Where gateways call back. Not a 2xx means "send it again"; a 2xx means it is safe with us."""

from chalice import Response

from chalicelib import clock, observability
from chalicelib.api import schemas
from chalicelib.api.http import Api, Audience, raw_body
from chalicelib.errors import GatewayFailed, NotFound, ServiceError
from chalicelib.gateways.accounts import FIRST, is_account_id
from chalicelib.gateways.directory import ALIPAY, WECHAT_PAY, payment_gateway
from chalicelib.gateways.payment import CallbackRefused, Refund, Trade, TradeStatus
from chalicelib.services.money import captures, refunds, rejected_gateway_results
from chalicelib.services.people import shop_cache

api = Api(__name__, audience=Audience.GATEWAY)
NOTED = (
    CallbackRefused,
    NotFound,
    captures.WrongAmount,
    refunds.RefundedTwice,
    captures.WrongAccount,
)
REFUSALS = [*NOTED, GatewayFailed]
SIGNED = frozenset({"mismatch", "incomplete", "unknown_state"})  # refused after the signature held


@api.operation("POST", "/callbacks/wechat-pay/{merchant_id}/payments", refusals=REFUSALS)
def receive_payment(merchant_id: str) -> schemas.Done:
    """WeChat Pay tells of a payment at the merchant's first account there. Telling it again changes
    nothing."""
    return _receive(merchant_id, WECHAT_PAY)


@api.operation("POST", "/callbacks/wechat-pay/{merchant_id}/{account}/payments", refusals=REFUSALS)
def receive_payment_of_account(merchant_id: str, account: str) -> schemas.Done:
    """The same at another account of the merchant's, of now or of before."""
    return _receive(merchant_id, WECHAT_PAY, account)


@api.operation("POST", "/callbacks/wechat-pay/{merchant_id}/refunds", refusals=REFUSALS)
def receive_refund(merchant_id: str) -> schemas.Done:
    """WeChat Pay tells of a refund at the merchant's first account there. Telling it again changes
    nothing."""
    return _receive(merchant_id, WECHAT_PAY)


@api.operation("POST", "/callbacks/wechat-pay/{merchant_id}/{account}/refunds", refusals=REFUSALS)
def receive_refund_of_account(merchant_id: str, account: str) -> schemas.Done:
    """The same at another account of the merchant's, of now or of before."""
    return _receive(merchant_id, WECHAT_PAY, account)


@api.operation(
    "POST",
    "/callbacks/alipay/{merchant_id}",
    refusals=REFUSALS,
    content_type="application/x-www-form-urlencoded",
)
def receive_alipay(merchant_id: str) -> Response:
    """Alipay tells of a payment, or of a refund of one, at the merchant's first account there.
    Anything but `success` is told again."""
    _receive(merchant_id, ALIPAY)
    return Response("success", headers={"Content-Type": "text/plain"})


@api.operation(
    "POST",
    "/callbacks/alipay/{merchant_id}/{account}",
    refusals=REFUSALS,
    content_type="application/x-www-form-urlencoded",
)
def receive_alipay_of_account(merchant_id: str, account: str) -> Response:
    """The same at another account of the merchant's, of now or of before."""
    _receive(merchant_id, ALIPAY, account)
    return Response("success", headers={"Content-Type": "text/plain"})


def _receive(merchant_id: str, method: str, account: str = FIRST) -> schemas.Done:
    """Believe a callback only about what was begun with the account that it came for.

    Raises NotFound for a merchant that is not, or an account's id that we never gave: no secrets
    are looked up for those.
    """
    if account != FIRST and not is_account_id(merchant_id, method, account):
        raise NotFound
    now_s = clock.now_s()
    shop_cache.merchant(merchant_id, now_s)
    gateway = payment_gateway(merchant_id, method, account)
    request = api.current_request
    said: Trade | Refund | None = None
    try:
        said = gateway.read_callback(request.headers, raw_body(request), now_s=now_s)
        if isinstance(said, Refund):
            refunds.apply_result(merchant_id, said, heard_from=(method, account), now_s=now_s)
        elif said.status is TradeStatus.SUCCEEDED:
            outcome = captures.record(merchant_id, said, method, account=account, now_s=now_s)
            observability.count(f"Payments{outcome.value.title()}")
    except NOTED as refusal:
        _note(merchant_id, method, refusal, said, now_s)
        raise
    return schemas.Done()


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
        told = rejected_gateway_results.describe(said, now_s=now_s)
        rejected_gateway_results.keep(
            merchant_id, method, refusal.code, refusal.details, told, now_s=now_s
        )
