"""Staff at work over HTTP: what they send and what they get."""

from typing import Any

import pytest

from chalicelib.domain.ids import new_id
from tests.fixtures.merchant import Caller, MerchantFixture

PRODUCTS, ACTIVITIES = "/v1/merchant/products", "/v1/merchant/activities"


@pytest.fixture
def manager(merchant: MerchantFixture) -> Caller:
    return merchant.staff("manager")


def made(caller: Caller, path: str, body: Any) -> Any:
    reply = caller.post(path, body)
    assert reply.status == 201, reply.body
    return reply.body


def product_body(category_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "title": "红富士苹果",
        "category_id": category_id,
        "skus": [
            {
                "specs": {"颜色": "红色"},
                "list_price_fen": 5900,
                "solo_price_fen": 3990,
                "stock": 100,
            }
        ],
        **changes,
    }


def activity_body(merchant: MerchantFixture, product: Any, **changes: Any) -> dict[str, Any]:
    sku_id = product["skus"][0]["sku_id"]
    return {
        "product_id": product["product_id"],
        "title": "周末三人团",
        "skus": [{"sku_id": sku_id, "group_price_fen": 2990, "stock": 40}],
        "seats_total": 3,
        "life_h": 24,
        "ends_at_s": merchant.now_s + 7 * 86_400,
        **changes,
    }


@pytest.fixture
def product(merchant: MerchantFixture, manager: Caller) -> Any:
    return made(manager, PRODUCTS, product_body(merchant.category_id))


def test_a_product_is_made_changed_and_stocked(manager: Caller, product: Any) -> None:
    path, sku = f"{PRODUCTS}/{product['product_id']}", product["skus"][0]
    kept = {name: sku[name] for name in ("sku_id", "specs", "list_price_fen", "solo_price_fen")}
    change = product_body(product["category_id"], title="阿克苏苹果", skus=[kept], revision=1)

    changed = manager.put(path, change)
    assert (changed.body["title"], changed.body["revision"]) == ("阿克苏苹果", 2)
    adjustment = {"sku_id": sku["sku_id"], "delta": -30, "reason": "破损"}
    for _ in range(2):
        stock = manager.post(f"{path}/stock-adjustments", adjustment, Idempotency_Key="one")
        assert stock.body == {"sku_id": sku["sku_id"], "available": 70}
    refusal = manager.post(f"{path}/stock-adjustments", {**adjustment, "delta": -71})
    assert (refusal.status, refusal.code) == (409, "sold_out")
    assert refusal.body["details"] == {"available": 70}
    read = manager.get(path).body["skus"][0]
    assert (read["available"], read["activities"]) == (70, [])


def test_a_draft_with_problems_says_where_and_what_to_do(
    merchant: MerchantFixture, manager: Caller, product: Any
) -> None:
    skus = [{"sku_id": product["skus"][0]["sku_id"], "group_price_fen": 3990, "stock": 101}]

    refusal = manager.post(ACTIVITIES, activity_body(merchant, product, skus=skus, life_h=73))

    assert (refusal.status, refusal.code) == (400, "invalid_request")
    assert refusal.body["message"] == "还有 3 处需要修改，改好就能发布。"
    price = "拼团价要低于单买价 ¥39.90，请改为 ¥39.89 或更低。"
    stock = "活动库存最多 100 件（当前可售库存）。请减少数量，或先补充库存。"
    assert refusal.body["details"]["problems"] == [
        {"field": "life_h", "problem": "成团时限要在 1 到 72 小时之间，请修改。"},
        {"field": "skus[0].group_price_fen", "problem": price},
        {"field": "skus[0].stock", "problem": stock},
    ]


def test_numbers_with_a_fraction_and_unknown_fields_are_refused(
    merchant: MerchantFixture, manager: Caller, product: Any
) -> None:
    for wrong in ({"seats_total": 3.5}, {"seats_total": "3"}, {"auto_form": True}):
        refusal = manager.post(ACTIVITIES, activity_body(merchant, product, **wrong))
        assert (refusal.status, refusal.code) == (400, "invalid_request")


def test_an_activity_is_published_changed_filled_paused_and_ended(
    merchant: MerchantFixture, manager: Caller, product: Any
) -> None:
    activity = made(manager, ACTIVITIES, activity_body(merchant, product))
    path, sku_id = f"{ACTIVITIES}/{activity['activity_id']}", product["skus"][0]["sku_id"]
    assert (activity["state"], activity["skus"][0]["available"]) == ("running", 40)

    change = {
        "title": "周末五人团",
        "skus": [{"sku_id": sku_id, "group_price_fen": 1990}],
        "seats_total": 5,
        "life_h": 24,
        "ends_at_s": activity["ends_at_s"],
        "revision": activity["revision"],
    }
    changed = manager.put(path, change).body
    assert (changed["version"], changed["seats_total"]) == (2, 5)
    filled = manager.post(f"{path}/stock", {"sku_id": sku_id, "quantity": 5})
    assert (filled.status, filled.body["skus"][0]["available"]) == (200, 45)
    states = [
        manager.post(f"{path}/{verb}", {}).body["state"] for verb in ("pause", "resume", "end")
    ]
    assert states == ["paused", "running", "ended"]
    refusal = manager.post(f"{path}/resume")
    assert (refusal.status, refusal.code) == (409, "activity_closed")
    (ended,) = manager.get(f"{ACTIVITIES}?state=ended").body["items"]
    assert ended["activity_id"] == activity["activity_id"]
    assert manager.get(f"{ACTIVITIES}?state=running").body["items"] == []


def test_anybody_browses_what_is_not_over(
    merchant: MerchantFixture, manager: Caller, product: Any
) -> None:
    activity = made(manager, ACTIVITIES, activity_body(merchant, product))
    anybody, shop = merchant.visitor(), f"/v1/merchants/{merchant.merchant_id}"

    assert anybody.get(shop).body == {
        "merchant_id": merchant.merchant_id,
        "name": "果园小店",
        "service_phone": "",
        "logo": "",
        "ship_within_h": 48,
        "business_name": "",
        "licence_number": "",
        "licences": [],
    }
    shelves = anybody.get(f"{shop}/categories").body["items"]
    assert [item["name"] for item in shelves] == ["水果"]
    (card,) = anybody.get(f"{shop}/activities?category={product['category_id']}").body["items"]
    assert (card["activity_id"], card["state"]) == (activity["activity_id"], "running")
    assert (card["group_price_fen"], card["solo_price_fen"]) == (2990, 3990)
    manager.post(f"{ACTIVITIES}/{activity['activity_id']}/end", {})
    listed = anybody.get(f"{shop}/activities").body
    assert (listed["items"], listed["next"]) == ([], None)
    for path in ("", "/categories", "/activities"):
        assert anybody.get(f"/v1/merchants/{new_id()}{path}").status == 404
