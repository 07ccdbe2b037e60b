"""邀请有礼 from a link to its reward, on both phones and in the console."""

import secrets
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.buyers import buy, give_out, sell, until
from tests.browser.conftest import Shop
from tests.browser.shoppers import Shopper, over_the_api
from tests.browser.test_h5_buying import number
from tests.browser.test_shop_actions import look


def test_a_stranger_whom_a_link_brought_brings_who_shared_it_points(
    shop: Shop, arrive: Callable[..., Shopper], log_in: Callable[..., Page]
) -> None:
    sale, staff = sell(shop, "邀请来的枇杷"), shop.staff()
    inviter, stranger = arrive("爱分享的人"), arrive()
    me = over_the_api(inviter)
    group_id = me.order(buy(me, sale))["group_id"]
    inviter.open(f"/pages/group/group?g={group_id}")
    with inviter.page.expect_response(lambda it: it.url.endswith("/shares")) as shared:
        inviter.tap("act-invite")
    stranger.page.goto(shared.value.json()["link"])
    stranger.tap("act-join")
    stranger.tap("sku-go")
    stranger.log_in(number())
    stranger.write_order()
    stranger.pay()
    stranger.says("sentence", "拼团成功！")
    friend = over_the_api(stranger)
    order_id = friend.api.get("/v1/orders")["items"][0]["order_id"]
    until(lambda: staff.api.get("/v1/merchant/invitations?state=held")["items"])

    page = log_in()
    page.goto(f"{shop.url}#/invitations")
    row = page.locator("tbody tr").filter(has_text="爱分享的人")
    expect(row).to_contain_text("收件电话和邀请人的一样")
    look(page, "invitations")
    row.get_by_role("button", name="算数").click()
    page.get_by_role("dialog").get_by_role("button", name="算数").click()
    expect(page.get_by_text("已记下").first).to_be_visible()
    staff.ship(order_id, f"SF{secrets.randbelow(10**13):013d}")
    until(lambda: friend.order(order_id)["status"] == "shipped")
    friend.api.post(f"/v1/orders/{order_id}/receipt")
    until(lambda: me.api.get("/v1/me/invitations")["items"][0]["state"] == "granted")

    inviter.open("/pages/mine/mine")
    inviter.tap("invitations")
    inviter.says("invitation-gives", "300 积分")
    inviter.says("invitation", "300 积分")
    inviter.says("invitation", "已发放")
    page.goto(f"{shop.url}#/invitations?tab=granted")
    expect(page.locator("tbody tr").filter(has_text="爱分享的人")).to_contain_text("300 积分")


def test_an_owner_says_what_a_new_buyer_brings_and_reads_what_that_can_cost(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    give_out(shop, "带新谢礼", off_fen=300, given="shop")
    page = log_in()
    page.goto(f"{shop.url}#/rewards")
    page.get_by_role("link", name="邀请有礼").click()
    page.get_by_role("link", name="邀请规则").first.click()
    expect(page.get_by_label("每人每月最多")).to_be_visible()
    look(page, "invitation-rule")

    page.get_by_label("送邀请人优惠券").select_option(label="带新谢礼（立减 3 元）")
    page.get_by_label("每人每月最多").fill("0")
    page.get_by_role("button", name="保存规则").click()
    expect(page.get_by_text("每人每月最多要在 1 到 100 之间").first).to_be_visible()
    page.get_by_label("每人每月最多").fill("5")
    told = "送邀请人优惠券「带新谢礼」、300 积分；"
    expect(page.get_by_test_id("invite-sum")).to_contain_text(told)
    expect(page.get_by_test_id("invite-sum")).to_contain_text("一个月最多花费：5 份")
    page.get_by_role("button", name="保存规则").click()
    expect(page.get_by_text("已保存").first).to_be_visible()
    page.goto(f"{shop.url}#/audit")
    expect(page.get_by_text("送邀请人一张优惠券、300 积分").first).to_be_visible()
