"""The one table of status words: what buyers and staff read for an order's state."""

from collections.abc import Mapping

from chalicelib.domain.order import Order, OrderStatus, RefundStatus

BUYER_WORDS: Mapping[OrderStatus, str] = {
    OrderStatus.PENDING: "待支付",
    OrderStatus.PAID: "待成团",
    OrderStatus.FULFILLING: "待发货",
    OrderStatus.SHIPPED: "待收货",
    OrderStatus.READY_FOR_PICKUP: "待自提",
    OrderStatus.COMPLETED: "已完成",
    OrderStatus.CLOSED: "已关闭",
    OrderStatus.REFUNDING: "拼团失败退款中",
    OrderStatus.REFUNDED: "已退款",
}

# By the gateway's own words, without underscores where its documents differ.
REFUND_TROUBLES: Mapping[str, str] = {
    "NOTENOUGH": "商户号余额不足。请先充值，再点「重新发起」。",
    "closed": "支付平台已关闭这笔退款。请核对后点「重新发起」，或线下退款并登记。",
    "abnormal": "买家的收款账户异常。请联系买家，并在微信支付商户平台处理。",
    "not_configured": "商家的微信支付参数缺失或有误。请改正后点「重新发起」。",
    "no_answer": "支付平台长时间没有回应。请点「重新发起」。",
}


def status_text(order: Order, *, in_group: bool) -> str:
    """What the buyer reads; a closed order says so when a late payment is on its way back."""
    if order.status is OrderStatus.CLOSED and order.refunds:
        done = all(refund.status is RefundStatus.SUCCEEDED for refund in order.refunds.values())
        return "已关闭·已退款" if done else "已关闭·退款中"
    if order.status is OrderStatus.FULFILLING and in_group:
        return "已成团待发货"
    return BUYER_WORDS[order.status]


def refund_trouble(reason: str) -> str:
    """What staff can do about a refund that the gateway did not carry out."""
    return REFUND_TROUBLES.get(
        reason, "支付平台没有受理。请在微信支付商户平台查看这笔交易，处理好后点「重新发起」。"
    )
