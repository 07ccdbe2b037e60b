"""Members in the browser: found by the end of a phone, tagged, noted, taken away as a file."""

import secrets
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from infra.local.demo_data import address
from tests.browser.buyers import buy, buy_alone, buyer, give_out, sell, until
from tests.browser.conftest import Shop
from tests.browser.test_exports import fetched
from tests.browser.test_shop_actions import look

TAIL = "6071"


def test_an_owner_finds_a_member_tags_and_notes_them_and_takes_a_file(
    log_in: Callable[..., Page], shop: Shop, tmp_path: Path
) -> None:
    sold, owner = sell(shop, "会员试吃礼盒"), shop.staff().api
    recipient = {**address("钱多多"), "phone": f"1391111{TAIL}"}
    order_id = buy_alone(buyer(shop, "钱多多"), sold, address=recipient)
    until(lambda: owner.get(f"/v1/merchant/members?q={TAIL}")["items"])
    page = log_in()

    page.goto(f"{shop.url}#/member-tags")
    page.get_by_role("button", name="新建标签").first.click()
    dialog = page.get_by_role("dialog", name="新建标签")
    dialog.get_by_label("名称").fill("试吃常客")
    dialog.get_by_role("button", name="保存").click()
    expect(page.get_by_role("link", name="试吃常客")).to_be_visible()

    page.get_by_role("navigation").get_by_role("link", name="会员", exact=True).click()
    page.get_by_label("电话、后 4 位、姓名或昵称").fill(TAIL)
    page.keyboard.press("Enter")
    page.get_by_role("checkbox", name="选择 钱多多").check()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="批量改标签").click()
    page.get_by_role("dialog", name="改标签").get_by_text("试吃常客").click()
    page.get_by_role("dialog", name="改标签").get_by_role("button", name="保存").click()
    expect(page.locator("tbody tr")).to_contain_text("试吃常客")
    look(page, "members")

    page.get_by_role("button", name="导出", exact=True).click()
    dialog = page.get_by_role("dialog", name="导出表格")
    expect(dialog.get_by_role("radio", name="会员")).to_be_checked()
    dialog.get_by_role("button", name="导出").click()
    file = fetched(page, tmp_path)
    assert len(file) == 2
    assert file[1][file[0].index("收件电话")] == f"139****{TAIL}"
    assert "试吃常客" in file[1][file[0].index("标签")]

    page.goto(f"{shop.url}#/orders/{order_id}")
    page.get_by_role("link", name="查看会员").click()
    page.get_by_label("添加备注").fill("爱吃甜的，发货前打个电话")
    page.get_by_role("button", name="添加", exact=True).click()
    expect(page.get_by_role("listitem").filter(has_text="爱吃甜的")).to_be_visible()
    expect(page.get_by_text("会员试吃礼盒")).to_be_visible()
    look(page, "member")


def test_an_owner_says_what_groups_bring_and_sees_what_they_brought(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    given, staff = give_out(shop, "老友券", off_fen=300, given="shop", per_buyer=9), shop.staff()
    sale = sell(shop, "开团有礼的脐橙", seats=2, leader_coupon_id=given)
    phone = buyer(shop, "爱开团的人")
    order_id = buy(phone, sale)
    buy(buyer(shop, "来帮忙的人"), sale, phone.order(order_id)["group_id"])
    until(lambda: phone.order(order_id)["status"] == "fulfilling")
    staff.ship(order_id, f"SF{secrets.randbelow(10**13):013d}")
    until(lambda: phone.order(order_id)["status"] == "shipped")
    phone.api.post(f"/v1/orders/{order_id}/receipt")
    until(lambda: phone.api.get("/v1/me/rewards")["items"])
    page = log_in()

    page.goto(f"{shop.url}#/members")
    page.get_by_role("link", name="拼团奖励").click()
    row = page.locator("tbody tr").filter(has_text="爱开团的人")
    for words in ("开的团拼成了", "老友券", "已发放"):
        expect(row).to_contain_text(words)
    look(page, "rewards")
    page.get_by_role("link", name="奖励规则").click()
    page.get_by_label("时间范围").fill("3")
    page.get_by_role("button", name="保存规则").click()
    expect(page.get_by_text("时间范围要在 7 到 365 天之间，不限就填 0").first).to_be_visible()
    page.get_by_label("时间范围").fill("30")
    page.get_by_label("送优惠券").select_option(label="老友券（立减 3 元）")
    told = "30 天内每拼成 5 个团，送 优惠券「老友券」、200 积分。"
    expect(page.get_by_test_id("reward-sum")).to_contain_text(told)
    look(page, "reward-rule")
    page.get_by_role("button", name="保存规则").click()
    expect(page.get_by_text("已保存").first).to_be_visible()
    page.goto(f"{shop.url}#/audit")
    expect(page.get_by_text("30 天内每拼成 5 个团，送 一张优惠券、200 积分").first).to_be_visible()
