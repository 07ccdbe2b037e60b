"""Acts of the demonstration about who may buy, and how fast: groups for new buyers alone, and a
rush that an activity slows down."""

import time
from concurrent.futures import ThreadPoolExecutor

from infra.local import pace
from infra.local.demo_data import HONEY, MUSHROOM
from infra.local.demo_play import Play
from infra.local.demo_prices import expect
from infra.local.demo_story import cast, join_and_pay
from infra.local.phone import Phone, Placed, placed_of
from infra.local.shop import Offer

RUSHERS = 6
RUSH_S = 60  # on an idle machine


def welcome_new_buyers(play: Play) -> None:
    """Who has bought before can neither open a group nor join one."""
    play.act("新客团 只给新客", "开团、参团都要是没买过的新客；老客会被告知怎么办")
    xiaoman, _, _ = cast(play)
    leader, friend = play.buyer("fresh1", "初来甲"), play.buyer("fresh2", "初来乙")
    offer = play.publish(MUSHROOM, seats=2, new_buyers="all")
    refused = xiaoman.try_to_open(offer)
    expect(refused.code == "new_buyers_only", f"老客开团：{refused.code}")
    play.tell(xiaoman.name, f"开团得到回答：{refused.body['message']}")
    placed = play.open_group(leader, MUSHROOM, offer)
    refused = xiaoman.try_to_join(offer, placed.group_id)
    expect(refused.code == "new_buyers_only", f"老客参团：{refused.code}")
    join_and_pay(play, friend, offer, placed.group_id)
    play.until_order(leader, placed, "已成团待发货")
    play.tell("系统", "两位新客成团，待发货")


def slow_a_rush(play: Play) -> None:
    """Everybody taps at once, and one seat is taken in a minute; who is told to wait taps again."""
    play.act("限时团 每分钟只放一个名额", f"{RUSHERS} 人同时参团，没抢到的等下一分钟再点")
    xiaoman, _, _ = cast(play)
    phones = [play.buyer(f"rush{n}", f"限时{n}") for n in range(1, RUSHERS + 1)]
    offer = play.publish(HONEY, seats=RUSHERS + 1, per_minute=1)
    placed = play.open_group(xiaoman, HONEY, offer)
    told: list[str] = []

    def join(phone: Phone) -> Placed:
        return phone.buy(lambda: _join_in_time(phone, offer, placed.group_id, told))

    with ThreadPoolExecutor(RUSHERS) as pool:
        joined = list(pool.map(join, phones))
    expect(bool(told), "没有人被告知等一等")
    play.tell("系统", f"有人得到回答：{told[0]}")
    # What is held as long is held from the minute in which it was taken.
    expect(len({one.pay_by_s for one in joined}) == RUSHERS, "每分钟只有一个名额")
    play.until_order(xiaoman, placed, "已成团待发货")
    play.tell("系统", f"{RUSHERS} 人各在一分钟里参团，成团")


def _join_in_time(phone: Phone, offer: Offer, group_id: str, told: list[str]) -> Placed:
    """Take a seat, in the next minute where there is none left in this one."""
    until_s = time.monotonic() + pace.patient(RUSH_S)
    while True:
        reply = phone.try_to_join(offer, group_id)
        if not reply.code:
            return placed_of(reply.body)
        expect(reply.code == "too_fast_now", f"参团：{reply.code}")
        expect(time.monotonic() < until_s, f"{RUSH_S} 秒里没有抢到")
        told.append(reply.body["message"])
        time.sleep(max(0.0, reply.body["details"]["retry_at_s"] - time.time()))
