"""What WeChat Pay v3 documents of the requests for payments and refunds. Pure.

Read in November 2026 at pay.weixin.qq.com: ordering, /docs/merchant/products/
mini-program-payment/apilist.html and /doc/v3/merchant/4012525167; callbacks by HTTPS without a
query, /doc/v3/partner/4012523579; refunds, /doc/v3/merchant/4012556457 and
/doc/v3/partner/4013163605 (a minute between the refunds of one order, 50 of them).

Where the documents differ, the stricter one holds here, so that a fault shows: the end of a
payment within a minute is refused, as older ones say (wxa_api.php?chapter=9_1: more than a
minute), where the present ones move it to one minute, behind the merchant's back; a reason's 80
are bytes. What is left out: rates over all orders (150 a second), and the end after 90 days.
"""

from typing import Any

from infra.local.limits import (
    Table,
    address,
    broken,
    characters,
    ip_address,
    octets,
    optional,
    pattern,
    whole,
)
from infra.local.wechat_http import Refusal

MINUTE_S = 60  # between an order and the end of its payment, and between refunds of one order
REFUNDS_MAX = 50  # of one payment
OUT_TRADE_NO = r"[0-9A-Za-z_\-|*]{6,32}"
_OUT_REFUND_NO = r"[0-9A-Za-z_\-|*@]{1,64}"
_RFC3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)"

ORDER: Table = (
    ("description", characters(1, 127)),
    ("out_trade_no", pattern(OUT_TRADE_NO)),
    ("time_expire", optional(pattern(_RFC3339))),
    ("attach", optional(characters(0, 128))),
    ("notify_url", address(255)),
    ("amount.total", whole(1)),
    ("amount.currency", optional(pattern("CNY"))),
)
SCENE: Table = (  # /doc/v3/merchant/4012791834
    ("scene_info.payer_client_ip", ip_address),
    ("scene_info.h5_info.type", pattern("iOS|Android|Wap")),
)
REFUND: Table = (
    ("out_trade_no", pattern(OUT_TRADE_NO)),
    ("out_refund_no", pattern(_OUT_REFUND_NO)),
    ("reason", optional(octets(80))),
    ("notify_url", optional(address(256))),
    ("amount.refund", whole(1)),
    ("amount.total", whole(1)),
    ("amount.currency", pattern("CNY")),
)


def check_page(order: dict[str, Any]) -> None:
    """Raises Refusal for an order in a browser that WeChat Pay would not take."""
    _refuse(broken(order, ORDER) or broken(order, SCENE) or ("payer" if "payer" in order else ""))


def check_order(order: dict[str, Any]) -> None:
    """Raises Refusal for an order in an app that WeChat Pay would not take."""
    openid = order.get("payer")
    named = isinstance(openid, dict) and any(
        characters(1, 128)(openid.get(name)) for name in _openids(order)
    )
    _refuse(broken(order, ORDER) or ("" if named else "payer"))


def check_refund(wanted: dict[str, Any]) -> None:
    """Raises Refusal for a request of a refund that WeChat Pay would not take."""
    _refuse(broken(wanted, REFUND))


def _openids(order: dict[str, Any]) -> list[str]:
    """What the payer of an order may be called by."""
    if "sp_mchid" not in order:
        return ["openid"]
    return ["sp_openid", "sub_openid"] if "sub_appid" in order else ["sp_openid"]


def _refuse(name: str) -> None:
    if name:
        raise Refusal(400, "PARAM_ERROR", f"参数 {name} 有误")
