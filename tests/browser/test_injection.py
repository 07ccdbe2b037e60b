"""What somebody may write into any field, and upload as a picture: shown as text, or refused."""

import random
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from chalicelib.domain.picture import BYTES_MAX
from infra.local.api_client import Api
from infra.local.demo_data import HONEY, MERCHANT_ID, address
from infra.local.phone import Phone
from tests.browser.accessibility import stand_still
from tests.browser.buyers import Sale, buy, give_out
from tests.browser.conftest import Shop
from tests.browser.shoppers import Shopper, over_the_api
from tests.browser.test_pages import PAGES
from tests.browser.test_selling import new_product
from tests.browser.users import buyer, until
from tests.fixtures.images import encoded, huge_png, photograph

ORIENTATION, A_QUARTER_RIGHT = 0x0112, 6  # of EXIF
IMAGE, SVG = "<img src=x onerror=alert(1)>", '"><svg onload=alert(2)>'
SHORT = "<svg onload=alert()>"
SCRIPT = "<p>介绍<script>alert(3)</script><svg onload=alert(4)></svg><a href='javascript:x'>点"
HANDLERS = "() => document.querySelectorAll('[onerror], [onload], script:not([src])').length"
REFUSED: list[FilePayload] = [
    {"name": "画.svg", "mimeType": "image/svg+xml", "buffer": b"<svg onload='alert(1)'></svg>"},
    {"name": "页.html", "mimeType": "text/html", "buffer": b"<script>alert(1)</script>"},
    {"name": "页.png", "mimeType": "image/png", "buffer": b"<html><script>alert(1)</script>"},
    {"name": "程序.jpg", "mimeType": "image/jpeg", "buffer": b"MZ\x90\x00" + bytes(4000)},
    {"name": "动图.gif", "mimeType": "image/gif", "buffer": b"GIF89a" + bytes(40)},
    {"name": "炸弹.png", "mimeType": "image/png", "buffer": huge_png(30_000)},
]


def test_nothing_that_somebody_wrote_runs_on_any_page(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    made = written(shop)
    page = log_in()
    dialogs: list[str] = []

    def close(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", close)
    lists = ("", "products", "categories", "activities", "groups", "orders", "staff", "audit")
    for path in lists:
        page.goto(f"{shop.url}#/{path}")
        page.get_by_role("heading", name=PAGES[path], level=1, exact=True).wait_for()
        stand_still(page)
        assert page.evaluate(HANDLERS) == 0, path
    for path, shown in made.items():
        page.goto(f"{shop.url}#/{path}")
        expect(page.get_by_text(shown).first).to_be_attached()
        assert page.evaluate(HANDLERS) == 0, path
    page.goto(f"{shop.url}#/{next(iter(made))}")
    expect(page.get_by_role("textbox", name="商品介绍")).to_contain_text("介绍")
    expect(page.get_by_role("textbox", name="商品介绍").locator("a, script, img")).to_have_count(0)

    assert dialogs == []


def test_nothing_that_somebody_wrote_runs_in_the_buyers_shop(
    arrive: Callable[..., Shopper], shop: Shop
) -> None:
    who = arrive(SHORT)
    dialogs: list[str] = []

    def close(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    who.page.on("dialog", close)
    api, member = shop.staff().api, over_the_api(who)
    _, sale = published(api)
    order = opened(shop, member, sale)
    member.api.post("/v1/me/addresses", address(SHORT) | {"street": SVG, "district": SHORT})
    api.post(f"/v1/merchant/groups/{order['group_id']}/closing", {"reason": IMAGE}, key=key())
    coupon = give_out(shop, SHORT, off_fen=100, given="shop")
    gift = {"template_id": coupon, "reason": IMAGE}
    api.post(f"/v1/merchant/orders/{order['order_id']}/coupons", gift, key=key())
    pages = {
        "/": "activity-card",
        f"/pages/activity/activity?a={sale.activity_id}": "activity",
        f"/pages/group/group?g={order['group_id']}": "group",
        f"/pages/order/order?id={order['order_id']}": "order",
        "/pages/orders/orders": "orders",
        "/pages/messages/messages": "message",
        "/pages/mine/mine": "head",
        "/account/addresses/addresses": "address",
        f"/pages/payment/payment?id={order['order_id']}": "payment",
        f"/after/requests/requests?id={order['order_id']}": "after-sales",
        "/growth/mine/mine": "coupon",
        "/growth/coupons/coupons": "coupons",
        "/trade/search/search": "query",
        "/account/profile/profile": "name",
        "/account/shop/shop": "shop",
        "/account/agreements/agreements?kind=group_rules": "agreement",
    }
    for path, testid in pages.items():
        who.open(path)
        expect(who.see(testid)).to_be_visible()
        assert who.page.evaluate(HANDLERS) == 0, path
    who.open(f"/pages/activity/activity?a={sale.activity_id}")
    expect(who.see("activity")).to_contain_text(IMAGE)
    expect(who.see("activity")).to_contain_text(SVG)

    assert dialogs == []


def test_what_is_pasted_into_a_description_keeps_its_text_alone(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/products/new")
    text = page.get_by_role("textbox", name="商品介绍")
    text.click()

    page.evaluate(
        """(html) => {
            const data = new DataTransfer()
            data.setData('text/html', html)
            data.setData('text/plain', '只有文字')
            const paste = new ClipboardEvent('paste', { clipboardData: data, cancelable: true })
            document.activeElement.dispatchEvent(paste)
        }""",
        SCRIPT + IMAGE,
    )

    expect(text).to_have_text("只有文字")
    expect(text.locator("a, script, img")).to_have_count(0)


@pytest.mark.parametrize("file", REFUSED, ids=lambda file: file["name"])
def test_what_is_no_honest_picture_is_refused_with_its_name(
    log_in: Callable[..., Page], shop: Shop, file: FilePayload
) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/products/new")

    page.get_by_label("商品图片").set_input_files(file)

    refusal = page.get_by_role("alert").filter(has_text=file["name"])
    expect(refusal).to_contain_text("没有上传：")
    expect(page.get_by_text("封面", exact=True)).to_have_count(0)


def test_an_honest_picture_is_taken_after_one_that_was_refused(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    new_product(page, shop, "换图商品")
    field = page.get_by_label("商品图片")

    field.set_input_files(REFUSED[3])
    page.get_by_role("alert").filter(has_text="程序.jpg").wait_for()
    good: FilePayload = {"name": "好.jpg", "mimeType": "image/jpeg", "buffer": photograph()}
    field.set_input_files(good)

    expect(page.get_by_text("封面", exact=True)).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="程序.jpg")).to_have_count(0)


def test_a_photo_larger_than_the_shop_takes_is_made_smaller_and_stands_upright(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    turned = Image.Exif()
    turned[ORIENTATION] = A_QUARTER_RIGHT
    noise = Image.frombytes("RGB", (3000, 2000), random.Random(1).randbytes(3000 * 2000 * 3))
    large = encoded(noise, "JPEG", quality=95, exif=turned)
    assert len(large) > BYTES_MAX
    page = log_in()
    new_product(page, shop, "大图商品")

    page.get_by_label("商品图片").set_input_files(
        {"name": "手机照片.jpg", "mimeType": "image/jpeg", "buffer": large + b"ftypmp42" * 1000}
    )

    shown = page.get_by_role("listitem").filter(has_text="封面").locator("img")
    expect(shown).to_be_visible()
    page.wait_for_function("(it) => it.complete && it.naturalWidth > 0", arg=shown.element_handle())
    width, height = shown.evaluate("(it) => [it.naturalWidth, it.naturalHeight]")
    assert (width / height) == pytest.approx(2 / 3, rel=0.01)


def published(api: Api) -> tuple[str, Sale]:
    """A category and an activity with probes in every field of the goods; the category's id."""
    category = api.post("/v1/merchant/categories", {"name": SHORT, "position": 99}, key=key())
    body = HONEY.body(category["category_id"]) | {
        "title": IMAGE,
        "description": SCRIPT,
        "selling_point": SVG,
        "unit": "<b>",
    }
    product = api.post("/v1/merchant/products", body, key=key())
    sku_ids = tuple(sku["sku_id"] for sku in product["skus"])
    assert HONEY.activity is not None
    rules = HONEY.activity_body(
        HONEY.activity, product["product_id"], sku_ids, now_s=int(time.time())
    )
    activity = api.post("/v1/merchant/activities", rules | {"title": IMAGE}, key=key())
    assert product["title"] == IMAGE
    sale = Sale(product["product_id"], sku_ids[0], activity["activity_id"], IMAGE)
    return category["category_id"], sale


def opened(shop: Shop, member: Phone, sale: Sale) -> Mapping[str, Any]:
    """The order of a group that `member` opened, with probes in its address, and paid."""
    there = address(SHORT) | {"street": SVG, "district": SHORT}
    order: Mapping[str, Any] = member.order(buy(member, sale, address=there, remark=IMAGE))
    group = f"/v1/merchant/groups/{order['group_id']}"
    until(lambda: shop.staff().api.get(group)["status"] == "open")
    return order


def written(shop: Shop) -> dict[str, str]:
    """Probes in every field of a whole sale: pages by path, with what each of them shows."""
    api = shop.staff().api
    category_id, sale = published(api)
    order = opened(shop, buyer(shop, SHORT), sale)
    api.post(
        "/v1/merchant/staff",
        {"username": f"x{secrets.token_hex(5)}", "name": SVG, "role": "service"},
        key=key(),
    )
    api.post(f"/v1/merchant/orders/{order['order_id']}/notes", {"text": IMAGE})
    visitor = api.as_("")
    assert visitor.get(f"/v1/merchants/{MERCHANT_ID}/activities/{sale.activity_id}")
    return {
        f"products/{sale.product_id}": IMAGE,
        f"activities/{sale.activity_id}": IMAGE,
        f"groups/{order['group_id']}": SHORT,
        f"orders/{order['order_id']}": SHORT,
        f"audit?subject=category%23{category_id}": SHORT,
    }


def key() -> str:
    return secrets.token_hex(16)
