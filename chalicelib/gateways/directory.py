"""Which gateways there are, and which of them takes a merchant's payments."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalicelib.errors import InvalidRequest
from chalicelib.gateways import secrets
from chalicelib.gateways.payment import PaymentGateway

if TYPE_CHECKING:
    from chalicelib.gateways.alipay import Alipay

WECHAT_PAY, ALIPAY = "wechat_pay", "alipay"


def payment_gateway(merchant_id: str, method: str) -> PaymentGateway:
    """The merchant's gateway for `method`. Raises InvalidRequest when there is no such method,
    NotConfigured when the merchant has no account there."""
    gateway_of = GATEWAYS.get(method)
    if gateway_of is None:
        raise InvalidRequest("不支持这种付款方式。", method=method)
    return gateway_of(merchant_id)


def callback_url(merchant_id: str, method: str, what: str) -> str:
    """Where a gateway calls back; `what` is payments or refunds, which Alipay tells of alike."""
    path = f"{method.replace('_', '-')}/{merchant_id}"
    suffix = "" if method == ALIPAY else f"/{what}"
    return f"{secrets.secret('public-api-url')}/v1/callbacks/{path}{suffix}"


def payer_of(merchant_id: str, method: str, code: str) -> str:
    """The buyer's id at the gateway, by a login code of its client. Raises InvalidRequest where
    there are no such codes, AuthCodeRefused when the code is wrong, used or old."""
    if method != ALIPAY:
        raise InvalidRequest("这种付款方式不需要授权码。", field="auth_code")
    return _alipay(merchant_id).payer_of(code)


def _wechat_pay(merchant_id: str) -> PaymentGateway:
    # Imported here: cryptography costs 50 ms of cold start, and most functions never pay.
    from chalicelib.gateways.wechat_pay import wechat_pay

    return wechat_pay(merchant_id)


def _alipay(merchant_id: str) -> "Alipay":
    from chalicelib.gateways.alipay import alipay

    return alipay(merchant_id)


# Where another gateway plugs in.
GATEWAYS: dict[str, Callable[[str], PaymentGateway]] = {
    WECHAT_PAY: _wechat_pay,
    ALIPAY: _alipay,
}
