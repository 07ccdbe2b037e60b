"""How staff find an activity: by words of its title or its product's, in every state."""

from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.domain.activity_draft import Draft, DraftSku
from chalicelib.domain.product import ProductDraft, SkuDraft
from chalicelib.services.catalogue import activity_lists, products, publishing
from tests.fixtures.capacity_meter import metered
from tests.fixtures.merchant import DAY_S, MerchantFixture


def offered(
    merchant: MerchantFixture, product: str, title: str, *, days: int = 7, in_days: int = 0
) -> Draft:
    """The draft of an activity that sells a product of its own, published."""
    kinds = (SkuDraft({}, 12900, 9900, stock=50),)
    draft = ProductDraft(product, merchant.category_id, kinds)
    made = products.create(merchant.merchant_id, draft, staff="test", now_s=merchant.now_s)
    offer = Draft(
        product_id=made.product.product_id,
        title=title,
        skus=(DraftSku(made.product.skus[0]["sku_id"], 5900, 50),),
        seats_total=3,
        life_h=24,
        starts_at_s=merchant.now_s + in_days * DAY_S,
        ends_at_s=merchant.now_s + (in_days + days) * DAY_S,
    )
    publishing.publish(merchant.merchant_id, offer, staff="test", now_s=merchant.now_s)
    return offer


def page(merchant: MerchantFixture, query: str) -> Any:
    reply = merchant.staff("service").get(f"/v1/merchant/activities?{query}")
    assert reply.status == 200, reply.body
    return reply.body


def titles(merchant: MerchantFixture, q: str, more: str = "") -> list[str]:
    return [row["title"] for row in page(merchant, f"q={quote(q)}{more}")["items"]]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("周末", ["周末 VIP 团"]),
        ("ｖｉｐ", ["周末 VIP 团"]),
        ("vip 脐橙", ["周末 VIP 团"]),
        ("脐橙", ["中秋团", "周末 VIP 团"]),
        ("草莓", ["草莓尝鲜"]),
        ("周末 中秋", []),
        ("  ", ["中秋团", "草莓尝鲜", "周末 VIP 团"]),
        ("%", []),
    ],
)
def test_words_find_activities_by_title_and_product(
    merchant: MerchantFixture, q: str, found: list[str]
) -> None:
    offered(merchant, "赣南脐橙", "周末 VIP 团", days=7)
    offered(merchant, "高原红颜草莓", "草莓尝鲜", days=8)
    offered(merchant, "赣南脐橙 礼盒", "中秋团", days=9, in_days=2)

    assert titles(merchant, q) == found


def test_a_search_keeps_to_its_state_and_category_and_goes_on_where_it_ended(
    merchant: MerchantFixture,
) -> None:
    offered(merchant, "赣南脐橙", "周末团", days=7)
    offered(merchant, "赣南脐橙 礼盒", "中秋团", days=9, in_days=2)
    offered(merchant, "高原红颜草莓", "草莓尝鲜", days=8)

    assert titles(merchant, "脐橙", "&state=running") == ["周末团"]
    assert titles(merchant, "脐橙", "&state=scheduled") == ["中秋团"]
    assert titles(merchant, "脐橙", "&state=ended") == []
    assert titles(merchant, "脐橙", f"&category={merchant.category_id}") == ["中秋团", "周末团"]
    assert titles(merchant, "脐橙", f"&category={'0' * 22}") == []
    first = page(merchant, f"q={quote('脐橙')}&limit=1")
    assert [row["title"] for row in first["items"]] == ["中秋团"]
    assert titles(merchant, "脐橙", f"&limit=1&next={first['next']}") == ["周末团"]
    other = merchant.owner().get(f"/v1/merchant/activities?q={quote('草莓')}&next={first['next']}")
    assert other.status == 400  # a page token of another search


def test_an_activity_is_found_by_its_new_title_and_no_longer_by_the_old(
    merchant: MerchantFixture,
) -> None:
    offered(merchant, "赣南脐橙", "周末团")
    [row] = page(merchant, "")["items"]
    changed = {
        "title": "国庆团",
        "skus": [{"sku_id": row["skus"][0]["sku_id"], "group_price_fen": 5900}],
        "revision": row["revision"],
        **{name: row[name] for name in ("seats_total", "life_h", "ends_at_s")},
    }

    reply = merchant.owner().put(f"/v1/merchant/activities/{row['activity_id']}", changed)

    assert (reply.status, titles(merchant, "国庆 脐橙"), titles(merchant, "周末")) == (
        200,
        ["国庆团"],
        [],
    )


def test_a_search_looks_at_many_activities_in_one_call(merchant: MerchantFixture) -> None:
    for n in range(4):
        offered(merchant, "高原红颜草莓", f"草莓 {n} 号")

    with metered() as used:
        found, key = activity_lists.page(merchant.merchant_id, q="0", limit=1, now_s=merchant.now_s)

    assert ([item.title for item in found], key) == (["草莓 0 号"], None)
    assert len(used.calls) == 1
