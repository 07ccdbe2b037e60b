"""Each law of points and growth notices what breaks it."""

import re
from collections.abc import Callable

import pytest
from pynamodb.expressions.update import Action

from chalicelib.domain.birthday import Birthday
from chalicelib.services.fulfilment import receipts
from chalicelib.services.orders import birthdays
from chalicelib.tables.base import StoredItem, get_or_none
from chalicelib.tables.growth import BirthdayItem, CouponItem, PointsGrantItem, PointsItem
from chalicelib.tables.shop import PointsOfferItem
from chalicelib.tables.trade import OrderDetailItem, OrderItem
from tests.fixtures.shop import Shop
from tests.fixtures.staff_requests import ship

Planted = tuple[StoredItem, list[Action]]


def bought(shop: Shop) -> tuple[OrderItem, PointsItem]:
    """An unpaid order of ¥89.00 which 1,000 of its buyer's 3,000 points were used for."""
    shop.take_points()
    sold, buyer = shop.activity(product_stock=120), shop.buyer()
    before = shop.buy_alone(sold, buyer)
    shop.cancel(before)
    shop.give_points(before, 3000, "one")
    order = shop.buy_alone(sold, buyer, points=1000)
    assert order.total_fen == 8900
    account = get_or_none(PointsItem.at(shop.merchant_id, buyer))
    assert account is not None
    return order, account


def one_point_more(shop: Shop) -> Planted:
    return bought(shop)[1], [PointsItem.balance.add(1)]


def fewer_in_lots(shop: Shop) -> Planted:
    _, account = bought(shop)
    (lot,) = account.lots.as_dict()
    return account, [PointsItem.lots[lot].set(1999)]


def entry_lost(shop: Shop) -> Planted:
    _, account = bought(shop)
    return account, [PointsItem.entries.set(list(account.entries)[:1])]


def spent_before_they_came(shop: Shop) -> Planted:
    _, account = bought(shop)
    return account, [PointsItem.entries.set(list(account.entries)[::-1])]


def page_lost(shop: Shop) -> Planted:
    return bought(shop)[1], [PointsItem.pages.set(1)]


def closed_and_full(shop: Shop) -> Planted:
    return bought(shop)[1], [PointsItem.closed_at_s.set(shop.now_s)]


def order_used_more(shop: Shop) -> Planted:
    order, account = bought(shop)
    (lot,) = account.lots.as_dict()
    return order, [OrderItem.points["used"][lot].set(1100)]


def order_used_none(shop: Shop) -> Planted:
    return bought(shop)[0], [OrderItem.points.remove()]


def more_taken_off(shop: Shop) -> Planted:
    order, _ = bought(shop)
    detail = OrderDetailItem.at(shop.merchant_id, order.order_id)
    return detail, [OrderDetailItem.lines["points_fen"].set(1050)]


def grown_twice(shop: Shop) -> Planted:
    shop.take_points()
    order = shop.buy_alone(shop.activity(product_stock=120), shop.buyer())
    shop.pay(order)
    ship(shop, order)
    receipts.confirm(shop.merchant_id, order.order_id, now_s=shop.now_s)
    account = get_or_none(PointsItem.at(shop.merchant_id, order.buyer_id))
    assert account is not None
    assert account.growth == 99
    return account, [PointsItem.growth.add(99)]


def birthday_not_due(shop: Shop) -> Planted:
    buyer = shop.buyer()
    birthdays.tell(shop.merchant_id, buyer, Birthday(2, 29), now_s=shop.now_s)
    item = get_or_none(BirthdayItem.at(shop.merchant_id, buyer))
    assert item is not None
    return item, [BirthdayItem.due_at_s.remove(), BirthdayItem.due_shard.remove()]


def never_asked_for(shop: Shop) -> Planted:
    bought(shop)
    (grant,) = shop.check().points_grants
    return grant, [PointsGrantItem.points.set(2000)]


def coupon_for_less(shop: Shop) -> Planted:
    _, account = bought(shop)
    shop.claim(shop.coupons(points=600), account.buyer_id)
    (coupon,) = shop.check().coupons.values()
    return coupon, [CouponItem.points.set(500)]


def exchanged(shop: Shop) -> OrderItem:
    """An order of two units, for 600 points and ¥1.00 each."""
    order, _ = bought(shop)
    sold = shop.activity(product_stock=120)
    return shop.exchange(sold, shop.offer(sold), order.buyer_id, quantity=2)


def exchanged_for_less(shop: Shop) -> Planted:
    return exchanged(shop), [OrderItem.points["each"].set(500)]


def paid_less_besides(shop: Shop) -> Planted:
    return exchanged(shop), [OrderItem.total_fen.set(100)]


def more_than_it_has(shop: Shop) -> Planted:
    order = exchanged(shop)
    offer = PointsOfferItem.at(shop.merchant_id, order.activity_id)
    return offer, [PointsOfferItem.total.set(9)]


def ended_and_stocked(shop: Shop) -> Planted:
    order = exchanged(shop)
    offer = PointsOfferItem.at(shop.merchant_id, order.activity_id)
    return offer, [PointsOfferItem.removed_at_s.set(shop.now_s)]


def not_due(shop: Shop) -> Planted:
    return bought(shop)[1], [PointsItem.due_at_s.remove(), PointsItem.due_shard.remove()]


@pytest.mark.parametrize(
    ("said", "plant"),
    [
        ("32 points: account of .* has 2001, its entries 2000", one_point_more),
        (r"32 points: account of .* has 2000 in lots .*1999", fewer_in_lots),
        ("32 points: account of .* has 2000, its entries 3000", entry_lost),
        ("32 points: pending order .* spent 0, not -1000", entry_lost),
        ("32 points: account of .*: spent -1000 leaves -1000", spent_before_they_came),
        ("32 points: account of .* has 0 pages, not 1", page_lost),
        ("32 points: account of .* was closed at .* and has 2000", closed_and_full),
        ("32 points: pending order .* spent -1000, not -1100", order_used_more),
        ("32 points: order .* has 1000 fen off by 1000 points, and spent 0", order_used_none),
        ("32 points: order .* has 1050 fen off by 1000 points, which is no", more_taken_off),
        ("11 amounts: order .* is of 8900 fen", more_taken_off),
        ("15 work: birthday of .* is due at None", birthday_not_due),
        ("33 growth: .* has grown 198, their orders 99", grown_twice),
        ("32 points: the shop gave 2000, the accounts say 3000", never_asked_for),
        ("32 points: coupons of .* cost -100 more than was paid", coupon_for_less),
        ("32 points: order .* has units for .*, its offer for 600", exchanged_for_less),
        ("11 amounts: order .* is of 100 fen", paid_less_besides),
        ("32 points: offer .* has 8, gave 2, of 9", more_than_it_has),
        ("32 points: offer .* is over: True, its stock of 8 ended: False", ended_and_stocked),
        ("32 points: offer .* is over: True, its product says", ended_and_stocked),
        ("15 work: points of .* are due at .*, marked for None", not_due),
    ],
)
def test_what_breaks_a_law_is_reported(
    shop: Shop, said: str, plant: Callable[[Shop], Planted]
) -> None:
    item, actions = plant(shop)
    shop.check()

    item.update(actions=actions)

    with pytest.raises(AssertionError) as broken:
        shop.check()
    assert re.search(said, str(broken.value)), broken.value
