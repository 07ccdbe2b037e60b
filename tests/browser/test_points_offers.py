"""Points offers in browsers: a shop publishes one in the console, a buyer exchanges on a phone."""

import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.buyers import CATALOGUE_KEPT_S, Sale, buy_alone, sell, until
from tests.browser.conftest import Shop
from tests.browser.shoppers import Shopper, over_the_api

Arrive = Callable[..., Shopper]


def publish(page: Page, sale: Sale) -> None:
    """Offer three units for 500 points and ¥1.00 each."""
    page.get_by_role("navigation").get_by_role("link", name="优惠券").click()
    page.get_by_role("button", name="积分商品").click()
    page.get_by_role("button", name="发布积分商品").first.click()
    page.get_by_role("button", name="开始兑换").click()
    alert = page.get_by_role("alert")
    for problem in ("请选择商品", "请填写名称", "积分要在 1 到"):
        expect(alert).to_contain_text(problem)
    page.get_by_role("button", name="选择商品", exact=True).click()
    picker = page.get_by_role("dialog", name="选择商品")
    picker.get_by_label("商品名称或规格编码").fill("凤凰单丛")
    page.keyboard.press("Enter")
    picker.get_by_role("button", name=sale.title).click()
    page.get_by_label("每件积分").fill("500")
    page.get_by_label("每件再付").fill("1")
    page.get_by_label("可兑数量").fill("3")
    sentence = "用 500 积分 + ¥1.00 换 1 件「试吃的凤凰单丛」（一箱），共 3 件，每人限兑 1 件。"
    expect(page.get_by_text(sentence)).to_be_visible()
    page.get_by_role("button", name="开始兑换").click()
    page.get_by_role("dialog").get_by_role("button", name="开始兑换").click()


def exchange(who: Shopper) -> None:
    """From the card of the offer to the order, which is paid."""
    who.says("cost", "500 积分 + ¥1.00")
    who.says("balance", "你有 550 积分")
    who.tap("exchange")
    who.fill_address()
    who.says("points-used", "用 500，你有 550")
    who.says("breakdown", "500 积分")
    who.says("cost", "500 积分 + ¥1.00")
    who.tap("submit")
    expect(who.page.get_by_role("heading")).to_have_text("¥1.00")
    who.pay()
    who.tap("act-order")
    expect(who.page.get_by_test_id("price-lines")).to_contain_text("500 积分")


def test_offer_is_published_exchanged_for_points_and_money_and_ended(
    log_in: Callable[..., Page], shop: Shop, arrive: Arrive
) -> None:
    sale, page = sell(shop, "试吃的凤凰单丛"), log_in()
    publish(page, sale)
    row = page.get_by_role("row").filter(has_text=sale.title)
    for told in ("500 积分 + ¥1.00", "0 / 3", "兑换中"):
        expect(row).to_contain_text(told)
    time.sleep(CATALOGUE_KEPT_S)  # until buyers see it

    who = arrive("攒够了")
    me = over_the_api(who)
    who.open("/growth/offers/offers")
    card = who.page.get_by_test_id("points-offer").filter(has_text=sale.title)
    expect(card).to_contain_text("还差 500 积分")
    shop.staff().give_points(buy_alone(me, sale), 550, "老客回馈")
    who.open("/growth/points/points")
    who.tap("offers")
    card.click()
    exchange(who)
    order_id = me.orders()[0]["order_id"]
    until(lambda: me.order(order_id)["status"] == "fulfilling")
    assert me.points()["balance"] == 50

    page.reload()
    expect(row).to_contain_text("1 / 3")
    row.get_by_role("button", name="停止兑换").click()
    dialog = page.get_by_role("dialog", name="停止兑换「试吃的凤凰单丛」？")
    expect(dialog).to_contain_text("剩下的 2 件退回商品库存")
    dialog.get_by_role("button", name="停止兑换").click()
    expect(row).to_have_count(0)
    page.goto(f"{shop.url}#/orders/{order_id}")
    expect(page.get_by_text("兑换积分")).to_be_visible()
    page.goto(f"{shop.url}#/audit")
    expect(page.get_by_role("row").filter(has_text="停止积分兑换").first).to_be_visible()
