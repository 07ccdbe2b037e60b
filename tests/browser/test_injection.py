"""What somebody may write into any field, and upload as a picture: shown as text, or refused."""

import random
import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from chalicelib.domain.picture import BYTES_MAX
from infra.local.demo_data import HONEY, MERCHANT_ID, address
from tests.browser.accessibility import stand_still
from tests.browser.conftest import Shop
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


def written(shop: Shop) -> dict[str, str]:
    """Probes in every field of a whole sale: pages by path, with what each of them shows."""
    staff = shop.staff()
    api = staff.api
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
    member = buyer(shop, SHORT)
    seat = {
        "sku_id": sku_ids[0],
        "quantity": 1,
        "address": address(SHORT) | {"street": SVG, "district": SHORT},
        "remark": IMAGE,
    }
    path = f"/v1/activities/{activity['activity_id']}/groups"
    placed = member.api.post(path, seat, key=key())
    api.post(
        "/v1/merchant/staff",
        {"username": f"x{secrets.token_hex(5)}", "name": SVG, "role": "service"},
        key=key(),
    )
    asked = member.api.post(f"/v1/orders/{placed['order_id']}/payments", {"method": "wechat_pay"})
    prepay_id = asked["parameters"]["package"].removeprefix("prepay_id=")
    shop.system.wechat_control.post("/_local/pay", {"prepay_id": prepay_id})
    group = f"/v1/merchant/groups/{placed['group_id']}"
    until(lambda: api.get(group)["status"] == "open")
    api.post(f"/v1/merchant/orders/{placed['order_id']}/notes", {"text": IMAGE})
    assert product["title"] == IMAGE
    visitor = api.as_("")
    assert visitor.get(f"/v1/merchants/{MERCHANT_ID}/activities/{activity['activity_id']}")
    return {
        f"products/{product['product_id']}": IMAGE,
        f"activities/{activity['activity_id']}": IMAGE,
        f"groups/{placed['group_id']}": SHORT,
        f"orders/{placed['order_id']}": SHORT,
        f"audit?subject=category%23{category['category_id']}": SHORT,
    }


def key() -> str:
    return secrets.token_hex(16)
