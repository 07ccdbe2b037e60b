"""Workflows of orders on their way: parcels, their numbers, receipt."""

from chalicelib.services.fulfilment import receipts, shipments, shipping
from chalicelib.services.fulfilment.shipping import Draft
from chalicelib.services.orders import order_edits
from chalicelib.tables.trade import OrderItem
from tests.fixtures.shop import ADDRESS, DAY_S, STAFF, Shop
from tests.laws.faults.sandbox import Act
from tests.laws.faults.workflows.money import approve, ask_back, to_fulfil
from tests.laws.faults.workflows.registry import process_order, workflow

NUMBER, RIGHT = "SF1234567890123", "SF9999999999999"


def ship(shop: Shop, order: OrderItem, number: str = NUMBER, units: int | None = None) -> None:
    shipping.ship(
        shop.merchant_id, order.order_id, Draft("SF", number, units), staff=STAFF, now_s=shop.now_s
    )


def shipped(shop: Shop) -> OrderItem:
    order = to_fulfil(shop)
    ship(shop, order)
    return order


@workflow
def shipping_an_order(shop: Shop) -> Act:
    order = to_fulfil(shop)
    return lambda: ship(shop, order)


@workflow
def shipping_the_rest(shop: Shop) -> Act:
    order = to_fulfil(shop, quantity=3)
    ship(shop, order, units=1)
    return lambda: ship(shop, order, RIGHT)


@workflow
def correcting_a_number(shop: Shop) -> Act:
    order_id = shipped(shop).order_id
    return lambda: shipping.correct(
        shop.merchant_id, order_id, "1", Draft("SF", RIGHT), staff=STAFF, now_s=shop.now_s
    )


@workflow
def shipping_a_table(shop: Shop) -> Act:
    rows = [shipments.Row(str(to_fulfil(shop).order_id), "顺丰", NUMBER)]
    return lambda: shipments.ship_all(
        shop.merchant_id, rows, check_only=False, staff=STAFF, now_s=shop.now_s
    )


@workflow
def changing_an_address(shop: Shop) -> Act:
    order_id = to_fulfil(shop).order_id
    return lambda: order_edits.change_address(
        shop.merchant_id,
        order_id,
        {**ADDRESS, "phone": "13900139001"},
        changes=0,
        staff=STAFF,
        now_s=shop.now_s,
    )


@workflow
def noting_something(shop: Shop) -> Act:
    order_id = to_fulfil(shop).order_id
    return lambda: order_edits.add_note(
        shop.merchant_id, order_id, "one", "买家要求周末送", staff=STAFF, now_s=shop.now_s
    )


@workflow
def giving_the_rest_of_an_order_back(shop: Shop) -> Act:
    order = to_fulfil(shop, quantity=3)
    ship(shop, order, units=1)
    ask_back(shop, order, 11800)
    return lambda: approve(shop, order, 11800, units_back=2)


@workflow
def confirming_receipt(shop: Shop) -> Act:
    order_id = shipped(shop).order_id
    return lambda: receipts.confirm(shop.merchant_id, order_id, now_s=shop.now_s)


@workflow
def receiving_by_itself(shop: Shop) -> Act:
    order = shipped(shop)
    shop.now_s += 10 * DAY_S
    process_order(shop, order)  # what its payment was followed by
    return lambda: process_order(shop, order)
