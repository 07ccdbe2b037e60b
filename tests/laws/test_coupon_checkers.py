"""Each law of coupons notices what breaks it."""

import re
from collections.abc import Callable

import pytest
from pynamodb.expressions.update import Action

from chalicelib.domain.coupon import CouponId
from chalicelib.domain.coupon_code import CouponCode
from chalicelib.domain.coupon_draft import CouponGiven
from chalicelib.domain.ids import OrderId
from chalicelib.services.work import due
from chalicelib.tables.base import StoredItem
from chalicelib.tables.growth import (
    CouponBatchItem,
    CouponCodeItem,
    CouponItem,
    CouponStockItem,
    CouponTallyItem,
)
from chalicelib.tables.shop import CouponTemplateItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.shop import Shop

Planted = tuple[StoredItem, list[Action]]


def bought(shop: Shop) -> tuple[OrderItem, CouponItem]:
    """An unpaid order of ¥52.00, and the coupon that it uses."""
    buyer = shop.buyer()
    coupon_id = shop.claim(shop.coupons(total=1), buyer)
    order = shop.open(shop.activity(), buyer, coupon_id=coupon_id)
    assert order.total_fen == 5200
    place = CouponId.parse(coupon_id)
    assert place is not None
    return order, CouponItem.at(shop.merchant_id, place)


def unused(shop: Shop) -> CouponItem:
    place = CouponId.parse(shop.claim(shop.coupons(), shop.buyer()))
    assert place is not None
    return CouponItem.at(shop.merchant_id, place)


def used_by_nobody(shop: Shop) -> Planted:
    return bought(shop)[1], [CouponItem.order_id.remove()]


def used_by_a_closed_order(shop: Shop) -> Planted:
    order, coupon = bought(shop)
    shop.cancel(order)
    return coupon, [CouponItem.order_id.set(str(order.order_id))]


def used_by_another(shop: Shop) -> Planted:
    other = OrderId(bought(shop)[0].buyer_id, "00000000")
    return bought(shop)[1], [CouponItem.order_id.set(str(other))]


def in_no_list(shop: Shop) -> Planted:
    return unused(shop), [CouponItem.list_key.remove(), CouponItem.list_rank.remove()]


def takes_off_more(shop: Shop) -> Planted:
    return bought(shop)[1], [CouponItem.terms["off_fen"].set(800)]


def below_its_threshold(shop: Shop) -> Planted:
    return bought(shop)[1], [CouponItem.terms["from_fen"].set(5901)]


def for_single_purchases(shop: Shop) -> Planted:
    return bought(shop)[1], [CouponItem.terms["usable_for"].set("alone")]


def one_more_left(shop: Shop) -> Planted:
    stock = CouponStockItem.at(shop.merchant_id, unused(shop).place.template_id)
    return stock, [CouponStockItem.left.add(1)]


def fewer_for_each(shop: Shop) -> Planted:
    template = CouponTemplateItem.at(shop.merchant_id, unused(shop).place.template_id)
    return template, [CouponTemplateItem.per_buyer.set(0)]


def coded(shop: Shop) -> tuple[CouponBatchItem, CouponItem]:
    """A batch of two codes, and the coupon that was claimed with the first."""
    batch = shop.codes(shop.coupons(given=CouponGiven.CODE), 2)
    code = str(CouponCode.made(batch.batch, 0, batch.key))
    return batch, shop.claim_by_code(code, shop.buyer())


def code_used_twice(shop: Shop) -> Planted:
    return coded(shop)[0], [CouponBatchItem.used.add(1)]


def code_of_another(shop: Shop) -> Planted:
    batch, _ = coded(shop)
    used = CouponCodeItem.at(shop.merchant_id, batch.batch, 0)
    return used, [CouponCodeItem.coupon_id.set(unused(shop).coupon_id)]


def counted_twice(shop: Shop) -> Planted:
    order, coupon = bought(shop)
    shop.pay(order)
    due.process_order(shop.merchant_id, order.order_id, now_s=shop.now_s)
    shop.check()
    tally = CouponTallyItem.at(shop.merchant_id, coupon.place.template_id, 0)
    return tally, tally.adding(5200, 700)


@pytest.mark.parametrize(
    ("said", "plant"),
    [
        ("29 coupons: pending order .* does not use", used_by_nobody),
        ("29 coupons: .* stands in None, used: None", used_by_nobody),
        ("29 coupons: closed order .* uses", used_by_a_closed_order),
        ("29 coupons: .* is used by .*00000000, which knows nothing of it", used_by_another),
        ("29 coupons: .* stands in None, used: None", in_no_list),
        ("29 coupons: order .* has 700 fen off by 立减 8 元", takes_off_more),
        ("11 amounts: order .* is of 5200 fen", takes_off_more),
        ("29 coupons: order .* of 5900 fen may not use", below_its_threshold),
        ("29 coupons: order .* of 5900 fen may not use", for_single_purchases),
        ("29 coupons: 1 of template .* are claimed, 100 left and 0 codes of 100", one_more_left),
        ("29 coupons: .* has 1 of .*, not 0", fewer_for_each),
        ("29 coupons: 1 codes of batch .* are used, counted 2 of 2", code_used_twice),
        ("29 coupons: 1 of template .* are claimed, 98 left and 0 codes", code_used_twice),
        ("29 coupons: .* was claimed without a code", code_of_another),
        ("26 counts: 2 orders of template .* counted, not 1", counted_twice),
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
