"""推广效果: a poster in the store, from the console to who came by it and what they bought."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.buyers import buy, sell, until
from tests.browser.conftest import Shop
from tests.browser.shoppers import Shopper, over_the_api
from tests.browser.test_h5_buying import number
from tests.browser.test_shop_actions import look


def make_poster(page: Page) -> str:
    """Make a place of spreading on the open page; the link that leads there."""
    page.get_by_role("button", name="新建推广渠道").click()
    dialog = page.get_by_role("dialog", name="新建推广渠道")
    dialog.get_by_label("名称").fill("收银台海报")
    look(page, "spread-new")
    dialog.get_by_role("button", name="新建").click()
    drawn = page.get_by_role("dialog", name="推广「收银台海报」")
    link = drawn.locator("code").filter(has_text="/a/").inner_text()
    drawn.get_by_role("button", name="关闭此对话框").click()
    return link


def open_group(who: Shopper, link: str) -> None:
    """Come by a link as a stranger, log in, open a group and pay."""
    who.page.goto(link)
    who.tap("open")
    who.tap("sku-go")
    who.log_in(number())
    who.write_order()
    who.pay()
    who.says("sentence", "开团成功")


def test_a_poster_of_the_shop_brings_a_buyer_whom_staff_see_beside_those_of_a_sharer(
    shop: Shop, arrive: Callable[..., Shopper], log_in: Callable[..., Page]
) -> None:
    sale, page = sell(shop, "海报上的水蜜桃", seats=3), log_in()
    page.goto(f"{shop.url}#/activities/{sale.activity_id}")
    page.get_by_role("button", name=f"推广 {sale.title}", exact=True).click()
    page.get_by_role("link", name="看推广效果").click()
    expect(page.get_by_text("还没有人从分享来访")).to_be_visible()
    look(page, "spread-empty")
    link = make_poster(page)
    open_group(arrive(), link)
    scanning = arrive()  # a mini-program code has room for the share alone
    scanning.open(f"/pages/activity/activity?scene=s%3D{link.rpartition('/')[2]}")
    expect(scanning.see("activity")).to_contain_text(sale.title)
    me = over_the_api(arrive("分享的人"))
    group_id = me.order(buy(me, sale))["group_id"]
    shared = me.api.post(f"/v1/groups/{group_id}/shares", {"channel": "moments"})
    visitor = arrive()
    visitor.page.goto(shared["link"])
    visitor.see("act-join")

    def total() -> dict[str, Any]:
        path = f"/v1/merchant/activities/{sale.activity_id}/shares"
        return dict(shop.staff().api.get(path)["total"])

    until(lambda: total()["last"]["paid"] == 1 and total()["visits"] == 3)
    page.reload()
    rows = page.locator("tbody tr")
    poster = rows.filter(has_text="收银台海报")
    expect(poster.locator("td").nth(1)).to_contain_text("2")
    expect(poster.locator("td").nth(3)).to_contain_text("¥19.90")
    expect(rows.filter(has_text="朋友圈").locator("td").nth(1)).to_contain_text("1")
    expect(rows.filter(has_text="分享的人").locator("td").nth(2)).to_contain_text("0")
    page.get_by_label("算给第一次来访").check()
    expect(poster.locator("td").nth(2)).to_contain_text("1")
    look(page, "spread")
    poster.get_by_role("button", name="二维码和链接").click()
    expect(page.get_by_role("dialog").get_by_text(link)).to_be_visible()
