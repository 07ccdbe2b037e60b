"""Coupons as a shop gives them out, by hand in the browser; buyers claim and use them."""

import re
import secrets
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from infra.local.demo_data import address
from infra.local.phone import Phone
from tests.browser import buyers
from tests.browser.conftest import Shop


def wish(phone: Phone, sale: buyers.Sale, coupon_id: str) -> dict[str, Any]:
    """What a buyer sends who opens a group with a coupon."""
    whose = address(phone.name)
    return {"sku_id": sale.sku_id, "quantity": 1, "address": whose, "coupon_id": coupon_id}


def wait_until(shows: Callable[[], bool]) -> None:
    """Until the stream has counted an order, or caches have forgotten a template."""
    ends_s = time.monotonic() + buyers.WAIT_S
    while not shows():
        assert time.monotonic() < ends_s
        time.sleep(0.2)


def coupons_of(phone: Phone) -> dict[str, Any]:
    """By id, the state of each."""
    items = phone.api.get("/v1/me/coupons")["items"]
    return {one["coupon_id"]: one["state"] for one in items}


def test_coupons_are_written_down_told_in_one_sentence_and_given_out(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    sale = buyers.sell(shop, "新疆阿胶枣")
    page = log_in()
    page.get_by_role("navigation").get_by_role("link", name="优惠券").click()
    page.get_by_role("button", name="新建优惠券").click()

    page.get_by_label("指定商品", exact=True).check()
    page.get_by_label("减多少").fill("20")
    page.get_by_label("满多少可用").fill("15")
    page.get_by_role("button", name="开始发放").click()
    alert = page.get_by_role("alert")
    for problem in ("请填写券名", "减的金额要小于门槛", "请至少选一个"):
        expect(alert).to_contain_text(problem)

    page.get_by_label("券名").fill("红枣满减券")
    page.get_by_label("减多少").fill("2")
    page.get_by_label("拼团可用", exact=True).check()
    page.get_by_role("button", name="选择商品").click()
    picker = page.get_by_role("dialog", name="选择商品")
    picker.get_by_label("商品名称或规格编码").fill("阿胶枣")
    page.keyboard.press("Enter")
    picker.get_by_role("button", name=sale.title).click()
    expect(picker).to_contain_text("已选 1 个")
    picker.get_by_role("button", name="完成").click()
    page.get_by_label("总数").fill("500")
    page.get_by_text("仅限新客首单", exact=True).click()
    sentence = (
        "满 15 减 2，拼团可用，指定商品，仅限新客首单；领取后 7 天内有效；"
        "共 500 张，每人限领 1 张，公开领取。最多让利 ¥1,000。"
    )
    expect(page.get_by_text(sentence)).to_be_visible()
    page.get_by_role("button", name="开始发放").click()
    page.get_by_role("dialog").get_by_role("button", name="开始发放").click()
    expect(page.get_by_text("已开始发放")).to_be_visible()
    page.wait_for_url(re.compile(r"coupons/\w{22}"))
    template_id = page.url.rsplit("/", 1)[-1]
    expect(page.get_by_text(f"/c/{template_id}", exact=False)).to_be_visible()
    expect(page.get_by_text(sale.title, exact=True)).to_be_visible()


def test_what_coupons_did_is_told_and_those_that_nobody_used_are_revoked(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    sale, template_id = buyers.sell(shop, "新疆灰枣"), buyers.give_out(shop, "灰枣券", off_fen=200)
    payer, waverer = buyers.buyer(shop, "枣花"), buyers.buyer(shop, "枣树")
    buyers.buy(payer, sale, coupon_id=buyers.claim(payer, template_id))
    kept = buyers.claim(waverer, template_id)
    path = f"/v1/activities/{sale.activity_id}/groups"
    placed = waverer.api.post(path, wish(waverer, sale, kept), key=secrets.token_hex(16))
    page = log_in()
    page.goto(f"{shop.url}#/orders/{placed['order_id']}")
    page.get_by_role("button", name="关闭订单").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("买家说不要了")
    dialog.get_by_role("button", name="关闭订单").click()
    expect(page.get_by_text("优惠券（灰枣券） 券已退回买家")).to_be_visible()
    template = f"/v1/merchant/coupons/{template_id}"
    wait_until(lambda: shop.staff().api.get(template)["orders"] == 1)

    page.goto(f"{shop.url}#/coupons")
    row = page.get_by_role("row").filter(has_text="灰枣券")
    for told in ("2 / 9", "¥17.90", "¥2.00"):
        expect(row).to_contain_text(told)
    page.get_by_role("button", name="更多 灰枣券").click()
    page.get_by_role("menuitem", name="停止发放").click()
    dialog = page.get_by_role("dialog", name="停止发放「灰枣券」？")
    expect(dialog).to_contain_text("已领未用 1 张")
    dialog.get_by_label("一并收回：1 张作废，不能撤回").check()
    dialog.get_by_role("button", name="停发并收回 1 张").click()
    expect(page.get_by_text("「灰枣券」已停止发放，收回 1 张")).to_be_visible()
    expect(row).to_have_count(0)
    page.get_by_role("link", name="已结束").click()
    expect(row).to_contain_text("已收回")
    wait_until(lambda: coupons_of(waverer) == {kept: "revoked"})
    page.get_by_role("button", name="更多 灰枣券").click()
    page.get_by_role("menuitem", name="删除").click()
    page.get_by_role("dialog", name="删除「灰枣券」？").get_by_role("button", name="删除").click()
    expect(row).to_have_count(0)

    page.goto(f"{shop.url}#/audit?subject=coupon%23{template_id}")
    made = page.get_by_role("row").filter(has_text="新建优惠券")
    expect(made).to_contain_text("立减 2 元，拼团、单独购买都可用，全店通用")
    revoked = page.get_by_role("row").filter(has_text="收回已领的")
    expect(revoked).to_contain_text("修改优惠券")


def test_more_coupons_are_added_but_no_fewer_than_were_claimed(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    template_id = buyers.give_out(shop, "九张券", kind="percent", percent=85)
    for name in ("甲", "乙"):
        buyers.claim(buyers.buyer(shop, name), template_id)
    page = log_in()
    page.goto(f"{shop.url}#/coupons/{template_id}")
    expect(page.get_by_label("打几折")).to_be_disabled()
    page.get_by_label("总数").fill("1")
    page.get_by_role("button", name="保存修改").click()
    expect(page.get_by_text("已领取 2 张，总数不能更少").last).to_be_visible()
    page.get_by_label("总数").fill("40")
    page.get_by_label("券名").fill("四十张券")
    page.get_by_role("button", name="保存修改").click()
    expect(page.get_by_role("heading", name="四十张券", level=1)).to_be_visible()
    expect(page.get_by_text("2 / 40")).to_be_visible()


def test_an_activity_that_takes_no_coupons_says_so_and_takes_none(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    sale = buyers.sell(shop, "特价核桃")
    template_id = buyers.give_out(shop, "通用立减", off_fen=100)
    page = log_in()
    page.goto(f"{shop.url}#/activities/{sale.activity_id}")
    coupons = page.get_by_role("switch", name="可以用优惠券")
    expect(coupons).to_be_checked()
    page.locator(".el-switch").filter(has=coupons).click()
    expect(page.get_by_text("不能用优惠券；")).to_be_visible()
    page.get_by_role("button", name="保存修改").click()
    expect(page.get_by_text("已保存，对之后新开的团生效")).to_be_visible()
    page.goto(f"{shop.url}#/activities/new?copy={sale.activity_id}")
    expect(page.get_by_label("活动名称")).to_have_value(sale.title)
    expect(coupons).not_to_be_checked()

    phone = buyers.buyer(shop, "会过日子")
    coupon_id = buyers.claim(phone, template_id)
    path = f"/v1/activities/{sale.activity_id}/groups"
    answer = phone.api.call("POST", path, wish(phone, sale, coupon_id), key=secrets.token_hex(16))
    assert answer.status == 409
    assert answer.body["code"] == "coupon_refused"
    assert coupons_of(phone) == {coupon_id: "usable"}
