"""A shop that was just opened: what leads its owner from the first login to the first activity."""

import re
import secrets
import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect

from infra.local import engine, system
from infra.package import ROOT
from tests.browser.conftest import Shop
from tests.browser.users import fill_login

PASSWORD = "a-password-2026"


@pytest.fixture
def opened(shop: Shop, watched: Page) -> Page:
    """The first page of a new shop, its owner logged in."""
    merchant_id = secrets.token_hex(11)
    tables = {f"{kind.upper()}_TABLE": kind for kind in engine.TABLES}
    env = system.environment(engine.credentials(shop.system.aws_url) | tables)
    who = ["--name", "新开的店", "--owner", "amei", "--merchant-id", merchant_id]
    subprocess.run(
        [sys.executable, "-m", "infra.new_merchant", "--stage", system.STAGE, *who],
        cwd=ROOT,
        env=env | {"OWNER_PASSWORD": PASSWORD},
        check=True,
        capture_output=True,
    )
    watched.goto(f"{shop.url}#/login?shop={merchant_id}")
    fill_login(watched, "amei", PASSWORD)
    watched.get_by_role("heading", name="首页").wait_for()
    return watched


def test_a_new_owner_is_led_to_the_first_activity(opened: Page, shop: Shop) -> None:
    page = opened
    steps = page.get_by_role("listitem")
    left = page.get_by_role("link", name="去完成")
    expect(left).to_have_count(6)
    expect(steps.filter(has_text="填写收款账户")).to_contain_text("买家才能下单付款")

    # Without a category yet: it is made on the way, and nothing that was written is lost.
    page.get_by_role("link", name="去完成 上架第一个商品").click()
    page.get_by_label("商品名称").fill("龙井")
    page.get_by_role("button", name="新建分类").click()
    page.get_by_role("dialog", name="新建分类").get_by_label("分类名称").fill("茶")
    page.get_by_role("button", name="保存分类").click()
    expect(page.get_by_label("分类", exact=False)).to_have_count(1)
    expect(page.get_by_label("商品名称")).to_have_value("龙井")
    page.get_by_label("默认规格 单买价").fill("68")
    page.get_by_label("默认规格 库存").fill("20")
    page.get_by_role("button", name="保存商品").click()
    page.get_by_role("heading", name="龙井", level=1).wait_for()

    page.get_by_role("link", name="首页").click()
    expect(left).to_have_count(4)
    expect(page.get_by_role("link", name="去完成 发布第一个拼团活动")).to_be_visible()
    expect(page.get_by_text("这 30 天还没有数据。")).to_be_visible()

    # Whoever logs in again here comes back to this shop, not to the one of the configuration.
    page.evaluate("() => localStorage.removeItem('tuan.session')")
    page.goto("about:blank")
    page.goto(shop.url)
    fill_login(page, "amei", PASSWORD)
    expect(page.get_by_text("新开的店")).to_be_visible()


def test_what_is_wrong_stands_above_the_button_until_it_is_mended(opened: Page, shop: Shop) -> None:
    page = opened
    page.goto(f"{shop.url}#/products/new")
    page.get_by_role("button", name="添加规格项").click()
    page.keyboard.type("重量")
    page.get_by_label("重量 第 1 个规格值").fill("一两")
    page.keyboard.press("Enter")
    page.keyboard.type("半斤")

    page.get_by_role("button", name="保存商品").click()

    alert = page.get_by_role("alert").filter(has_text="处需要修改")
    expect(alert).to_contain_text("还有 6 处需要修改")
    expect(alert).to_be_in_viewport(ratio=1)
    page.get_by_label("商品名称").fill("龙井")
    expect(alert).to_contain_text("还有 5 处需要修改")
    expect(page.locator('[data-field="title"]')).not_to_have_class(re.compile("bad"))
    expect(page.get_by_label("半斤 单买价")).to_be_visible()
