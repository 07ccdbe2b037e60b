"""What messages say to buyers: one sentence from facts, the same in every channel."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from chalicelib.domain.money import yuan


class TextKey(StrEnum):
    PRICE_LOWERED = "price_lowered"  # by the shop, before the payment
    CLOSED_BY_SHOP = "closed_by_shop"  # an unpaid order
    OPENED = "opened"  # paid for the first seat, and others are missing
    WAITING = "waiting"  # paid for another one, and others are missing
    ONE_LEFT = "one_left"  # one seat is free
    COMBINED = "combined"  # the group was due, and goes on in another one
    FORMED = "formed"
    REBATE = "rebate"  # what the goods cost the leader goes back, since the group formed
    TIER_REBATE = "tier_rebate"  # what the group's tier takes off goes back
    CROWD_REBATE = "crowd_rebate"  # the same, of a tier of all groups of the activity
    FAILED = "failed"
    CLOSED = "closed"  # the merchant closed the group
    LATE = "late"  # paid, but the seat was gone
    PAID_TWICE = "paid_twice"  # paid again, and the order stands
    OLD_PRICE = "old_price"  # paid at the price of before it was lowered
    AFTER_SALE = "after_sale"  # staff agreed: the money is on its way
    SHOP_REFUND = "shop_refund"  # of the shop's own accord
    AFTER_SALE_REFUSED = "after_sale_refused"
    RETURN_AGREED = "return_agreed"  # the buyer has to send the goods
    RETURN_EXPIRED = "return_expired"  # they were not sent in time
    EXCHANGE_AGREED = "exchange_agreed"  # the buyer has to send the goods
    EXCHANGE_EXPIRED = "exchange_expired"
    EXCHANGE_READY = "exchange_ready"  # the replacement can be collected
    EXCHANGE_SENT = "exchange_sent"  # it is on its way; or has another number than was told
    REFUNDED = "refunded"  # confirmed by the gateway
    REBATED = "rebated"  # the same, of what goes back by the terms of the group
    REFUNDED_OUTSIDE = "refunded_outside"  # paid back by staff in another way
    READY = "ready"  # to be collected in the store
    SHIPPED = "shipped"  # a parcel is on its way
    PARCEL_CORRECTED = "parcel_corrected"  # it has another number than was told
    COUPON_GIVEN = "coupon_given"  # by staff
    COMPENSATED = "compensated"  # a coupon, for a group that failed
    COMPENSATED_POINTS = "compensated_points"  # the same
    POINTS_GIVEN = "points_given"  # by staff
    POINTS_EXPIRING = "points_expiring"  # in some days
    COUPONS_EXPIRING = "coupons_expiring"  # the same
    BIRTHDAY = "birthday"  # a coupon, by the buyer's level
    GROUPS_COUPON = "groups_coupon"  # after so many groups that formed
    GROUPS_POINTS = "groups_points"  # the same
    LEADER_COUPON = "leader_coupon"  # for a group that the buyer opened
    REWARD_TAKEN_BACK = "reward_taken_back"  # an order that it was given for went back
    INVITED_COUPON = "invited_coupon"  # of who was invited, and has bought
    # What an invitation brought who invited; about no order of theirs.
    INVITER_COUPON = "inviter_coupon"
    INVITER_POINTS = "inviter_points"
    INVITATION_TAKEN_BACK = "invitation_taken_back"
    # What a buyer asked to be reminded of.
    ACTIVITY_BEGUN = "activity_begun"
    ACTIVITY_SOLD_OUT = "activity_sold_out"  # it has begun, and nothing is left
    ACTIVITY_OVER = "activity_over"  # ended before the buyer could be told that it began
    SEAT_FREE = "seat_free"  # of a group whose last seats were held
    AWAITED_FORMED = "awaited_formed"  # such a group: its seats were paid
    AWAITED_FAILED = "awaited_failed"


TITLES: Mapping[TextKey, str] = {
    TextKey.PRICE_LOWERED: "商家改低了价格",
    TextKey.CLOSED_BY_SHOP: "商家关闭了订单",
    TextKey.OPENED: "开团成功",
    TextKey.WAITING: "参团成功",
    TextKey.ONE_LEFT: "还差 1 人成团",
    TextKey.COMBINED: "你的团已和同款的团合并",
    TextKey.FORMED: "拼团成功",
    TextKey.REBATE: "团长免单，正在返还",
    TextKey.TIER_REBATE: "阶梯价到了，正在返还",
    TextKey.CROWD_REBATE: "万人团降价了，正在返还",
    TextKey.FAILED: "未成团",
    TextKey.CLOSED: "商家结束了这个团",
    TextKey.LATE: "名额已满，自动退款",
    TextKey.PAID_TWICE: "重复付款，自动退款",
    TextKey.OLD_PRICE: "价格已改，自动退款",
    TextKey.AFTER_SALE: "商家已同意退款",
    TextKey.SHOP_REFUND: "商家退款",
    TextKey.AFTER_SALE_REFUSED: "商家未同意售后申请",
    TextKey.RETURN_AGREED: "商家同意退货，请寄回商品",
    TextKey.RETURN_EXPIRED: "退货申请已关闭",
    TextKey.EXCHANGE_AGREED: "商家同意换货，请寄回商品",
    TextKey.EXCHANGE_EXPIRED: "换货申请已关闭",
    TextKey.EXCHANGE_READY: "换新的商品可以取了",
    TextKey.EXCHANGE_SENT: "换新的商品已寄出",
    TextKey.REFUNDED: "退款已到账",
    TextKey.REBATED: "返还已到账",
    TextKey.REFUNDED_OUTSIDE: "商家已退款",
    TextKey.READY: "可以取货了",
    TextKey.SHIPPED: "已发货",
    TextKey.PARCEL_CORRECTED: "快递单号已更正",
    TextKey.COUPON_GIVEN: "商家送你一张优惠券",
    TextKey.COMPENSATED: "未成团，补偿你一张优惠券",
    TextKey.COMPENSATED_POINTS: "未成团，补偿你积分",
    TextKey.POINTS_GIVEN: "商家送你积分",
    TextKey.POINTS_EXPIRING: "积分快到期了",
    TextKey.COUPONS_EXPIRING: "优惠券快到期了",
    TextKey.BIRTHDAY: "生日快乐，送你一张优惠券",
    TextKey.GROUPS_COUPON: "拼团奖励：送你一张优惠券",
    TextKey.GROUPS_POINTS: "拼团奖励：送你积分",
    TextKey.LEADER_COUPON: "团长奖励：送你一张优惠券",
    TextKey.REWARD_TAKEN_BACK: "拼团奖励已收回",
    TextKey.INVITED_COUPON: "新客礼：送你一张优惠券",
    TextKey.INVITER_COUPON: "邀请有礼：送你一张优惠券",
    TextKey.INVITER_POINTS: "邀请有礼：送你积分",
    TextKey.INVITATION_TAKEN_BACK: "邀请奖励已收回",
    TextKey.ACTIVITY_BEGUN: "开始了，快去开团",
    TextKey.ACTIVITY_SOLD_OUT: "拼团已抢完",
    TextKey.ACTIVITY_OVER: "活动已结束",
    TextKey.SEAT_FREE: "有名额了，快去参团",
    TextKey.AWAITED_FORMED: "你等的团已成团",
    TextKey.AWAITED_FAILED: "你等的团已结束",
}


TEXTS: Mapping[TextKey, str] = {
    TextKey.PRICE_LOWERED: "「{title}」的价格由商家改为 {amount}，请在付款时间内付款。",
    TextKey.CLOSED_BY_SHOP: "「{title}」没有付款，商家已关闭订单：{reason}。需要可以重新下单。",
    TextKey.OPENED: "「{title}」开团成功，还差 {missing} 人成团。把链接发给好友，凑满就发货。",
    TextKey.WAITING: "「{title}」付款成功，还差 {missing} 人成团。邀请好友更快成团。",
    TextKey.ONE_LEFT: "「{title}」只差 1 人就成团了，快邀请好友吧。",
    TextKey.COMBINED: "「{title}」你的团到时未满，已和同款的团合并，还差 {missing} 人成团。",
    TextKey.FORMED: "「{title}」拼团成功，商家开始备货。",
    TextKey.REBATE: (
        "「{title}」已成团，团长免单：{amount} 已发起原路退款，订单照常进行，无需操作。"
    ),
    TextKey.TIER_REBATE: (
        "「{title}」已有 {seats} 人参团，按阶梯价返还 {amount}，已发起原路退款，"
        "订单照常进行，无需操作。"
    ),
    TextKey.CROWD_REBATE: (
        "「{title}」已有 {seats} 人拼成，降价的 {amount} 返还给你，已发起原路退款，"
        "订单照常进行，无需操作。"
    ),
    TextKey.FAILED: "「{title}」这次没有拼成，{amount} 已发起原路退款，无需操作。",
    TextKey.CLOSED: "「{title}」的团由商家提前结束：{reason}。{amount} 已发起原路退款，无需操作。",
    TextKey.LATE: "「{title}」付款成功，但名额已满或已超时。{amount} 已发起原路退款，无需操作。",
    TextKey.PAID_TWICE: "「{title}」之前已经付过款，多付的 {amount} 已发起原路退款，无需操作。",
    TextKey.OLD_PRICE: "「{title}」已改价，按原价付的 {amount} 已发起原路退款。请按新价格付款。",
    TextKey.AFTER_SALE: "「{title}」商家已同意退款，{amount} 已发起原路退款，无需操作。",
    TextKey.SHOP_REFUND: "「{title}」商家给你退款：{reason}。{amount} 已发起原路退款，无需操作。",
    TextKey.AFTER_SALE_REFUSED: (
        "「{title}」商家未同意售后申请：{reply}。可以修改后重新申请，或联系商家。"
    ),
    TextKey.RETURN_AGREED: (
        "「{title}」商家同意退货。请在 {days} 天内寄到：{address}。寄出后请填写快递单号。"
    ),
    TextKey.RETURN_EXPIRED: "「{title}」没有在时间内寄回，退货申请已关闭。需要可以重新申请。",
    TextKey.EXCHANGE_AGREED: (
        "「{title}」商家同意换货，已留好 {units} 件。请在 {days} 天内寄到：{address}。"
        "寄出后请填写快递单号。"
    ),
    TextKey.EXCHANGE_EXPIRED: "「{title}」没有在时间内寄回，换货申请已关闭。需要可以重新申请。",
    TextKey.EXCHANGE_READY: "「{title}」换新的 {units} 件已备好，请到{store}领取。",
    TextKey.EXCHANGE_SENT: "「{title}」换新的 {units} 件已寄出：{carrier} {number}。",
    TextKey.REFUNDED: "「{title}」的 {amount} 已原路退回，请在付款账户的账单中查看。",
    TextKey.REBATED: "「{title}」成团返还的 {amount} 已原路退回，请在付款账户的账单中查看。",
    TextKey.REFUNDED_OUTSIDE: (
        "「{title}」的 {amount} 未能原路退回，商家已用{way}退给你，凭证：{proof}。"
        "没有收到请联系商家。"
    ),
    TextKey.READY: "「{title}」已在{store}备好，取货码 {code}。请到店出示，不要告诉别人。",
    TextKey.SHIPPED: "「{title}」已发货：{carrier} {number}，共 {units} 件。",
    TextKey.PARCEL_CORRECTED: "「{title}」的快递单号已更正为：{carrier} {number}。",
    TextKey.COUPON_GIVEN: (
        "「{title}」的商家送你一张优惠券「{coupon}」（{worth}）：{reason}。已放进「我的优惠券」。"
    ),
    TextKey.COMPENSATED: (
        "「{title}」这次没有拼成，商家补偿你一张优惠券「{coupon}」（{worth}）。已放进「我的优惠券」。"
    ),
    TextKey.COMPENSATED_POINTS: (
        "「{title}」这次没有拼成，商家补偿你 {points} 积分。可以在「我的积分」查看。"
    ),
    TextKey.POINTS_GIVEN: (
        "「{title}」的商家送你 {points} 积分：{reason}。可以在「我的积分」查看。"
    ),
    TextKey.POINTS_EXPIRING: (
        "「{title}」的商家提醒：你有 {points} 积分 {day} 到期，到期后不能再用。"
    ),
    TextKey.COUPONS_EXPIRING: (
        "你有 {coupons} 张优惠券快到期：「{coupon}」（{worth}）能用到 {day}，别忘了用。"
    ),
    TextKey.BIRTHDAY: (
        "「{title}」的商家祝你生日快乐，送你一张优惠券「{coupon}」（{worth}）。已放进「我的优惠券」。"
    ),
    TextKey.GROUPS_COUPON: (
        "「{title}」已完成，你又拼成了 {groups} 个团，商家奖励一张优惠券「{coupon}」（{worth}）。"
        "已放进「我的优惠券」。"
    ),
    TextKey.GROUPS_POINTS: (
        "「{title}」已完成，你又拼成了 {groups} 个团，商家奖励 {points} 积分。"
        "可以在「我的积分」查看。"
    ),
    TextKey.LEADER_COUPON: (
        "「{title}」你开的团拼成了，商家奖励一张优惠券「{coupon}」（{worth}）。已放进「我的优惠券」。"
    ),
    TextKey.REWARD_TAKEN_BACK: (
        "「{title}」已整单退款，因它得到的拼团奖励已收回。用掉的优惠券不收回。"
    ),
    TextKey.INVITED_COUPON: (
        "「{title}」是你受邀在本店拼成的第一单，送你一张优惠券「{coupon}」（{worth}）。"
        "已放进「我的优惠券」。"
    ),
    TextKey.INVITER_COUPON: (
        "你邀请的好友在本店拼成了第一单，送你一张优惠券「{coupon}」（{worth}）。已放进「我的优惠券」。"
    ),
    TextKey.INVITER_POINTS: (
        "你邀请的好友在本店拼成了第一单，送你 {points} 积分。可以在「我的积分」查看。"
    ),
    TextKey.INVITATION_TAKEN_BACK: (
        "你的一个邀请不再成立，因它得到的奖励已收回。用掉的优惠券不收回。在「邀请有礼」可以看到原因。"
    ),
    TextKey.ACTIVITY_BEGUN: "「{title}」开始了，快去开团吧。",
    TextKey.ACTIVITY_SOLD_OUT: "「{title}」开始后已经抢完。点开看看还能怎么买。",
    TextKey.ACTIVITY_OVER: "「{title}」的拼团活动已结束。点开看看还能怎么买。",
    TextKey.SEAT_FREE: "「{title}」的团有名额了，先到先得，快去参团吧。",
    TextKey.AWAITED_FORMED: "「{title}」你等的团已经成团，没有空出名额。点开看看还能怎么拼。",
    TextKey.AWAITED_FAILED: "「{title}」你等的团已经结束。点开看看还能怎么拼。",
}
# Of a group that forms at its deadline with fewer than all, to who has just come into it.
LEAST: Mapping[TextKey, str] = {
    TextKey.OPENED: (
        "「{title}」开团成功，还差 {missing} 人，到时满 {least} 人就成团。把链接发给好友吧。"
    ),
    TextKey.WAITING: (
        "「{title}」付款成功，还差 {missing} 人，到时满 {least} 人就成团。邀请好友一起拼吧。"
    ),
    TextKey.COMBINED: (
        "「{title}」你的团到时未满，已和同款的团合并，还差 {missing} 人，到时满 {least} 人就成团。"
    ),
}
ASSURED: Mapping[TextKey, str] = {  # it has as many as that
    TextKey.OPENED: "「{title}」开团成功，已满 {least} 人，到时成团；再来 {more} 人立即成团。",
    TextKey.WAITING: "「{title}」付款成功，已满 {least} 人，到时成团；再来 {more} 人立即成团。",
    TextKey.COMBINED: (
        "「{title}」你的团到时未满，已和同款的团合并。已满 {least} 人，到时成团；"
        "再来 {more} 人立即成团。"
    ),
    TextKey.ONE_LEFT: "「{title}」已满 {least} 人，到时成团；再来 1 人立即成团，快邀请好友吧。",
}
ASSURED_ONE_LEFT_TITLE = "再来 1 人立即成团"
COMBINED_FULL = "「{title}」你的团到时未满，已和同款的团合并，人数满了，马上成团。"
COUPON_BACK = "。优惠券已退回。"  # ends the sentence, the shop's own too, of an order that used one
ENDED = (TextKey.FAILED, TextKey.CLOSED)  # whose page shows other groups, and what else there is
SEE_OTHERS = "。点开看看还能怎么拼。"
FREE: Mapping[TextKey, str] = {  # where nothing was paid, nothing goes back
    TextKey.FAILED: "「{title}」这次没有拼成。",
    TextKey.CLOSED: "「{title}」的团由商家提前结束：{reason}。",
}


def text_of(key: TextKey, facts: Mapping[str, Any]) -> str:
    """The sentence of a message. facts: title, amount_fen, missing, reply, carrier, number,
    units, as the key needs."""
    text = FREE[key] if is_free(key, facts) else TEXTS[key]
    if facts.get("least"):
        text = (ASSURED if is_assured(facts) else LEAST).get(key, text)
    elif is_full(key, facts):
        text = COMBINED_FULL
    return text.format(**words_for(facts))


def title_of(key: TextKey, facts: Mapping[str, Any]) -> str:
    assured = key is TextKey.ONE_LEFT and is_assured(facts)
    return ASSURED_ONE_LEFT_TITLE if assured else TITLES[key]


def is_assured(facts: Mapping[str, Any]) -> bool:
    """Whether the group forms at its deadline, whoever else comes: nobody is missing."""
    return bool(facts.get("least")) and not facts.get("missing")


def is_full(key: TextKey, facts: Mapping[str, Any]) -> bool:
    """Whether nobody is missing, so that it forms, of a group that others were moved into."""
    return key is TextKey.COMBINED and not facts.get("missing")


def is_free(key: TextKey, facts: Mapping[str, Any]) -> bool:
    """Whether the usual sentence speaks of money that was never paid."""
    return key in FREE and not facts.get("amount_fen", 0)


def words_for(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts as a sentence names them."""
    return {"title": "", **facts, "amount": yuan(facts.get("amount_fen", 0))}
