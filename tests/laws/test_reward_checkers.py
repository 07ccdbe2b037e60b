"""Each law of rewards notices what breaks it."""

import re
from collections.abc import Callable

import pytest
from pynamodb.expressions.update import Action

from chalicelib.services.growth import rewards
from chalicelib.tables.base import StoredItem
from chalicelib.tables.growth import CouponItem
from chalicelib.tables.rewards import RewardItem, RewardsItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.shop import Shop
from tests.laws.faults.workflows.rewards import receive, reckon, second_group

Planted = tuple[StoredItem, list[Action]]


def given(shop: Shop) -> tuple[RewardItem, list[OrderItem]]:
    """The coupon and the points that a buyer's two groups brought, and the orders."""
    buyer, orders = second_group(shop)
    receive(shop, orders[1])
    reckon(shop, buyer)
    items = rewards.given(shop.merchant_id, [buyer])
    return next(item for item in items if item.why == "groups"), orders


def order_of_another_reward(shop: Shop) -> Planted:
    item, orders = given(shop)
    other = next(
        it
        for it in rewards.given(shop.merchant_id, [item.buyer_id])
        if it.why == "leader" and it.orders == [str(orders[0].order_id)]
    )
    return other, [RewardItem.orders.set([str(orders[1].order_id)])]


def more_points_than_came(shop: Shop) -> Planted:
    return given(shop)[0], [RewardItem.points.set(60)]


def coupon_taken_alone(shop: Shop) -> Planted:
    item, _ = given(shop)
    coupon = shop.check().coupons[str(item.coupon_id)]
    return coupon, [CouponItem.taken_back_at_s.set(1), CouponItem.list_key.remove()]


def order_went_back(shop: Shop) -> Planted:
    item, orders = given(shop)
    return item, [RewardItem.orders.set([str(orders[0].order_id), "0" * 36])]


def never_given(shop: Shop) -> Planted:
    item, _ = given(shop)
    return item, [RewardItem.taken_back_at_s.set(shop.now_s)]


def marked(shop: Shop) -> Planted:
    item, _ = given(shop)
    key = RewardsItem.at(shop.merchant_id, item.buyer_id)
    return key, key.moved(shop.now_s)


@pytest.mark.parametrize(
    ("said", "plant"),
    [
        ("36 rewards: order .* is in 2 for leader", order_of_another_reward),
        ("36 rewards: .* has -10 points more rewarded", more_points_than_came),
        ("36 rewards: coupon .* of a reward given is gone: True", coupon_taken_alone),
        ("36 rewards: groups .* is for another's order", order_went_back),
        ("36 rewards: .* has to give back", order_went_back),
        ("36 rewards: coupon .* of a reward taken_back is gone: False", never_given),
        ("36 rewards: .* is owed ", never_given),
        ("36 rewards: what .* is owed is yet to be reckoned", marked),
    ],
)
def test_what_breaks_a_law_is_reported(
    shop: Shop, said: str, plant: Callable[[Shop], Planted]
) -> None:
    item, actions = plant(shop)
    shop.run_jobs(2)
    shop.check(quiescent=True)

    item.update(actions=actions)

    with pytest.raises(AssertionError) as broken:
        shop.check(quiescent=True)
    assert re.search(said, str(broken.value)), broken.value
