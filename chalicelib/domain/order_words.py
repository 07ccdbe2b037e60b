"""What buyers and staff read for an order's state and its money, and for trouble with its money."""

from collections.abc import Mapping

from chalicelib.domain.ledger import Movement
from chalicelib.domain.order import (
    Order,
    OrderStatus,
    RefundReason,
    reason_of,
)
from chalicelib.text import Text

BUYER_WORDS: Mapping[OrderStatus, str] = {
    OrderStatus.PENDING: "待付款",
    OrderStatus.PAID: "待成团",
    OrderStatus.FULFILLING: "待发货",
    OrderStatus.SHIPPED: "待收货",
    OrderStatus.READY_FOR_PICKUP: "待自提",
    OrderStatus.COMPLETED: "已完成",
    OrderStatus.CLOSED: "已关闭",
    OrderStatus.REFUNDING: "退款中",
    OrderStatus.REFUNDED: "已退款",
}

STAFF_WORDS: Mapping[OrderStatus, str] = {
    **BUYER_WORDS,
    OrderStatus.PENDING: "待付款",
    OrderStatus.SHIPPED: "已发货",
}

_OUTSIDE = Text("已用其他方式退给买家的，点「登记线下退款」。")
_REJECTED = "支付平台没有接受系统的退款请求。请把下面的错误码告诉技术支持，处理好后点「重新发起」。"
_RIGHTS = "支付平台说这个商户号没有退款权限或被限制。请在它的商家后台解决后，再点「重新发起」。"
_UNKNOWN_THERE = "支付平台在这个商户号里找不到原来的付款。请核对收款账户后，再点「重新发起」。"
_REFUNDED_THERE = Text(
    "支付平台说这笔付款已经没有可退的钱，可能有人在它的商家后台退过。请核对，{outside}",
    outside=_OUTSIDE,
)
# By the gateway's own words, without underscores where its documents differ.
REFUND_TROUBLES: Mapping[str, str] = {
    "NOTENOUGH": "商户号余额不足。请先充值，再点「重新发起」。",
    "ACQ.SELLER_BALANCE_NOT_ENOUGH": "支付宝账户余额不足。请先充值，再点「重新发起」。",
    "USERACCOUNTABNORMAL": Text(
        "买家的微信账户异常或已注销，钱退不进去。请联系买家，{outside}", outside=_OUTSIDE
    ),
    "ACQ.BUYER_ERROR": Text(
        "买家的支付宝账户异常，钱退不进去。请联系买家，{outside}", outside=_OUTSIDE
    ),
    "ACQ.BUYER_NOT_EXIST": Text(
        "买家的支付宝账户已不存在，钱退不进去。请联系买家，{outside}", outside=_OUTSIDE
    ),
    "TRADEOVERDUE": Text(
        "付款已超过一年，微信支付不能再原路退。请联系买家，{outside}", outside=_OUTSIDE
    ),
    "ACQ.TRADE_HAS_FINISHED": Text(
        "这笔交易在支付宝已完结，超过了可退款的期限。请联系买家，{outside}", outside=_OUTSIDE
    ),
    "ACQ.TRADE_HAS_CLOSE": _REFUNDED_THERE,
    "ACQ.REASON_TRADE_REFUND_FEE_ERR": _REFUNDED_THERE,
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL": _REFUNDED_THERE,
    "REFUNDFEEMISMATCH": _REFUNDED_THERE,
    "ACQ.REASON_TRADE_BEEN_FREEZEN": "这笔交易被支付宝冻结。请联系支付宝解冻后，再点「重新发起」。",
    "ACQ.TRADE_NOT_ALLOW_REFUND": Text(
        "支付宝不允许这笔交易退款。请在它的商家后台查看原因，{outside}", outside=_OUTSIDE
    ),
    "ACQ.TRADE_STATUS_ERROR": Text(
        "支付宝里这笔交易的状态不能退款。请在它的商家后台查看，{outside}", outside=_OUTSIDE
    ),
    "NOAUTH": _RIGHTS,
    "ACCOUNTERROR": _RIGHTS,
    "RULELIMIT": _RIGHTS,
    "isv.insufficient-isv-permissions": _RIGHTS,
    "MCHNOTEXISTS": _UNKNOWN_THERE,
    "APPIDMCHIDNOTMATCH": _UNKNOWN_THERE,
    "RESOURCENOTEXISTS": _UNKNOWN_THERE,
    "ORDERNOTEXIST": _UNKNOWN_THERE,
    "ACQ.TRADE_NOT_EXIST": _UNKNOWN_THERE,
    "SIGNERROR": "支付平台不认这个收款账户的密钥。"
    "请在「收款、登录和短信」里重新填写后，再点「重新发起」。",
    "isv.invalid-signature": "支付宝不认应用私钥。"
    "请在「收款、登录和短信」里重新填写后，再点「重新发起」。",
    "isv.invalid-app-id": "支付宝不认应用 APPID。"
    "请在「收款、登录和短信」里核对后，再点「重新发起」。",
    "PARAMERROR": _REJECTED,
    "INVALIDREQUEST": Text(
        "微信支付没有接受这笔退款，可能已退完、超过一年或正在退另一笔。"
        "请在它的商家后台查看这笔交易，再点「重新发起」；{outside}",
        outside=_OUTSIDE,
    ),
    "ACQ.INVALID_PARAMETER": _REJECTED,
    "ACQ.DISCORDANT_REPEAT_REQUEST": _REJECTED,
    "closed": Text(
        "支付平台已关闭这笔退款，钱没有退出。请点「重新发起」换新单号再退；{outside}",
        outside=_OUTSIDE,
    ),
    "abnormal": Text(
        "买家的收款账户异常，钱停在支付平台。请在它的商家后台处理这笔退款，再点「重新发起」更新结果；"
        "{outside}",
        outside=_OUTSIDE,
    ),
    "not_configured": "商家的收款参数缺失或有误。请改正后点「重新发起」。",
    "no_answer": "支付平台长时间没有回应。请点「重新发起」。",
}


MOVEMENT_WORDS: Mapping[Movement, str] = {
    Movement.CAPTURED: "买家付款",
    Movement.EARNED: "计入销售",
    Movement.REFUND_REQUESTED: "发起退款",
    Movement.REFUNDED: "退款到账",
    Movement.REFUNDED_OUTSIDE: "线下退款",
    Movement.FEE: "支付手续费",
}
# Of what goes back by the terms of a group that formed: the order goes on.
REBATE_WORDS: Mapping[Movement, str] = {
    Movement.REFUND_REQUESTED: "发起返还",
    Movement.REFUNDED: "返还到账",
    Movement.REFUNDED_OUTSIDE: "线下返还",
}


METHOD_WORDS: Mapping[str, str] = {
    "wechat_pay": "微信支付",
    "alipay": "支付宝",
    "free": "无需付款",
    "outside": "线下",
}


def rebate_text(refund_key: str) -> str:
    """What people call a refund by the terms of a group that formed; empty: it is another."""
    return "成团返还" if reason_of(refund_key) is RefundReason.REBATE else ""


def movement_text(movement: Movement, of: str) -> str:
    """What people call a movement. of: an attempt, or a refund's key."""
    words = REBATE_WORDS if movement in REBATE_WORDS and rebate_text(of) else MOVEMENT_WORDS
    return words[movement]


def method_text(method: str) -> str:
    """A way of paying, as people call it."""
    return METHOD_WORDS.get(method, method)


def status_text(order: Order, *, in_group: bool) -> str:
    """What the buyer reads; a closed order says so when a late payment is on its way back."""
    if order.status is OrderStatus.CLOSED and order.refunds:
        done = all(refund.is_done for refund in order.refunds.values())
        return "已关闭·已退款" if done else "已关闭·退款中"
    after_sale = [
        refund.is_done
        for key, refund in order.refunds.items()
        if reason_of(key) is RefundReason.AFTER_SALE
    ]
    if order.status is OrderStatus.REFUNDING and not after_sale:
        return "未成团·退款中"
    words = _words_of_state(order, in_group=in_group)
    if order.status in (OrderStatus.REFUNDING, OrderStatus.REFUNDED):
        if not after_sale or not order.refundable_fen:
            return words
        words = "商品已退"  # and part of the money is kept, such as the freight
    if not after_sale:
        return words
    if all(after_sale):
        return Text("{words}·已部分退款", words=Text(words))
    return Text("{words}·部分退款中", words=Text(words))


def _words_of_state(order: Order, *, in_group: bool) -> str:
    if order.status is not OrderStatus.FULFILLING:
        return BUYER_WORDS[order.status]
    if order.pickup:
        return "已成团待备货" if in_group else "待备货"
    if order.units.shipped:
        return "部分已发货"
    return "已成团待发货" if in_group else BUYER_WORDS[order.status]


def staff_text(order: Order) -> str:
    """What staff read for an order's state."""
    if order.status is OrderStatus.FULFILLING and order.pickup:
        return "待备货"
    if order.status is OrderStatus.FULFILLING and order.units.shipped:
        return "部分发货"
    return STAFF_WORDS[order.status]


# By the code of the refusal.
STATEMENT_TROUBLES: Mapping[str, str] = {
    "not_found": (
        "支付平台通知了一笔本店没有的交易。请按单号到支付平台核对是谁付的款、是否要退；"
        "同一商户号还有别的系统在用时，这是它的交易。"
    ),
    "wrong_amount": (
        "支付平台通知的金额与订单不符，系统没有记账。请到支付平台核对，必要时退还这笔款。"
    ),
    "wrong_account": (
        "通知来自本店另一个收款账户，不是发起这笔付款的账户，系统没有记账。"
        "请到两个账户的商家后台核对这个单号。"
    ),
    "refunded_twice": "这笔退款已用其他方式退给买家，支付平台又退了一次。请联系买家并核对。",
    "callback_refused": (
        "支付平台的通知签名正确，但应用、商户号或币种不是本店收款账户的。请核对收款账户。"
    ),
}


def statement_trouble(code: str) -> str:
    """What staff can do about what a gateway told and the books do not take."""
    return STATEMENT_TROUBLES.get(code, "支付平台的通知与系统记录不符。请到支付平台核对。")


def refund_trouble(reason: str) -> str:
    """What staff can do about a refund that the gateway did not carry out."""
    return REFUND_TROUBLES.get(
        reason, "支付平台没有受理退款。请在它的商家后台查看这笔交易，处理好后点「重新发起」。"
    )
