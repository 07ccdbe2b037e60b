"""How staff pay a buyer back when the gateway does not, and what the buyer reads of a refund."""

from collections.abc import Mapping
from enum import StrEnum

from chalicelib.domain.order import Refund, RefundStatus
from chalicelib.text import Text

PROOF_MAX = 64


class ManualRefundMethod(StrEnum):
    """By which way the money went. GATEWAY alone can be checked: the gateway is asked."""

    GATEWAY = "gateway"  # refunded by hand in the gateway's back office
    WECHAT_TRANSFER = "wechat_transfer"
    ALIPAY_TRANSFER = "alipay_transfer"
    BANK_TRANSFER = "bank_transfer"
    CASH = "cash"
    OTHER = "other"


METHOD_WORDS: Mapping[ManualRefundMethod, str] = {
    ManualRefundMethod.GATEWAY: "支付平台商家后台",
    ManualRefundMethod.WECHAT_TRANSFER: "微信转账",
    ManualRefundMethod.ALIPAY_TRANSFER: "支付宝转账",
    ManualRefundMethod.BANK_TRANSFER: "银行转账",
    ManualRefundMethod.CASH: "现金",
    ManualRefundMethod.OTHER: "其他方式",
}


def text_for_buyer(refund: Refund) -> str:
    """What its buyer reads of a refund."""
    if refund.status is RefundStatus.SUCCEEDED:
        return "已原路退回"
    if refund.status is RefundStatus.OUTSIDE:
        return Text(
            "商家已用{method}退款，凭证：{proof}",
            method=Text(METHOD_WORDS[ManualRefundMethod(refund.outside)]),
            proof=refund.proof,
        )
    if refund.trouble_at_s:
        return "支付平台暂时没有退出，商家正在处理"
    return "退款中"
