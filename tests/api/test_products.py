"""Products and their stock, changed by staff."""

from dataclasses import replace

import pytest

from chalicelib.domain import activity_draft
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
    product_shelf,
    products,
    publishing,
)
from chalicelib.services.catalogue.products import NEW_STOCKS_MAX, REMOVED_MAX, Stocked
from chalicelib.tables.catalogue import ProductStockItem
from tests.fixtures.catalogue import (
    BOSS,
    DAY_S,
    END_S,
    NOW_S,
    CatalogueFixture,
    concurrently,
    kept_draft,
    product_draft,
)
from tests.fixtures.interleavings import interleaved
from tests.fixtures.shop import STAFF, Shop
from tests.fixtures.staff_requests import audited


def adjust(
    catalogue: CatalogueFixture,
    delta: int,
    adjustment_id: str | None = None,
    sku_id: str | None = None,
) -> ProductStockItem:
    return adjustments.adjust_stock(
        catalogue.merchant_id,
        catalogue.product_id,
        sku_id or catalogue.red,
        delta=delta,
        reason="盘点",
        staff=BOSS,
        now_s=NOW_S,
        adjustment_id=adjustment_id,
    )


def test_an_adjustment_happens_once_however_often_it_is_sent(catalogue: CatalogueFixture) -> None:
    adjustment_id = new_id()

    assert adjust(catalogue, 5, adjustment_id).available == 105
    assert adjust(catalogue, 5, adjustment_id).available == 105
    with pytest.raises(IdempotencyMismatch):
        adjust(catalogue, 6, adjustment_id)
    assert catalogue.stock() == (105, 50)


def test_adjustments_race_and_stock_never_goes_below_nothing(catalogue: CatalogueFixture) -> None:
    outcomes = concurrently([lambda: adjust(catalogue, -15) for _ in range(10)])

    assert outcomes == ["done"] * 6 + ["sold_out"] * 4
    assert catalogue.stock() == (10, 50)


def test_adjustments_that_cannot_be_change_nothing(catalogue: CatalogueFixture) -> None:
    for delta in (0, 10_000_000):
        with pytest.raises(InvalidRequest):
            adjust(catalogue, delta)
    with pytest.raises(InvalidRequest):
        adjust(catalogue, 9_999_900)
    with pytest.raises(NotFound):
        adjust(catalogue, 1, sku_id=new_id())
    assert catalogue.stock() == (100, 50)


def test_stock_is_added_to_an_activity_until_it_is_over(catalogue: CatalogueFixture) -> None:
    activity = catalogue.publish()

    def add(quantity: int, now_s: int = NOW_S, adjustment_id: str | None = None) -> int:
        return adjustments.add_stock(
            catalogue.merchant_id,
            activity.activity_id,
            catalogue.red,
            quantity=quantity,
            staff=BOSS,
            now_s=now_s,
            adjustment_id=adjustment_id,
        )

    once = new_id()
    assert (add(11, adjustment_id=once), add(11, adjustment_id=once)) == (49, 49)
    assert activity_lists.stock_left(activity)[catalogue.red] == 51
    with pytest.raises(SoldOut) as refusal:
        add(50)
    assert refusal.value.details == {"available": 49}
    with pytest.raises(ActivityClosed):
        add(1, now_s=END_S)
    assert catalogue.stock() == (49, 40)


def save(catalogue: CatalogueFixture, draft: ProductDraft, revision: int = 1) -> products.Stocked:
    return products.change(
        catalogue.merchant_id,
        catalogue.product_id,
        draft,
        revision=revision,
        staff=BOSS,
        now_s=NOW_S,
    )


def test_saving_a_product_keeps_stock_adds_skus_and_repeats_safely(
    catalogue: CatalogueFixture,
) -> None:
    new = SkuDraft({"颜色": "黄色"}, 5900, 3990, stock=7)
    draft = kept_draft(catalogue, title="阿克苏苹果")
    draft = replace(draft, skus=(*draft.skus, new))

    saved = save(catalogue, draft)
    again = save(catalogue, draft)

    assert (saved.product.title, saved.product.revision) == ("阿克苏苹果", 2)
    assert [saved.stocks[sku["sku_id"]].available for sku in saved.product.skus] == [100, 50, 7]
    assert again.product.revision == 2
    assert len(again.stocks) == 3
    with pytest.raises(Changed):
        save(catalogue, kept_draft(catalogue, title="别的"))


def test_a_sku_in_an_activity_cannot_be_removed(catalogue: CatalogueFixture) -> None:
    catalogue.publish()
    draft = kept_draft(catalogue)

    with pytest.raises(InvalidRequest) as refusal:
        save(catalogue, replace(draft, skus=draft.skus[:1]))

    assert refusal.value.message == "「绿色」正在「周末三人团」中使用，请先结束那个活动。"
    assert products.read(catalogue.merchant_id, catalogue.product_id).product.revision == 1


def test_a_sku_can_be_removed_once_its_activity_is_closed(catalogue: CatalogueFixture) -> None:
    activity = catalogue.publish()
    activities.end(catalogue.merchant_id, activity.activity_id, staff=BOSS, now_s=NOW_S)
    draft = kept_draft(catalogue)
    draft = replace(draft, skus=draft.skus[:1])

    with pytest.raises(InvalidRequest) as refusal:
        save(catalogue, draft)
    assert refusal.value.message == "「周末三人团」刚结束，它的库存退回后才能删除「绿色」。"

    activities.return_unsold_stock(catalogue.merchant_id, activity.activity_id, now_s=END_S + DAY_S)
    saved = save(catalogue, draft)
    assert [sku["sku_id"] for sku in saved.product.skus] == [catalogue.red]
    assert saved.stocks[catalogue.green].available == 50  # kept, for what may still come back


def test_removing_a_sku_races_its_publication_and_one_of_them_wins(
    catalogue: CatalogueFixture,
) -> None:
    draft = kept_draft(catalogue)

    outcomes = concurrently(
        [lambda: save(catalogue, replace(draft, skus=draft.skus[:1])), catalogue.publish]
    )

    assert outcomes == ["done", "invalid_request"]
    skus = products.read(catalogue.merchant_id, catalogue.product_id).product.skus
    published, _ = activity_lists.page(catalogue.merchant_id, limit=10, now_s=NOW_S)
    assert (len(skus), len(published)) in [(1, 0), (2, 1)]


def test_a_product_of_200_skus_is_created_whole(catalogue: CatalogueFixture) -> None:
    skus = tuple(
        SkuDraft({"编号": str(n)}, list_price_fen=200, solo_price_fen=100, stock=n)
        for n in range(200)
    )

    stocked = products.create(
        catalogue.merchant_id,
        product_draft(catalogue.category_id, skus=skus),
        staff=BOSS,
        now_s=NOW_S,
    )

    order = [stocked.stocks[sku["sku_id"]].available for sku in stocked.product.skus]
    assert order == list(range(200))


def test_an_unknown_category_is_refused(catalogue: CatalogueFixture) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        products.create(catalogue.merchant_id, product_draft(new_id()), staff=BOSS, now_s=NOW_S)

    assert refusal.value.details == {"field": "category_id"}


def draft_of(shop: Shop, skus: int = 2, **changes: object) -> ProductDraft:
    """A product of so many SKUs, 10 units of each."""
    kinds = tuple(SkuDraft({"规格": f"{n}斤装"}, 12900, 9900, stock=10) for n in range(1, skus + 1))
    draft = ProductDraft("云南高原红颜草莓", shop.category_id, kinds)
    return replace(draft, **changes)  # type: ignore[arg-type]


def create(shop: Shop, draft: ProductDraft, key: str | None = None) -> Stocked:
    return products.create(shop.merchant_id, draft, staff=STAFF, now_s=shop.now_s, product_id=key)


def kept(product: Stocked, draft: ProductDraft, *, skus: int) -> ProductDraft:
    """The draft of a product that is there, with its first SKUs alone."""
    ids = [sku["sku_id"] for sku in product.product.skus[:skus]]
    known = (replace(s, sku_id=i, stock=None) for s, i in zip(draft.skus, ids, strict=False))
    return replace(draft, skus=tuple(known))


def save_product(shop: Shop, product: Stocked, draft: ProductDraft) -> Stocked:
    return products.change(
        shop.merchant_id,
        product.product.product_id,
        draft,
        revision=product.product.revision,
        staff=STAFF,
        now_s=shop.now_s,
    )


def shelve(shop: Shop, product: Stocked, *, on_sale: bool) -> Stocked:
    return product_shelf.put(
        shop.merchant_id,
        product.product.product_id,
        on_sale=on_sale,
        revision=product.product.revision,
        staff=STAFF,
        now_s=shop.now_s,
    )


def test_same_product_made_twice_at_once_is_one(shop: Shop) -> None:
    key, draft = new_id(), draft_of(shop)

    with interleaved(lambda: create(shop, draft, key)):
        assert create(shop, draft, key).product.product_id == key

    assert audited(shop, "product_created") == 1


def test_units_sold_of_a_large_product_while_it_is_made_again_stay_sold(shop: Shop) -> None:
    """Its last stocks are written before it: by the second who makes it, too."""
    key, draft = new_id(), draft_of(shop, skus=NEW_STOCKS_MAX + 1)

    def made_and_sold() -> None:
        last = create(shop, draft, key).product.skus[-1]["sku_id"]
        adjustments.adjust_stock(
            shop.merchant_id, key, last, delta=-4, reason="盘点", staff=STAFF, now_s=shop.now_s
        )

    with interleaved(made_and_sold):
        again = create(shop, draft, key)

    assert again.stocks[again.product.skus[-1]["sku_id"]].available == 6


def test_large_product_that_was_half_made_is_made_by_the_repeat(shop: Shop) -> None:
    key, draft = new_id(), draft_of(shop, skus=NEW_STOCKS_MAX + 1)

    def cut_off() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), interleaved(cut_off, after_writes=1):
        create(shop, draft, key)
    made = create(shop, draft, key)

    assert (len(made.product.skus), len(made.stocks)) == (NEW_STOCKS_MAX + 1,) * 2


def test_product_saved_by_two_at_once_is_saved_by_the_first(shop: Shop) -> None:
    draft = draft_of(shop)
    product = create(shop, draft)
    mine = replace(kept(product, draft, skus=2), title="我改的")
    theirs = replace(kept(product, draft, skus=2), title="同事改的")

    with interleaved(lambda: save_product(shop, product, theirs)), pytest.raises(Changed):
        save_product(shop, product, mine)

    found = products.read(shop.merchant_id, product.product.product_id)
    assert (found.product.title, found.product.revision) == ("同事改的", 2)
    assert audited(shop, "product_changed") == 1


def test_change_that_cannot_be_saved_changes_nothing(shop: Shop) -> None:
    draft = draft_of(shop)
    product = create(shop, draft)
    fine = kept(product, draft, skus=2)

    for wrong in (replace(fine, title=""), replace(fine, category_id=new_id())):
        with pytest.raises(InvalidRequest):
            save_product(shop, product, wrong)

    assert products.read(shop.merchant_id, product.product.product_id).product.revision == 1


def test_product_put_off_sale_while_it_is_saved_is_not_put_on_again(shop: Shop) -> None:
    draft = draft_of(shop)
    product = create(shop, draft)

    with interleaved(lambda: shelve(shop, product, on_sale=False)), pytest.raises(Changed):
        save_product(shop, product, replace(kept(product, draft, skus=2), title="我改的"))

    assert not products.read(shop.merchant_id, product.product.product_id).product.on_sale


def test_two_who_put_a_product_off_sale_at_once_do_it_once(shop: Shop) -> None:
    product = create(shop, draft_of(shop))

    with interleaved(lambda: shelve(shop, product, on_sale=False)):
        assert shelve(shop, product, on_sale=False).product.revision == 2

    assert audited(shop, "product_unshelved") == 1


def test_sku_that_an_activity_got_meanwhile_is_not_removed(shop: Shop) -> None:
    draft = draft_of(shop)
    product = create(shop, draft)
    sku_id = product.product.skus[1]["sku_id"]

    with (
        interleaved(lambda: publish(shop, product, sku_id)),
        pytest.raises(InvalidRequest) as refusal,
    ):
        save_product(shop, product, kept(product, draft, skus=1))

    assert refusal.value.details == {"field": "skus", "sku_id": sku_id}
    assert len(products.read(shop.merchant_id, product.product.product_id).product.skus) == 2


def test_sku_that_was_removed_meanwhile_is_not_published(shop: Shop) -> None:
    draft = draft_of(shop)
    product = create(shop, draft)
    sku_id = product.product.skus[1]["sku_id"]

    with (
        interleaved(lambda: save_product(shop, product, kept(product, draft, skus=1))),
        pytest.raises(InvalidRequest),
    ):
        publish(shop, product, sku_id)

    stock = products.read(shop.merchant_id, product.product.product_id).stocks[sku_id]
    assert (stock.available, stock.activities.as_dict()) == (10, {})


def publish(shop: Shop, product: Stocked, sku_id: str) -> str:
    """An activity of one SKU, all of its units."""
    item = publishing.publish(
        shop.merchant_id,
        activity_draft.Draft(
            product_id=product.product.product_id,
            title="周末一起拼",
            skus=(activity_draft.DraftSku(sku_id, 5900, 10),),
            seats_total=2,
            life_h=24,
            ends_at_s=shop.now_s + 2 * 86400,
        ),
        staff=STAFF,
        now_s=shop.now_s,
    )
    return str(item.activity_id)


def test_too_many_skus_are_not_removed_at_once(shop: Shop) -> None:
    draft = draft_of(shop, skus=REMOVED_MAX + 2)
    product = create(shop, draft)

    with pytest.raises(InvalidRequest) as refusal:
        save_product(shop, product, kept(product, draft, skus=1))

    assert refusal.value.details == {"field": "skus"}
    found = products.read(shop.merchant_id, product.product.product_id)
    assert len(found.product.skus) == REMOVED_MAX + 2
    assert len(save_product(shop, product, kept(product, draft, skus=2)).product.skus) == 2
