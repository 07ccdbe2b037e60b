"""Every page, wide and on a phone: it can be reached, read and used by whoever uses it."""

import re
import secrets
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, ViewportSize, expect

from infra.local.demo_data import OWNER, PASSWORD
from tests.browser.accessibility import go_by_night, unusable
from tests.browser.conftest import NARROW, WIDE, Shop
from tests.browser.users import fill_login

PAGES = {
    "": "首页",
    "products": "商品列表",
    "products/new": "新建商品",
    "categories": "商品分类",
    "activities": "拼团活动",
    "activities/new": "新建活动",
    "groups": "团列表",
    "coupons": "优惠券",
    "coupons/new": "新建优惠券",
    "members": "会员",
    "member-tags": "标签",
    "rewards": "拼团奖励",
    "reward-rule": "奖励规则",
    "invitations": "邀请有礼",
    "invitation-rule": "邀请规则",
    "orders": "订单",
    "after-sales": "售后申请",
    "refunds": "退款异常",
    "reconciliations": "对账",
    "differences": "对账差异",
    "staff": "员工",
    "payment-accounts": "收款、登录和短信",
    "payment-accounts/wechat-pay": "微信支付",
    "payment-accounts/alipay": "支付宝",
    "audit": "操作日志",
    "messages": "消息模板",
    "agreements": "协议",
    "batch-shipping/history": "批量发货记录",
    "account": "我的账号",
    "settings": "店铺设置",
}

LIGHTS = ["wide by day", "phone by night"]  # no colour depends on the width


@pytest.mark.parametrize(("size", "by_night"), [(WIDE, False), (NARROW, True)], ids=LIGHTS)
def test_every_page_can_be_used_by_everybody(
    log_in: Callable[..., Page], shop: Shop, size: ViewportSize, by_night: bool
) -> None:
    page = log_in()
    page.set_viewport_size(size)
    if by_night:
        go_by_night(page)
    found: dict[str, object] = {}

    for path, title in PAGES.items():
        page.goto(f"{shop.url}#/{path}")
        page.get_by_role("heading", name=title, level=1, exact=True).wait_for()
        if wrong := unusable(page):
            found[path] = wrong

    assert found == {}


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "phone"])
@pytest.mark.parametrize("path", ["products", "activities", "groups", "coupons", "orders"])
def test_what_a_list_leads_to_can_be_used_by_everybody(
    log_in: Callable[..., Page], shop: Shop, size: ViewportSize, path: str
) -> None:
    page = log_in()
    page.set_viewport_size(size)
    page.goto(f"{shop.url}#/{path}")
    page.get_by_role("heading", name=PAGES[path], level=1, exact=True).wait_for()

    page.locator("tbody a").first.click()
    page.get_by_role("link", name="返回").wait_for()

    assert unusable(page) == []


def test_a_dialog_is_as_wide_as_a_phone(log_in: Callable[..., Page], shop: Shop) -> None:
    page = log_in()
    page.set_viewport_size(NARROW)
    page.goto(f"{shop.url}#/categories")

    page.get_by_role("button", name="新建分类").click()

    box = page.locator(".el-dialog").bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (16, 390 - 32)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "phone"])
def test_the_login_can_be_used_by_everybody(watched: Page, shop: Shop, size: ViewportSize) -> None:
    watched.set_viewport_size(size)

    watched.goto(shop.url)
    watched.get_by_role("button", name="登录").wait_for()

    assert unusable(watched) == []


def test_the_whole_menu_fits_a_laptops_window_and_can_be_skipped(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    pages = page.get_by_role("navigation").get_by_role("link")
    expect(pages.filter(has_text="店铺设置")).to_be_visible()
    for link in pages.all():
        expect(link).to_be_in_viewport(ratio=1)

    skip = page.get_by_role("link", name="跳到主要内容")
    skip.press("Enter")
    expect(page.locator(skip.get_attribute("href") or "")).to_be_focused()


def test_long_names_and_marks_of_a_list_stay_in_line(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page, api = log_in(), shop.staff().api
    long = "从远方山里来的又大又甜的时令水果与坚果"
    made = {"name": long, "position": 99}
    category = api.post("/v1/merchant/categories", made, key=secrets.token_hex(16))
    page.goto(f"{shop.url}#/products")
    chosen = page.get_by_label("分类")
    chosen.select_option(long)
    box = chosen.bounding_box()
    api.delete(f"/v1/merchant/categories/{category['category_id']}")
    assert box is not None
    assert box["width"] <= 240

    page.goto(f"{shop.url}#/activities")
    act = page.locator("tbody tr").first.get_by_role("button")
    boxes = [act.filter(has_text=words).first.bounding_box() for words in ("推广", "更多")]
    middles = [box["y"] + box["height"] / 2 for box in boxes if box is not None]
    assert len(middles) == 2
    assert abs(middles[0] - middles[1]) <= 1

    page.goto(f"{shop.url}#/products/new")
    expect(page.locator("th .star").first).to_be_visible()
    assert page.locator("th .star").first.evaluate(IS_RED)


def test_the_first_page_asks_once_and_compares_the_same_hours(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        told = route.fetch()
        figures = told.json()
        figures["compared"]["until_s"] = EIGHT_IN_THE_EVENING_S
        figures["compared"]["today"]["paid_fen"] = 99_00
        figures["compared"]["yesterday"]["paid_fen"] = 1_253_80
        route.fulfill(response=told, json=figures)

    page.route("**/v1/merchant/dashboard", answer)
    page.reload()

    paid = page.locator('[data-figure="paid_fen"]')
    expect(paid).to_contain_text("今天 0–20 点 ¥99.00")
    expect(paid).to_contain_text("昨天 0–20 点 ¥1,253.80")
    page.wait_for_load_state("networkidle")
    assert len(asked) == 1  # the frame and the page want it at the same moment


def test_the_whole_console_speaks_english(log_in: Callable[..., Page], shop: Shop) -> None:
    page = log_in()

    page.get_by_role("button", name="English").click()
    page.get_by_role("heading", name="Home", level=1).wait_for()
    page.goto(f"{shop.url}#/activities/new")
    page.reload()

    page.get_by_role("heading", name="New activity", level=1).wait_for()
    assert page.title() == "New activity · Group Buying Console"
    assert page.locator("html").get_attribute("lang") == "en"


IS_RED = """(it) => {
    const red = it.cloneNode()
    red.style.color = 'var(--tone-red)'
    it.after(red)
    return getComputedStyle(it).color === getComputedStyle(red).color
}"""
EIGHT_IN_THE_EVENING_S = 1_796_040_000  # in Beijing
WRITTEN_BY_PEOPLE = {"山野果园", "店主", "中文"}  # the shop, its owner, and the way back to Chinese


def test_english_pages_have_no_chinese_but_what_people_wrote(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    page.get_by_role("button", name="English").click()
    page.get_by_role("heading", name="Home", level=1).wait_for()

    def chinese() -> set[str]:
        return set(re.findall("[一-鿿]+", page.locator("body").inner_text()))

    for path, title in {
        "exports": "Exports",
        "batch-shipping": "Batch shipping",
        "freight/new": "New template",
        "activities/new": "New activity",
        "refunds": "Stuck refunds",
        "payment-accounts/wechat-pay": "WeChat Pay",
        "account": "My account",
    }.items():
        page.goto(f"{shop.url}#/{path}")
        page.get_by_role("heading", name=title, level=1).wait_for()
        assert chinese() <= WRITTEN_BY_PEOPLE

    # What the server says: actions in the audit log, and a refusal.
    page.goto(f"{shop.url}#/audit")
    expect(page.get_by_text("Activity published").first).to_be_visible()
    page.goto(f"{shop.url}#/pickups")
    page.locator("main input").first.fill("00000000")
    page.locator("main input").first.press("Enter")
    expect(page.get_by_text("There is no such pickup code.")).to_be_visible()


def test_a_page_that_does_not_come_is_told_or_fetched_anew(page: Page, shop: Shop) -> None:
    page.goto(shop.url)
    fill_login(page, OWNER, PASSWORD)
    page.get_by_role("heading", name="首页").wait_for()
    page.context.set_offline(True)
    page.get_by_role("link", name="商品分类").click()
    expect(page.get_by_text("这一页没有打开。请检查网络后再试一次。")).to_be_visible()
    page.context.set_offline(False)

    # As when the console was replaced since: what it was made of is not there any more.
    page.route("**/assets/ProductsPage-*", lambda route: route.abort(), times=1)
    page.get_by_role("link", name="商品列表").click()

    expect(page.get_by_role("heading", name="商品列表")).to_be_visible()
