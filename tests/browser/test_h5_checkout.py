"""The checkout in a phone's browser: it says what is missing, what changed, and what to do then."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from infra.local.demo_data import address
from tests.browser.buyers import WAIT_S, buy, buyer, sell
from tests.browser.conftest import Shop
from tests.browser.shoppers import Shopper, over_the_api

Arrive = Callable[..., Shopper]


def test_pickup_asks_who_comes_and_says_no_more_what_was_mended(shop: Shop, arrive: Arrive) -> None:
    sale = sell(shop, "建水紫陶壶")
    who = arrive("自己来取")

    who.open(f"/trade/checkout/checkout?a={sale.activity_id}&sku={sale.sku_id}&n=1&way=alone")
    who.tap("option-pickup")
    expect(who.see("store")).to_have_attribute("aria-checked", "true")  # the only one
    who.tap("submit")
    expect(who.page.get_by_text("请填写姓名")).to_be_visible()
    who.write("name", "王小明")

    expect(who.page.get_by_text("请填写姓名")).to_have_count(0)
    expect(who.page.get_by_text("请填写能联系到你的手机号")).to_be_visible()
    who.write("phone", "13800138000")
    expect(who.see("breakdown")).to_be_visible()
    assert not re.search("运费|包邮", who.page.inner_text("[data-testid=checkout]"))
    who.tap("submit")
    who.pay()
    who.says("sentence", "付款成功")
    who.says("hint", "备好后会通知你来取")


def test_a_link_to_the_checkout_without_a_sku_leads_to_where_one_is_chosen(
    shop: Shop, arrive: Arrive
) -> None:
    sale = sell(shop, "宣威火腿")
    who = arrive("没选")

    who.open(f"/trade/checkout/checkout?a={sale.activity_id}&n=1&way=open")
    who.says("empty", "请重新选择规格")
    who.tap("empty-act")

    expect(who.see("sku-sheet")).to_be_visible()


def test_an_order_for_more_than_is_left_is_cut_to_that(shop: Shop, arrive: Arrive) -> None:
    sale = sell(shop, "潜江小龙虾", stock=3)
    who = arrive("慢一步")
    over_the_api(who).api.post("/v1/me/addresses", address("慢一步"))

    who.open(f"/pages/activity/activity?a={sale.activity_id}")
    who.tap("open")
    who.tap("more")
    who.tap("more")
    who.says("limit", "只剩 3 件")
    who.tap("sku-go")
    expect(who.see("breakdown")).to_contain_text("¥59.70")
    buy(buyer(shop, "快手"), sale, quantity=2)
    who.tap("submit")

    who.says("trouble", "只剩 1 件，已帮你把数量改为 1")
    expect(who.see("breakdown")).to_contain_text("¥19.90")
    who.tap("submit")
    who.pay()
    who.says("sentence", "开团成功，还差 1 人")


def test_who_comes_too_late_for_the_last_seat_is_shown_where_else_to_join(
    shop: Shop, arrive: Arrive
) -> None:
    sale, leader = sell(shop, "湛江生蚝"), buyer(shop, "林小满")
    order_id = buy(leader, sale)
    buy(buyer(shop, "周行远"), sale)
    shop.system.quiet(WAIT_S)
    group_id = leader.order(order_id)["group_id"]
    who = arrive("晚一点")
    over_the_api(who).api.post("/v1/me/addresses", address("晚一点"))

    who.open(f"/trade/checkout/checkout?g={group_id}&sku={sale.sku_id}&n=1&way=join")
    expect(who.see("breakdown")).to_be_visible()
    buy(buyer(shop, "抢先"), sale, group_id)
    who.tap("submit")

    who.says("other-groups", "来晚一步，这个团已满")
    who.says("joinable", "周*")
    who.tap("open-own")
    expect(who.see("sku-sheet")).to_be_visible()
