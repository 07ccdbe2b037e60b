"""How staff pay a buyer back when the gateway does not, and what the buyer reads of a refund."""

from collections.abc import Mapping
from enum import StrEnum

from chalicelib.domain.order import Refund, RefundStatus

PROOF_MAX = 64


class Outside(StrEnum):
    """By which way the money went. GATEWAY alone can be checked: the gateway is asked."""

    GATEWAY = "gateway"  # refunded by hand in the gateway's back office
    WECHAT_TRANSFER = "wechat_transfer"
    ALIPAY_TRANSFER = "alipay_transfer"
    BANK_TRANSFER = "bank_transfer"
    CASH = "cash"
    OTHER = "other"


OUTSIDE_WORDS: Mapping[Outside, str] = {
    Outside.GATEWAY: "支付平台商家后台",
    Outside.WECHAT_TRANSFER: "微信转账",
    Outside.ALIPAY_TRANSFER: "支付宝转账",
    Outside.BANK_TRANSFER: "银行转账",
    Outside.CASH: "现金",
    Outside.OTHER: "其他方式",
}


def buyers_text(refund: Refund) -> str:
    """What its buyer reads of a refund."""
    if refund.status is RefundStatus.SUCCEEDED:
        return "已原路退回"
    if refund.status is RefundStatus.OUTSIDE:
        return f"商家已用{OUTSIDE_WORDS[Outside(refund.outside)]}退款，凭证：{refund.proof}"
    if refund.trouble_at_s:
        return "支付平台暂时没有退出，商家正在处理"
    return "退款中"
