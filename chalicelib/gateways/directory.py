"""Which gateways there are, and which of them takes a merchant's payments."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalicelib.errors import InvalidRequest
from chalicelib.gateways import secrets
from chalicelib.gateways.payment import PaymentGateway

if TYPE_CHECKING:
    from chalicelib.gateways.alipay import Alipay

WECHAT_PAY, ALIPAY = "wechat_pay", "alipay"
PRESENT = None  # in the place of an account's id


def payment_gateway(merchant_id: str, method: str, account: str | None = PRESENT) -> PaymentGateway:
    """The merchant's gateway for `method`, with the account of that id; PRESENT: that which new
    payments are made with. Raises InvalidRequest when there is no such method, NotConfigured when
    the merchant has no such account there."""
    gateway_of = GATEWAYS.get(method)
    if gateway_of is None:
        raise InvalidRequest("不支持这种付款方式。", method=method)
    return gateway_of(merchant_id, account)


def callback_url(merchant_id: str, method: str, account: str, what: str) -> str:
    """Where a gateway calls back about an account of the merchant's; `what` is payments or
    refunds, which Alipay tells of alike."""
    path = f"{method.replace('_', '-')}/{merchant_id}" + (f"/{account}" if account else "")
    suffix = "" if method == ALIPAY else f"/{what}"
    return f"{secrets.secret('public-api-url')}/v1/callbacks/{path}{suffix}"


def payer_of(merchant_id: str, method: str, code: str) -> str:
    """The buyer's id at the gateway, by a login code of its client. Raises InvalidRequest where
    there are no such codes, AuthCodeRefused when the code is wrong, used or old."""
    if method != ALIPAY:
        raise InvalidRequest("这种付款方式不需要授权码。", field="auth_code")
    return alipay(merchant_id, PRESENT).payer_of(code)


def _wechat_pay(merchant_id: str, account: str | None) -> PaymentGateway:
    # Imported here: cryptography costs 50 ms of cold start, and most functions never pay.
    from chalicelib.gateways.wechat_pay import wechat_pay

    return wechat_pay(merchant_id, account)


def alipay(merchant_id: str, account: str | None = PRESENT) -> "Alipay":
    """The merchant's account at Alipay, as `payment_gateway` finds it."""
    from chalicelib.gateways import alipay as gateway

    return gateway.alipay(merchant_id, account)


# Where another gateway plugs in.
GATEWAYS: dict[str, Callable[[str, str | None], PaymentGateway]] = {
    WECHAT_PAY: _wechat_pay,
    ALIPAY: alipay,
}
