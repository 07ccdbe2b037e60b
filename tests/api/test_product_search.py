"""Lists of products as staff look for them, the shelf, copies, the history of stock."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.domain.ids import new_id
from chalicelib.domain.product import ProductDraft, SkuDraft
from chalicelib.errors import InvalidRequest
from chalicelib.services.catalogue import product_lists, products
from chalicelib.services.reports import dashboard
from tests.fixtures.capacity_meter import CapacityMeter, metered
from tests.fixtures.images import accepted
from tests.fixtures.merchant import Caller, MerchantFixture

PRODUCTS = "/v1/merchant/products"


def made(
    merchant: MerchantFixture,
    title: str,
    *,
    stock: tuple[int, ...] = (10,),
    code: str = "",
    **more: Any,
) -> str:
    """The id of a product with one SKU of each stock; the first one has the code."""
    skus = tuple(
        SkuDraft({"规格": str(n)}, 200, 100, stock=units, code=code if n == 0 else "")
        for n, units in enumerate(stock)
    )
    draft = ProductDraft(title, merchant.category_id, skus, **more)
    created = products.create(merchant.merchant_id, draft, staff="test", now_s=merchant.now_s)
    merchant.clock.forward(1)
    return str(created.product.product_id)


def titles(caller: Caller, query: str = "") -> list[str]:
    """Titles of a list, page after page of two."""
    found, after = [], ""
    for _ in range(20):
        page = caller.get(f"{PRODUCTS}?limit=2{after}{query}").body
        assert len(page["items"]) <= 2
        found += [item["title"] for item in page["items"]]
        if page["next"] is None:
            return found
        after = f"&next={page['next']}"
    raise AssertionError("The list does not end.")


def low_stock(merchant: MerchantFixture) -> int | None:
    """How many products the first page says are short of stock."""
    counted: int | None = merchant.owner().get("/v1/merchant/dashboard").body["to_do"]["low_stock"]
    return counted


@pytest.fixture
def meter(merchant: MerchantFixture) -> Any:
    with metered() as counting:
        yield counting


def test_products_are_listed_the_newest_first_page_after_page(merchant: MerchantFixture) -> None:
    names = [f"商品{n}" for n in range(5)]
    for name in names:
        made(merchant, name)

    assert titles(merchant.owner()) == names[::-1]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("草莓", ["高原红颜草莓", "草莓 Jam 果酱"]),
        ("红颜", ["高原红颜草莓"]),
        ("莓", ["高原红颜草莓", "草莓 Jam 果酱"]),
        ("jam", ["草莓 Jam 果酱"]),
        ("ＪＡＭ 草莓", ["草莓 Jam 果酱"]),
        ("SKU-00", ["赣南脐橙"]),
        ("sku", ["赣南脐橙"]),
        ("草莓 脐橙", []),
        ("莓草", []),
        ("  ", ["高原红颜草莓", "草莓 Jam 果酱", "赣南脐橙"]),
        ("%", []),
    ],
)
def test_words_find_products_by_title_and_code(
    merchant: MerchantFixture, q: str, found: list[str]
) -> None:
    made(merchant, "赣南脐橙", code="SKU-001")
    made(merchant, "草莓 Jam 果酱")
    made(merchant, "高原红颜草莓")

    assert titles(merchant.owner(), f"&q={quote(q)}") == found


def test_states_tell_products_apart(merchant: MerchantFixture) -> None:
    made(merchant, "下架", on_sale=False, stock=(0,))
    made(merchant, "充足", stock=(10, 10), warn_below=5)
    made(merchant, "预警", stock=(10, 4), warn_below=5)
    made(merchant, "不预警", stock=(1,))
    made(merchant, "售罄", stock=(0, 0), warn_below=5)
    owner = merchant.owner()

    assert titles(owner, "&state=off_sale") == ["下架"]
    assert titles(owner, "&state=on_sale") == ["售罄", "不预警", "预警", "充足"]
    assert titles(owner, "&state=low_stock") == ["售罄", "预警"]
    assert titles(owner, "&state=sold_out") == ["售罄"]
    assert low_stock(merchant) == 2  # what the first page counts is what its list shows
    assert titles(owner, "&state=on_sale&q=预警") == ["不预警", "预警"]
    assert titles(owner, f"&state=low_stock&category={new_id()}") == []


def test_products_short_of_stock_are_counted_up_to_so_many(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        made(merchant, f"预警{n}", warn_below=5, stock=(1,))

    assert low_stock(merchant) == 3
    monkeypatch.setattr(dashboard, "TO_DO_MAX", 2)
    assert low_stock(merchant) == 2
    monkeypatch.setattr(product_lists, "COUNTED_MAX", 2)
    assert low_stock(merchant) is None


def test_stock_state_goes_on_where_its_page_ended(merchant: MerchantFixture) -> None:
    names = [f"售罄{n}" for n in range(7)]
    for n, name in enumerate(names):
        made(merchant, name, stock=(0,))
        made(merchant, f"有货{n}")

    assert titles(merchant.owner(), "&state=sold_out") == names[::-1]


def test_stock_state_looks_at_so_many_products_and_no_more(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product_lists, "LOOKED_MAX", 3)
    monkeypatch.setattr(product_lists, "LOOKED_AT_ONCE", 2)
    made(merchant, "售罄", stock=(0,))
    for n in range(6):
        made(merchant, f"有货{n}")

    first = merchant.owner().get(f"{PRODUCTS}?state=sold_out").body

    assert first["items"] == []
    assert titles(merchant.owner(), "&state=sold_out") == ["售罄"]


def test_row_says_what_is_left_and_which_activities_hold_the_rest(
    merchant: MerchantFixture,
) -> None:
    activity = merchant.activity(stock=30, product_stock=100, skus=2)

    (row,) = merchant.owner().get(PRODUCTS).body["items"]

    assert (row["available"], row["held"]) == (140, 60)
    assert row["activities"] == [activity.activity_id]


@pytest.mark.slow
def test_page_of_a_search_is_one_query_and_two_reads_by_key(
    merchant: MerchantFixture, meter: CapacityMeter
) -> None:
    for n in range(30):
        made(merchant, f"草莓{n}" if n % 3 else f"脐橙{n}")
    meter.reset()

    rows, key = product_lists.page(merchant.merchant_id, q="脐橙", limit=5)

    assert ([row.product.title for row in rows], key is None) == (
        ["脐橙27", "脐橙24", "脐橙21", "脐橙18", "脐橙15"],
        False,
    )
    assert meter.calls == ["Query", "BatchGetItem", "BatchGetItem"]


def test_changed_product_is_found_by_what_it_is_now(merchant: MerchantFixture) -> None:
    product_id = made(merchant, "高原草莓", code="A1")
    item = products.read(merchant.merchant_id, product_id).product
    sku = SkuDraft({"规格": "0"}, 200, 100, sku_id=item.skus[0]["sku_id"], code="B2")
    draft = ProductDraft("赣南脐橙", merchant.category_id, (sku,), on_sale=False)
    products.change(
        merchant.merchant_id, product_id, draft, revision=1, staff="test", now_s=merchant.now_s
    )
    owner = merchant.owner()

    assert titles(owner, "&q=草莓") == titles(owner, "&q=a1") == []
    assert titles(owner, "&q=脐橙") == titles(owner, "&q=b2") == ["赣南脐橙"]
    assert titles(owner, "&state=on_sale") == []


# The shelf.


def test_product_is_taken_off_sale_and_put_back(merchant: MerchantFixture) -> None:
    path, owner = f"{PRODUCTS}/{made(merchant, '草莓')}", merchant.owner()

    off = owner.put(f"{path}/shelf", {"on_sale": False, "revision": 1})
    again = owner.put(f"{path}/shelf", {"on_sale": False, "revision": 1})
    stale = owner.put(f"{path}/shelf", {"on_sale": True, "revision": 1})

    assert (off.status, off.body["on_sale"], off.body["revision"]) == (200, False, 2)
    assert again.body == off.body
    assert (stale.status, stale.code) == (409, "changed")
    assert titles(owner, "&state=on_sale") == []
    assert owner.put(f"{path}/shelf", {"on_sale": True, "revision": 2}).body["on_sale"] is True
    assert titles(owner, "&state=on_sale") == ["草莓"]


# Copies.


def test_copy_is_like_the_product_but_off_sale_and_without_stock(merchant: MerchantFixture) -> None:
    url = accepted(merchant.merchant_id)
    product_id = made(
        merchant,
        "草" * 60,
        stock=(5, 6),
        code="A1",
        images=(url,),
        description=f'<p>好吃</p><img src="{url}">',
        selling_point="当天现摘",
        unit="箱",
        warn_below=3,
    )
    owner = merchant.owner()
    original = owner.get(f"{PRODUCTS}/{product_id}").body

    made_copy = owner.post(f"{PRODUCTS}/{product_id}/copy", Idempotency_Key="once")
    again = owner.post(f"{PRODUCTS}/{product_id}/copy", Idempotency_Key="once")

    assert (made_copy.status, made_copy.body) == (201, again.body)
    copy = made_copy.body
    assert (copy["title"], copy["on_sale"]) == ("草" * 57 + " 副本", False)
    assert [sku["available"] for sku in copy["skus"]] == [0, 0]
    same = ("description", "images", "selling_point", "unit", "warn_below", "category_id")
    assert [copy[name] for name in same] == [original[name] for name in same]
    assert copy["skus"][0]["code"] == "A1"
    assert {sku["sku_id"] for sku in copy["skus"]}.isdisjoint(
        sku["sku_id"] for sku in original["skus"]
    )
    assert len(titles(owner)) == 2


# Pictures of products.


def test_product_takes_accepted_pictures_of_its_shop_alone(merchant: MerchantFixture) -> None:
    ours, theirs = accepted(merchant.merchant_id), accepted(new_id())
    buyers = accepted(merchant.merchant_id, merchant.buyer().buyer_id)
    sku = SkuDraft({}, 200, 100, stock=1)
    right = ProductDraft(
        "草莓",
        merchant.category_id,
        (replace(sku, image=ours),),
        images=(ours,),
        description=f'<img src="{ours}">',
    )
    wrong = replace(
        right,
        skus=(replace(sku, image=buyers),),
        images=(ours, "https://img.example.com/1.jpg", theirs),
        description=f'<p>好</p><img src="{theirs}">',
    )

    products.create(merchant.merchant_id, right, staff="test", now_s=merchant.now_s)
    with pytest.raises(InvalidRequest) as refusal:
        products.create(merchant.merchant_id, wrong, staff="test", now_s=merchant.now_s)

    problems = refusal.value.details["problems"]
    assert isinstance(problems, list)
    fields = [problem["field"] for problem in problems if isinstance(problem, dict)]
    assert fields == ["images[1]", "images[2]", "skus[0].image", "description"]
    assert len(titles(merchant.owner())) == 1


# The history of stock.


def test_changes_of_stock_are_told_the_newest_first(merchant: MerchantFixture) -> None:
    activity = merchant.activity(stock=10, product_stock=50)
    owner = merchant.owner()
    path = f"{PRODUCTS}/{activity.product_id}/stock-adjustments"
    for n, delta in enumerate((5, -3)):
        body = {"sku_id": activity.sku_id, "delta": delta, "reason": "盘点"}
        assert owner.post(path, body, Idempotency_Key=f"n{n}").status == 201
        assert owner.post(path, body, Idempotency_Key=f"n{n}").status == 201
        merchant.clock.forward(60)
    moved = {"sku_id": activity.sku_id, "quantity": 2}
    owner.post(f"/v1/merchant/activities/{activity.activity_id}/stock", moved)

    first = merchant.staff("service").get(f"{path}?limit=2").body
    rest = merchant.staff("service").get(f"{path}?limit=2&next={first['next']}").body

    rows = first["items"] + rest["items"]
    assert [(row["delta"], row["activity_id"], row["reason"]) for row in rows] == [
        (-2, activity.activity_id, "活动补货"),
        (-3, None, "盘点"),
        (5, None, "盘点"),
    ]
    assert [row["at_s"] - merchant.now_s for row in rows] == [0, -60, -120]
