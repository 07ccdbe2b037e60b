"""Buyers look at their orders."""

from chalicelib import clock
from chalicelib.api import group_shapes, pages
from chalicelib.api.auth import Buyer
from chalicelib.api.buyers import order_schemas as schemas
from chalicelib.api.buyers import order_shapes
from chalicelib.api.buyers.buyer import own_order
from chalicelib.api.http import Api, Audience
from chalicelib.api.schemas import CrowdShown
from chalicelib.domain.after_sale import STARTED
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.own_order import Tab
from chalicelib.errors import Conflict, NotFound
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.orders import counting, own_orders
from chalicelib.services.orders.own_orders import OwnOrder
from chalicelib.tables.trade import OrderItem

api = Api(__name__, audience=Audience.BUYER)
MAY_BE_SALE = (OrderStatus.PENDING, OrderStatus.PAID, *STARTED)


@api.operation("GET", "/orders")
def list_orders(who: Buyer, query: schemas.OwnOrdersQuery) -> schemas.OrderList:
    """The buyer's orders, newest first: all, or those of a tab; and how many each tab has."""
    now_s = clock.now_s()
    scope = ("orders", who.merchant_id, who.buyer_id, query.tab)
    before = (pages.key_of(query.next, *scope) or {}).get("before")
    tab = Tab(query.tab) if query.tab else None
    page = own_orders.page(who.merchant_id, who.ids, tab, before=before, limit=query.limit)
    return schemas.OrderList(
        items=[order_shapes.row(found, now_s=now_s) for found in page.found],
        counts=schemas.OwnOrderCounts(**page.counts) if page.counts is not None else None,
        now_s=now_s,
        next=pages.token_of({"before": page.next_no} if page.next_no else None, *scope),
    )


@api.operation("GET", "/orders/{order_id}", refusals=[NotFound])
def read_order(who: Buyer, order_id: str) -> schemas.OrderDetail:
    """One order of the buyer: its address, price lines, parcels, steps, and what can be done."""
    return _detail(own_orders.read(who.merchant_id, own_order(who, order_id)))


@api.operation("GET", "/orders/by-payment/{payment_no}", refusals=[NotFound])
def find_order_by_payment(who: Buyer, payment_no: str) -> schemas.OrderDetail:
    """The buyer's order that was paid under a number: ours (out_trade_no), or WeChat's or Alipay's
    own."""
    return _detail(own_orders.by_payment(who.merchant_id, who.ids, payment_no))


@api.operation("POST", "/orders/{order_id}/urges", refusals=[NotFound, Conflict])
def urge_order(who: Buyer, order_id: str) -> schemas.OrderDetail:
    """Ask the shop to ship or make ready what was bought, once a day; staff see it."""
    own = own_order(who, order_id)
    own_orders.urge(who.merchant_id, own, now_s=clock.now_s())
    return _detail(own_orders.read(who.merchant_id, own))


def _detail(found: OwnOrder) -> schemas.OrderDetail:
    now_s = clock.now_s()
    return order_shapes.detail(found, crowd=_crowd(found.order, now_s), now_s=now_s)


def _crowd(order: OrderItem, now_s: int) -> CrowdShown | None:
    """What all groups of its activity have reached together: what may come back of it."""
    if order.group_id is None or order.status not in MAY_BE_SALE:
        return None
    place = (order.merchant_id, order.activity_id)
    if not catalogue_cache.version(*place, order.version).crowd_tiers:
        return None
    formed = counting.formed(order.merchant_id, [order.activity_id], now_s)[order.activity_id]
    return group_shapes.crowd(catalogue_cache.activity(*place, now_s), formed, now_s)
