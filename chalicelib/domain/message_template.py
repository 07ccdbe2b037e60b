"""Message templates: the sentences that a shop has its buyers told in its own words.

A template is text with names of facts in braces: {商品}已发货：{快递公司} {快递单号}。 It may name
what the sentence of its key (domain.texts) tells; some of it, it must.
"""

import re
from collections.abc import Mapping
from string import Formatter
from typing import Any

from chalicelib.domain.product import Problem, trouble
from chalicelib.domain.texts import (
    COUPON_BACK,
    ENDED,
    SEE_OTHERS,
    TEXTS,
    TextKey,
    is_assured,
    is_free,
    is_full,
    text_of,
    words_for,
)
from chalicelib.text import Text

TEXT_MAX = 120
NAMES: Mapping[str, str] = {
    "title": "商品",
    "missing": "还差人数",
    "seats": "成团人数",
    "amount": "金额",
    "reason": "原因",
    "reply": "答复",
    "carrier": "快递公司",
    "number": "快递单号",
    "units": "件数",
    "code": "取货码",
    "store": "门店",
    "address": "退货地址",
    "days": "天数",
    "way": "退款方式",
    "proof": "凭证",
    "coupon": "券名",
    "worth": "优惠",
    "points": "积分",
    "day": "日期",
    "groups": "团数",
    "coupons": "张数",
}
# Without these a buyer would not know what to do, or how much comes back.
NEEDED: Mapping[TextKey, tuple[str, ...]] = {
    TextKey.PRICE_LOWERED: ("amount",),
    TextKey.CLOSED_BY_SHOP: ("reason",),
    TextKey.REBATE: ("amount",),
    TextKey.TIER_REBATE: ("amount",),
    TextKey.CROWD_REBATE: ("amount",),
    TextKey.FAILED: ("amount",),
    TextKey.CLOSED: ("amount", "reason"),
    TextKey.LATE: ("amount",),
    TextKey.PAID_TWICE: ("amount",),
    TextKey.OLD_PRICE: ("amount",),
    TextKey.AFTER_SALE: ("amount",),
    TextKey.SHOP_REFUND: ("amount", "reason"),
    TextKey.AFTER_SALE_REFUSED: ("reply",),
    TextKey.RETURN_AGREED: ("address", "days"),
    TextKey.EXCHANGE_AGREED: ("address", "days"),
    TextKey.EXCHANGE_READY: ("store",),
    TextKey.EXCHANGE_SENT: ("carrier", "number"),
    TextKey.REFUNDED: ("amount",),
    TextKey.REBATED: ("amount",),
    TextKey.REFUNDED_OUTSIDE: ("amount", "way", "proof"),
    TextKey.READY: ("code", "store"),
    TextKey.SHIPPED: ("carrier", "number"),
    TextKey.PARCEL_CORRECTED: ("carrier", "number"),
    TextKey.COUPON_GIVEN: ("worth", "reason"),
    TextKey.COMPENSATED: ("worth",),
    TextKey.COMPENSATED_POINTS: ("points",),
    TextKey.POINTS_GIVEN: ("points", "reason"),
    TextKey.POINTS_EXPIRING: ("points", "day"),
    TextKey.COUPONS_EXPIRING: ("coupons", "day"),
    TextKey.BIRTHDAY: ("worth",),
    TextKey.GROUPS_COUPON: ("worth",),
    TextKey.GROUPS_POINTS: ("points",),
    TextKey.LEADER_COUPON: ("worth",),
    TextKey.INVITED_COUPON: ("worth",),
    TextKey.INVITER_COUPON: ("worth",),
    TextKey.INVITER_POINTS: ("points",),
}
WHEN: Mapping[TextKey, str] = {
    TextKey.PRICE_LOWERED: "商家改低未付款订单的价格",
    TextKey.CLOSED_BY_SHOP: "商家关闭未付款的订单",
    TextKey.OPENED: "团长付款后，团还没满",
    TextKey.WAITING: "团员付款后，团还没满",
    TextKey.ONE_LEFT: "团里只差最后 1 人",
    TextKey.COMBINED: "团到时未满，买家同意过，和同款的团合并",
    TextKey.FORMED: "成团",
    TextKey.REBATE: "成团后返还团长的商品金额",
    TextKey.TIER_REBATE: "成团后按阶梯价返还差价",
    TextKey.CROWD_REBATE: "万人团达到新的人数，返还差价",
    TextKey.FAILED: "到时没有拼成，开始退款",
    TextKey.CLOSED: "商家提前结束团，开始退款",
    TextKey.LATE: "付款时名额已满或已超时，开始退款",
    TextKey.PAID_TWICE: "同一个订单付了两次，多付的开始退款",
    TextKey.OLD_PRICE: "改价后按原价付了款，开始退款",
    TextKey.AFTER_SALE: "商家同意售后，开始退款",
    TextKey.SHOP_REFUND: "商家主动退款",
    TextKey.AFTER_SALE_REFUSED: "商家拒绝售后",
    TextKey.RETURN_AGREED: "商家同意退货",
    TextKey.RETURN_EXPIRED: "买家没有按时寄回，退货申请关闭",
    TextKey.EXCHANGE_AGREED: "商家同意换货",
    TextKey.EXCHANGE_EXPIRED: "买家没有按时寄回，换货申请关闭",
    TextKey.EXCHANGE_READY: "自提订单换货，商家收到退回的商品",
    TextKey.EXCHANGE_SENT: "换新的商品寄出，或更正它的快递单号",
    TextKey.REFUNDED: "退款到账",
    TextKey.REBATED: "成团后返还的钱到账",
    TextKey.REFUNDED_OUTSIDE: "退款未能原路退回，商家登记了线下退款",
    TextKey.READY: "自提订单备好",
    TextKey.SHIPPED: "发货",
    TextKey.PARCEL_CORRECTED: "更正快递单号",
    TextKey.COUPON_GIVEN: "商家在订单里送出优惠券",
    TextKey.COMPENSATED: "未成团，按活动的约定补偿优惠券",
    TextKey.COMPENSATED_POINTS: "未成团，按活动的约定补偿积分",
    TextKey.POINTS_GIVEN: "商家在订单里送出积分",
    TextKey.POINTS_EXPIRING: "积分还有 7 天到期",
    TextKey.COUPONS_EXPIRING: "没用的优惠券还有 3 天到期",
    TextKey.BIRTHDAY: "会员生日，按等级送优惠券",
    TextKey.GROUPS_COUPON: "拼成的团数到了，按店铺设置奖励优惠券",
    TextKey.GROUPS_POINTS: "拼成的团数到了，按店铺设置奖励积分",
    TextKey.LEADER_COUPON: "团长的订单完成，按活动的约定奖励优惠券",
    TextKey.REWARD_TAKEN_BACK: "给过拼团奖励的订单整单退款，奖励收回",
    TextKey.INVITED_COUPON: "受邀的新客拼成的第一单完成，按店铺设置送优惠券",
    TextKey.INVITER_COUPON: "邀请的新客第一单完成，按店铺设置送邀请人优惠券",
    TextKey.INVITER_POINTS: "邀请的新客第一单完成，按店铺设置送邀请人积分",
    TextKey.INVITATION_TAKEN_BACK: "发过邀请奖励的订单整单退款，奖励收回",
    TextKey.ACTIVITY_BEGUN: "活动开始，买家设过提醒",
    TextKey.ACTIVITY_SOLD_OUT: "活动开始后已抢完，买家设过提醒",
    TextKey.ACTIVITY_OVER: "活动已结束，买家设过开始提醒",
    TextKey.SEAT_FREE: "团里空出名额，买家设过提醒",
    TextKey.AWAITED_FORMED: "团已成团、没有空出名额，买家设过提醒",
    TextKey.AWAITED_FAILED: "团没有拼成，买家设过名额提醒",
}
EXAMPLE: Mapping[str, str] = {
    "商品": "云南高原红颜草莓",
    "还差人数": "2",
    "成团人数": "5",
    "金额": "¥59.00",
    "原因": "产地暴雨，货没采够",
    "答复": "照片里看不出破损",
    "快递公司": "顺丰速运",
    "快递单号": "SF1234567890123",
    "件数": "1",
    "取货码": "20261127",
    "门店": "南山店",
    "退货地址": "王师傅 13900001234 浙江省杭州市余杭区文一西路 969 号",
    "天数": "7",
    "退款方式": "银行转账",
    "凭证": "流水号 20261127001",
    "券名": "见面礼",
    "优惠": "满 50 减 10",
    "积分": "300",
    "日期": "2027-12-31",
    "团数": "5",
    "张数": "2",
}
_NAMED = re.compile(r"\{([^{}]*)\}")


def original(key: TextKey) -> str:
    """The sentence that is told where the shop has none of its own, as a template."""
    return TEXTS[key].format(**{fact: f"{{{name}}}" for fact, name in NAMES.items()})


def allowed(key: TextKey) -> list[str]:
    """What a template of this key may name, in the order of the original sentence."""
    facts = [fact for _, fact, _, _ in Formatter().parse(TEXTS[key]) if fact]
    return list(dict.fromkeys(NAMES[fact] for fact in facts))


def needed(key: TextKey) -> list[str]:
    return [NAMES[fact] for fact in NEEDED.get(key, ())]


def problems_of(templates: Mapping[TextKey, str]) -> list[Problem]:
    """Everything that is wrong with these templates, each with its field (texts.<key>)."""
    return [
        trouble(f"texts.{key.value}", words)
        for key, template in templates.items()
        if (words := _problem(key, template))
    ]


def filled(template: str, facts: Mapping[str, str]) -> str:
    """The template with facts in place of their names; what a fact says is not looked into."""
    return _NAMED.sub(lambda named: facts.get(named[1], named[0]), template)


def sentence(key: TextKey, facts: Mapping[str, Any], template: str | None) -> str:
    """The sentence of a message by the shop's template, or without one; facts as text_of's.

    The usual one, too, where no money was paid, or nobody is missing, of what the template speaks.
    """
    told = text_of(key, facts)
    usual = is_free(key, facts) or is_assured(facts) or is_full(key, facts)
    if template and not usual:
        words = words_for(facts)
        told = filled(template, {NAMES[fact]: str(words[fact]) for fact in words if fact in NAMES})
    if facts.get("coupon_back"):
        told = told.removesuffix(COUPON_BACK[0]) + COUPON_BACK
    return told.removesuffix(SEE_OTHERS[0]) + SEE_OTHERS if key in ENDED else told


def _problem(key: TextKey, template: str) -> str:
    """What to mend in one template; empty when nothing."""
    names = _NAMED.findall(template)
    unknown = next((name for name in names if name not in allowed(key)), None)
    missing = next((name for name in needed(key) if name not in names), None)
    may = "、".join(f"{{{name}}}" for name in allowed(key))
    if len(template) > TEXT_MAX:
        return Text("最多 {max} 个字，现在是 {length} 个。", max=TEXT_MAX, length=len(template))
    if any(ord(character) < 32 for character in template):
        return "请写在一行里。"
    if unknown is not None:
        return Text("这条消息里没有「{{{unknown}}}」，可以用：{may}。", unknown=unknown, may=may)
    if any(brace in _NAMED.sub("", template) for brace in "{}"):
        return Text("大括号没有成对。要用的内容请写成这样：{may}。", may=may)
    if missing is not None:
        return Text("请写上{{{missing}}}，买家需要知道。", missing=missing)
    return ""
