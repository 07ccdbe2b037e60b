"""Acts of the demonstration about invitations: a share, a stranger, and what that brings."""

from typing import Any

from infra.local import demo_data, deploy
from infra.local.api_client import Api
from infra.local.demo_data import HONEY, MERCHANT_ID
from infra.local.demo_play import Play
from infra.local.demo_points import received
from infra.local.demo_prices import expect
from infra.local.demo_story import join_and_pay
from infra.local.phone import Phone

POINTS = 300
VISITOR = "demo-visitor-0001"
JOB = "ExpirePoints"  # every minute by itself
GIFT: dict[str, Any] = {
    "name": "新客礼券",
    "kind": "amount",
    "off_fen": 300,
    "given": "shop",
    "days": 7,
    "total": 100,
}


def bring_a_new_buyer(play: Play) -> None:
    """A stranger comes by a share, buys, and brings who shared it something; staff are asked,
    since both have one address."""
    play.act("邀请有礼 带来新客", f"好友第一单拼成、完成后，邀请人得 {POINTS} 积分，新客得一张券")
    inviter, friend = play.buyer("knows", "晓岚"), play.buyer("new", "初见")
    gift = play.staff.api.post("/v1/merchant/coupons", GIFT, key="demo-invitations-coupon")
    _set_rule(play, gift["template_id"])
    offer = play.publish(HONEY, seats=2)
    opened = play.open_group(inviter, HONEY, offer)
    _share(play, inviter, friend, opened.group_id)
    placed = join_and_pay(play, friend, offer, opened.group_id)
    play.until_order(friend, placed, "已成团待发货")
    held = play.until("邀请待核对", lambda: _listed(play, "held"))
    play.tell("店员", f"邀请待核对：{'、'.join(held['doubt_words'])}；问过了，是邻居，算数")
    play.staff.api.post(f"/v1/merchant/invitations/{held['buyer_id']}/allowance")
    order = received(play, friend, placed)
    item = play.until("邀请奖励到账", lambda: _own(play, inviter, "granted"))
    expect(inviter.points()["balance"] == item["points"] == POINTS, "邀请人的积分到账")
    expect(friend.points()["balance"] == order["points_earned"], "新客只有自己订单的积分")
    got = f"{item['points']} 积分，{item['state_words']}"
    play.tell(inviter.name, f"带来新客 {item['name']}：{got}")
    for phone, keys in ((inviter, ("inviter_points",)), (friend, ("invited_coupon",))):
        for message in phone.api.get("/v1/me/messages")["items"]:
            if message["text_key"] in keys:
                play.tell(phone.name, f"  收到消息【{message['title']}】{message['text']}")


def _set_rule(play: Play, gift_id: str) -> None:
    now = play.staff.api.get("/v1/merchant/settings")
    now.pop("merchant_id")
    rule = demo_data.INVITATIONS | {"points": POINTS, "gift_id": gift_id}
    play.staff.api.put("/v1/merchant/settings", now | {"invitations": rule})


def _share(play: Play, inviter: Phone, friend: Phone, group_id: str) -> None:
    """The inviter shares the group; the friend opens it as a stranger, and logs in."""
    path = f"/v1/groups/{group_id}/shares"
    share_id = str(inviter.api.post(path, {"channel": "link"})["share_id"])
    stranger: Api = play.system.api
    visits = f"/v1/merchants/{MERCHANT_ID}/shares/{share_id}/visits"
    stranger.post(visits, {"visitor_id": VISITOR})
    friend.api.post("/v1/me/touches", {"visitor_id": VISITOR, "share_ids": [share_id]})
    play.tell(inviter.name, f"把团分享给 {friend.name}，{friend.name} 打开链接，登录")


def _listed(play: Play, state: str) -> Any:
    deploy.run_job(play.system.aws_url, JOB)
    items = play.staff.api.get(f"/v1/merchant/invitations?state={state}")["items"]
    return items[0] if items else None


def _own(play: Play, inviter: Phone, state: str) -> Any:
    deploy.run_job(play.system.aws_url, JOB)
    items = inviter.api.get("/v1/me/invitations")["items"]
    return next((item for item in items if item["state"] == state), None)
