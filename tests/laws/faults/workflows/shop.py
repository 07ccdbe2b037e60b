"""Workflows of what the shop does to an order by itself."""

from chalicelib.services.after_sale import shop_refunds
from chalicelib.services.groups import order_closing
from chalicelib.services.money import price_changes
from chalicelib.tables.trade import OrderItem
from tests.fixtures.shop import STAFF, Shop
from tests.laws.faults.sandbox import Act
from tests.laws.faults.workflows.delivery import ready_to_collect
from tests.laws.faults.workflows.money import to_fulfil
from tests.laws.faults.workflows.registry import held_seat, process_order, workflow


def refund(shop: Shop, order: OrderItem, amount_fen: int, *, units: int = 0) -> None:
    shop_refunds.refund(
        shop.merchant_id,
        order.order_id,
        amount_fen=amount_fen,
        units_back=units,
        reason="缺货",
        key=f"refund of {amount_fen}",
        staff=STAFF,
        now_s=shop.now_s,
    )


@workflow
def refunding_a_part_by_the_shop(shop: Shop) -> Act:
    order = to_fulfil(shop)
    return lambda: refund(shop, order, 800)


@workflow
def refunding_all_units_of_a_pickup_by_the_shop(shop: Shop) -> Act:
    order = ready_to_collect(shop)
    return lambda: refund(shop, order, 19799, units=2)


@workflow
def refunding_what_was_kept_by_the_shop(shop: Shop) -> Act:
    order = to_fulfil(shop)
    refund(shop, order, 5000, units=1)
    process_order(shop, order)
    return lambda: refund(shop, order, 900)


@workflow
def lowering_a_price(shop: Shop) -> Act:
    order_id = held_seat(shop).order_id
    return lambda: price_changes.lower(
        shop.merchant_id, order_id, 5000, staff=STAFF, now_s=shop.now_s
    )


@workflow
def closing_an_unpaid_order(shop: Shop) -> Act:
    order_id = held_seat(shop).order_id
    return lambda: order_closing.close_by_shop(
        shop.merchant_id, order_id, "缺货", staff=STAFF, now_s=shop.now_s
    )
