"""Which gateways there are, and which of them takes a merchant's payments."""

from collections.abc import Callable

from chalicelib.errors import InvalidRequest
from chalicelib.gateways.payment import PaymentGateway

WECHAT_PAY = "wechat_pay"


def payment_gateway(merchant_id: str, method: str) -> PaymentGateway:
    """The merchant's gateway for `method`. Raises InvalidRequest when there is no such method,
    NotConfigured when the merchant has no account there."""
    gateway_of = GATEWAYS.get(method)
    if gateway_of is None:
        raise InvalidRequest("不支持这种付款方式。", method=method)
    return gateway_of(merchant_id)


def _wechat_pay(merchant_id: str) -> PaymentGateway:
    # Imported here: cryptography costs 50 ms of cold start, and most functions never pay.
    from chalicelib.gateways.wechat_pay import wechat_pay

    return wechat_pay(merchant_id)


# Where another gateway plugs in.
GATEWAYS: dict[str, Callable[[str], PaymentGateway]] = {WECHAT_PAY: _wechat_pay}
