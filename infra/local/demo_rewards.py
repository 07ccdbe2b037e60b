"""Acts of the demonstration about rewards: what groups bring who opens and joins them."""

from typing import Any

from infra.local import demo_data, deploy
from infra.local.demo_data import HONEY
from infra.local.demo_play import Play
from infra.local.demo_points import received
from infra.local.demo_prices import expect
from infra.local.demo_story import join_and_pay
from infra.local.phone import Phone, Placed

EVERY, POINTS = 2, 200
TOLD = ("leader_coupon", "groups_points")
COUPON: dict[str, Any] = {
    "name": "开团有礼券",
    "kind": "amount",
    "off_fen": 300,
    "given": "shop",
    "per_buyer": 9,
    "days": 7,
    "total": 100,
}


def reward_groups(play: Play) -> None:
    """Two groups of one leader are received: each brings a coupon, both together points."""
    play.act(
        "拼团奖励 拼得多，送得多",
        f"每拼成 {EVERY} 个团送 {POINTS} 积分，开团再送一张券；整单退款就收回",
    )
    leader, friend = (play.buyer(code, name) for code, name in (("led", "青禾"), ("came", "远山")))
    coupon = play.staff.api.post("/v1/merchant/coupons", COUPON, key="demo-rewards-coupon")
    _set_rule(play)
    offer = play.publish(HONEY, seats=2, leader_coupon_id=coupon["template_id"])
    placed = [_led(play, leader, friend, offer) for _ in range(EVERY)]
    deploy.run_job(play.system.aws_url, "ExpirePoints")  # within a minute by itself
    items = play.until("奖励到账", lambda: _rewards(leader, given=1 + EVERY))
    expect(leader.points()["balance"] == POINTS + _earned(leader, placed), "积分到账")
    for item in reversed(items):
        got = f"「{item['coupon']}」" if item["coupon"] else f" {item['points']} 积分"
        play.tell(leader.name, f"{item['words']}，得到{got}")
    order = placed[-1].order_id
    for message in leader.messages(order):
        if message["text_key"] in TOLD:
            play.tell(leader.name, f"  收到消息【{message['title']}】{message['text']}")


def _set_rule(play: Play) -> None:
    now = play.staff.api.get("/v1/merchant/settings")
    now.pop("merchant_id")
    rule = demo_data.REWARDS | {"every": EVERY, "points": POINTS}
    play.staff.api.put("/v1/merchant/settings", now | {"rewards": rule})


def _led(play: Play, leader: Phone, friend: Phone, offer: Any) -> Placed:
    placed = play.open_group(leader, HONEY, offer)
    join_and_pay(play, friend, offer, placed.group_id)
    play.until_order(leader, placed, "已成团待发货")
    received(play, leader, placed)
    return placed


def _rewards(leader: Phone, *, given: int) -> Any:
    """The buyer's rewards once so many stand; None before."""
    items = leader.api.get("/v1/me/rewards")["items"]
    return items if sum(item["state"] == "given" for item in items) == given else None


def _earned(leader: Phone, placed: list[Placed]) -> int:
    return sum(int(leader.order(one.order_id)["points_earned"]) for one in placed)
