"""The kinds of activities (玩法), from the console's empty form to what buyers are told."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import buyers
from tests.browser.conftest import Shop
from tests.browser.shoppers import Shopper
from tests.browser.test_selling import begin

# What each kind asks for beside price and stock: label and text; and the terms that come of it.
KINDS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "普通团": ({}, {"seats_least": 0, "new_buyers": "nobody", "members_from": 0}),
    "团长优惠": ({"默认规格 团长价": "34.9"}, {"leader_free": False}),
    "阶梯团": (
        {"成团人数": "5", "几个人起成团": "2", "第 2 档每件返": "5"},
        {"seats_least": 2, "tiers": [{"seats": 5, "off_fen": 500}]},
    ),
    "万人团": (
        {
            "万人团第 1 档人数": "100",
            "万人团第 1 档每件返": "2",
            "万人团第 2 档人数": "500",
            "万人团第 2 档每件返": "5",
        },
        {"crowd_tiers": [{"seats": 100, "off_fen": 200}, {"seats": 500, "off_fen": 500}]},
    ),
    "老带新": ({}, {"new_buyers": "joiners"}),
    "新客团": ({}, {"new_buyers": "all"}),
    "会员团": ({}, {"members_from": 1}),
    "限时团": ({"每分钟名额": "20"}, {"per_minute": 20}),
}
# What buyers see of a kind: where, and what it says.
SHOWN = {
    "阶梯团": {"tiered": "阶梯团", "ladder": "34.90"},
    "限时团": {"flash": "限时"},
    "老带新": {"kind": "老带新"},
    "新客团": {"kind": "新客专享"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_made_from_the_empty_form(
    log_in: Callable[..., Page], shop: Shop, arrive: Callable[..., Shopper], kind: str
) -> None:
    page = log_in()
    begin(page, shop, f"{kind}的柑橘")
    fields, terms = KINDS[kind]
    page.get_by_label(kind, exact=True).check()
    if kind == "会员团":
        page.get_by_role("combobox", name=kind).select_option(index=1)
    for label, text in fields.items():
        page.get_by_label(label).fill(text)
    activity_id = publish(page)

    expect(page.get_by_role("button", name="换一种玩法")).to_have_count(int(kind != "万人团"))
    expect(page.get_by_test_id("kind")).to_have_text(kind)
    kept = shop.staff().api.get(f"/v1/merchant/activities/{activity_id}")
    assert {name: kept[name] for name in terms} == terms
    assert kept["skus"][0]["leader_price_fen"] == (3490 if kind == "团长优惠" else None)
    assert (kept["ends_at_s"] - kept["starts_at_s"] <= 86400) == (kind == "限时团")
    if kind in SHOWN:
        who = arrive()
        who.open(f"/pages/activity/activity?a={activity_id}")
        for testid, words in SHOWN[kind].items():
            who.says(testid, words)


def test_another_kind_asks_before_it_discards_what_was_written(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    begin(page, shop, "砂糖橘")
    page.get_by_label("阶梯团", exact=True).check()
    back = page.get_by_label("第 2 档每件返")
    back.fill("5")
    page.get_by_label("限时团", exact=True).check()
    dialog = page.get_by_role("dialog", name="换成「限时团」？")
    expect(dialog).to_contain_text("会清空已经填写的：阶梯价。")
    dialog.get_by_role("button", name="取消").click()
    expect(page.get_by_label("阶梯团", exact=True)).to_be_checked()
    expect(back).to_have_value("5.00")

    page.get_by_label("限时团", exact=True).check()
    dialog.get_by_role("button", name="换玩法").click()
    expect(back).to_have_count(0)
    expect(page.get_by_text("限时团，活动不到一天；")).to_be_visible()
    page.get_by_label("每分钟名额").fill("20")
    page.get_by_label("普通团", exact=True).check()
    expect(page.get_by_role("dialog")).to_contain_text("每分钟名额")
    page.get_by_role("dialog").get_by_role("button", name="换玩法").click()
    kept = shop.staff().api.get(f"/v1/merchant/activities/{publish(page)}")
    assert (kept["seats_least"], kept["tiers"], kept["per_minute"]) == (0, [], 0)
    assert kept["ends_at_s"] - kept["starts_at_s"] > 86400


def test_what_is_wrong_is_not_folded_away(log_in: Callable[..., Page], shop: Shop) -> None:
    page = log_in()
    begin(page, shop, "金桔")
    limit = page.get_by_label("每单限购")
    expect(limit).to_be_hidden()
    page.get_by_text("更多设置").click()
    limit.fill("3")
    page.get_by_text("更多设置").click()
    page.get_by_label("每人限购").fill("2")
    page.get_by_role("button", name="发布活动").click()
    expect(limit).to_be_visible()
    expect(page.get_by_text("每单限购不能超过每人限购的 2 件").first).to_be_visible()
    limit.fill("1")
    page.locator('[data-field^="price."] input').fill("0")
    page.get_by_role("button", name="发布活动").click()
    expect(page.get_by_text("有规格的拼团价是 0 元").first).to_be_visible()
    page.get_by_text("确认 0 元", exact=True).click()
    given = shop.staff().api.get(f"/v1/merchant/activities/{publish(page)}")
    assert [sku["group_price_fen"] for sku in given["skus"]] == [0]


def make_plain(page: Page) -> None:
    """An activity that was published, whatever is lost."""
    page.get_by_role("button", name="换一种玩法").click()
    page.get_by_label("普通团", exact=True).check()
    page.get_by_role("dialog").get_by_role("button", name="换玩法").click()


def publish(page: Page) -> str:
    """Publish what is written; the activity's id."""
    page.locator("form").get_by_role("button", name="发布活动").click()
    page.get_by_role("dialog").get_by_role("button", name="发布活动").click()
    expect(page.get_by_text("活动已发布")).to_be_visible()
    page.wait_for_url(re.compile(r"activities/\w{22}"))
    return page.url.rsplit("/", 1)[-1]


def test_an_activity_for_new_members_with_a_leaders_price_is_written_down_and_told(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    begin(page, shop, "宾川红提")
    page.get_by_label("团长优惠", exact=True).check()
    price = page.get_by_label("默认规格 团长价")
    price.fill("39.9")
    page.get_by_text("更多设置").click()
    page.get_by_label("老带新（参团的须是新客）").check()
    expect(page.get_by_text("没有在本店买过，未付款关闭、未成团退款的不算")).to_be_visible()
    page.get_by_role("button", name="发布活动").click()
    expect(page.get_by_text("「默认规格」团长价要大于 0、低于拼团价 ¥39.90").last).to_be_visible()
    page.get_by_label("批量团长价").select_option("比拼团价减")
    page.get_by_label("比拼团价减", exact=True).fill("5")
    page.get_by_role("button", name="应用到全部").last.click()
    expect(price).to_have_value("34.90")
    summary = "比单买省 ¥20.00；团长价 ¥34.90；老带新，参团的须是新客；"
    expect(page.get_by_text(summary)).to_be_visible()
    expect(page.get_by_text("开团价 ¥34.90（团长优惠）")).to_be_visible()
    activity_id = publish(page)

    page.goto(f"{shop.url}#/activities/new?copy={activity_id}")
    expect(price).to_have_value("34.90")
    expect(page.get_by_label("老带新（参团的须是新客）")).to_be_checked()
    page.goto(f"{shop.url}#/activities/{activity_id}")
    make_plain(page)
    page.get_by_role("button", name="保存修改").click()
    expect(page.get_by_text("已保存，对之后新开的团生效")).to_be_visible()
    kept = shop.staff().api.get(f"/v1/merchant/activities/{activity_id}")
    assert (kept["new_buyers"], kept["skus"][0]["leader_price_fen"]) == ("nobody", None)
    page.goto(f"{shop.url}#/audit?subject=activity%23{activity_id}")
    changed = page.get_by_role("row").filter(has_text="修改活动")
    for told in ("老带新（参团的须是新客）", "团长价 ¥34.90"):
        expect(changed.get_by_text(told).first).to_be_visible()
    page.goto(f"{shop.url}#/activities?q=赣南脐橙两人团")
    expect(page.locator("tbody")).to_contain_text("老带新")


def test_a_promise_to_form_with_fewer_is_written_down_and_told(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    begin(page, shop, "昌平草莓")
    page.get_by_text("更多设置").click()
    expect(page.get_by_text("到时没有满员就自动退款")).to_be_visible()
    switch = page.get_by_role("switch", name="到时也成团", exact=True)
    page.locator(".el-switch").filter(has=switch).click()
    least = page.get_by_label("到时也成团的人数")
    expect(page.get_by_text("买家会看到「3 人成团；到时满 2 人也成团」")).to_be_visible()
    least.fill("3")
    page.get_by_role("button", name="发布活动").click()
    expect(page.get_by_text("到时也成团的人数要在 2 到 2 人之间").last).to_be_visible()
    page.locator('[data-field="seats_total"] input').fill("4")
    summary = "4 人成团，开团后 24 小时内有效；到时满 3 人也成团；拼团价 ¥39.90，"
    expect(page.get_by_text(summary)).to_be_visible()
    expect(page.get_by_text("4 人成团；到时满 3 人也成团", exact=True)).to_be_visible()
    expect(page.get_by_text("24 小时后不足 3 人，自动退款")).to_be_visible()
    page.get_by_label("阶梯团", exact=True).check()
    least = page.get_by_label("几个人起成团")
    expect(least).to_have_value("3")
    back = write_tier(page)
    page.get_by_role("button", name="发布活动").click()
    expect(page.get_by_role("dialog").get_by_text("满员成团、用上优惠券")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="取消").click()
    activity_id = publish(page)

    page.goto(f"{shop.url}#/activities/new?copy={activity_id}")
    expect(least).to_have_value("3")
    expect(back).to_have_value("5.00")
    page.goto(f"{shop.url}#/activities/{activity_id}")
    expect(least).to_have_value("3")
    kept = shop.staff().api.get(f"/v1/merchant/activities/{activity_id}")
    assert kept["tiers"] == [{"seats": 4, "off_fen": 500}]
    make_plain(page)
    page.get_by_role("button", name="保存修改").click()
    expect(page.get_by_text("已保存，对之后新开的团生效")).to_be_visible()
    kept = shop.staff().api.get(f"/v1/merchant/activities/{activity_id}")
    assert (kept["seats_least"], kept["tiers"]) == (0, [])
    page.goto(f"{shop.url}#/audit?subject=activity%23{activity_id}")
    # The row of publishing folds them away, and may come first: acts of one second have no order.
    for words in ("到时也成团", "满 4 人每件返 ¥5.00"):
        expect(page.locator("tbody").get_by_text(words).filter(visible=True).first).to_be_visible()


def write_tier(page: Page) -> Locator:
    """Write that with all four people ¥5.00 go back; return where that stands."""
    back = page.get_by_label("第 2 档每件返")
    back.fill("39.9")
    page.get_by_role("button", name="发布活动").click()
    expect(page.get_by_text("每件返的要低于最低的拼团价或团长价 ¥39.90").last).to_be_visible()
    back.fill("5")
    expect(page.get_by_text("满 3 人：每件 ¥39.90（拼团价，先付这个）")).to_be_visible()
    expect(page.get_by_text("4 人成团时每件实付 ¥34.90")).to_be_visible()
    expect(page.get_by_text("满 4 人每件返 ¥5.00；")).to_be_visible()
    expect(page.get_by_text("3 人 ¥39.90 · 4 人 ¥34.90")).to_be_visible()
    return back


def test_a_crowd_is_written_down_and_never_changed(log_in: Callable[..., Page], shop: Shop) -> None:
    page = log_in()
    begin(page, shop, "丹东蓝莓")
    page.get_by_label("万人团", exact=True).check()
    for n, (people, back) in enumerate((("100", "2"), ("90", "5")), start=1):
        page.get_by_label(f"万人团第 {n} 档人数").fill(people)
        page.get_by_label(f"万人团第 {n} 档每件返").fill(back)
    page.get_by_role("button", name="发布活动").click()
    expect(page.get_by_text("人数要比上一档的 100 人多").last).to_be_visible()
    page.get_by_label("万人团第 2 档人数").fill("500")
    expect(page.get_by_text("到这一档，每件实付 ¥34.90")).to_be_visible()
    expect(page.get_by_text("全部拼成 500 人每件返 ¥5.00；")).to_be_visible()
    page.get_by_role("button", name="发布活动").click()
    expect(page.get_by_role("dialog").get_by_text("人数到最后一档")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="发布活动").click()
    page.wait_for_url(re.compile(r"activities/\w{22}"))

    page.reload()
    expect(page.get_by_text("已有 0 人拼成，每分钟更新")).to_be_visible()
    expect(page.get_by_label("万人团第 1 档人数")).to_be_disabled()
    page.goto(f"{shop.url}#/activities?q=丹东蓝莓")
    expect(page.locator("tbody")).to_contain_text("万人团")


def test_a_free_leader_is_written_down_and_told(log_in: Callable[..., Page], shop: Shop) -> None:
    page = log_in()
    begin(page, shop, "妃子笑荔枝")
    page.get_by_label("团长优惠", exact=True).check()
    page.get_by_label("默认规格 团长价").fill("29.9")
    page.get_by_text("更多设置").click()
    limit = page.get_by_label("每单限购")
    limit.fill("3")
    page.get_by_label("成团后免单").check()
    expect(page.get_by_label("默认规格 团长价")).to_have_count(0)
    expect(limit).to_have_value("1")
    expect(limit).to_be_disabled()
    expect(page.get_by_text("团长免单的活动，每单固定 1 件")).to_be_visible()
    summary = "比单买省 ¥20.00；团长免单，每成一团最多让利 ¥39.90；"
    expect(page.get_by_text(summary)).to_be_visible()
    expect(page.get_by_text("开团的人成团后退回商品金额（团长免单）")).to_be_visible()
    kept = shop.staff().api.get(f"/v1/merchant/activities/{publish(page)}")
    assert (kept["leader_free"], kept["limit_per_order"]) == (True, 1)
    assert kept["skus"][0]["leader_price_fen"] is None


def test_a_free_leader_is_copied_shown_and_taken_back(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    sale = buyers.sell(shop, "仙进奉荔枝", limit_per_order=1, leader_free=True)
    activity_id = sale.activity_id
    page = log_in()
    free = page.get_by_label("成团后免单")

    page.goto(f"{shop.url}#/activities/new?copy={activity_id}")
    expect(free).to_be_checked()
    expect(page.get_by_label("每单限购")).to_be_disabled()
    page.goto(f"{shop.url}#/activities?q=仙进奉荔枝")
    expect(page.locator("tbody")).to_contain_text("团长免单")
    page.goto(f"{shop.url}#/activities/{activity_id}")
    make_plain(page)
    page.get_by_text("更多设置").click()
    page.get_by_label("每单限购").fill("2")
    page.get_by_role("button", name="保存修改").click()
    expect(page.get_by_text("已保存，对之后新开的团生效")).to_be_visible()
    page.goto(f"{shop.url}#/audit?subject=activity%23{activity_id}")
    changed = page.get_by_role("row").filter(has_text="修改活动")
    expect(changed.get_by_text("团长免单").first).to_be_visible()
