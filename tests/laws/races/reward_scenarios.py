"""Rewards are reckoned at once, while their buyers turn out to be one person, use the coupons and
get their money back."""

import random

from chalicelib.domain.identity import Identity, Way
from chalicelib.domain.ids import new_id
from chalicelib.services.growth import rewards
from chalicelib.services.people import identities
from chalicelib.tables.buyers import BuyerItem
from tests.fixtures.concurrency import race
from tests.fixtures.shop import ActivityIds, Shop
from tests.fixtures.staff_requests import give_back
from tests.laws.faults.workflows.rewards import led, receive, reckon


def rewards_against_everything(shop: Shop, *, rounds: int, chance: random.Random) -> None:
    """Run the rounds one after another."""
    shop.reward(coupon_id=shop.coupons(total=1000, per_buyer=9))
    sold = shop.activity(seats=2, stock=1000, product_stock=2000)
    for _ in range(rounds):
        _round(shop, sold, chance)


def _round(shop: Shop, sold: ActivityIds, chance: random.Random) -> None:
    phone = Identity(Way.PHONE, new_id())
    older, younger = (log_in(shop, shop.now_s - age) for age in (1, 0))
    identities.prove(shop.merchant_id, younger.buyer_id, phone, now_s=shop.now_s)
    first, second = (led(shop, sold, younger.buyer_id) for _ in range(2))
    third = led(shop, sold, older.buyer_id)
    for order in (first, third):
        receive(shop, order)
    race(
        chance,
        lambda: receive(shop, second),
        lambda: identities.prove(shop.merchant_id, older.buyer_id, phone, now_s=shop.now_s),
        lambda: give_back(shop, first, first.total_fen),
        lambda: reckon(shop, younger.buyer_id),
        lambda: reckon(shop, older.buyer_id),
        lambda: reckon(shop, younger.buyer_id),
        lambda: _use_a_coupon(shop, sold, younger.buyer_id),
    )


def log_in(shop: Shop, since_s: int) -> BuyerItem:
    stated = [Identity(Way.WECHAT_MINI, new_id(), "wx-1" if since_s < shop.now_s else "wx-2")]
    return identities.log_in(shop.merchant_id, stated, now_s=since_s)


def _use_a_coupon(shop: Shop, sold: ActivityIds, buyer_id: str) -> None:
    """Buy alone with a coupon that a reward brought, if there is one yet."""
    reckon(shop, buyer_id)
    items = rewards.given(shop.merchant_id, [buyer_id])
    coupon_id = next((str(item.coupon_id) for item in items if item.coupon_id), "")
    shop.buy_alone(sold, buyer_id, coupon_id=coupon_id)
