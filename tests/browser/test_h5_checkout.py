"""The checkout in a phone's browser: it says what is missing, what changed, and what to do then."""

import re
import secrets
import time
from collections.abc import Callable

from playwright.sync_api import expect

from infra.local.demo_data import address
from tests.browser.buyers import WAIT_S, buy, buy_alone, buyer, sell, until, wait_until
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


def test_activity_says_that_it_ends_soon_and_takes_no_coupons(shop: Shop, arrive: Arrive) -> None:
    ends_at_s = (int(time.time()) // 3600 + 3) * 3600
    sale = sell(shop, "武夷岩茶", ends_at_s=ends_at_s, coupons=False)
    who = arrive("不急")
    ends = time.strftime("%H:%M", time.gmtime(ends_at_s + 8 * 3600))

    who.open(f"/pages/activity/activity?a={sale.activity_id}")
    who.says("how", re.compile(f"(今天|明天) {ends} 前"))
    who.says("no-coupons", "本活动不参与优惠券，单独购买可用")
    who.tap("open")
    who.tap("sku-go")
    who.says("checkout", re.compile(f"活动 (今天|明天) {ends} 结束，在那之前凑满人数就成团"))
    # It would be the first of the shop for all tests that follow.
    end = f"/v1/merchant/activities/{sale.activity_id}/end"
    shop.staff().api.post(end, {"groups": "keep"})


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


def test_old_buyer_who_cannot_join_opens_a_group_at_the_leaders_price(
    shop: Shop, arrive: Arrive
) -> None:
    sale = sell(shop, "象山白枇杷", new_buyers="joiners", leader_price_fen=1490)
    leader, who = buyer(shop, "林小满"), arrive("老顾客")
    me = over_the_api(who)
    me.api.post("/v1/me/addresses", address("老顾客"))
    buy_alone(me, sale)
    order_id = buy(leader, sale)
    shop.system.quiet(WAIT_S)

    who.open(f"/pages/group/group?g={leader.order(order_id)['group_id']}")
    who.says("kind", "老带新")
    who.says("new-buyers", "没有在本店买过的就是新客，未付款关闭、未成团退款的订单不算")
    who.tap("act-join")
    expect(who.see("sku-sheet").get_by_role("img", name="¥19.90")).to_be_visible()
    who.tap("sku-go")
    who.says("trouble", "这个团只邀请新客参加，你已在本店买过。可以自己开一个团")
    expect(who.page.get_by_test_id("breakdown")).to_have_count(0)
    who.tap("open-own")
    who.says("breakdown", "¥14.90")
    who.tap("submit")
    who.pay()
    who.says("sentence", "开团成功，还差 1 人")

    who.open(f"/pages/activity/activity?a={sale.activity_id}")
    who.says("leader-price", "开团价 ¥14.90（团长优惠）")


def test_leader_pays_the_price_and_gets_it_back_once_a_friend_has_joined(
    shop: Shop, arrive: Arrive
) -> None:
    sale = sell(shop, "阳山水蜜桃", limit_per_order=1, leader_free=True)
    who = arrive("开团的人")
    me = over_the_api(who)
    me.api.post("/v1/me/addresses", address("开团的人"))

    who.open(f"/pages/activity/activity?a={sale.activity_id}")
    who.says("free", "团长免单")
    who.says("leader-free", "开团的人成团后免单，商品金额原路退回；运费不退")
    who.says("open", "免单开团 · 2 人团")
    who.tap("open")
    who.tap("sku-go")
    who.says("breakdown", "¥19.90")
    who.says("leader-free", "成团后退 ¥19.89（团长免单，运费不退）")
    who.tap("submit")
    expect(who.page.get_by_text("19.90").first).to_be_visible()
    who.pay()
    who.says("sentence", "开团成功，还差 1 人")
    who.says("hint", "成团后你这单免单，商品金额原路退回")
    who.tap("act-group")
    who.says("hint", "成团后你这单免单，商品金额原路退回")

    order = me.api.get("/v1/orders")["items"][0]
    assert order["total_fen"] == 1990
    friend = buyer(shop, "好朋友")
    joined = buy(friend, sale, order["group_id"])
    wait_until(shop, order["order_id"], "fulfilling")
    who.says("sentence", "拼团成功")
    until(lambda: bool(me.order(order["order_id"])["refunds"][0]["arrived_at_s"]))
    who.page.reload()
    who.says("hint", "团长免单：¥19.89 已退回。商家将在 48 小时内发货")
    who.tap("act-order")
    who.says("order-state", "已成团待发货")
    who.says("refund", "成团返还")
    who.says("refund", "订单照常进行。")
    assert me.order(order["order_id"])["refunds"][0]["amount_fen"] == order["total_fen"] - 1
    assert me.api.get("/v1/orders?tab=after_sale")["items"] == []
    assert friend.order(joined)["refunds"] == []


def test_buyers_fill_a_group_with_tiers_and_get_the_difference_back(
    shop: Shop, arrive: Arrive
) -> None:
    tiers = [{"seats": 3, "off_fen": 200}, {"seats": 4, "off_fen": 500}]
    sale = sell(shop, "黄心猕猴桃", seats=4, seats_least=2, tiers=tiers)
    who = arrive("带头的人")
    me = over_the_api(who)
    me.api.post("/v1/me/addresses", address("带头的人"))

    who.open(f"/pages/activity/activity?a={sale.activity_id}")
    who.says("tiered", "阶梯团")
    for price in ("2 人¥19.90", "3 人¥17.90", "4 人¥14.90"):
        who.says("ladder", re.compile(price.replace("人", r"人\s*")))
    who.says("tiers-how", "先付 ¥19.90，成团后退差价")
    who.says("tiers", "满 3 人每件返 ¥2，满 4 人每件返 ¥5")
    who.tap("open")
    who.says("low", "4 人成团退差价，低至 ¥14.90")
    who.tap("sku-go")
    who.says("breakdown", "¥19.90")
    who.says("tiers", "成团人数越多返得越多，最多返 ¥5")
    who.tap("submit")
    expect(who.page.get_by_text("19.90").first).to_be_visible()
    who.pay()
    who.says("sentence", "开团成功，还差 1 人")
    who.says("hint", "到时满 2 人就成团；再来 2 人，每件返 ¥2")
    who.tap("act-group")

    order = me.api.get("/v1/orders")["items"][0]
    assert order["total_fen"] == 1990
    friends = [buyer(shop, f"朋友{name}") for name in "甲乙丙"]
    buy(friends[0], sale, order["group_id"])
    who.says("sentence", "已满 2 人，到时成团")
    for friend in friends[1:]:
        buy(friend, sale, order["group_id"])
    wait_until(shop, order["order_id"], "fulfilling")
    until(lambda: bool(me.order(order["order_id"])["refunds"][0]["arrived_at_s"]))
    who.page.reload()
    who.says("sentence", "拼团成功")
    who.says("hint", "满 4 人每件返 ¥5：¥5.00 已退回。商家将在 48 小时内发货")
    who.says("ladder", re.compile(r"4 人 ✓\s*¥14.90"))
    who.tap("act-order")
    who.says("order-state", "已成团待发货")
    who.says("rebate", "已返还 ¥5.00")
    who.open("/pages/orders/orders")
    who.says("rebate", "已返还 ¥5.00")


def test_buyer_with_an_unpaid_order_is_new_once_it_is_given_up(shop: Shop, arrive: Arrive) -> None:
    sale = sell(shop, "仙居杨梅", new_buyers="all")
    who = arrive("刚来的")
    me = over_the_api(who)
    me.api.post("/v1/me/addresses", address("刚来的"))
    body = {"sku_id": sale.sku_id, "quantity": 1, "address": address("刚来的")}
    key = secrets.token_hex(16)
    me.api.post(f"/v1/activities/{sale.activity_id}/orders", body, key=key)

    who.open(f"/trade/checkout/checkout?a={sale.activity_id}&sku={sale.sku_id}&n=1&way=open")
    who.says("trouble", "你有一笔订单还没付款，取消那一笔后再来")
    who.tap("unpaid-order")
    who.tap("act-give_up")
    who.page.locator(".uni-modal__btn_primary").click()
    who.says("sentence", "订单已关闭")
    who.page.go_back()
    who.says("breakdown", "¥19.90")
    who.tap("submit")
    who.pay()
    who.says("sentence", "开团成功，还差 1 人")


def test_buyers_see_how_many_have_bought_in_a_crowd(shop: Shop, arrive: Arrive) -> None:
    ladder = [{"seats": 2, "off_fen": 200}, {"seats": 4, "off_fen": 500}]
    sale = sell(shop, "丹东草莓", seats=2, crowd_tiers=ladder)
    leader = buyer(shop, "头一个")
    order_id = buy(leader, sale)
    group_id = leader.api.get("/v1/orders")["items"][0]["group_id"]  # its page would count
    shop.system.quiet(WAIT_S)
    buy(buyer(shop, "第二个"), sale, group_id)
    wait_until(shop, order_id, "fulfilling")

    who = arrive("看热闹的")  # what is counted is kept for a minute: nobody has looked before
    who.open(f"/pages/group/group?g={group_id}")
    who.says("crowd-standing", "已有 2 人拼成，满 4 人每件再返 ¥3")
    who.says("ladder", re.compile(r"2 人 ✓\s*¥17.90"))
    who.open(f"/pages/activity/activity?a={sale.activity_id}")
    who.says("crowd", "万人团")
    who.says("crowd", "先付 ¥19.90。所有拼成的团一起算人数，每到一档，已拼成的人都退差价。")
    who.tap("open")
    who.tap("sku-go")
    who.says("crowd", "万人团：已有 2 人拼成，满 4 人每件再返 ¥3")
