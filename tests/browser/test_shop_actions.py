"""The shop refunds, lowers a price and closes an order by itself, and takes goods back."""

import os
import re
import secrets
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from chalicelib.domain.short_number import short_of
from infra.local.demo_data import address
from infra.local.phone import Phone
from tests.browser.accessibility import unusable
from tests.browser.buyers import Sale, buy_alone, buyer, claim, give_out, sell, wait_until
from tests.browser.conftest import NARROW, WIDE, Shop

PICTURES = os.environ.get("PICTURES")


def look(page: Page, name: str) -> None:
    """Nothing is wrong with the page on a laptop or a phone; pictures where somebody wants them."""
    expect(page.locator(".el-message")).to_have_count(0)  # it fades while the page is judged
    for window, size in (("wide", WIDE), ("narrow", NARROW)):
        page.set_viewport_size(size)
        assert unusable(page) == []
        if PICTURES:
            page.screenshot(path=f"{PICTURES}/{name}-{window}.png", full_page=True)
    page.set_viewport_size(WIDE)


def say_where_to_return(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}#/settings")
    page.get_by_label("退货地址").fill("王师傅 13800138000 杭州市余杭区文一西路 969 号")
    page.get_by_role("button", name="保存设置").click()
    expect(page.get_by_text("已保存").first).to_be_visible()


def receive_goods(page: Page, row: Locator) -> None:
    page.get_by_role("link", name="寄回待收货").click()
    row.get_by_role("button", name="确认收货").click()
    dialog = page.get_by_role("dialog", name="收到买家退回的商品？")
    dialog.get_by_label("退回库存").fill("0")
    look(page, "exchange-receive")
    dialog.get_by_role("button", name="确认收货").click()


def send_new_ones(page: Page, row: Locator, number: str) -> None:
    row.get_by_role("button", name="寄出新商品").click()
    dialog = page.get_by_role("dialog", name="寄出新的 1 件")
    dialog.get_by_label("快递单号").fill(number)
    dialog.get_by_label("快递公司").click()
    page.get_by_role("option", name="顺丰速运").click()
    look(page, "exchange-send")
    dialog.get_by_role("button", name="寄出新商品").click()


def unpaid(phone: Phone, sale: Sale) -> str:
    body = {"sku_id": sale.sku_id, "quantity": 1, "address": address(phone.name)}
    path = f"/v1/activities/{sale.activity_id}/orders"
    return str(phone.api.post(path, body, key=secrets.token_hex(16))["order_id"])


def test_price_is_lowered_and_an_unpaid_order_is_closed(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    sale, phone = sell(shop, "改价的橙子"), buyer(shop, "要便宜的人")
    order = unpaid(phone, sale)
    page = log_in()
    page.goto(f"{shop.url}#/orders/{order}")
    payable = re.compile(r"^需在 (\S+ )?\d\d:\d\d 前付款，剩 ")  # with its day past midnight
    expect(page.get_by_text(payable).first).to_be_visible()
    expect(page.get_by_text("实付")).to_have_count(0)
    page.get_by_role("button", name="改价").click()
    dialog = page.get_by_role("dialog", name="改低订单价格")
    dialog.get_by_label("新的订单金额").fill("30")
    expect(dialog.get_by_text("要低于现在的 ¥29.90")).to_be_visible()
    dialog.get_by_label("新的订单金额").fill("25")
    look(page, "price")
    dialog.get_by_role("button", name="改价并通知买家").click()
    expect(page.get_by_text("商家改价优惠")).to_be_visible()
    assert phone.order(order)["total_fen"] == 2500

    page.get_by_role("button", name="关闭订单").click()
    dialog = page.get_by_role("dialog", name="关闭这个未付款的订单？")
    dialog.get_by_role("button", name="重复下单").click()
    look(page, "closing")
    dialog.get_by_role("button", name="关闭订单").click()
    expect(page.get_by_text("商家关闭订单：重复下单 · 店主")).to_be_visible()  # and not "shanye"
    expect(page.get_by_role("link", name="打印配货单")).to_have_count(0)
    assert phone.order(order)["closed_words"] == "重复下单"


def test_shop_refunds_a_part_of_its_own_accord(log_in: Callable[..., Page], shop: Shop) -> None:
    sale, phone = sell(shop, "少发的橙子"), buyer(shop, "少收的人")
    coupon_id = claim(phone, give_out(shop, "一元券", off_fen=100))
    order = buy_alone(phone, sale, quantity=2, coupon_id=coupon_id)
    wait_until(shop, order, "fulfilling")
    page = log_in()
    page.goto(f"{shop.url}#/orders/{order}")
    page.get_by_role("button", name="退款", exact=True).click()
    dialog = page.get_by_role("dialog", name="给买家退款")
    expect(dialog.get_by_label("退款金额")).to_have_value("58.80")
    dialog.get_by_label("退款金额").fill("29.9")
    dialog.get_by_label("退回库存").fill("2")
    dialog.get_by_role("button", name="缺货，不能发货").click()
    expect(dialog).to_contain_text("优惠券也会退给买家，没退的 ¥28.90 由店铺留下")
    dialog.get_by_label("退回库存").fill("1")
    expect(dialog).to_contain_text("只退一部分，券不退")
    look(page, "refund")
    dialog.get_by_role("button", name="退款 ¥29.90").click()

    expect(page.get_by_text("商家主动退款 ¥29.90：缺货，不能发货")).to_be_visible()
    expect(page.get_by_text("已同意")).to_have_count(0)  # nobody had asked
    expect(page.get_by_text("买了 2 件，退回后还要交 1 件")).to_be_visible()
    look(page, "refunded")
    page.goto(f"{shop.url}#/after-sales?tab=approved")
    row = page.get_by_role("row").filter(has_text=short_of(order))
    expect(row).to_contain_text("商家主动退款")
    expect(row).to_contain_text("缺货，不能发货")
    expect(row.get_by_text("已同意")).to_have_count(0)


def test_goods_are_taken_back(log_in: Callable[..., Page], shop: Shop) -> None:
    sale, phone = sell(shop, "要退的橙子"), buyer(shop, "退货的人")
    order = buy_alone(phone, sale)
    wait_until(shop, order, "fulfilling")
    owner = shop.staff().api
    parcel = {"carrier": "顺丰", "number": f"SF{secrets.randbelow(10**13):013d}"}
    owner.post(f"/v1/merchant/orders/{order}/parcels", parcel)
    claim = {"amount_fen": 2990, "reason": "damaged", "units": 1}
    page = log_in()
    say_where_to_return(page, shop)
    waiting = page.get_by_role("navigation").get_by_role("link", name="售后申请")
    phone.api.post(f"/v1/orders/{order}/after-sales", claim)
    count = owner.get("/v1/merchant/dashboard")["to_do"]["after_sales"]

    page.goto(f"{shop.url}#/after-sales")
    row = page.get_by_role("row").filter(has_text=short_of(order))
    expect(row).to_contain_text("退货 1 件并退款")
    expect(waiting).to_contain_text(f"{count}")  # as the list has it
    row.get_by_role("button", name="同意退货").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("退货地址：王师傅 13800138000")
    expect(dialog.get_by_role("link", name="在店铺设置里修改")).to_be_visible()
    look(page, "agree")
    dialog.get_by_role("button", name="同意退货").click()
    page.get_by_role("link", name="待买家寄回").click()
    expect(page.get_by_role("row").filter(has_text=short_of(order))).to_contain_text("否则自动关闭")
    look(page, "agreed")
    phone.api.call("PUT", f"/v1/orders/{order}/after-sales/A/parcel", parcel)

    page.get_by_role("link", name="寄回待收货").click()
    row = page.get_by_role("row").filter(has_text=short_of(order))
    expect(row).to_contain_text(parcel["number"])
    look(page, "returning")
    row.get_by_role("button", name="确认收货并退款").click()
    dialog = page.get_by_role("dialog", name="收到退货，给买家退款？")
    dialog.get_by_label("退回库存").fill("1")
    dialog.get_by_role("button", name="退款 ¥29.90").click()
    wait_until(shop, order, "refunded")
    page.goto(f"{shop.url}#/orders/{order}")
    expect(page.get_by_role("listitem").filter(has_text="商家已同意退款")).to_contain_text("店主")


def test_goods_are_exchanged(log_in: Callable[..., Page], shop: Shop) -> None:
    sale, phone = sell(shop, "要换的橙子"), buyer(shop, "换货的人")
    order = buy_alone(phone, sale)
    wait_until(shop, order, "fulfilling")
    numbers = [f"SF{secrets.randbelow(10**13):013d}" for _ in range(3)]
    parcels = [{"carrier": "顺丰", "number": number} for number in numbers]
    shop.system.owner().api.post(f"/v1/merchant/orders/{order}/parcels", parcels[0])
    claim = {"units": 1, "reason": "damaged", "words": "外壳裂了，想换一件"}
    phone.api.post(f"/v1/orders/{order}/exchanges", claim)
    page = log_in()
    say_where_to_return(page, shop)

    page.goto(f"{shop.url}#/after-sales")
    row = page.get_by_role("row").filter(has_text=short_of(order))
    expect(row).to_contain_text("换货 1 件（同规格）")
    expect(row).to_contain_text("不退款")
    look(page, "exchange-requested")
    row.get_by_role("button", name="同意换货").click()
    dialog = page.get_by_role("dialog", name="同意买家换货？")
    look(page, "exchange-agree")
    dialog.get_by_role("button", name="同意换货").click()
    expect(page.get_by_text("已同意换货，买家会收到退货地址")).to_be_visible()
    phone.api.call("PUT", f"/v1/orders/{order}/after-sales/A/parcel", parcels[1])

    receive_goods(page, row)
    page.get_by_role("link", name="待换新", exact=True).click()
    look(page, "exchange-replacing")
    row.get_by_role("button", name="改为退款").click()
    dialog = page.get_by_role("dialog", name="不换货，给买家退款？")
    expect(dialog.get_by_text("为换货留出的 1 件会放回商品库存。")).to_be_visible()
    look(page, "exchange-refund")
    dialog.get_by_role("button", name="取消").click()
    send_new_ones(page, row, numbers[2])
    page.get_by_role("link", name="换新待买家收货").click()
    expect(row).to_contain_text(numbers[2])
    expect(row).to_contain_text("自动确认收货")
    look(page, "exchange-sent")
    phone.api.post(f"/v1/orders/{order}/after-sales/A/receipt")

    page.goto(f"{shop.url}#/orders/{order}")
    expect(page.get_by_text("换货完成").first).to_be_visible()
    expect(page.get_by_text(f"寄出换新的商品：顺丰速运 {numbers[2]}")).to_be_visible()
    look(page, "exchanged")


def test_levels_are_written_and_an_activity_is_for_members_with_smaller_groups(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    sale = sell(shop, "会员团的柚子", seats=5)
    page = log_in()
    page.get_by_role("navigation").get_by_role("link", name="会员等级").click()
    page.get_by_role("button", name="添加等级").click()
    level = page.get_by_test_id("level-4")
    for label, text in (("名称", "金卡会员"), ("达到多少成长值", "5000"), ("折扣", "95")):
        level.get_by_label(label).fill(text)
    look(page, "levels-wrong")
    page.get_by_role("button", name="保存会员等级").click()
    for wrong in ("「金卡会员」重复了，请换一个名称", "要比上一级的 5000 多，请改大"):
        expect(level.get_by_text(wrong)).to_be_visible()
    level.get_by_label("名称").fill("钻石会员")
    level.get_by_label("达到多少成长值").fill("9000")
    level.get_by_label("折扣").fill("8.5")
    level.get_by_label("积分倍数").fill("2.5")
    summed_up = "满 9,000 成长值（约实付 9,000 元）：单买价 8.5 折、积分 2.5 倍"
    expect(level).to_contain_text(summed_up)
    page.get_by_role("button", name="保存会员等级").click()
    expect(page.get_by_text("已保存").first).to_be_visible()
    page.goto(f"{shop.url}#/audit")
    expect(page.get_by_text("钻石会员 9,000（单买价 8.5 折、积分 2.5 倍）").first).to_be_visible()

    page.goto(f"{shop.url}#/activities/{sale.activity_id}")
    page.get_by_role("button", name="换一种玩法").click()
    page.get_by_label("会员团", exact=True).check()
    prices = page.get_by_role("switch", name="可用会员价")
    page.locator(".el-switch").filter(has=prices).click()
    page.get_by_role("combobox", name="会员团").select_option(label="银卡会员 及以上")
    page.get_by_role("button", name="添加会员小团").click()
    page.get_by_label("第 1 行的等级").select_option(label="金卡会员 及以上")
    page.get_by_label("第 1 行的人数").fill("5")
    look(page, "members-only")
    page.get_by_role("button", name="保存修改").click()
    expect(page.get_by_text("人数要在 2 到 4 之间").first).to_be_visible()
    page.get_by_label("第 1 行的人数").fill("2")
    told = "会员团，「银卡会员」及以上才能参加；「金卡会员」开 2 人团；可用会员价；"
    expect(page.get_by_text(told)).to_be_visible()
    page.get_by_role("button", name="保存修改").click()
    expect(page.get_by_text("已保存，对之后新开的团生效")).to_be_visible()
    kept = shop.staff().api.get(f"/v1/merchant/activities/{sale.activity_id}")
    terms = (kept["member_prices"], kept["members_from"], kept["level_seats"])
    assert terms == (True, 1, [{"level": 2, "seats": 2}])


def test_points_are_set_used_in_an_activity_and_given_with_a_reason(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    sale, phone = sell(shop, "攒积分的橙子"), buyer(shop, "等了很久的人")
    order = buy_alone(phone, sale)
    page = log_in()
    page.goto(f"{shop.url}#/settings")
    page.get_by_label("每单最多抵").fill("101")
    look(page, "points-settings")
    page.get_by_role("button", name="保存设置").click()
    expect(page.get_by_text("每单最多抵要在 1 到 100 之间").first).to_be_visible()
    page.get_by_label("每单最多抵").fill("60")
    summed_up = "花 ¥100 得 100 积分，可抵 ¥1；每单最多抵商品金额的 60%，次年年底到期。"
    expect(page.get_by_test_id("points-sum")).to_have_text(summed_up)
    page.get_by_role("button", name="保存设置").click()
    expect(page.get_by_text("已保存").first).to_be_visible()
    page.goto(f"{shop.url}#/audit")
    expect(page.get_by_text(f"→ {summed_up}")).to_be_visible()

    page.goto(f"{shop.url}#/activities/{sale.activity_id}")
    switch = page.get_by_role("switch", name="可用积分抵扣")
    page.locator(".el-switch").filter(has=switch).click()
    page.get_by_role("button", name="保存修改").click()
    expect(page.get_by_text("已保存，对之后新开的团生效")).to_be_visible()
    path = f"/v1/merchant/activities/{sale.activity_id}"
    assert shop.staff().api.get(path)["points"] is True

    page.goto(f"{shop.url}#/orders/{order}")
    card = page.get_by_test_id("points")
    expect(card).to_contain_text("收货后得29")
    for way, points, button, balance in (
        ("增加", "300", "加 300 积分", 300),
        ("扣减", "100", "扣 100 积分", 200),
    ):
        card.get_by_role("button", name="加减积分").click()
        dialog = page.get_by_role("dialog", name="加减积分")
        dialog.get_by_text(way, exact=True).click()
        dialog.get_by_label("多少积分").fill("9999999" if way == "增加" else "301")
        dialog.get_by_label("原因").fill("等了很久")
        expect(dialog.get_by_text(re.compile("最多"))).to_have_count(2)
        dialog.get_by_label("多少积分").fill(points)
        look(page, f"points-{balance}")
        dialog.get_by_role("button", name=button).click()
        expect(card).to_contain_text(f"买家现有{balance}")
        assert phone.points()["balance"] == balance
