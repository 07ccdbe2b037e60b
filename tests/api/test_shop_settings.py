"""The shop's settings, and categories on two levels."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from chalicelib.api import auth
from chalicelib.domain.ids import new_id
from chalicelib.errors import (
    Changed,
    Conflict,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    NotFound,
)
from chalicelib.services.catalogue import categories, stores
from chalicelib.services.catalogue.stores import StoreDraft
from chalicelib.services.people import merchants, payment_accounts
from chalicelib.tables.shop import CategoryItem, StoreItem
from tests.fixtures.images import accepted
from tests.fixtures.interleavings import interleaved
from tests.fixtures.merchant import MerchantFixture, Reply, concurrently
from tests.fixtures.shop import STAFF, Shop
from tests.fixtures.staff_requests import audited

SETTINGS = "/v1/merchant/settings"
CATEGORIES = "/v1/merchant/categories"
STORE = StoreDraft("城西店", "文一西路969号", "0571-88888888")
LOGIN = {"appid": "wx0123456789abcdef", "app_secret": "0123456789abcdef" * 2}
OTHER_LOGIN = {**LOGIN, "app_secret": "f" * 32}
Act = Callable[[Shop, str], object]


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
        {"pay_by_s": 299},
        {"receipt_after_d": 0},
        {"receipt_after_d": 31},
        {"ship_within_h": 0},
        {"after_sale_days": 6},
        {"after_sale_days": 361},
        {"receipt_after_d": 1.5},
        {"attribution_days": 0},
        {"attribution_days": 15},
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
            [partial(remove, merchant, parent_id), partial(merchant.owner().post, CATEGORIES, body)]
        )
        found = levels(merchant)
        assert (f"下级{n}" in found) == (f"上级{n}" in found)


def _moving(merchant: MerchantFixture, category: Any, parent_id: str) -> Callable[[], Reply]:
    return lambda: move(merchant, category, parent_id)


def category(shop: Shop, name: str, parent_id: str | None = None, **more: str) -> CategoryItem:
    return categories.create(
        shop.merchant_id,
        name=name,
        position=1,
        parent_id=parent_id,
        staff=STAFF,
        now_s=shop.now_s,
        **more,
    )


def move_category(
    shop: Shop, item: CategoryItem, name: str, parent_id: str | None = None
) -> CategoryItem:
    return categories.change(
        shop.merchant_id,
        item.category_id,
        name=name,
        position=1,
        parent_id=parent_id,
        revision=item.revision,
        staff=STAFF,
        now_s=shop.now_s,
    )


def remove_category(shop: Shop, item: CategoryItem) -> None:
    categories.remove(shop.merchant_id, item.category_id, staff=STAFF, now_s=shop.now_s)


def test_same_category_made_twice_at_once_is_one_and_counted_once(shop: Shop) -> None:
    key, parent = new_id(), category(shop, "水果")

    with interleaved(lambda: category(shop, "浆果", parent.category_id, category_id=key)):
        category(shop, "浆果", parent.category_id, category_id=key)

    assert categories.read(shop.merchant_id, parent.category_id).children == 1
    with pytest.raises(IdempotencyMismatch):
        category(shop, "瓜果", category_id=key, body_hash="another")


def test_category_renamed_by_two_at_once_has_the_first_ones_name(shop: Shop) -> None:
    item = category(shop, "浆果")

    with interleaved(lambda: move_category(shop, item, "同事起的")), pytest.raises(Changed):
        move_category(shop, item, "我起的")

    assert categories.read(shop.merchant_id, item.category_id).name == "同事起的"


def test_category_moved_by_two_at_once_is_counted_where_it_is(shop: Shop) -> None:
    first, second = category(shop, "水果"), category(shop, "蔬菜")
    item = category(shop, "番茄", first.category_id)

    with (
        interleaved(lambda: move_category(shop, item, "番茄", second.category_id)),
        pytest.raises(Changed),
    ):
        move_category(shop, item, "番茄")

    counted = [
        categories.read(shop.merchant_id, one.category_id).children for one in (first, second)
    ]
    assert counted == [0, 1]


def test_category_that_got_a_child_meanwhile_does_not_go_below_another(shop: Shop) -> None:
    parent, item = category(shop, "水果"), category(shop, "浆果")

    with (
        interleaved(lambda: category(shop, "蓝莓", item.category_id)),
        pytest.raises(InvalidRequest) as refusal,
    ):
        move_category(shop, item, "浆果", parent.category_id)

    assert refusal.value.details == {"field": "parent_id"}
    assert categories.read(shop.merchant_id, parent.category_id).children == 0


def test_category_that_was_removed_meanwhile_gets_no_child(shop: Shop) -> None:
    parent = category(shop, "水果")

    with (
        interleaved(lambda: remove_category(shop, parent)),
        pytest.raises(InvalidRequest) as refusal,
    ):
        category(shop, "浆果", parent.category_id)

    assert refusal.value.details == {"field": "parent_id"}


def test_category_removed_twice_at_once_leaves_its_parent_once(shop: Shop) -> None:
    parent = category(shop, "水果")
    items = [category(shop, name, parent.category_id) for name in ("浆果", "瓜果")]

    with interleaved(lambda: remove_category(shop, items[0])):
        remove_category(shop, items[0])

    assert categories.read(shop.merchant_id, parent.category_id).children == 1


def open_store(shop: Shop, key: str, **more: str) -> StoreItem:
    return stores.create(shop.merchant_id, key, STORE, staff=STAFF, now_s=shop.now_s, **more)


def change_store(shop: Shop, key: str, name: str, revision: int = 1) -> StoreItem:
    return stores.change(
        shop.merchant_id,
        key,
        replace(STORE, name=name),
        revision=revision,
        staff=STAFF,
        now_s=shop.now_s,
    )


def remove_store(shop: Shop, key: str) -> None:
    stores.remove(shop.merchant_id, key, staff=STAFF, now_s=shop.now_s)


@pytest.mark.parametrize(
    ("act", "action"),
    [
        (open_store, "store_created"),
        (lambda shop, key: change_store(shop, key, "城东店"), "store_changed"),
        (remove_store, "store_removed"),
    ],
    ids=["made", "changed", "removed"],
)
def test_store_treated_alike_by_two_at_once_is_so_once(shop: Shop, act: Act, action: str) -> None:
    key = new_id()
    if action != "store_created":
        open_store(shop, key)

    with interleaved(lambda: act(shop, key)):
        act(shop, key)

    assert audited(shop, action) == 1


def test_store_changed_by_two_at_once_is_as_the_first_wanted(shop: Shop) -> None:
    key = new_id()
    open_store(shop, key)

    with interleaved(lambda: change_store(shop, key, "城东店")), pytest.raises(Changed):
        change_store(shop, key, "城北店")

    assert stores.read(shop.merchant_id, key).name == "城东店"


def test_store_made_again_as_another_is_refused(shop: Shop) -> None:
    key = new_id()
    open_store(shop, key)

    with pytest.raises(IdempotencyMismatch):
        open_store(shop, key, body_hash="another")
    for asked, unknown in ((Shop(), key), (shop, new_id())):
        with pytest.raises(NotFound):
            remove_store(asked, unknown)
    assert stores.read(shop.merchant_id, key).removed_at_s is None


def test_there_are_so_many_categories_and_stores_and_no_more(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(categories, "KIND", replace(categories.KIND, most=2))
    monkeypatch.setattr(stores, "KIND", replace(stores.KIND, most=1))
    category(shop, "蔬菜")
    open_store(shop, new_id())

    for one_more in (lambda: category(shop, "水产"), lambda: open_store(shop, new_id())):
        with pytest.raises(LimitReached):
            one_more()

    assert len(categories.everything(shop.merchant_id)) == 2
    assert len(stores.everything(shop.merchant_id)) == 1


def test_number_of_a_shop_is_given_once(shop: Shop) -> None:
    with pytest.raises(Conflict):
        merchants.create("别的店", merchant_id=shop.merchant_id, now_s=shop.now_s)

    assert merchants.read(shop.merchant_id).name == "果园小店"


def settings(shop: Shop, name: str) -> str:
    item = merchants.read(shop.merchant_id)
    changed = merchants.change_settings(
        shop.merchant_id,
        merchants.Settings(name, "0571-88888888", 600),
        revision=item.revision,
        staff=STAFF,
        now_s=shop.now_s,
    )
    return str(changed.name)


def test_settings_changed_by_two_at_once_are_the_first_ones(shop: Shop) -> None:
    with interleaved(lambda: settings(shop, "果园大店")), pytest.raises(Changed):
        settings(shop, "果园老店")
    with interleaved(lambda: settings(shop, "果园老店")):
        settings(shop, "果园老店")

    assert merchants.read(shop.merchant_id).name == "果园老店"
    assert audited(shop, "settings_changed") == 2


def keep(shop: Shop, account: dict[str, str], revision: int) -> None:
    payment_accounts.change(
        shop.merchant_id, "wechat-login", account, revision=revision, staff=STAFF, now_s=shop.now_s
    )


@pytest.mark.parametrize("revision", [0, 1])
def test_account_kept_by_two_at_once_is_the_first_ones(shop: Shop, revision: int) -> None:
    if revision:
        keep(shop, {**LOGIN, "app_secret": "0" * 32}, 0)

    with interleaved(lambda: keep(shop, OTHER_LOGIN, revision)), pytest.raises(Changed):
        keep(shop, LOGIN, revision)

    account = payment_accounts.read(shop.merchant_id, "wechat-login")
    assert (account.as_saved, account.item.revision if account.item else 0) == (True, revision + 1)
    assert audited(shop, "payment_account_changed") == revision + 1
