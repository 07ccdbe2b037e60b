"""The large demonstration: what it writes is what trading would have left behind."""

import pytest

from chalicelib.domain import ledger
from chalicelib.domain.order import OrderStatus
from chalicelib.services.orders import counting
from infra.local import demo_past
from infra.local.demo_past import Past, create_products
from tests.fixtures.merchant import MerchantFixture

ORDERS = 60


def test_orders_of_the_past_are_such_as_trade_leaves_behind(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_past, "ORDERS", ORDERS)
    monkeypatch.setattr(demo_past, "BUYERS", 30)
    owner, made = merchant.owner(), merchant.activity(seats=3, stock=10)
    activity = owner.get(f"/v1/merchant/activities/{made.activity_id}").body

    past = Past(merchant.merchant_id, merchant.now_s)
    past.trade_with([activity])

    assert len(past.orders) == ORDERS
    for order in past.orders:
        assert order.is_marked(), order.order_id
        assert sum(ledger.balances(order.entries()).values()) == 0
        assert order.unposted == []
    statuses = {OrderStatus(order.status) for order in past.orders}
    assert statuses >= {OrderStatus.COMPLETED, OrderStatus.SHIPPED, OrderStatus.REFUNDED}


def test_past_is_written_where_staff_look_for_it(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_past, "ORDERS", ORDERS)
    monkeypatch.setattr(demo_past, "BUYERS", 30)
    monkeypatch.setattr(demo_past, "PRODUCTS", 3)
    owner, made = merchant.owner(), merchant.activity(seats=3, stock=10)
    activity = owner.get(f"/v1/merchant/activities/{made.activity_id}").body
    products = owner.get("/v1/merchant/products").body["items"]
    images = [it["image"] for it in products]

    given = {
        "merchant_id": merchant.merchant_id,
        "images": images,
        "category_ids": [merchant.category_id],
        "activities": [activity],
    }
    create_products(given, merchant.now_s)
    past = Past(merchant.merchant_id, merchant.now_s)
    past.trade_with([activity])
    past.write()

    found = owner.get("/v1/merchant/products").body["items"]
    assert len(found) == len(products) + 3
    assert len(owner.get("/v1/merchant/orders?limit=50").body["items"]) == 50
    tally = counting.tallies(merchant.merchant_id, [made.activity_id])[made.activity_id]
    assert tally.groups_opened == tally.groups_formed + tally.groups_failed > ORDERS / 3 - 1
