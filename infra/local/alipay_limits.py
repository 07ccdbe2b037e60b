"""What Alipay documents of the requests for payments and refunds. Pure.

Read in November 2026: payments, help.aliyun.com/document_detail/2978207.html (trade.create) and
opendocs.alipay.com alipay.trade.wap.pay; refunds, help.aliyun.com/document_detail/2978204.html
and opendocs.alipay.com alipay.trade.refund. An absolute end (time_expire) may be as near as one
likes, but not past (developer.aliyun.com/article/710964); a minute is the least of the relative
one, which nobody sends here. No pause between refunds of one trade is documented.
"""

from typing import Any

from infra.local.alipay_keys import Refused
from infra.local.limits import Table, broken, characters, optional, pattern

_YUAN = r"(?!0\.00)(0|[1-9][0-9]{0,7}|100000000(?=\.00))\.[0-9]{2}"  # 0.01 to 100000000.00
_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?"
_NUMBER = r"[0-9A-Za-z_]{1,64}"

ORDER: Table = (
    ("out_trade_no", pattern(_NUMBER)),
    ("total_amount", pattern(_YUAN)),
    ("subject", characters(1, 256, without="/=&")),
    ("time_expire", optional(pattern(_TIME))),
    ("passback_params", optional(characters(1, 512))),
    ("buyer_open_id", optional(characters(1, 128))),
    ("quit_url", optional(characters(1, 400))),
)
REFUND: Table = (
    ("out_trade_no", pattern(_NUMBER)),
    ("out_request_no", pattern(_NUMBER)),
    ("refund_amount", pattern(_YUAN)),
    ("refund_reason", optional(characters(0, 256))),
)
COMMON: Table = (  # beside the content
    ("notify_url", optional(characters(8, 256))),
    ("return_url", optional(characters(8, 256))),
)


def check(content: dict[str, Any], table: Table) -> None:
    """Raises Refused for a request that Alipay would not take."""
    name = broken(content, table)
    if name:
        raise Refused("40004", "ACQ.INVALID_PARAMETER", f"参数 {name} 无效")
