"""Invitations, as answers show them."""

from collections.abc import Mapping, Sequence

from chalicelib.api import invitation_schemas as schemas
from chalicelib.api import reward_shapes
from chalicelib.domain.invitations import InvitationsRule, InvitationState, Why
from chalicelib.domain.recipient import masked_name
from chalicelib.services.growth import invitations
from chalicelib.services.reports import invitation_lists
from chalicelib.services.reports.invitation_lists import Listed
from chalicelib.tables.invitations import InvitationItem
from chalicelib.text import Text

_WHY: Mapping[Why, str] = {
    Why.SELF: "邀请人和被邀请人是同一个人",
    Why.BOUGHT_BEFORE: "对方在本店买过，不是新客",
    Why.CYCLE: "对方先邀请了你，互相邀请只算一次",
    Why.FAILED: "团没有拼成，退款了",
    Why.REFUNDED: "订单整单退款",
    Why.FREE: "订单没有付钱",
    Why.CLOSED: "有一方注销了账号",
    Why.LIMIT: "这个月的人数已满",
    Why.STAFF: "店铺核对后不算",
}
_DOUBTS: Mapping[str, str] = {
    Why.SAME_PHONE: "收件电话和邀请人的一样",
    Why.SAME_ADDRESS: "收件地址和邀请人的一样",
    Why.SAME_PAYER: "和邀请人的订单是同一个账户付的款",
}


def of_person(merchant_id: str, ids: Sequence[str]) -> list[schemas.InvitedShown]:
    """Whom a person has invited, the newest first."""
    made = invitations.by_inviter(merchant_id, ids)
    return [invited(one) for one in invitation_lists.with_names(merchant_id, made)]


def invited(listed: Listed) -> schemas.InvitedShown:
    """Somebody whom a buyer has invited, as the buyer sees them."""
    item = listed.invitation
    return schemas.InvitedShown(
        at_s=item.made_at_s or 0,
        name=masked_name(listed.name),
        state=item.known_state,
        state_words=_state_words(item),
        coupon=item.coupon if item.coupon_id else "",
        points=item.points_given,
    )


def shown(listed: Listed) -> schemas.InvitationShown:
    """An invitation as staff see it."""
    item = listed.invitation
    doubts = [Why(doubt) for doubt in item.doubts or ()]
    return schemas.InvitationShown(
        buyer_id=item.buyer_id,
        name=listed.name,
        inviter_id=item.inviter_id or "",
        inviter_name=listed.inviter_name,
        channel=item.channel or "",
        touched_at_s=item.touched_at_s or 0,
        order_id=item.order_id or "",
        at_s=item.made_at_s or 0,
        state=item.known_state,
        state_words=_state_words(item),
        doubts=doubts,
        doubt_words=[Text(_DOUBTS[doubt]) for doubt in doubts],
        coupon=item.coupon if item.coupon_id else "",
        points=item.points_given,
        gift=item.gift if item.gift_coupon_id else "",
        reply=item.reply,
        decided_by=item.refused_by or item.allowed_by,
    )


def gives(merchant_id: str, rule: InvitationsRule, now_s: int) -> str:
    """What an invitation brings now; empty: nothing."""
    return reward_shapes.brought(merchant_id, rule.on, rule.coupon_id, rule.points, now_s)


def gift(merchant_id: str, rule: InvitationsRule, now_s: int) -> str:
    """The coupon that a new buyer is given now, in words; empty: none."""
    return reward_shapes.brought(merchant_id, rule.on, rule.gift_id, 0, now_s)


def _state_words(item: InvitationItem) -> str:
    state = item.known_state
    if state is InvitationState.PENDING:
        words = "等对方的订单完成满 {days} 天" if item.wait_days else "等对方的订单完成"
        return Text(words, days=item.wait_days)
    if state is InvitationState.GRANTED:
        has_any = item.coupon_id or item.points_given
        return Text("已发放" if has_any else "优惠券已发完，或已达每人上限，没有发放")
    return Text("店铺核对中") if state is InvitationState.HELD else _end_words(item)


def _end_words(item: InvitationItem) -> str:
    """What an invitation that is over came to, and why."""
    why = Text(_WHY[item.known_why]) if item.known_why is not None else ""
    if item.reply:
        return Text("不算：{reply}", reply=item.reply)
    if item.known_state is InvitationState.REFUSED:
        return Text("不算：{why}", why=why)
    words = "已收回，用掉的优惠券除外：{why}" if item.coupon_kept else "已收回：{why}"
    return Text(words, why=why)
