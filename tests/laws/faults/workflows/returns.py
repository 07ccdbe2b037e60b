"""Workflows of goods on their way back to the shop."""

from chalicelib.domain.after_sale import Reason
from chalicelib.services.after_sale import after_sales, returns
from chalicelib.services.after_sale.after_sales import Claim
from chalicelib.services.people import merchants
from chalicelib.tables.shop import MerchantItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.shop import DAY_S, STAFF, Shop
from tests.fixtures.staff_requests import ship, to_ship
from tests.laws.faults.sandbox import Act
from tests.laws.faults.workflows.money import approve
from tests.laws.faults.workflows.registry import process_order, workflow

TO = "王师傅 13800138000 浙江省杭州市"


def asked_to_return(shop: Shop) -> OrderItem:
    """A shipped order of two units, of which its buyer wants to send one back."""
    order = to_ship(shop)
    ship(shop, order)
    item = merchants.read(shop.merchant_id)
    item.update(actions=[MerchantItem.return_address.set(TO)])
    claim = Claim(5900, Reason.DAMAGED, units=1)
    after_sales.request(shop.merchant_id, order.order_id, claim, now_s=shop.now_s)
    return order


def agree(shop: Shop, order: OrderItem) -> None:
    returns.agree(shop.merchant_id, order.order_id, "A", staff=STAFF, now_s=shop.now_s)


def send(shop: Shop, order: OrderItem) -> None:
    given = ("顺丰", "SF9999999999999")
    returns.send(shop.merchant_id, order.order_id, "A", *given, now_s=shop.now_s)


def agreed(shop: Shop) -> OrderItem:
    order = asked_to_return(shop)
    agree(shop, order)
    return order


@workflow
def agreeing_to_a_return(shop: Shop) -> Act:
    order = asked_to_return(shop)
    return lambda: agree(shop, order)


@workflow
def sending_goods_back(shop: Shop) -> Act:
    order = agreed(shop)
    return lambda: send(shop, order)


@workflow
def receiving_goods_and_refunding(shop: Shop) -> Act:
    order = agreed(shop)
    send(shop, order)
    return lambda: approve(shop, order, 5900, units_back=1)


@workflow
def refunding_without_waiting_for_the_goods(shop: Shop) -> Act:
    order = agreed(shop)
    return lambda: approve(shop, order, 5900)


@workflow
def closing_a_return_that_was_not_sent(shop: Shop) -> Act:
    order = agreed(shop)
    shop.now_s += 7 * DAY_S
    return lambda: process_order(shop, order)
