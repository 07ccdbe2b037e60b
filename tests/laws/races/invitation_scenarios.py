"""Invitations are decided at once, while their people turn out to be one, invite each other, and
get their money back."""

import random

from chalicelib.domain.identity import Identity, Way
from chalicelib.domain.ids import new_id
from chalicelib.services.people import identities
from tests.fixtures.concurrency import race
from tests.fixtures.shop import ActivityIds, Shop
from tests.fixtures.staff_requests import give_back
from tests.laws.faults.workflows.invitations import decide, first_order
from tests.laws.faults.workflows.rewards import receive
from tests.laws.races.reward_scenarios import log_in


def invitations_against_everything(shop: Shop, *, rounds: int, chance: random.Random) -> None:
    """Run the rounds one after another."""
    template_id = shop.coupons(total=1000, per_buyer=9)
    shop.invite(coupon_id=template_id, gift_id=template_id, per_month=3)
    sold = shop.activity(seats=2, stock=1000, product_stock=2000)
    for number in range(rounds):
        (_merged, _mutual)[number % 2](shop, sold, chance)


def _merged(shop: Shop, sold: ActivityIds, chance: random.Random) -> None:
    """Two whom one inviter brought are one person; so are the inviter and a third."""
    phones = [Identity(Way.PHONE, new_id()) for _ in range(2)]
    older, younger, third = (log_in(shop, shop.now_s - age).buyer_id for age in (3, 2, 1))
    inviter = log_in(shop, shop.now_s).buyer_id
    identities.prove(shop.merchant_id, younger, phones[0], now_s=shop.now_s)
    identities.prove(shop.merchant_id, third, phones[1], now_s=shop.now_s)
    buyers = (older, younger, third)
    orders = [first_order(shop, sold, inviter, buyer) for buyer in buyers]
    for order in orders[1:]:
        receive(shop, order)
    race(
        chance,
        lambda: receive(shop, orders[0]),
        lambda: identities.prove(shop.merchant_id, older, phones[0], now_s=shop.now_s),
        lambda: identities.prove(shop.merchant_id, inviter, phones[1], now_s=shop.now_s),
        lambda: give_back(shop, orders[1], orders[1].total_fen),
        *(lambda buyer=buyer: decide(shop, buyer) for buyer in buyers * 2),
    )


def _mutual(shop: Shop, sold: ActivityIds, chance: random.Random) -> None:
    """Two new buyers bring each other; the address is never the same."""
    one, other = (log_in(shop, shop.now_s - age).buyer_id for age in (1, 0))
    orders = [first_order(shop, sold, other, one), first_order(shop, sold, one, other)]
    race(
        chance,
        *(lambda order=order: receive(shop, order) for order in orders),
        *(lambda buyer=buyer: decide(shop, buyer) for buyer in (one, other) * 3),
    )
