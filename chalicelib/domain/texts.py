"""What messages say to buyers: one sentence from facts, the same in every channel."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from chalicelib.domain.money import yuan


class TextKey(StrEnum):
    WAITING = "waiting"  # paid, and others are missing
    ONE_LEFT = "one_left"  # one seat is free
    FORMED = "formed"
    FAILED = "failed"
    LATE = "late"  # paid, but the seat was gone
    PAID_TWICE = "paid_twice"  # paid again, and the order stands
    AFTER_SALE = "after_sale"  # staff agreed: the money is on its way
    AFTER_SALE_REFUSED = "after_sale_refused"
    REFUNDED = "refunded"  # confirmed by the gateway


TITLES: Mapping[TextKey, str] = {
    TextKey.WAITING: "参团成功",
    TextKey.ONE_LEFT: "还差 1 人成团",
    TextKey.FORMED: "拼团成功",
    TextKey.FAILED: "未成团",
    TextKey.LATE: "名额已满，自动退款",
    TextKey.PAID_TWICE: "重复付款，自动退款",
    TextKey.AFTER_SALE: "商家已同意退款",
    TextKey.AFTER_SALE_REFUSED: "商家未同意售后申请",
    TextKey.REFUNDED: "退款已到账",
}


TEXTS: Mapping[TextKey, str] = {
    TextKey.WAITING: "「{title}」付款成功，还差 {missing} 人成团。邀请好友更快成团。",
    TextKey.ONE_LEFT: "「{title}」只差 1 人就成团了，快邀请好友吧。",
    TextKey.FORMED: "「{title}」拼团成功，商家会尽快发货。",
    TextKey.FAILED: "「{title}」这次没有拼成，{amount} 已发起原路退款，无需操作。",
    TextKey.LATE: "「{title}」付款成功，但名额已满或已超时。{amount} 已发起原路退款，无需操作。",
    TextKey.PAID_TWICE: "「{title}」之前已经付过款，多付的 {amount} 已发起原路退款，无需操作。",
    TextKey.AFTER_SALE: "「{title}」商家已同意退款，{amount} 已发起原路退款，无需操作。",
    TextKey.AFTER_SALE_REFUSED: (
        "「{title}」商家未同意售后申请：{reply}。可以修改后重新申请，或联系商家。"
    ),
    TextKey.REFUNDED: "「{title}」的 {amount} 已原路退回，请在付款账户的账单中查看。",
}
FAILED_FREE = "「{title}」这次没有拼成。可以再开一团。"


def text_of(key: TextKey, facts: Mapping[str, Any]) -> str:
    """The sentence of a message. facts: title, amount_fen, missing, reply, as the key needs."""
    amount_fen = facts.get("amount_fen", 0)
    text = FAILED_FREE if key is TextKey.FAILED and not amount_fen else TEXTS[key]
    return text.format(**{"title": "", **facts, "amount": yuan(amount_fen)})
