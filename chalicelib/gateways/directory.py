"""Which gateway takes a merchant's payments."""

from chalicelib.errors import InvalidRequest
from chalicelib.gateways.payment import PaymentGateway

WECHAT_PAY = "wechat_pay"


def payment_gateway(merchant_id: str, method: str) -> PaymentGateway:
    """The merchant's gateway for `method`. Raises InvalidRequest when there is no such method,
    NotConfigured when the merchant has no account there."""
    if method != WECHAT_PAY:
        raise InvalidRequest("不支持这种付款方式。", method=method)
    # Imported here: cryptography costs 50 ms of cold start, and most functions never pay.
    from chalicelib.gateways.wechat_pay import wechat_pay

    return wechat_pay(merchant_id)
