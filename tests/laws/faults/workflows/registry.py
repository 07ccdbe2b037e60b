"""The registry of workflows, and helpers that many of them need.

A workflow prepares a shop and returns the act that is to be interrupted. The act may run in a copy
of that shop: it may use ids, never stored items or their keys.
"""

from chalicelib.services.work import due
from chalicelib.tables.crowd import CrowdItem
from chalicelib.tables.trade import GroupItem, OrderItem
from tests.fixtures.shop import ActivityIds, Shop
from tests.laws.faults.sandbox import Workflow

WORKFLOWS: list[Workflow] = []


def workflow(set_up: Workflow) -> Workflow:
    """One more workflow for every harness of this folder."""
    WORKFLOWS.append(set_up)
    return set_up


def process_order(shop: Shop, order: OrderItem) -> None:
    """What a job or the stream does about an order."""
    key = OrderItem.at(shop.merchant_id, order.order_id)
    due.process_item(key.pk, key.sk, now_s=shop.now_s)


def process_group(shop: Shop, group_id: str) -> None:
    key = GroupItem.at(shop.merchant_id, group_id)
    due.process_item(key.pk, key.sk, now_s=shop.now_s)


def process_crowd(shop: Shop, activity_id: str) -> None:
    key = CrowdItem.at(shop.merchant_id, activity_id)
    due.process_item(key.pk, key.sk, now_s=shop.now_s)


def formed(shop: Shop, sold: ActivityIds) -> str:
    """The id of a group of two that has formed and is to be settled."""
    group_id = shop.opened(sold)
    shop.pay(shop.join(sold, group_id, shop.buyer(), quantity=2))
    return group_id


def paid_and_cancelled(shop: Shop) -> OrderItem:
    """An order whose refund is requested."""
    order = shop.open(shop.activity(limit_per_buyer=5), shop.buyer())
    shop.pay(order)
    shop.cancel(order)
    return order


def held_seat(shop: Shop) -> OrderItem:
    """A seat of an open group, whose buyer has asked to pay."""
    sold = shop.activity(limit_per_buyer=5)
    order = shop.join(sold, shop.opened(sold), shop.buyer())
    shop.ask(order)
    return order
