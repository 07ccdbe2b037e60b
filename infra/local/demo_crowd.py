"""Acts of the demonstration about crowds: the more people all groups of an activity have, the lower
the price for everybody, those who bought before as well."""

from typing import Any

from chalicelib.domain.money import yuan
from infra.local.demo_data import KIWI
from infra.local.demo_play import Play
from infra.local.demo_prices import expect
from infra.local.demo_story import cast, join_and_pay
from infra.local.phone import Phone, Placed
from infra.local.shop import Offer

LADDER = ((4, 300), (6, 900))  # (people in all groups, what goes back of each unit)
RULES: dict[str, Any] = {
    "tiers": [],
    "seats_least": 0,
    "limit_per_order": 2,
    "crowd_tiers": [{"seats": seats, "off_fen": off_fen} for seats, off_fen in LADDER],
}


def bring_the_price_down(play: Play) -> None:
    """Three groups of two form one after the other: the first gets each difference as it comes, the
    last all of it at once."""
    play.act(
        "万人团 越多人拼越便宜",
        "2 人团 ¥59；拼成 4 人每件返 ¥3，6 人返 ¥9，先买的也退",
    )
    xiaoman, xingyuan, zhixia = cast(play)
    friends = [play.buyer(f"crowd{n}", f"街坊{n}") for n in "甲乙丙丁"]
    offer = play.publish(KIWI, seats=2, **RULES)
    first = _form(play, offer, xiaoman, friends[0])
    play.tell("系统", f"第一个团成团，共 2 人；{xiaoman.name}先付 {yuan(first.total_fen)}")
    _form(play, offer, xingyuan, friends[1])
    _told_back(play, xiaoman, first, 300)
    play.tell("系统", "第二个团成团，共 4 人：已拼成的人都退 ¥3")
    last = _form(play, offer, zhixia, friends[2])
    _told_back(play, xiaoman, first, 900)
    _told_back(play, zhixia, last, 900)
    play.tell("系统", f"第三个团成团，共 6 人：{xiaoman.name}再退 ¥6，{zhixia.name}退 ¥9，都是 ¥50")
    play.tell_messages(xiaoman, first)


def _form(play: Play, offer: Offer, leader: Phone, friend: Phone) -> Placed:
    """A group of two that has formed; its leader's order."""
    placed = play.open_group(leader, KIWI, offer)
    join_and_pay(play, friend, offer, placed.group_id)
    play.until("成团", lambda: play.group(placed.group_id)["status"] == "formed")
    return placed


def _told_back(play: Play, phone: Phone, placed: Placed, back_fen: int) -> None:
    """Wait until so much has arrived in all, while the order goes on."""

    def arrived() -> bool:
        order = play.until_order(phone, placed, "已成团待发货")
        back = [one["amount_fen"] for one in order["refunds"] if one["status"] == "succeeded"]
        return bool(sum(back) >= back_fen)

    play.until(f"{phone.name}的差价到账", arrived)
    back = [one["amount_fen"] for one in play.until_order(phone, placed, "已成团待发货")["refunds"]]
    expect(sum(back) == back_fen, f"一共退给{phone.name} {yuan(back_fen)}")
    play.tell(phone.name, f"已返还 {yuan(back_fen)}，订单照常：已成团待发货")
