"""Two people change the same thing of their shop at once: a category, a store, the settings, an
account at a gateway. It is as the first of them wanted, and changed once."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

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
from tests.fixtures.interleavings import interleaved
from tests.fixtures.shop import STAFF, Shop, new_shop
from tests.fixtures.staff_requests import audited

STORE = StoreDraft("城西店", "文一西路969号", "0571-88888888")
LOGIN = {"appid": "wx0123456789abcdef", "app_secret": "0123456789abcdef" * 2}
OTHER_LOGIN = {**LOGIN, "app_secret": "f" * 32}


@pytest.fixture
def shop(engine: str) -> Iterator[Shop]:
    with new_shop() as shop:
        yield shop


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


def move(shop: Shop, item: CategoryItem, name: str, parent_id: str | None = None) -> CategoryItem:
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


def remove(shop: Shop, item: CategoryItem) -> None:
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

    with interleaved(lambda: move(shop, item, "同事起的")), pytest.raises(Changed):
        move(shop, item, "我起的")

    assert categories.read(shop.merchant_id, item.category_id).name == "同事起的"


def test_category_moved_by_two_at_once_is_counted_where_it_is(shop: Shop) -> None:
    first, second = category(shop, "水果"), category(shop, "蔬菜")
    item = category(shop, "番茄", first.category_id)

    with (
        interleaved(lambda: move(shop, item, "番茄", second.category_id)),
        pytest.raises(Changed),
    ):
        move(shop, item, "番茄")

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
        move(shop, item, "浆果", parent.category_id)

    assert refusal.value.details == {"field": "parent_id"}
    assert categories.read(shop.merchant_id, parent.category_id).children == 0


def test_category_that_was_removed_meanwhile_gets_no_child(shop: Shop) -> None:
    parent = category(shop, "水果")

    with (
        interleaved(lambda: remove(shop, parent)),
        pytest.raises(InvalidRequest) as refusal,
    ):
        category(shop, "浆果", parent.category_id)

    assert refusal.value.details == {"field": "parent_id"}


def test_category_removed_twice_at_once_leaves_its_parent_once(shop: Shop) -> None:
    parent = category(shop, "水果")
    items = [category(shop, name, parent.category_id) for name in ("浆果", "瓜果")]

    with interleaved(lambda: remove(shop, items[0])):
        remove(shop, items[0])

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


Act = Callable[[Shop, str], object]


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
    monkeypatch.setattr(categories, "CATEGORIES_MAX", 2)
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
        shop.merchant_id,
        "wechat-login",
        account,
        revision=revision,
        staff=STAFF,
        now_s=shop.now_s,
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
