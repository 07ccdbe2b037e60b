"""Lists show at once what can be taken back; when it fails, what stood there, with the reason."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from infra.local.demo_data import HONEY
from tests.browser.conftest import Shop
from tests.browser.users import offered, only, until


@pytest.fixture
def page(log_in: Callable[..., Page]) -> Iterator[Page]:
    page = log_in()
    yield page
    page.unroute_all(behavior="ignoreErrors")


def held(page: Page, path: str) -> list[Route]:
    """Requests to `path`, which wait until somebody lets them go."""
    routes: list[Route] = []
    page.route(f"**{path}", lambda route: routes.append(route))
    return routes


@pytest.fixture
def title(shop: Shop) -> str:
    """Of a product that is offered in an activity; both have a name that nothing else has."""
    return made(shop, f"蜂蜜 {secrets.token_hex(4)}")


def made(shop: Shop, title: str) -> str:
    assert HONEY.activity is not None
    activity = replace(HONEY.activity, title=f"{title} 团")
    offered(shop, replace(HONEY, title=title, activity=activity))
    return title


def row_of(page: Page, shop: Shop, title: str) -> Locator:
    page.goto(f"{shop.url}#/products?q={title}")
    row = page.locator("tbody tr").filter(has_text=title)
    row.wait_for()
    return row


def choose(page: Page, title: str, what: str) -> None:
    page.get_by_role("button", name=f"更多 {title}").click()
    page.get_by_role("menuitem", name=what).click()


def take_off(page: Page, title: str, then: str = "让活动照常进行", verb: str = "下架") -> None:
    """Take a product off sale that an activity sells."""
    choose(page, title, "下架")
    confirm(page, then, verb)


def confirm(page: Page, then: str = "让活动照常进行", verb: str = "下架") -> None:
    page.get_by_role("radio", name=then).check()
    page.get_by_role("dialog").get_by_role("button", name=verb, exact=True).click()


def test_a_product_is_shelved_before_the_answer_comes(page: Page, shop: Shop, title: str) -> None:
    row, routes = row_of(page, shop, title), held(page, "/shelf")

    take_off(page, title)
    expect(row).to_contain_text("仓库中")
    choose(page, title, "上架")  # of what is still under way: nothing
    expect(row).to_contain_text("仓库中")
    only(page, routes).continue_()  # and nobody has answered it yet
    expect(page.get_by_text(f"「{title}」已下架")).to_be_visible()
    page.unroute_all(behavior="ignoreErrors")
    page.reload()

    expect(row).to_contain_text("仓库中")
    choose(page, title, "上架")
    expect(row).to_contain_text("出售中")


def test_what_stood_there_comes_back_with_the_reason(page: Page, shop: Shop, title: str) -> None:
    row, routes = row_of(page, shop, title), held(page, "/shelf")

    take_off(page, title)
    expect(row).to_contain_text("仓库中")
    only(page, routes).abort()

    refusal = page.get_by_role("alert").filter(has_text=f"「{title}」没有下架：网络不通")
    expect(refusal).to_be_visible()
    expect(row).to_contain_text("出售中")
    expect(page.get_by_text("已下架")).to_have_count(0)
    refusal.get_by_role("button", name="知道了").click()
    expect(refusal).to_have_count(0)


def test_a_list_comes_anew_after_the_last_of_changes_that_overlap(
    page: Page, shop: Shop, title: str
) -> None:
    other = made(shop, f"{title} 乙")
    page.goto(f"{shop.url}#/products?q={title}")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    lists = held(page, "/v1/merchant/products?*")

    with page.expect_response("**/shelf"):
        take_off(page, other)
    only(page, lists)
    first = rows.filter(has_not_text=other)
    with page.expect_response("**/shelf"):
        first.get_by_role("button", name=f"更多 {title}").click()
        page.get_by_role("menuitem", name="下架").click()
        confirm(page)
    until(lambda: len(lists) == 2, page)
    for route in lists:
        route.continue_()

    for changed in (title, other):
        expect(page.get_by_text(f"「{changed}」已下架")).to_be_visible()
    expect(rows.filter(has_text="仓库中")).to_have_count(2)


def test_activities_of_a_product_that_is_taken_off_sale_are_paused_with_it(
    page: Page, shop: Shop, title: str
) -> None:
    row_of(page, shop, title)

    choose(page, title, "下架")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("还有 1 个活动在卖这个商品")
    expect(dialog.get_by_role("link", name=f"{title} 团")).to_be_visible()
    confirm(page, "暂停活动", "下架并暂停活动")

    expect(page.get_by_text(f"「{title}」已下架，活动已暂停")).to_be_visible()
    page.goto(f"{shop.url}#/activities?q={title}")
    expect(page.locator("tbody tr")).to_contain_text("已暂停")


def test_an_activity_is_searched_for_and_paused_while_the_dialog_is_gone(
    page: Page, shop: Shop, title: str
) -> None:
    page.goto(f"{shop.url}#/activities")
    page.get_by_label("活动或商品名称").fill(title)
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    row, routes = page.locator("tbody tr"), held(page, "/pause")
    title = f"{title} 团"

    choose(page, title, "暂停")
    page.get_by_role("dialog").get_by_role("button", name="暂停").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(row).to_contain_text("已暂停")
    refusal = {"code": "activity_closed", "message": "活动已经结束。", "details": {}}
    only(page, routes).fulfill(status=409, json=refusal)

    expect(page.get_by_role("alert")).to_contain_text(f"「{title}」没有暂停：活动已经结束。")
    expect(row).to_contain_text("进行中")
    page.unroute_all(behavior="ignoreErrors")
    choose(page, title, "暂停")
    page.get_by_role("dialog").get_by_role("button", name="暂停").click()
    expect(page.get_by_text(f"「{title}」已暂停")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    choose(page, title, "恢复")
    page.get_by_role("dialog").get_by_role("button", name="恢复").click()
    expect(row).to_contain_text("进行中")
