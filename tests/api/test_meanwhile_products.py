"""Two people work on the same products, categories and stores: each change is made once, upon what
its maker has seen, or not at all."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.domain import activity_draft
from chalicelib.domain.ids import new_id
from chalicelib.domain.product import ProductDraft, SkuDraft
from chalicelib.errors import ActivityClosed, Changed, InvalidRequest
from chalicelib.services.catalogue import (
    activities,
    adjustments,
    product_shelf,
    products,
    publishing,
)
from chalicelib.services.catalogue.products import NEW_STOCKS_MAX, REMOVED_MAX, Stocked
from chalicelib.services.catalogue.stores import StoreDraft
from tests.fixtures.interleavings import interleaved
from tests.fixtures.shop import STAFF, Shop, Sold, new_shop
from tests.fixtures.staff_requests import audited, end

STORE = StoreDraft("城西店", "文一西路969号", "0571-88888888")


@pytest.fixture
def shop(engine: str) -> Iterator[Shop]:
    with new_shop() as shop:
        yield shop


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


def save(shop: Shop, product: Stocked, draft: ProductDraft) -> Stocked:
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

    with interleaved(lambda: save(shop, product, theirs)), pytest.raises(Changed):
        save(shop, product, mine)

    found = products.read(shop.merchant_id, product.product.product_id)
    assert (found.product.title, found.product.revision) == ("同事改的", 2)
    assert audited(shop, "product_changed") == 1


def test_change_that_cannot_be_saved_changes_nothing(shop: Shop) -> None:
    draft = draft_of(shop)
    product = create(shop, draft)
    fine = kept(product, draft, skus=2)

    for wrong in (replace(fine, title=""), replace(fine, category_id=new_id())):
        with pytest.raises(InvalidRequest):
            save(shop, product, wrong)

    assert products.read(shop.merchant_id, product.product.product_id).product.revision == 1


def test_product_put_off_sale_while_it_is_saved_is_not_put_on_again(shop: Shop) -> None:
    draft = draft_of(shop)
    product = create(shop, draft)

    with interleaved(lambda: shelve(shop, product, on_sale=False)), pytest.raises(Changed):
        save(shop, product, replace(kept(product, draft, skus=2), title="我改的"))

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
        save(shop, product, kept(product, draft, skus=1))

    assert refusal.value.details == {"field": "skus", "sku_id": sku_id}
    assert len(products.read(shop.merchant_id, product.product.product_id).product.skus) == 2


def test_sku_that_was_removed_meanwhile_is_not_published(shop: Shop) -> None:
    draft = draft_of(shop)
    product = create(shop, draft)
    sku_id = product.product.skus[1]["sku_id"]

    with (
        interleaved(lambda: save(shop, product, kept(product, draft, skus=1))),
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
        save(shop, product, kept(product, draft, skus=1))

    assert refusal.value.details == {"field": "skus"}
    found = products.read(shop.merchant_id, product.product.product_id)
    assert len(found.product.skus) == REMOVED_MAX + 2
    assert len(save(shop, product, kept(product, draft, skus=2)).product.skus) == 2


def test_activity_paused_while_it_is_changed_stays_paused(shop: Shop) -> None:
    sold = shop.activity()

    with (
        interleaved(
            lambda: activities.pause(
                shop.merchant_id, sold.activity_id, staff=STAFF, now_s=shop.now_s
            )
        ),
        pytest.raises(Changed),
    ):
        shop.edit(sold, title="新的标题")

    found = activities.read(shop.merchant_id, sold.activity_id)
    assert (found.status, found.title, found.version) == ("paused", "周末一起拼", 1)


def test_activity_ended_while_it_is_made_longer_is_over(shop: Shop) -> None:
    sold: Sold = shop.activity()
    ends_at_s = activities.read(shop.merchant_id, sold.activity_id).ends_at_s

    with interleaved(lambda: end(shop, sold)), pytest.raises(ActivityClosed):
        shop.edit(sold, ends_at_s=ends_at_s + 86400)

    assert activities.read(shop.merchant_id, sold.activity_id).ends_at_s == ends_at_s
