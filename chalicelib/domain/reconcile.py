"""In what a gateway's bill and our ledger can differ, and what staff can do about it."""

from collections.abc import Mapping
from enum import StrEnum


class Difference(StrEnum):
    PAYMENT_UNHEARD = "payment_unheard"  # paid there, not known here: taken over
    REFUND_UNHEARD = "refund_unheard"  # refunded there, not known here: taken over
    REFUND_BY_HAND = "refund_by_hand"  # in the gateway's back office, for one of ours: taken over
    REFUNDED_TWICE = "refunded_twice"  # under a number given up, or paid in another way, too
    UNKNOWN_PAYMENT = "unknown_payment"
    UNKNOWN_REFUND = "unknown_refund"
    WRONG_ACCOUNT = "wrong_account"  # for another app, merchant number or currency
    WRONG_GATEWAY = (
        "wrong_gateway"  # we asked another gateway, or at another account, for that attempt
    )
    PAYMENT_AMOUNT = "payment_amount"
    REFUND_AMOUNT = "refund_amount"
    TRANSACTION = "transaction"  # the gateway's own number is another
    PAYMENT_DAY = "payment_day"
    REFUND_NOT_MADE = "refund_not_made"  # closed or stuck there, confirmed here
    REPEATED = "repeated"  # the bill has it more than once
    PAYMENT_MISSING = "payment_missing"  # in our ledger, not in the bill, nor does a query find it
    REFUND_MISSING = "refund_missing"


class DifferenceStatus(StrEnum):
    OPEN = "open"
    DEALT_WITH = "dealt_with"  # staff have noted what was done about it
    REPAIRED = "repaired"  # taken over from the gateway
    AGREED = "agreed"  # bill and books agreed later


# These alone are taken over from the gateway: each is what a lost callback would have told, or
# what staff have done there about a refund that needed them.
REPAIRABLE = frozenset(
    {Difference.PAYMENT_UNHEARD, Difference.REFUND_UNHEARD, Difference.REFUND_BY_HAND}
)

# Where they could not be taken over: the gateway, asked, did not confirm what its bill says.
_NOT_REPAIRED: Mapping[Difference, str] = {
    Difference.PAYMENT_UNHEARD: (
        "账单里有这笔付款，而支付平台查询不到成功的付款，系统没有记账。请到支付平台核对。"
    ),
    Difference.REFUND_UNHEARD: (
        "账单里这笔退款已到账，而支付平台查询不到，系统没有记账。请到支付平台核对。"
    ),
    Difference.REFUND_BY_HAND: (
        "有人在支付平台的商家后台手工退了款，系统没能补记。请核对后在「退款异常」里登记。"
    ),
}

_WORDS: Mapping[Difference, str] = {
    Difference.PAYMENT_UNHEARD: "买家已付款而系统没有收到通知。已按账单补记，不用处理。",
    Difference.REFUND_UNHEARD: "退款已到账而系统没有收到通知。已按账单补记，不用处理。",
    Difference.REFUND_BY_HAND: "有人在支付平台的商家后台手工退了这笔款。已按账单补记，不用处理。",
    Difference.REFUNDED_TWICE: (
        "这笔退款已换新单号或线下退给买家，支付平台又退了一次。请核对是否多退，并联系买家。"
    ),
    Difference.UNKNOWN_PAYMENT: "账单里有一笔付款，本店没有这个订单。请到支付平台查看来源。",
    Difference.UNKNOWN_REFUND: "账单里有一笔退款，不是本系统发起的。请核对是否有人手工退款。",
    Difference.WRONG_ACCOUNT: "这笔交易不属于本店的应用、商户号或币种。请到支付平台核对账户。",
    Difference.WRONG_GATEWAY: "订单是在另一个支付平台或收款账户付款的。请到两边核对。",
    Difference.PAYMENT_AMOUNT: "付款金额与订单不符。请到支付平台核对，必要时退还差额。",
    Difference.REFUND_AMOUNT: "退款金额与系统记录不符。请到支付平台核对。",
    Difference.TRANSACTION: "支付平台的交易号与系统记录不符。请到支付平台核对。",
    Difference.PAYMENT_DAY: "付款日期与系统记录不符。请到支付平台核对。",
    Difference.REFUND_NOT_MADE: "系统记录已退款，而账单显示退款关闭或异常。请联系买家并重新退款。",
    Difference.REPEATED: "账单里同一笔交易出现多次。请到支付平台核对是否重复扣款。",
    Difference.PAYMENT_MISSING: "系统记录已付款，账单和查询都没有。发货前请到支付平台核对。",
    Difference.REFUND_MISSING: "系统记录已退款，账单和查询都没有。请到支付平台核对。",
}


def words_of(difference: Difference, *, repaired: bool) -> str:
    """What it is and what to do about it."""
    return _WORDS[difference] if repaired else _NOT_REPAIRED.get(difference, _WORDS[difference])
