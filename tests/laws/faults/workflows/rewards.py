"""Workflows of rewards: brought by an order, given, taken back."""

import zlib

from chalicelib.services.fulfilment import receipts
from chalicelib.services.work import due
from chalicelib.tables.rewards import RewardsItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.shop import ActivityIds, Shop
from tests.fixtures.staff_requests import give_back, ship
from tests.laws.faults.sandbox import Act
from tests.laws.faults.workflows.registry import process_group, process_order, workflow


def led(shop: Shop, sold: ActivityIds, buyer: str) -> OrderItem:
    """A shipped order of a buyer, who opened a group that formed."""
    order = shop.open(sold, buyer)
    shop.pay(order)
    assert order.group_id is not None
    shop.pay(shop.join(sold, order.group_id, shop.buyer()))
    process_group(shop, order.group_id)
    process_order(shop, order)
    ship(shop, order, f"SF{zlib.crc32(str(order.order_id).encode()):013d}")
    return order


def receive(shop: Shop, order: OrderItem) -> None:
    receipts.confirm(shop.merchant_id, order.order_id, now_s=shop.now_s)


def reckon(shop: Shop, buyer: str) -> None:
    key = RewardsItem.at(shop.merchant_id, buyer)
    due.process_item(key.pk, key.sk, now_s=shop.now_s)


def second_group(shop: Shop) -> tuple[str, list[OrderItem]]:
    """A buyer whose second group is received, and its coupon and points are owed."""
    template_id = shop.coupons(per_buyer=9)
    shop.reward(coupon_id=template_id)
    sold = shop.activity(seats=2, leader_coupon_id=template_id)
    buyer = shop.buyer()
    orders = [led(shop, sold, buyer) for _ in range(2)]
    receive(shop, orders[0])
    reckon(shop, buyer)
    return buyer, orders


@workflow
def receiving_an_order_that_brings_a_reward(shop: Shop) -> Act:
    _, (_, order) = second_group(shop)
    return lambda: receive(shop, order)


@workflow
def giving_rewards(shop: Shop) -> Act:
    buyer, (_, order) = second_group(shop)
    receive(shop, order)
    return lambda: reckon(shop, buyer)


@workflow
def taking_rewards_back(shop: Shop) -> Act:
    buyer, (first, order) = second_group(shop)
    receive(shop, order)
    reckon(shop, buyer)
    give_back(shop, first, first.total_fen)
    return lambda: reckon(shop, buyer)
