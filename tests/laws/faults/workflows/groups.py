"""Workflows of buyers and groups: orders, payments, letting go, deciding, settling."""

from chalicelib.domain.activity import Tier
from chalicelib.domain.coupon_code import CouponCode
from chalicelib.domain.coupon_draft import CouponGiven
from chalicelib.domain.ids import new_id
from chalicelib.services.growth import coupon_codes
from chalicelib.services.timeouts import CROWD_LOOK_S
from tests.fixtures.shop import GRACE_S, LIFE_S, OTHER_PAY, PAY_BY_S, STAFF, Shop
from tests.laws.faults.sandbox import Act
from tests.laws.faults.workflows.registry import (
    formed,
    held_seat,
    process_crowd,
    process_group,
    process_order,
    workflow,
)

# Orders.


@workflow
def opening(shop: Shop) -> Act:
    sold, buyer = shop.activity(limit_per_buyer=5), shop.buyer()
    return lambda: shop.open(sold, buyer, key="one")


@workflow
def joining(shop: Shop) -> Act:
    sold = shop.activity(limit_per_buyer=5)
    group_id, buyer = shop.opened(sold), shop.buyer()
    return lambda: shop.join(sold, group_id, buyer)


@workflow
def joining_at_a_pace(shop: Shop) -> Act:
    sold = shop.activity(per_minute=5)
    group_id, buyer = shop.opened(sold), shop.buyer()
    return lambda: shop.join(sold, group_id, buyer)


@workflow
def joining_with_short_buckets(shop: Shop) -> Act:
    sold = shop.activity(seats=2, stock=9)
    group_id, buyer = shop.opened(sold, quantity=3), shop.buyer()
    return lambda: shop.join(sold, group_id, buyer, quantity=3)


@workflow
def joining_with_a_register_of_ended_orders(shop: Shop) -> Act:
    """Three earlier orders stand in the buyer's register, none of them unpaid any more."""
    sold = shop.activity()
    group_id, buyer = shop.opened(sold), shop.buyer()
    for _ in range(3):
        shop.cancel(shop.open(sold, buyer))
    return lambda: shop.join(sold, group_id, buyer)


@workflow
def buying_alone(shop: Shop) -> Act:
    sold, buyer = shop.activity(product_stock=120), shop.buyer()
    return lambda: shop.buy_alone(sold, buyer, key="one")


# Coupons.


@workflow
def claiming_a_coupon(shop: Shop) -> Act:
    template_id, buyer = shop.coupons(total=1), shop.buyer()
    return lambda: shop.claim(template_id, buyer, key="one")


@workflow
def writing_codes(shop: Shop) -> Act:
    template_id, batch_id = shop.coupons(total=3, given=CouponGiven.CODE), new_id()
    return lambda: coupon_codes.write_batch(
        shop.merchant_id, template_id, batch_id, 2, staff=STAFF, now_s=shop.now_s
    )


@workflow
def claiming_by_a_code(shop: Shop) -> Act:
    batch, buyer = shop.codes(shop.coupons(given=CouponGiven.CODE), 2), shop.buyer()
    code = str(CouponCode.made(batch.batch, 1, batch.key))
    return lambda: shop.claim_by_code(code, buyer)


@workflow
def giving_a_coupon(shop: Shop) -> Act:
    order, template_id = shop.open(shop.activity(), shop.buyer()), shop.coupons(total=1)
    return lambda: shop.give_coupon(order, template_id, "one")


@workflow
def joining_with_a_coupon(shop: Shop) -> Act:
    sold = shop.activity(limit_per_buyer=5)
    group_id, buyer = shop.opened(sold), shop.buyer()
    coupon_id = shop.claim(shop.coupons(), buyer)
    return lambda: shop.join(sold, group_id, buyer, coupon_id=coupon_id)


@workflow
def releasing_an_order_with_a_coupon(shop: Shop) -> Act:
    buyer = shop.buyer()
    coupon_id = shop.claim(shop.coupons(), buyer)
    order = shop.buy_alone(shop.activity(product_stock=120), buyer, coupon_id=coupon_id)
    shop.now_s += PAY_BY_S
    return lambda: process_order(shop, order)


@workflow
def failing_a_group_with_coupons(shop: Shop) -> Act:
    sold, template_id = shop.activity(limit_per_buyer=5), shop.coupons()
    group_id = shop.opened(sold)
    for pays in (True, False):
        buyer = shop.buyer()
        coupon_id = shop.claim(template_id, buyer)
        order = shop.join(sold, group_id, buyer, coupon_id=coupon_id)
        if pays:
            shop.pay(order)
    shop.now_s += LIFE_S + GRACE_S
    return lambda: process_group(shop, group_id)


@workflow
def settling_a_group_whose_leader_is_free(shop: Shop) -> Act:
    sold = shop.activity(seats=2, limit_per_order=1, leader_free=True)
    group_id = shop.opened(sold)
    shop.pay(shop.join(sold, group_id, shop.buyer()))
    return lambda: process_group(shop, group_id)


@workflow
def forming_a_group_at_a_tier(shop: Shop) -> Act:
    """Two orders have something to give back; of what is paid with a coupon, too."""
    sold = shop.activity(seats=4, seats_least=2, tiers=(Tier(3, 400), Tier(4, 1000)))
    group_id, template_id = shop.opened(sold), shop.coupons()
    shop.now_s += LIFE_S - 90
    for pays in (True, True, False):
        buyer = shop.buyer()
        order = shop.join(sold, group_id, buyer, coupon_id=shop.claim(template_id, buyer))
        if pays:
            shop.pay(order)
    shop.now_s += GRACE_S + 90
    return lambda: process_group(shop, group_id)


@workflow
def reaching_a_tier_of_a_crowd(shop: Shop) -> Act:
    """The orders of two groups get it; those of the first have got the tier before."""
    sold = shop.activity(seats=2, crowd_tiers=(Tier(2, 300), Tier(4, 900)))
    process_group(shop, formed(shop, sold))
    shop.now_s += CROWD_LOOK_S
    process_crowd(shop, sold.activity_id)
    process_group(shop, formed(shop, sold))
    shop.now_s += CROWD_LOOK_S
    return lambda: process_crowd(shop, sold.activity_id)


@workflow
def settling_a_group_of_a_crowd_that_has_reached_a_tier(shop: Shop) -> Act:
    sold = shop.activity(seats=2, crowd_tiers=(Tier(2, 300), Tier(9, 900)))
    process_group(shop, formed(shop, sold))
    shop.now_s += CROWD_LOOK_S
    process_crowd(shop, sold.activity_id)
    group_id = formed(shop, sold)
    return lambda: process_group(shop, group_id)


@workflow
def failing_a_group_that_is_made_up_for(shop: Shop) -> Act:
    shop.take_points()
    sold = shop.activity(compensation_id=shop.coupons(total=5), compensation_points=50)
    group_id = shop.opened(sold)
    shop.pay(shop.join(sold, group_id, shop.buyer()))
    shop.now_s += LIFE_S + GRACE_S
    return lambda: process_group(shop, group_id)


# Payments.


@workflow
def asking_to_pay(shop: Shop) -> Act:
    order = shop.open(shop.activity(), shop.buyer())
    return lambda: shop.ask(order)


@workflow
def asking_to_pay_elsewhere(shop: Shop) -> Act:
    order = shop.open(shop.activity(), shop.buyer())
    shop.ask(order)
    return lambda: shop.ask(order, OTHER_PAY)


@workflow
def asking_to_pay_what_is_paid(shop: Shop) -> Act:
    order = shop.open(shop.activity(), shop.buyer())
    shop.capture(order)
    return lambda: shop.ask(order)


@workflow
def taking_what_is_free(shop: Shop) -> Act:
    order = shop.open(shop.activity(price_fen=0), shop.buyer())
    return lambda: shop.ask(order)


@workflow
def hearing_the_leaders_payment(shop: Shop) -> Act:
    trade = shop.capture(shop.open(shop.activity(), shop.buyer()))
    return lambda: shop.notify(trade)


@workflow
def hearing_the_last_payment(shop: Shop) -> Act:
    sold = shop.activity(seats=2)
    trade = shop.capture(shop.join(sold, shop.opened(sold), shop.buyer()))
    return lambda: shop.notify(trade)


@workflow
def hearing_a_late_payment(shop: Shop) -> Act:
    sold = shop.activity(seats=2)
    order = shop.join(sold, shop.opened(sold), shop.buyer())
    shop.ask(order, OTHER_PAY)
    trade = shop.capture(order)
    shop.other_gateway.pay(f"{order.order_id}01", at_s=shop.now_s)
    shop.notify(trade)
    return lambda: shop.notify(shop.other_gateway.trade(f"{order.order_id}01"), OTHER_PAY)


@workflow
def hearing_a_payment_alone(shop: Shop) -> Act:
    trade = shop.capture(shop.buy_alone(shop.activity(product_stock=120), shop.buyer()))
    return lambda: shop.notify(trade)


@workflow
def asking_about_a_payment(shop: Shop) -> Act:
    order = shop.open(shop.activity(), shop.buyer())
    shop.capture(order)
    shop.now_s += 91
    return lambda: process_order(shop, order)


@workflow
def telling_a_buyer_who_waits(shop: Shop) -> Act:
    sold = shop.activity()
    order = shop.join(sold, shop.opened(sold), shop.buyer())
    shop.pay(order)
    return lambda: process_order(shop, order)


# Letting go.


@workflow
def cancelling_an_unpaid_order(shop: Shop) -> Act:
    order = held_seat(shop)
    return lambda: shop.cancel(order)


@workflow
def cancelling_a_leaders_unpaid_order(shop: Shop) -> Act:
    order = shop.open(shop.activity(), shop.buyer())
    shop.ask(order)
    return lambda: shop.cancel(order)


@workflow
def cancelling_a_leader_alone(shop: Shop) -> Act:
    order = shop.open(shop.activity(limit_per_buyer=5), shop.buyer())
    shop.pay(order)
    return lambda: shop.cancel(order)


@workflow
def releasing_a_seat(shop: Shop) -> Act:
    order = held_seat(shop)
    shop.now_s += PAY_BY_S
    return lambda: process_order(shop, order)


@workflow
def releasing_a_seat_that_was_paid(shop: Shop) -> Act:
    sold = shop.activity()
    order = shop.join(sold, shop.opened(sold), shop.buyer())
    shop.capture(order)
    shop.now_s += PAY_BY_S
    return lambda: process_order(shop, order)


@workflow
def releasing_an_order_bought_alone(shop: Shop) -> Act:
    order = shop.buy_alone(shop.activity(product_stock=120), shop.buyer())
    shop.ask(order)
    shop.now_s += PAY_BY_S
    return lambda: process_order(shop, order)


# Groups.


@workflow
def failing_a_group(shop: Shop) -> Act:
    sold = shop.activity(limit_per_buyer=5)
    group_id = shop.opened(sold)
    shop.now_s += LIFE_S - 30
    shop.ask(shop.join(sold, group_id, shop.buyer()))
    shop.now_s += GRACE_S + 30
    return lambda: process_group(shop, group_id)


@workflow
def failing_a_group_with_a_payment_unheard(shop: Shop) -> Act:
    sold = shop.activity(seats=3)
    group_id = shop.opened(sold)
    shop.now_s += LIFE_S - 30
    shop.capture(shop.join(sold, group_id, shop.buyer()))
    shop.now_s += GRACE_S + 30
    return lambda: process_group(shop, group_id)


@workflow
def combining_two_groups(shop: Shop) -> Act:
    """Who agreed is moved, who did not and who has not paid are let go; then one seat is left."""
    sold = shop.activity(seats=4, limit_per_buyer=5, combines=True)
    group_id, template_id = shop.opened(sold), shop.coupons()
    shop.now_s += 60
    other = shop.opened(sold)
    shop.pay(shop.join(sold, other, shop.buyer()))
    shop.now_s += LIFE_S - 90
    for pays in (True, False):
        buyer = shop.buyer()
        coupon_id = shop.claim(template_id, buyer)
        order = shop.join(sold, group_id, buyer, coupon_id=coupon_id, agrees=True)
        if pays:
            shop.pay(order)
    shop.now_s += GRACE_S + 30
    return lambda: process_group(shop, group_id)


@workflow
def settling_a_formed_group(shop: Shop) -> Act:
    sold = shop.activity(seats=2)
    group_id = shop.opened(sold)
    shop.pay(shop.join(sold, group_id, shop.buyer()))
    return lambda: process_group(shop, group_id)


@workflow
def forming_a_group_with_fewer(shop: Shop) -> Act:
    sold = shop.activity(seats=4, seats_least=2, limit_per_buyer=5)
    group_id, template_id = shop.opened(sold), shop.coupons()
    shop.now_s += LIFE_S - 90
    for pays in (True, False):
        buyer = shop.buyer()
        order = shop.join(sold, group_id, buyer, coupon_id=shop.claim(template_id, buyer))
        if pays:
            shop.pay(order)
        else:
            shop.ask(order)
    shop.now_s += GRACE_S + 90
    return lambda: process_group(shop, group_id)
