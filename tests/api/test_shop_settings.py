"""The shop's settings, and categories on two levels."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.api import auth
from tests.fixtures.images import accepted
from tests.fixtures.merchant import MerchantFixture, Reply, concurrently

SETTINGS = "/v1/merchant/settings"
CATEGORIES = "/v1/merchant/categories"


def save(merchant: MerchantFixture, role: str = "manager", **changes: Any) -> Reply:
    now = merchant.owner().get(SETTINGS).body
    body = {name: now[name] for name in ("name", "service_phone", "pay_by_s", "revision")}
    return merchant.staff(role).put(SETTINGS, body | changes)


def make(merchant: MerchantFixture, name: str, **more: Any) -> Any:
    made = merchant.owner().post(CATEGORIES, {"name": name, **more})
    assert made.status == 201, made.body
    return made.body


def move(merchant: MerchantFixture, category: Any, parent_id: str | None, **more: Any) -> Reply:
    body = {name: category[name] for name in ("name", "position", "revision")}
    path = f"{CATEGORIES}/{category['category_id']}"
    return merchant.owner().put(path, body | {"parent_id": parent_id, **more})


def remove(merchant: MerchantFixture, category_id: str) -> Reply:
    return merchant.owner().call("DELETE", f"{CATEGORIES}/{category_id}")


def levels(merchant: MerchantFixture) -> dict[str, str | None]:
    """Each category's name, and its parent's."""
    items = merchant.owner().get(CATEGORIES).body["items"]
    names = {item["category_id"]: item["name"] for item in items}
    return {item["name"]: names.get(item["parent_id"]) for item in items}


def test_settings_have_defaults_and_are_changed_one_by_one(merchant: MerchantFixture) -> None:
    fresh = merchant.owner().get(SETTINGS).body
    names = ("logo", "receipt_after_d", "ship_within_h", "after_sale_days", "unpaid_orders_max")
    assert [fresh[name] for name in names] == ["", 10, 48, 15, 3]

    logo = accepted(merchant.merchant_id)
    saved = save(merchant, logo=logo, receipt_after_d=7)
    later = save(merchant, role="owner", ship_within_h=24, after_sale_days=15)

    assert (saved.status, saved.body["logo"]) == (200, logo)
    assert [later.body[name] for name in names] == [logo, 7, 24, 15, 3]
    merchant.clock.forward(60)
    shop = merchant.visitor().get(f"/v1/merchants/{merchant.merchant_id}").body
    assert (shop["logo"], shop["ship_within_h"]) == (logo, 24)


@pytest.mark.parametrize(
    "wrong",
    [
        {"logo": "https://images.example.com/logo.png"},
        {"receipt_after_d": 0},
        {"receipt_after_d": 31},
        {"ship_within_h": 0},
        {"after_sale_days": 6},
        {"after_sale_days": 361},
        {"receipt_after_d": 1.5},
    ],
)
def test_settings_out_of_bounds_are_refused(
    merchant: MerchantFixture, wrong: dict[str, Any]
) -> None:
    refused = save(merchant, **wrong)

    assert (refused.status, refused.code) == (400, "invalid_request")
    assert merchant.owner().get(SETTINGS).body["revision"] == 1


def test_a_logo_is_a_picture_of_the_shops_own(merchant: MerchantFixture) -> None:
    refused = save(merchant, logo=accepted("0" * 22))

    assert (refused.status, refused.body["details"]) == (400, {"field": "logo"})
    assert refused.body["message"] == "店铺头像不是在本店上传的图片，请重新上传。"


def test_settings_are_for_owner_and_manager(merchant: MerchantFixture) -> None:
    assert [save(merchant, role=role).status for role in ("fulfilment", "service")] == [403, 403]


def test_after_sale_ends_when_the_shop_says(merchant: MerchantFixture) -> None:
    save(merchant, after_sale_days=7)
    activity, buyer = merchant.activity(stock=10, product_stock=20), merchant.buyer()
    order_id = buyer.buy_alone(activity).body["order_id"]
    merchant.pay(buyer, order_id)
    claim = {"amount_fen": 100, "reason": "damaged"}

    merchant.clock.forward(7 * 86_400 + 1)
    buyer.token = auth.buyer_token(
        merchant.merchant_id, buyer.buyer_id, "小明", now_s=merchant.now_s
    )  # the session has ended meanwhile
    refused = buyer.post(f"/v1/orders/{order_id}/after-sales", claim)

    assert (refused.status, refused.code) == (409, "after_sale_refused")
    assert refused.body["message"] == "付款已超过 7 天，不能在线申请售后。请联系商家。"


def test_categories_have_two_levels_and_their_order(merchant: MerchantFixture) -> None:
    fruit, dry = make(merchant, "鲜果", position=2), make(merchant, "干货", position=3)
    apple = make(merchant, "苹果", position=0, parent_id=fruit["category_id"])

    assert levels(merchant) == {"苹果": "鲜果", "水果": None, "鲜果": None, "干货": None}
    moved = move(merchant, apple, dry["category_id"])
    assert (moved.status, moved.body["parent_id"]) == (200, dry["category_id"])
    assert move(merchant, apple, dry["category_id"]).body == moved.body
    up = move(merchant, moved.body, None)
    assert (up.body["parent_id"], levels(merchant)["苹果"]) == (None, None)
    children = {i["name"]: i["children"] for i in merchant.owner().get(CATEGORIES).body["items"]}
    assert set(children.values()) == {0}
    shown = merchant.visitor().get(f"/v1/merchants/{merchant.merchant_id}/categories").body["items"]
    assert [item["parent_id"] for item in shown] == [None] * 4


def test_there_is_no_third_level_and_no_circle(merchant: MerchantFixture) -> None:
    fruit = make(merchant, "鲜果")
    apple = make(merchant, "苹果", parent_id=fruit["category_id"])
    other = make(merchant, "干货")

    refused = [
        merchant.owner().post(CATEGORIES, {"name": "富士", "parent_id": apple["category_id"]}),
        merchant.owner().post(CATEGORIES, {"name": "富士", "parent_id": "0" * 22}),
        move(merchant, other, apple["category_id"]),
        move(merchant, fruit, other["category_id"]),
        move(merchant, other, other["category_id"]),
    ]

    assert {(r.status, r.body["details"]["field"]) for r in refused} == {(400, "parent_id")}
    assert refused[3].body["message"] == (
        "「鲜果」下有 1 个分类，不能放到其他分类下。请先移走它们。"
    )
    assert levels(merchant) == {"水果": None, "鲜果": None, "苹果": "鲜果", "干货": None}


def test_categories_that_move_under_each_other_at_once_stay_on_two_levels(
    merchant: MerchantFixture,
) -> None:
    for n in range(4):
        one, two, three = (make(merchant, f"{name}{n}") for name in "甲乙丙")
        replies = concurrently(
            [
                _moving(merchant, one, two["category_id"]),
                _moving(merchant, two, three["category_id"]),
                _moving(merchant, three, one["category_id"]),
            ]
        )

        assert {r.status for r in replies} <= {200, 400}
    found = levels(merchant)
    assert [name for name, parent in found.items() if parent and found[parent]] == []


def test_a_category_is_removed_when_nothing_is_in_it(merchant: MerchantFixture) -> None:
    fruit = make(merchant, "鲜果")
    apple = make(merchant, "苹果", parent_id=fruit["category_id"])
    merchant.activity()  # in the merchant's own category

    filled = remove(merchant, merchant.category_id)
    above = remove(merchant, fruit["category_id"])
    gone = [remove(merchant, apple["category_id"]).body for _ in range(2)]

    assert (filled.status, filled.body["message"]) == (
        409,
        "「水果」里还有商品，请先把它们移到其他分类。",
    )
    assert above.body["message"] == "「鲜果」下还有 1 个分类，请先移走或删除它们。"
    assert gone == [{"done": True}] * 2
    assert remove(merchant, fruit["category_id"]).status == 200
    assert remove(merchant, "0" * 22).status == 404
    assert levels(merchant) == {"水果": None}
    assert move(merchant, apple, None).status == 404
    product = {
        "title": "苹果",
        "category_id": apple["category_id"],
        "skus": [{"specs": {}, "list_price_fen": 2, "solo_price_fen": 2, "stock": 1}],
    }
    refused = merchant.owner().post("/v1/merchant/products", product)
    assert refused.body["details"] == {"field": "category_id"}


def test_a_parent_cannot_be_removed_while_a_child_comes(merchant: MerchantFixture) -> None:
    for n in range(4):
        parent = make(merchant, f"上级{n}")
        parent_id = parent["category_id"]
        body = {"name": f"下级{n}", "parent_id": parent_id}
        concurrently(
            [
                lambda parent_id=parent_id: remove(merchant, parent_id),
                lambda body=body: merchant.owner().post(CATEGORIES, body),
            ]
        )
        found = levels(merchant)
        assert (f"下级{n}" in found) == (f"上级{n}" in found)


def _moving(merchant: MerchantFixture, category: Any, parent_id: str) -> Callable[[], Reply]:
    return lambda: move(merchant, category, parent_id)
