"""Workflows of points: spent, given back, earned, taken back, given by staff, run out."""

from chalicelib.domain.coupon import CouponId
from chalicelib.domain.points import PointsExpiry
from chalicelib.services.catalogue import points_offers
from chalicelib.services.fulfilment import receipts
from chalicelib.services.work import due
from chalicelib.tables.growth import CouponItem, PointsItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.shop import DAY_S, GRACE_S, LIFE_S, PAY_BY_S, ActivityIds, Shop
from tests.fixtures.staff_requests import give_back, ship
from tests.laws.faults.sandbox import Act
from tests.laws.faults.workflows.registry import process_group, process_order, workflow


def rich_buyer(shop: Shop, sold: ActivityIds) -> str:
    """A buyer whom staff gave 2,000 points."""
    buyer = shop.buyer()
    order = shop.buy_alone(sold, buyer)
    shop.cancel(order)
    shop.give_points(order, 2000)
    return buyer


def selling(shop: Shop, *, limit_per_buyer: int = 0) -> ActivityIds:
    shop.take_points(expiry=PointsExpiry.DAYS, days=30)
    return shop.activity(product_stock=120, points=True, limit_per_buyer=limit_per_buyer)


def on_its_way(shop: Shop) -> OrderItem:
    """A shipped order that was paid in part with points."""
    sold = selling(shop)
    order = shop.buy_alone(sold, rich_buyer(shop, sold), points=2000)
    shop.pay(order)
    process_order(shop, order)
    ship(shop, order)
    return order


def receive(shop: Shop, order: OrderItem) -> None:
    receipts.confirm(shop.merchant_id, order.order_id, now_s=shop.now_s)


@workflow
def joining_with_points(shop: Shop) -> Act:
    sold = selling(shop, limit_per_buyer=5)
    group_id, buyer = shop.opened(sold), rich_buyer(shop, sold)
    return lambda: shop.join(sold, group_id, buyer, points=1000)


@workflow
def exchanging_points_for_a_coupon(shop: Shop) -> Act:
    buyer, template_id = rich_buyer(shop, selling(shop)), shop.coupons(points=600)
    return lambda: shop.claim(template_id, buyer, key="one")


@workflow
def telling_of_coupons_that_run_out(shop: Shop) -> Act:
    buyer = shop.buyer()
    coupon_ids = [shop.claim(shop.coupons(), buyer, key="one") for _ in range(2)]
    shop.now_s += 6 * DAY_S

    def act() -> None:
        place = CouponId.parse(coupon_ids[0])
        assert place is not None
        key = CouponItem.at(shop.merchant_id, place)
        due.process_item(key.pk, key.sk, now_s=shop.now_s)

    return act


@workflow
def offering_for_points(shop: Shop) -> Act:
    sold = selling(shop)
    return lambda: shop.offer(sold)


@workflow
def ending_an_offer(shop: Shop) -> Act:
    sold = selling(shop)
    offer_id = shop.offer(sold)
    shop.exchange(sold, offer_id, rich_buyer(shop, sold))
    return lambda: points_offers.remove(shop.merchant_id, offer_id, staff="test", now_s=shop.now_s)


@workflow
def exchanging_points_for_goods(shop: Shop) -> Act:
    sold = selling(shop)
    offer_id, buyer = shop.offer(sold, per_buyer=3), rich_buyer(shop, sold)
    return lambda: shop.exchange(sold, offer_id, buyer, quantity=2, key="one")


@workflow
def releasing_an_exchange(shop: Shop) -> Act:
    sold = selling(shop)
    offer_id = shop.offer(sold, per_buyer=3)
    order = shop.exchange(sold, offer_id, rich_buyer(shop, sold), quantity=2)
    shop.now_s += PAY_BY_S
    return lambda: process_order(shop, order)


@workflow
def giving_back_a_part_of_an_exchange(shop: Shop) -> Act:
    sold = selling(shop)
    order = shop.exchange(sold, shop.offer(sold), rich_buyer(shop, sold), quantity=2)
    shop.pay(order)
    process_order(shop, order)
    return lambda: give_back(shop, order, 1, units=1)


@workflow
def releasing_an_order_with_points(shop: Shop) -> Act:
    sold = selling(shop)
    order = shop.buy_alone(sold, rich_buyer(shop, sold), points=2000)
    shop.now_s += PAY_BY_S
    return lambda: process_order(shop, order)


@workflow
def failing_a_group_with_points(shop: Shop) -> Act:
    sold = selling(shop)
    group_id = shop.opened(sold)
    for pays in (True, False):
        order = shop.join(sold, group_id, rich_buyer(shop, sold), points=2000)
        if pays:
            shop.pay(order)
    shop.now_s += LIFE_S + GRACE_S
    return lambda: process_group(shop, group_id)


@workflow
def receiving_an_order_that_earns_points(shop: Shop) -> Act:
    order = on_its_way(shop)
    return lambda: receive(shop, order)


@workflow
def giving_back_an_order_that_has_earned_points(shop: Shop) -> Act:
    order = on_its_way(shop)
    receive(shop, order)
    return lambda: give_back(shop, order, 2500)


@workflow
def giving_points(shop: Shop) -> Act:
    sold = selling(shop)
    order = shop.buy_alone(sold, shop.buyer())
    return lambda: shop.give_points(order, 500, "one")


@workflow
def warning_of_points_that_run_out(shop: Shop) -> Act:
    sold = selling(shop)
    account = PointsItem.at(shop.merchant_id, rich_buyer(shop, sold))
    shop.now_s += 25 * DAY_S
    return lambda: process_points(shop, account.buyer_id)


@workflow
def taking_points_off_that_have_run_out(shop: Shop) -> Act:
    sold = selling(shop)
    buyer_id = rich_buyer(shop, sold)
    shop.now_s += 25 * DAY_S
    process_points(shop, buyer_id)
    shop.now_s += 10 * DAY_S
    return lambda: process_points(shop, buyer_id)


def process_points(shop: Shop, buyer_id: str) -> None:
    key = PointsItem.at(shop.merchant_id, buyer_id)
    due.process_item(key.pk, key.sk, now_s=shop.now_s)
