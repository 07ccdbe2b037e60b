"""Coupons, points and levels in a phone's browser: claimed in the centre or by a link, earned,
used, and given back."""

import re
import secrets
import time
from collections.abc import Callable

from playwright.sync_api import expect

from chalicelib.services.groups import similar_groups
from infra.local.phone import Phone
from tests.browser.buyers import (
    CATALOGUE_KEPT_S,
    WAIT_S,
    buy,
    buy_alone,
    buyer,
    claim,
    give_out,
    sell,
    until,
)
from tests.browser.conftest import Shop
from tests.browser.shoppers import Shopper, over_the_api

Arrive = Callable[..., Shopper]


def test_coupon_is_claimed_with_a_login_on_the_way_or_by_a_link(
    shop: Shop, arrive: Arrive, web: str
) -> None:
    give_out(shop, "新茶上市券", off_fen=500, from_fen=1000)
    linked = give_out(shop, "老友九五折", kind="percent", percent=95, given="link", days=1)
    time.sleep(CATALOGUE_KEPT_S)  # until the centre shows it
    who = arrive()

    who.open("/")
    who.tap("coupons")
    offer = who.page.get_by_test_id("offer").filter(has_text="新茶上市券")
    for told in ("¥5", "满 10 可用", "拼团、单独购买都可用 · 全店通用", "领取后 3 天内有效"):
        expect(offer).to_contain_text(told)
    expect(who.page.get_by_text("老友九五折")).to_have_count(0)
    offer.get_by_text("立即领取").click()
    who.says("why", "登录后自动领取")
    who.log_in(f"138{secrets.randbelow(10**8):08d}")
    expect(who.page.get_by_text("已领取，下单时可用")).to_be_visible()
    for told in ("新茶上市券", "已领取", "去使用"):  # without another tap
        who.says("offer", told)
    who.page.goto("about:blank")
    who.page.goto(f"{web}c/{linked}")
    for told in ("9.5 折", "无门槛", "领取后 1 天内有效"):
        who.says("offer", told)
    who.tap("ticket-act")
    who.says("offer", "已领取")

    who.open("/pages/mine/mine")
    who.tap("coupons")
    expect(who.see("chip-usable")).to_have_text("可用 2")
    expect(who.page.get_by_test_id("coupon")).to_contain_text(["9.5 折", "¥5"])


def test_coupon_is_used_as_shown_and_given_back_with_the_order(shop: Shop, arrive: Arrive) -> None:
    sale, who = sell(shop, "勐海普洱茶"), arrive("爱喝茶")
    me = over_the_api(who)
    best = claim(me, give_out(shop, "新茶券", off_fen=500, from_fen=1000, given="link"))
    claim(me, give_out(shop, "老友九五折", kind="percent", percent=95, given="link"))
    claim(me, give_out(shop, "大单专享券", off_fen=3000, from_fen=10_000, given="link"))

    who.open(f"/trade/checkout/checkout?a={sale.activity_id}&sku={sale.sku_id}&n=1&way=open")
    who.fill_address()
    who.says("coupon", "已选最优 −¥5")
    who.says("breakdown", "−¥5.00")
    who.tap("coupon")
    for told in ("满 100 减 30 · 大单专享券", "还差 80.10 元可用"):
        who.says("unusable", told)
    for wanted, told in (
        ("9.5 折", "已选 −¥0.99"),
        ("不使用优惠券", "2 张可用"),
        ("满 10 减 5", "已选最优 −¥5"),
    ):
        who.see("coupon-sheet").get_by_role("radio").filter(has_text=wanted).click()
        who.says("coupon", told)
        who.tap("coupon")
    who.tap("close-sheet")
    expect(who.page.get_by_role("img", name="¥14.90")).to_be_visible()
    who.tap("submit")
    expect(who.page.get_by_role("heading")).to_have_text("¥14.90")
    who.pay()
    who.says("sentence", "开团成功，还差 1 人")
    [order] = me.orders()
    assert (order["status"], order["total_fen"], state_of(me, best)) == ("paid", 1490, "used")

    who.open("/growth/mine/mine")
    who.tap("chip-used")
    who.says("coupon", "新茶券")
    who.page.get_by_text("查看订单").click()
    who.says("price-lines", "优惠券（新茶券）")
    who.tap("act-cancel")
    who.page.get_by_text("取消开团", exact=True).click()
    who.says("refund", "¥14.90 原路退回微信支付，优惠券已退回")
    who.tap("coupon-back")
    expect(who.page.get_by_test_id("coupon").filter(has_text="新茶券").last).to_be_visible()
    assert state_of(me, best) == "usable"
    who.open(f"/pages/group/group?g={order['group_id']}")
    who.says("hint", "优惠券已退回")


def test_coupon_leads_to_the_goods_that_it_is_for(shop: Shop, arrive: Arrive) -> None:
    sales = [sell(shop, title) for title in ("祁门红茶", "正山小种")]
    who = arrive("想用券")
    for name, of in (("一种茶", sales[:1]), ("两种茶", sales)):
        ids = [sale.product_id for sale in of]
        claim(over_the_api(who), give_out(shop, name, scope="products", scope_ids=ids, off_fen=100))

    for name, testid, titles in (
        ("一种茶", "activity", ["祁门红茶"]),
        ("两种茶", "activity-card", ["祁门红茶", "正山小种"]),
    ):
        who.open("/growth/mine/mine")
        offer = who.page.get_by_test_id("coupon").filter(has_text=name)
        offer.get_by_text("去使用").click()
        shown = who.page.get_by_test_id(testid).locator("visible=true")
        expect(shown).to_have_count(len(titles))
        for title in titles:  # two that were published in one second stand in any order
            expect(shown.filter(has_text=title)).to_be_visible()
    who.says("heading", "优惠券适用的商品")
    who.tap("heading")
    expect(who.page.get_by_text("红颜草莓").first).to_be_visible()


def test_link_to_a_coupon_that_is_gone_says_so_and_shows_the_others(
    shop: Shop, arrive: Arrive, web: str
) -> None:
    gone = give_out(shop, "最后一张券", off_fen=500, total=1, given="link")
    claim(buyer(shop, "手快"), gone)
    who = arrive()

    for link, words in ((gone, "来晚一步"), (gone[::-1], "没有找到这张优惠券")):
        who.page.goto("about:blank")
        who.page.goto(f"{web}c/{link}。")
        who.says("hint", words)
        expect(who.page.get_by_text("新店满减券")).to_be_visible()


def test_coupon_that_is_taken_back_meanwhile_is_not_used_and_the_new_price_is_shown(
    shop: Shop, arrive: Arrive
) -> None:
    sale, coupon = sell(shop, "安吉白茶"), give_out(shop, "收回的券", off_fen=500, given="link")
    who = arrive("犹豫")
    claim(over_the_api(who), coupon)
    who.open(f"/trade/checkout/checkout?a={sale.activity_id}&sku={sale.sku_id}&n=1&way=open")
    who.fill_address()
    who.says("coupon", "已选最优 −¥5")

    owner = shop.staff().api
    owner.post(f"/v1/merchant/coupons/{coupon}/withdrawal", {"revoke": True})
    time.sleep(CATALOGUE_KEPT_S)
    who.tap("submit")

    expect(who.page.get_by_text("店铺已收回")).to_be_visible()
    who.says("coupon", "暂无可用")
    expect(who.see("breakdown")).to_contain_text("¥19.90")
    who.tap("submit")
    expect(who.page.get_by_role("heading")).to_have_text("¥19.90")


def test_code_is_typed_with_a_login_on_the_way_and_its_coupon_used(
    shop: Shop, arrive: Arrive
) -> None:
    sale, coupon = sell(shop, "凤庆滇红"), give_out(shop, "集市传单券", off_fen=600, given="code")
    used, code = shop.staff().write_codes(coupon, 2)
    buyer(shop, "先来").api.post("/v1/coupon-codes/claims", {"code": used})
    who = arrive()

    who.open("/")
    who.tap("coupons")
    who.tap("use-code")
    field = who.see("code").locator("input")
    expect(field).to_be_focused()
    who.page.keyboard.type(code[:6].lower())
    expect(field).to_have_value(code[:6])
    who.tap("claim-code")
    who.says("code", "兑换码是 12 位字母和数字，请核对。")
    who.write("code", f"兑换码：{code.replace('-', ' ')}。")
    expect(field).to_have_value(code)
    who.tap("claim-code")
    who.log_in(f"138{secrets.randbelow(10**8):08d}")
    expect(who.see("code").locator("input")).to_have_value(code)
    who.write("code", used)
    who.tap("claim-code")
    who.says("code", "这个兑换码已经用过了。")
    who.write("code", code)
    who.page.keyboard.press("Enter")
    who.says("coupon", "集市传单券")

    who.open(f"/trade/checkout/checkout?a={sale.activity_id}&sku={sale.sku_id}&n=1&way=open")
    who.fill_address()
    who.says("coupon", "已选最优 −¥6")
    who.tap("submit")
    expect(who.page.get_by_role("heading")).to_have_text("¥13.90")
    who.pay()
    who.says("sentence", "开团成功，还差 1 人")
    [order] = over_the_api(who).orders()
    assert (order["status"], order["total_fen"]) == ("paid", 1390)


def test_coupon_that_the_shop_gives_is_told_of_and_opened(shop: Shop, arrive: Arrive) -> None:
    sale, coupon = sell(shop, "德昌桑葚"), give_out(shop, "赔礼券", off_fen=800, given="shop")
    who = arrive("好脾气")
    order_id = buy(over_the_api(who), sale)
    path = f"/v1/merchant/orders/{order_id}/coupons"
    shop.staff().api.post(
        path, {"template_id": coupon, "reason": "发货晚了"}, key=secrets.token_hex(16)
    )

    who.open("/pages/messages/messages")
    message = who.page.get_by_test_id("message").filter(has_text="商家送你一张优惠券")
    expect(message).to_contain_text("「赔礼券」（立减 8 元）：发货晚了。")
    message.click()
    who.says("coupon", "赔礼券")
    who.says("coupon", "去使用")

    who.open("/pages/mine/mine")
    who.tap("rewards")
    who.says("reward-next", "个团，得下一份奖励")
    who.says("reward-gives", "200 积分")


def test_member_of_a_failed_group_finds_the_coupon_and_the_points_that_were_promised(
    shop: Shop, arrive: Arrive
) -> None:
    promised = give_out(shop, "下次再来", off_fen=300, given="shop")
    sale = sell(
        shop,
        "盐源苹果",
        seats=3,
        compensation_id=promised,
        compensation_points=30,
        leader_coupon_id=promised,
    )
    soon_s = int(time.time()) + 2 * 86400  # so that it is among those that are looked at
    alike = sell(shop, "米易苹果", seats=3, ends_at_s=soon_s)
    other = buyer(shop, "苹果控")
    like_it = other.order(buy(other, alike))["group_id"]
    until_listed_s = time.monotonic() + similar_groups.LISTED_KEPT_S
    who = arrive("等等看")
    me = over_the_api(who)
    group_id = me.order(buy(me, sale))["group_id"]
    shop.system.quiet(WAIT_S)
    who.open(f"/pages/activity/activity?a={sale.activity_id}")
    who.says("compensation", "没拼成补偿一张「立减 3 元」优惠券和 30 积分")
    expect(who.page.get_by_text("开团送一张「立减 3 元」优惠券")).to_be_visible()
    who.open(f"/pages/group/group?g={group_id}")
    who.says("compensation", "没拼成补偿一张「立减 3 元」优惠券和 30 积分")

    time.sleep(max(0, until_listed_s - time.monotonic()))
    closing = {"reason": "缺货"}
    shop.staff().api.post(f"/v1/merchant/groups/{group_id}/closing", closing)

    who.says("sentence", "这次没有拼成")
    given = (
        "补偿你一张「立减 3 元」优惠券，已放进「我的优惠券」。补偿你 30 积分，已放进「我的积分」"
    )
    who.says("hint", given)
    expect(who.page.get_by_test_id("similar")).to_contain_text("米易苹果")
    who.tap("act-coupon")
    who.says("coupon", "下次再来")
    who.open("/pages/messages/messages")
    who.page.get_by_test_id("message").filter(has_text="未成团，补偿你一张优惠券").click()
    who.says("coupon", "下次再来")
    who.open("/pages/messages/messages")
    who.page.get_by_test_id("message").filter(has_text="未成团，补偿你积分").click()
    expect(who.page.get_by_text("未成团补偿")).to_be_visible()
    who.open("/pages/messages/messages")
    who.page.get_by_test_id("message").filter(has_text="的团由商家提前结束").click()
    who.page.get_by_test_id("similar").get_by_text("米易苹果").click()
    expect(who.page).to_have_url(re.compile(f"g={like_it}"))
    who.says("sentence", "邀请你一起拼")


def state_of(me: Phone, coupon_id: str) -> str:
    items = me.api.get("/v1/me/coupons")["items"]
    return str(next(it["state"] for it in items if it["coupon_id"] == coupon_id))


def test_points_are_used_as_shown_and_earned_with_the_receipt(shop: Shop, arrive: Arrive) -> None:
    sale, who = sell(shop, "祁门安茶", points=True), arrive("攒积分")
    me, staff = over_the_api(who), shop.staff()
    staff.give_points(buy_alone(me, sale), 550, "老客回馈")
    who.open("/pages/mine/mine")
    who.says("points", "550")
    who.tap("points")
    for testid, told in (("balance", "550"), ("worth", "可抵 ¥5"), ("points-entry", "老客回馈")):
        who.says(testid, told)

    who.open(f"/pages/activity/activity?a={sale.activity_id}")
    expect(who.page.get_by_text("可用积分抵扣")).to_be_visible()
    who.open(f"/trade/checkout/checkout?a={sale.activity_id}&sku={sale.sku_id}&n=1&way=alone")
    who.fill_address()
    who.says("points", "共 550 积分，可用 500 抵 ¥5")
    expect(who.see("breakdown")).not_to_contain_text("积分")  # until they say so
    who.tap("use-points")
    who.says("breakdown", "−¥5.00")
    expect(who.page.get_by_role("img", name="¥24.90")).to_be_visible()
    who.tap("submit")
    expect(who.page.get_by_role("heading")).to_have_text("¥24.90")
    who.pay()
    who.says("coming", "收货后得 24 积分")
    who.tap("act-order")
    lines = who.page.get_by_test_id("order-points")
    expect(lines).to_contain_text(["用了 500 积分", "收货后得 24 积分"])

    order_id = me.orders()[0]["order_id"]
    until(lambda: me.order(order_id)["status"] == "fulfilling")
    staff.ship(order_id, f"SF{secrets.randbelow(10**13):013d}")
    who.open(f"/pages/order/order?id={order_id}")
    who.tap("act-receive")
    who.page.get_by_text("确认收货", exact=True).last.click()
    expect(lines.last).to_contain_text("已得 24 积分")
    who.tap("to-requests")
    who.tap("ask-again")
    who.write("amount", "10")
    who.says("points-back", "同时退回 200 积分")
    who.open("/growth/points/points")
    who.says("balance", "74")
    entries = who.page.get_by_test_id("points-entry")
    expect(entries).to_contain_text(["+24", "−500", "+550"])
    entries.first.click()
    who.says("order-state", "已完成")


def test_member_sees_and_pays_their_price_and_enters_what_is_for_members(
    shop: Shop, arrive: Arrive
) -> None:
    sale = sell(shop, "会员价的滇红", member_price_fen=1490, member_prices=True)
    gold = sell(shop, "金卡的普洱", members_from=2)
    who = arrive("老茶客")
    me, staff = over_the_api(who), shop.staff()
    order_id = buy_alone(me, sale, quantity=5)  # at what everybody pays: ¥149.50
    until(lambda: me.order(order_id)["status"] == "fulfilling")
    staff.ship(order_id, f"SF{secrets.randbelow(10**13):013d}")
    until(lambda: me.order(order_id)["status"] == "shipped")
    me.api.post(f"/v1/orders/{order_id}/receipt")

    who.open("/pages/mine/mine")
    who.says("level", "银卡会员")
    who.tap("level")
    who.says("growth", "成长值 149")
    who.says("missing", "还差 ¥851 升级到金卡会员")
    who.tap("birthday")
    who.write("month", "5")
    who.write("day", "20")
    who.tap("save-birthday")
    who.says("birthday", "5 月 20 日")

    who.open(f"/pages/activity/activity?a={sale.activity_id}")
    who.says("member-prices", "银卡会员及以上 ¥14.90")
    who.tap("open")
    expect(who.see("sku-sheet")).to_contain_text("会员价 银卡会员及以上 ¥14.90")
    who.tap("sku-go")
    who.fill_address()
    who.says("member-price", "会员价")
    who.says("breakdown", "商品金额（会员价）")
    who.tap("submit")
    expect(who.page.get_by_role("heading")).to_have_text("¥14.90")
    who.pay()
    who.says("sentence", "开团成功")
    assert me.orders()[0]["total_fen"] == 1490

    who.open(f"/pages/activity/activity?a={gold.activity_id}")
    who.says("members-only", "金卡会员专享")
    who.says("members-rule", "金卡会员及以上才能开团和参团")
    who.open(f"/trade/checkout/checkout?a={gold.activity_id}&sku={gold.sku_id}&n=1&way=open")
    who.says("trouble", "只有「金卡会员」可以参加，你还差 ¥851")
    who.tap("buy-alone")
    expect(who.see("breakdown")).to_contain_text("¥29.90")
