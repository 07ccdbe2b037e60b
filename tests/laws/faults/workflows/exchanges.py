"""Workflows of goods that are exchanged for others."""

from typing import Any

from chalicelib.domain.after_sale import Reason
from chalicelib.services.after_sale import after_sale_decisions, after_sales, exchanges
from chalicelib.services.after_sale.after_sales import Claim
from chalicelib.services.catalogue import adjustments
from chalicelib.services.people import merchants
from chalicelib.tables.shop import MerchantItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.shop import DAY_S, STAFF, Shop
from tests.fixtures.staff_requests import ship, to_ship
from tests.laws.faults.sandbox import Act
from tests.laws.faults.workflows.money import approve
from tests.laws.faults.workflows.registry import process_order, workflow
from tests.laws.faults.workflows.returns import TO, agree, send

CLAIM = Claim(0, Reason.DAMAGED, units=1, exchange=True)


def asked_to_exchange(shop: Shop) -> OrderItem:
    """A shipped order of two units, one of which its buyer wants to exchange."""
    order = to_ship(shop)
    ship(shop, order)
    item = merchants.read(shop.merchant_id)
    item.update(actions=[MerchantItem.return_address.set(TO)])
    adjustments.adjust_stock(
        shop.merchant_id,
        order.product_id,
        order.sku_id,
        delta=3,
        reason="盘点",
        staff=STAFF,
        now_s=shop.now_s,
    )
    after_sales.request(shop.merchant_id, order.order_id, CLAIM, now_s=shop.now_s)
    return order


def receive(shop: Shop, order: OrderItem, units_back: int = 1) -> None:
    at: dict[str, Any] = {"units_back": units_back, "staff": STAFF, "now_s": shop.now_s}
    exchanges.receive_goods(shop.merchant_id, order.order_id, "A", **at)


def replace(shop: Shop, order: OrderItem) -> None:
    given = ("顺丰", "SF2222222222222")
    at: dict[str, Any] = {"staff": STAFF, "now_s": shop.now_s}
    exchanges.send_replacement(shop.merchant_id, order.order_id, "A", *given, **at)


def on_its_way(shop: Shop) -> OrderItem:
    order = asked_to_exchange(shop)
    agree(shop, order)
    send(shop, order)
    return order


def received(shop: Shop) -> OrderItem:
    order = on_its_way(shop)
    receive(shop, order)
    return order


def replaced(shop: Shop) -> OrderItem:
    order = received(shop)
    replace(shop, order)
    return order


@workflow
def asking_for_an_exchange(shop: Shop) -> Act:
    order = to_ship(shop)
    ship(shop, order)
    at = order.order_id
    return lambda: after_sales.request(shop.merchant_id, at, CLAIM, now_s=shop.now_s)


@workflow
def agreeing_to_an_exchange(shop: Shop) -> Act:
    order = asked_to_exchange(shop)
    return lambda: agree(shop, order)


@workflow
def receiving_goods_to_exchange(shop: Shop) -> Act:
    order = on_its_way(shop)
    return lambda: receive(shop, order)


@workflow
def sending_a_replacement(shop: Shop) -> Act:
    order = received(shop)
    return lambda: replace(shop, order)


@workflow
def confirming_a_replacement(shop: Shop) -> Act:
    order = replaced(shop)
    at = order.order_id
    return lambda: exchanges.confirm(shop.merchant_id, at, "A", now_s=shop.now_s)


@workflow
def receiving_a_replacement_by_time(shop: Shop) -> Act:
    order = replaced(shop)
    shop.now_s += 10 * DAY_S
    return lambda: process_order(shop, order)


@workflow
def withdrawing_an_exchange(shop: Shop) -> Act:
    order = asked_to_exchange(shop)
    agree(shop, order)
    at = order.order_id
    return lambda: after_sales.withdraw(shop.merchant_id, at, "A", now_s=shop.now_s)


@workflow
def closing_an_exchange_that_was_not_sent(shop: Shop) -> Act:
    order = asked_to_exchange(shop)
    agree(shop, order)
    shop.now_s += 7 * DAY_S
    return lambda: process_order(shop, order)


@workflow
def refusing_goods_to_exchange(shop: Shop) -> Act:
    order = on_its_way(shop)
    at: dict[str, Any] = {"reply": "不是本店的商品", "staff": STAFF, "now_s": shop.now_s}
    return lambda: after_sale_decisions.refuse(shop.merchant_id, order.order_id, "A", **at)


@workflow
def refunding_instead_of_an_exchange(shop: Shop) -> Act:
    order = received(shop)
    return lambda: approve(shop, order, 5900, units_back=1)
