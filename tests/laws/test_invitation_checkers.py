"""Each law of invitations notices what breaks it."""

import re
from collections.abc import Callable

import pytest
from pynamodb.expressions.update import Action

from chalicelib.services.growth import invitations
from chalicelib.tables.base import StoredItem
from chalicelib.tables.growth import CouponItem
from chalicelib.tables.invitations import InvitationItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.shop import Shop
from tests.laws.faults.workflows.invitations import brought, decide

Planted = tuple[StoredItem, list[Action]]


def granted(shop: Shop) -> tuple[InvitationItem, OrderItem]:
    """An invitation that brought coupons and points, and its order."""
    _, buyer, order = brought(shop)
    decide(shop, buyer)
    return invitations.items_of(shop.merchant_id, [buyer])[buyer], order


def share_not_visited(shop: Shop) -> Planted:
    item, _ = granted(shop)
    return item, [InvitationItem.share_id.set("0" * 22)]


def another_order(shop: Shop) -> Planted:
    item, _ = granted(shop)
    other = next(it for it in shop.check().orders.values() if it.buyer_id != item.buyer_id)
    return item, [InvitationItem.order_id.set(str(other.order_id))]


def touched_too_late(shop: Shop) -> Planted:
    item, order = granted(shop)
    return item, [InvitationItem.touched_at_s.set(order.order_id.placed_at_s + 1)]


def more_points_than_came(shop: Shop) -> Planted:
    return granted(shop)[0], [InvitationItem.points_given.set(60)]


def coupon_taken_alone(shop: Shop) -> Planted:
    item, _ = granted(shop)
    coupon = shop.check().coupons[str(item.gift_coupon_id)]
    return coupon, [CouponItem.taken_back_at_s.set(1), CouponItem.list_key.remove()]


def of_oneself(shop: Shop) -> Planted:
    item, _ = granted(shop)
    return item, [InvitationItem.inviter_id.set(item.buyer_id)]


def marked(shop: Shop) -> Planted:
    item, _ = granted(shop)
    return item, item.moved(shop.now_s)


@pytest.mark.parametrize(
    ("said", "plant"),
    [
        ("37 invitations: .* was granted for a share that nobody visited", share_not_visited),
        ("37 invitations: .* was granted for another's order", another_order),
        ("37 invitations: .* was granted for order .*, which it did not bring", touched_too_late),
        ("37 invitations: .* has -10 points more invited than were given", more_points_than_came),
        ("37 invitations: coupon .* of one granted is gone: True", coupon_taken_alone),
        ("37 invitations: .* is granted, by themselves", of_oneself),
        ("37 invitations: .* is granted, who had bought before", another_order),
        ("37 invitations: .* is granted and yet to be decided", marked),
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
