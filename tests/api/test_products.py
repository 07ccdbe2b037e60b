"""Products and their stock, changed by staff."""

from dataclasses import replace

import pytest

from chalicelib.domain.ids import new_id
from chalicelib.domain.product import ProductDraft, SkuDraft
from chalicelib.errors import (
    ActivityClosed,
    Changed,
    IdempotencyMismatch,
    InvalidRequest,
    NotFound,
    SoldOut,
)
from chalicelib.services.catalogue import (
    activities,
    activity_lists,
    adjustments,
    products,
)
from tests.fixtures.catalogue import (
    BOSS,
    DAY_S,
    END_S,
    NOW_S,
    Shop,
    concurrently,
    kept_draft,
    new_shop,
    product_draft,
)


@pytest.fixture
def shop() -> Shop:
    return new_shop()


def adjust(shop: Shop, delta: int, adjustment_id: str | None = None, sku_id: str | None = None):
    return adjustments.adjust_stock(
        shop.merchant_id,
        shop.product_id,
        sku_id or shop.red,
        delta=delta,
        reason="盘点",
        staff=BOSS,
        now_s=NOW_S,
        adjustment_id=adjustment_id,
    )


def test_an_adjustment_happens_once_however_often_it_is_sent(shop):
    adjustment_id = new_id()

    assert adjust(shop, 5, adjustment_id).available == 105
    assert adjust(shop, 5, adjustment_id).available == 105
    with pytest.raises(IdempotencyMismatch):
        adjust(shop, 6, adjustment_id)
    assert shop.stock() == (105, 50)


def test_adjustments_race_and_stock_never_goes_below_nothing(shop):
    outcomes = concurrently([lambda: adjust(shop, -15) for _ in range(10)])

    assert outcomes == ["done"] * 6 + ["sold_out"] * 4
    assert shop.stock() == (10, 50)


def test_adjustments_that_cannot_be_change_nothing(shop):
    for delta in (0, 10_000_000):
        with pytest.raises(InvalidRequest):
            adjust(shop, delta)
    with pytest.raises(InvalidRequest):
        adjust(shop, 9_999_900)
    with pytest.raises(NotFound):
        adjust(shop, 1, sku_id=new_id())
    assert shop.stock() == (100, 50)


def test_stock_is_added_to_an_activity_until_it_is_over(shop):
    activity = shop.publish()

    def add(quantity: int, now_s: int = NOW_S, adjustment_id: str | None = None) -> int:
        return adjustments.add_stock(
            shop.merchant_id,
            activity.activity_id,
            shop.red,
            quantity=quantity,
            staff=BOSS,
            now_s=now_s,
            adjustment_id=adjustment_id,
        )

    once = new_id()
    assert (add(11, adjustment_id=once), add(11, adjustment_id=once)) == (49, 49)
    assert activity_lists.stock_left(activity)[shop.red] == 51
    with pytest.raises(SoldOut) as refusal:
        add(50)
    assert refusal.value.details == {"available": 49}
    with pytest.raises(ActivityClosed):
        add(1, now_s=END_S)
    assert shop.stock() == (49, 40)


# Products


def save(shop: Shop, draft: ProductDraft, revision: int = 1) -> products.Stocked:
    return products.change(
        shop.merchant_id, shop.product_id, draft, revision=revision, staff=BOSS, now_s=NOW_S
    )


def test_saving_a_product_keeps_stock_adds_skus_and_repeats_safely(shop):
    new = SkuDraft({"颜色": "黄色"}, 5900, 3990, stock=7)
    draft = kept_draft(shop, title="阿克苏苹果")
    draft = replace(draft, skus=(*draft.skus, new))

    saved = save(shop, draft)
    again = save(shop, draft)

    assert (saved.product.title, saved.product.revision) == ("阿克苏苹果", 2)
    assert [saved.stocks[sku["sku_id"]].available for sku in saved.product.skus] == [100, 50, 7]
    assert again.product.revision == 2
    assert len(again.stocks) == 3
    with pytest.raises(Changed):
        save(shop, kept_draft(shop, title="别的"))


def test_a_sku_in_an_activity_cannot_be_removed(shop):
    shop.publish()
    draft = kept_draft(shop)

    with pytest.raises(InvalidRequest) as refusal:
        save(shop, replace(draft, skus=draft.skus[:1]))

    assert refusal.value.message == "「绿色」正在「周末三人团」中使用，请先结束那个活动。"
    assert products.read(shop.merchant_id, shop.product_id).product.revision == 1


def test_a_sku_can_be_removed_once_its_activity_is_closed(shop):
    activity = shop.publish()
    activities.end(shop.merchant_id, activity.activity_id, staff=BOSS, now_s=NOW_S)
    draft = kept_draft(shop)
    draft = replace(draft, skus=draft.skus[:1])

    with pytest.raises(InvalidRequest) as refusal:
        save(shop, draft)
    assert refusal.value.message == "「周末三人团」刚结束，它的库存退回后才能删除「绿色」。"

    activities.close(shop.merchant_id, activity.activity_id, now_s=END_S + DAY_S)
    saved = save(shop, draft)
    assert [sku["sku_id"] for sku in saved.product.skus] == [shop.red]
    assert saved.stocks[shop.green].available == 50  # kept, for what may still come back


def test_removing_a_sku_races_its_publication_and_one_of_them_wins(shop):
    draft = kept_draft(shop)

    outcomes = concurrently([lambda: save(shop, replace(draft, skus=draft.skus[:1])), shop.publish])

    assert outcomes == ["done", "invalid_request"]
    skus = products.read(shop.merchant_id, shop.product_id).product.skus
    published, _ = activity_lists.page(shop.merchant_id, limit=10, now_s=NOW_S)
    assert (len(skus), len(published)) in [(1, 0), (2, 1)]


def test_a_product_of_200_skus_is_created_whole(shop):
    skus = tuple(
        SkuDraft({"编号": str(n)}, list_price_fen=200, solo_price_fen=100, stock=n)
        for n in range(200)
    )

    stocked = products.create(
        shop.merchant_id, product_draft(shop.category_id, skus=skus), staff=BOSS, now_s=NOW_S
    )

    order = [stocked.stocks[sku["sku_id"]].available for sku in stocked.product.skus]
    assert order == list(range(200))


def test_an_unknown_category_is_refused(shop):
    with pytest.raises(InvalidRequest) as refusal:
        products.create(shop.merchant_id, product_draft(new_id()), staff=BOSS, now_s=NOW_S)

    assert refusal.value.details == {"field": "category_id"}
