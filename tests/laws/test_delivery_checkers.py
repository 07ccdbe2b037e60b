"""Each law of delivery notices what breaks it."""

import re
from collections.abc import Callable

import pytest
from pynamodb.expressions.update import Action

from chalicelib.domain.pricing import Reduction
from chalicelib.services.fulfilment import pickups
from chalicelib.tables.trade import OrderDetailItem, OrderItem
from tests.fixtures.shop import STAFF, Shop
from tests.laws.faults.workflows.delivery import sent_by_template, to_collect

Planted = tuple[OrderItem | OrderDetailItem, list[Action]]


def ready(shop: Shop) -> tuple[OrderItem, OrderDetailItem]:
    """An order that waits in its store."""
    order_id = to_collect(shop).order_id
    return pickups.make_ready(shop.merchant_id, order_id, staff=STAFF, now_s=shop.now_s)


def handed_over(shop: Shop) -> tuple[OrderItem, OrderDetailItem]:
    code = str(ready(shop)[1].pickup_code)
    return pickups.hand_over(shop.merchant_id, code, staff=STAFF, now_s=shop.now_s)


def with_freight(shop: Shop) -> tuple[OrderItem, OrderDetailItem]:
    order = shop.open(sent_by_template(shop), shop.buyer())
    return order, OrderDetailItem.at(shop.merchant_id, order.order_id)


def other_code(shop: Shop) -> Planted:
    return ready(shop)[1], [OrderDetailItem.pickup_code.set("00000000")]


def same_code_twice(shop: Shop) -> Planted:
    code = ready(shop)[1].pickup_code
    return ready(shop)[1], [OrderDetailItem.pickup_code.set(code)]


def no_code(shop: Shop) -> Planted:
    return handed_over(shop)[1], [OrderDetailItem.pickup_code.remove()]


def code_too_early(shop: Shop) -> Planted:
    order = to_collect(shop)
    detail = OrderDetailItem.at(shop.merchant_id, order.order_id)
    return detail, [OrderDetailItem.pickup_code.set("12345678")]


def on_sale_and_to_collect(shop: Shop) -> Planted:
    return ready(shop)[0], [OrderItem.cancelled.set(0), OrderItem.returned.set(1)]


def more_than_was_bought(shop: Shop) -> Planted:
    return to_collect(shop), [OrderItem.cancelled.set(3), OrderItem.returned.set(3)]


def nothing_to_collect(shop: Shop) -> Planted:
    order = ready(shop)[0]
    return order, [OrderItem.cancelled.set(order.quantity), OrderItem.returned.set(order.quantity)]


def never_handed_over(shop: Shop) -> Planted:
    return handed_over(shop)[0], [OrderItem.handed_over.set(0)]


def never_recorded(shop: Shop) -> Planted:
    order, _ = ready(shop)
    return order, [OrderItem.received_at_s.set(shop.now_s)]


def sent_after_all(shop: Shop) -> Planted:
    return ready(shop)[0], [OrderItem.pickup.remove()]


def freight_forgotten(shop: Shop) -> Planted:
    return with_freight(shop)[0], [OrderItem.total_fen.set(5900)]


def freight_less_than_nothing(shop: Shop) -> Planted:
    return with_freight(shop)[1], [OrderDetailItem.lines["freight_fen"].set(-1)]


def more_taken_off_than_promised(shop: Shop) -> Planted:
    sold = shop.activity(reductions=(Reduction(5900, 900),))
    order = shop.open(sold, shop.buyer())
    assert order.total_fen == 5000
    return order, [OrderItem.total_fen.set(4900)]


@pytest.mark.parametrize(
    ("said", "plant"),
    [
        ("9 pickup: .* is not found by its code", other_code),
        ("9 pickup: 2 orders have code", same_code_twice),
        ("9 pickup: completed order .* has no code", no_code),
        ("9 pickup: fulfilling order .* has a code", code_too_early),
        ("24 messages: order .* is ready, and its buyer does not know", code_too_early),
        ("20 units: .* 1 units are back on sale", on_sale_and_to_collect),
        ("20 units: .* cancelled=3", more_than_was_bought),
        ("20 units: .* handed_over=0", never_handed_over),
        ("21 lists of work: ready_for_pickup .* nothing to deliver", nothing_to_collect),
        ("21 lists of work: ready_for_pickup .* has gone back", nothing_to_collect),
        ("21 lists of work: completed .* has 2 units to deliver", never_handed_over),
        ("17 traces: 0 rows of order_handed_over", never_recorded),
        ("17 traces: 0 rows of order_ready", code_too_early),
        ("9 pickup: order .* and its detail differ about pickup", sent_after_all),
        ("11 amounts: order .* 5900 fen, goods 5900, freight 1000", freight_forgotten),
        ("11 amounts: order .* freight -1", freight_less_than_nothing),
        ("11 amounts: order .* 4900 fen, goods 5000, freight 0", more_taken_off_than_promised),
    ],
)
def test_what_breaks_a_law_is_reported(
    shop: Shop, said: str, plant: Callable[[Shop], Planted]
) -> None:
    item, actions = plant(shop)
    shop.check()

    item.update(actions=actions, condition=type(item).pk.exists())

    with pytest.raises(AssertionError) as broken:
        shop.check()
    assert re.search(said, str(broken.value))
