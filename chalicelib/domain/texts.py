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
    REFUNDED = "refunded"  # confirmed by the gateway


TITLES: Mapping[TextKey, str] = {
    TextKey.WAITING: "参团成功",
    TextKey.ONE_LEFT: "还差 1 人成团",
    TextKey.FORMED: "拼团成功",
    TextKey.FAILED: "未成团",
    TextKey.LATE: "名额已满，自动退款",
    TextKey.PAID_TWICE: "重复付款，自动退款",
    TextKey.REFUNDED: "退款已到账",
}


def text_of(key: TextKey, facts: Mapping[str, Any]) -> str:
    """The sentence of a message. facts: title, amount_fen, missing, as the key needs them."""
    title, amount = facts.get("title", ""), yuan(facts.get("amount_fen", 0))
    if key is TextKey.WAITING:
        return f"「{title}」付款成功，还差 {facts['missing']} 人成团。邀请好友更快成团。"
    if key is TextKey.ONE_LEFT:
        return f"「{title}」只差 1 人就成团了，快邀请好友吧。"
    if key is TextKey.FORMED:
        return f"「{title}」拼团成功，商家会尽快发货。"
    if key is TextKey.FAILED:
        if not facts.get("amount_fen"):
            return f"「{title}」这次没有拼成。可以再开一团。"
        return f"「{title}」这次没有拼成，{amount} 已发起原路退款，无需操作。"
    if key is TextKey.LATE:
        return f"「{title}」付款成功，但名额已满或已超时。{amount} 已发起原路退款，无需操作。"
    if key is TextKey.PAID_TWICE:
        return f"「{title}」之前已经付过款，多付的 {amount} 已发起原路退款，无需操作。"
    return f"「{title}」的 {amount} 已原路退回，请在微信支付账单中查看。"
