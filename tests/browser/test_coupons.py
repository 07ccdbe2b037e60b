"""Coupons as a shop gives them out, by hand in the browser; buyers claim and use them."""

import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from infra.local.demo_data import address
from infra.local.phone import Phone
from tests.browser import buyers, excel
from tests.browser.conftest import Shop

CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}")


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


def test_codes_are_written_taken_away_as_a_table_and_used_once(
    log_in: Callable[..., Page], shop: Shop, tmp_path: Path
) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/coupons/new")
    page.get_by_label("券名").fill("校园券")
    page.get_by_label("减多少").fill("5")
    page.get_by_label("总数").fill("30")
    page.get_by_label("凭兑换码领取").check()
    expect(page.get_by_text("共 30 张，每人限领 1 张，凭兑换码领取。")).to_be_visible()
    page.get_by_role("button", name="开始发放").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("点「兑换码」生成并下载")
    asked.get_by_role("button", name="开始发放").click()
    page.wait_for_url(re.compile(r"coupons/\w{22}"))
    expect(page.get_by_text("复制链接")).to_have_count(0)

    page.get_by_role("button", name="兑换码 校园券").click()
    dialog = page.get_by_role("dialog", name="「校园券」的兑换码")
    expect(dialog).to_contain_text("还没有生成过兑换码")
    dialog.get_by_label("再生成多少个").fill("31")
    expect(dialog).to_contain_text("这次最多 30 个")
    dialog.get_by_label("再生成多少个").fill("20")
    dialog.get_by_role("button", name="生成").click()
    for told in ("已生成 20 个，已用 0 个。", "还可以生成 10 个"):
        expect(dialog).to_contain_text(told)
    head, *rows = downloaded(page, dialog, tmp_path)
    assert head == ["兑换码", "状态", "使用时间"]
    assert {tuple(state) for _, *state in rows} == {("未用", "")}
    codes = [code for code, *_ in rows]
    assert len(set(codes)) == sum(1 for code in codes if CODE.fullmatch(code)) == 20

    phone = buyers.buyer(shop, "收券")
    phone.api.post("/v1/coupon-codes/claims", {"code": codes[3]})
    page.goto(f"{shop.url}#/coupons")
    row = page.get_by_role("row").filter(has_text="校园券")
    expect(row).to_contain_text("20 / 30")
    row.get_by_role("button", name="兑换码").click()
    expect(dialog).to_contain_text("已生成 20 个，已用 1 个。")
    _, *rows = downloaded(page, dialog, tmp_path)
    assert [code for code, state, _ in rows if state == "已用"] == [codes[3]]
    page.keyboard.press("Escape")
    page.get_by_role("button", name="更多 校园券").click()
    page.get_by_role("menuitem", name="停止发放").click()
    expect(page.get_by_role("dialog", name="停止发放")).to_contain_text("没用过的兑换码全部作废")


def test_buyer_of_an_order_is_given_a_coupon_and_reads_why(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    buyers.give_out(shop, "赔礼券", off_fen=800, given="shop")
    buyers.give_out(shop, "只能用码领的券", off_fen=800, given="code")
    phone = buyers.buyer(shop, "好脾气")
    order_id = buyers.buy(phone, buyers.sell(shop, "定西土豆"))
    page = log_in()
    page.goto(f"{shop.url}#/orders/{order_id}")
    page.get_by_role("button", name="送优惠券").click()
    dialog = page.get_by_role("dialog", name="送买家一张优惠券")
    give = dialog.get_by_role("button", name="送优惠券")
    expect(give).to_be_disabled()
    choice = dialog.get_by_role("combobox")
    assert "只能用码领的券" not in choice.inner_text()
    choice.select_option("赔礼券（立减 8 元），剩 9 张")
    expect(dialog).to_contain_text("拼团、单独购买都可用 · 全店通用")
    dialog.get_by_role("button", name="发货晚了，请你谅解").click()
    expect(dialog).to_contain_text("买家会看到：发货晚了，请你谅解")
    give.click()

    expect(page.get_by_text("「赔礼券」已送给买家")).to_be_visible()
    expect(page.get_by_text("送买家优惠券「赔礼券」（立减 8 元）：发货晚了")).to_be_visible()
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="送优惠券").click()
    expect(choice.get_by_text("每人限领 1 张，买家已经有了")).to_be_disabled()
    page.keyboard.press("Escape")
    assert list(coupons_of(phone).values()) == ["usable"]
    told = phone.api.get("/v1/me/messages")["items"]
    [text] = [it["text"] for it in told if it["text_key"] == "coupon_given"]
    assert "优惠券「赔礼券」（立减 8 元）：发货晚了，请你谅解。" in text
    page.goto(f"{shop.url}#/audit?subject=order%23{order_id}")
    expect(page.get_by_role("row").filter(has_text="送出优惠券")).to_contain_text("赔礼券")


def test_activity_promises_a_coupon_and_points_to_groups_that_fail(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    promised = buyers.give_out(shop, "补偿红包", off_fen=300, given="shop")
    sale = buyers.sell(shop, "通江银耳")
    page = log_in()
    page.goto(f"{shop.url}#/activities/{sale.activity_id}")
    choice = page.get_by_label("未成团补偿")
    choice.select_option("补偿红包（立减 3 元）")
    expect(page.get_by_text("并补偿一张「立减 3 元」优惠券。")).to_be_visible()
    expect(page.get_by_text("没拼成补偿一张「立减 3 元」优惠券")).to_be_visible()
    page.get_by_label("未成团送积分").fill("50")
    expect(page.get_by_text("并补偿一张「立减 3 元」优惠券和 50 积分。")).to_be_visible()
    expect(page.get_by_text("没拼成补偿 50 积分")).to_be_visible()
    page.get_by_role("button", name="保存修改").click()
    expect(page.get_by_text("已保存，对之后新开的团生效")).to_be_visible()
    page.goto(f"{shop.url}#/audit?subject=activity%23{sale.activity_id}")
    changed = page.get_by_role("row").filter(has_text="未成团补偿")
    expect(changed).to_contain_text("立减 3 元")
    edited = page.get_by_role("row").filter(has_text="修改活动")
    expect(edited.filter(has_text="未成团送积分")).to_contain_text("50")

    page.goto(f"{shop.url}#/coupons")
    page.get_by_role("button", name="更多 补偿红包").click()
    page.get_by_role("menuitem", name="停止发放").click()
    dialog = page.get_by_role("dialog", name="停止发放")
    expect(dialog.get_by_role("alert")).to_contain_text("1 个活动承诺未成团补偿这种券：")
    expect(dialog.get_by_role("link")).to_have_text("通江银耳")
    dialog.get_by_role("button", name="停止发放").click()
    expect(page.get_by_text("「补偿红包」已停止发放")).to_be_visible()
    page.goto(f"{shop.url}#/activities/new?copy={sale.activity_id}")
    expect(choice).to_have_value(promised)
    expect(page.get_by_text("这种券已停止发放或已发完")).to_be_visible()
    expect(page.get_by_text("没拼成补偿一张")).to_have_count(0)
    page.locator('[data-field^="stock."] input').fill("20")
    page.get_by_role("button", name="发布活动").click()
    trouble = page.get_by_text("这种优惠券已停止发放，请换一种。")
    expect(trouble).to_have_count(2)  # above the button, and at the field
    choice.select_option("不补偿")
    page.get_by_role("button", name="发布活动").click()
    expect(trouble).to_have_count(0)


def downloaded(page: Page, dialog: Locator, to: Path) -> list[list[str]]:
    with page.expect_download() as begun:
        dialog.get_by_role("button", name="下载").click()
    file = to / begun.value.suggested_filename
    begun.value.save_as(file)
    assert re.fullmatch(r"校园券-\w{3}\.xlsx", file.name)
    return excel.read(file)
