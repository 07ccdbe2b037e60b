"""The shop's settings, and categories on two levels."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.api import auth
from tests.drawings import accepted
from tests.support import Reply, Town, at_once

SETTINGS = "/v1/merchant/settings"
CATEGORIES = "/v1/merchant/categories"


def save(town: Town, role: str = "manager", **changes: Any) -> Reply:
    now = town.owner().get(SETTINGS).body
    body = {name: now[name] for name in ("name", "service_phone", "pay_by_s", "revision")}
    return town.staff(role).put(SETTINGS, body | changes)


def make(town: Town, name: str, **more: Any) -> Any:
    made = town.owner().post(CATEGORIES, {"name": name, **more})
    assert made.status == 201, made.body
    return made.body


def move(town: Town, category: Any, parent_id: str | None, **more: Any) -> Reply:
    body = {name: category[name] for name in ("name", "position", "revision")}
    path = f"{CATEGORIES}/{category['category_id']}"
    return town.owner().put(path, body | {"parent_id": parent_id, **more})


def remove(town: Town, category_id: str) -> Reply:
    return town.owner().call("DELETE", f"{CATEGORIES}/{category_id}")


def levels(town: Town) -> dict[str, str | None]:
    """Each category's name, and its parent's."""
    items = town.owner().get(CATEGORIES).body["items"]
    names = {item["category_id"]: item["name"] for item in items}
    return {item["name"]: names.get(item["parent_id"]) for item in items}


def test_settings_have_defaults_and_are_changed_one_by_one(town: Town) -> None:
    fresh = town.owner().get(SETTINGS).body
    names = ("logo", "receipt_after_d", "ship_within_h", "after_sale_days", "unpaid_orders_max")
    assert [fresh[name] for name in names] == ["", 10, 48, 15, 3]

    logo = accepted(town.merchant_id)
    saved = save(town, logo=logo, receipt_after_d=7)
    later = save(town, role="owner", ship_within_h=24, after_sale_days=15)

    assert (saved.status, saved.body["logo"]) == (200, logo)
    assert [later.body[name] for name in names] == [logo, 7, 24, 15, 3]
    town.clock.forward(60)
    shop = town.visitor().get(f"/v1/merchants/{town.merchant_id}").body
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
def test_settings_out_of_bounds_are_refused(town: Town, wrong: dict[str, Any]) -> None:
    refused = save(town, **wrong)

    assert (refused.status, refused.code) == (400, "invalid_request")
    assert town.owner().get(SETTINGS).body["revision"] == 1


def test_a_logo_is_a_picture_of_the_shops_own(town: Town) -> None:
    refused = save(town, logo=accepted("0" * 22))

    assert (refused.status, refused.body["details"]) == (400, {"field": "logo"})
    assert refused.body["message"] == "店铺头像不是在本店上传的图片，请重新上传。"


def test_settings_are_for_owner_and_manager(town: Town) -> None:
    assert [save(town, role=role).status for role in ("fulfilment", "service")] == [403, 403]


def test_after_sale_ends_when_the_shop_says(town: Town) -> None:
    save(town, after_sale_days=7)
    activity, buyer = town.activity(stock=10, product_stock=20), town.buyer()
    order_id = buyer.buy_alone(activity).body["order_id"]
    town.pay(buyer, order_id)
    claim = {"amount_fen": 100, "reason": "damaged"}

    town.clock.forward(7 * 86_400 + 1)
    buyer.token = auth.buyer_token(
        town.merchant_id, buyer.buyer_id, "小明", now_s=town.now_s
    )  # the session has ended meanwhile
    refused = buyer.post(f"/v1/orders/{order_id}/after-sales", claim)

    assert (refused.status, refused.code) == (409, "after_sale_refused")
    assert refused.body["message"] == "付款已超过 7 天，不能在线申请售后。请联系商家。"


def test_categories_have_two_levels_and_their_order(town: Town) -> None:
    fruit, dry = make(town, "鲜果", position=2), make(town, "干货", position=3)
    apple = make(town, "苹果", position=0, parent_id=fruit["category_id"])

    assert levels(town) == {"苹果": "鲜果", "水果": None, "鲜果": None, "干货": None}
    moved = move(town, apple, dry["category_id"])
    assert (moved.status, moved.body["parent_id"]) == (200, dry["category_id"])
    assert move(town, apple, dry["category_id"]).body == moved.body
    up = move(town, moved.body, None)
    assert (up.body["parent_id"], levels(town)["苹果"]) == (None, None)
    children = {i["name"]: i["children"] for i in town.owner().get(CATEGORIES).body["items"]}
    assert set(children.values()) == {0}
    shown = town.visitor().get(f"/v1/merchants/{town.merchant_id}/categories").body["items"]
    assert [item["parent_id"] for item in shown] == [None] * 4


def test_there_is_no_third_level_and_no_circle(town: Town) -> None:
    fruit = make(town, "鲜果")
    apple = make(town, "苹果", parent_id=fruit["category_id"])
    other = make(town, "干货")

    refused = [
        town.owner().post(CATEGORIES, {"name": "富士", "parent_id": apple["category_id"]}),
        town.owner().post(CATEGORIES, {"name": "富士", "parent_id": "0" * 22}),
        move(town, other, apple["category_id"]),
        move(town, fruit, other["category_id"]),
        move(town, other, other["category_id"]),
    ]

    assert {(r.status, r.body["details"]["field"]) for r in refused} == {(400, "parent_id")}
    assert refused[3].body["message"] == (
        "「鲜果」下有 1 个分类，不能放到其他分类下。请先移走它们。"
    )
    assert levels(town) == {"水果": None, "鲜果": None, "苹果": "鲜果", "干货": None}


def test_categories_that_move_under_each_other_at_once_stay_on_two_levels(town: Town) -> None:
    for n in range(4):
        one, two, three = (make(town, f"{name}{n}") for name in "甲乙丙")
        replies = at_once(
            [
                _moving(town, one, two["category_id"]),
                _moving(town, two, three["category_id"]),
                _moving(town, three, one["category_id"]),
            ]
        )

        assert {r.status for r in replies} <= {200, 400}
    found = levels(town)
    assert [name for name, parent in found.items() if parent and found[parent]] == []


def test_a_category_is_removed_when_nothing_is_in_it(town: Town) -> None:
    fruit = make(town, "鲜果")
    apple = make(town, "苹果", parent_id=fruit["category_id"])
    town.activity()  # in the town's own category

    filled = remove(town, town.category_id)
    above = remove(town, fruit["category_id"])
    gone = [remove(town, apple["category_id"]).body for _ in range(2)]

    assert (filled.status, filled.body["message"]) == (
        409,
        "「水果」里还有商品，请先把它们移到其他分类。",
    )
    assert above.body["message"] == "「鲜果」下还有 1 个分类，请先移走或删除它们。"
    assert gone == [{"done": True}] * 2
    assert remove(town, fruit["category_id"]).status == 200
    assert remove(town, "0" * 22).status == 404
    assert levels(town) == {"水果": None}
    assert move(town, apple, None).status == 404
    product = {
        "title": "苹果",
        "category_id": apple["category_id"],
        "skus": [{"specs": {}, "list_price_fen": 2, "solo_price_fen": 2, "stock": 1}],
    }
    refused = town.owner().post("/v1/merchant/products", product)
    assert refused.body["details"] == {"field": "category_id"}


def test_a_parent_cannot_be_removed_while_a_child_comes(town: Town) -> None:
    for n in range(4):
        parent = make(town, f"上级{n}")
        parent_id = parent["category_id"]
        body = {"name": f"下级{n}", "parent_id": parent_id}
        at_once(
            [
                lambda parent_id=parent_id: remove(town, parent_id),
                lambda body=body: town.owner().post(CATEGORIES, body),
            ]
        )
        found = levels(town)
        assert (f"下级{n}" in found) == (f"上级{n}" in found)


def _moving(town: Town, category: Any, parent_id: str) -> Callable[[], Reply]:
    return lambda: move(town, category, parent_id)
