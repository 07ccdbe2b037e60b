"""A shop's day in the browser: goods, an activity, a group that gets time, one that is closed."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import FilePayload, Page, expect

from infra.local.demo_data import HONEY
from tests.browser.conftest import Shop
from tests.browser.test_selling import new_product
from tests.browser.users import PATIENCE_S, buyer, offered, until
from tests.fixtures.images import photograph

PRICE = HONEY.skus[0].group_fen

# Where the page is when its heading first says so: what is named as stored outlives a reload.
NAMED_AT = """name => new MutationObserver((_, observer) => {
  if (document.querySelector('h1')?.textContent.trim() !== name) return
  window.namedAt = location.hash
  observer.disconnect()
}).observe(document.body, { subtree: true, childList: true, characterData: true })"""


def test_a_product_is_made_with_pictures_shelved_searched_for_and_copied(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/products/new")
    page.get_by_label("商品名称").fill("径山野生绿茶")
    page.get_by_label("分类").select_option("蜂蜜茶饮")
    page.get_by_label("单位").fill("罐")
    page.get_by_label("商品图片").set_input_files(picture("茶园.jpg"))
    expect(page.get_by_text("封面", exact=True)).to_be_visible()
    page.get_by_label("默认规格 单买价").fill("59.9")
    page.get_by_label("默认规格 库存").fill("12")
    page.get_by_label("默认规格 的图片").set_input_files(picture("罐子.jpg"))
    expect(page.locator("td .thumb")).to_have_count(1)
    text = page.get_by_role("textbox", name="商品介绍")
    text.click()
    page.keyboard.type("明前采摘")
    page.keyboard.press("ControlOrMeta+a")
    page.get_by_role("button", name="加粗").click()
    page.evaluate(NAMED_AT, "径山野生绿茶")
    page.get_by_role("button", name="保存商品").click()
    page.get_by_role("heading", name="径山野生绿茶", level=1).wait_for()
    assert "#/products/new" not in page.evaluate("() => window.namedAt")

    page.reload()
    expect(text.locator("b")).to_have_text("明前采摘")
    expect(page.get_by_label("单位")).to_have_value("罐")
    expect(page.locator("td .thumb")).to_have_count(1)

    page.goto(f"{shop.url}#/products")
    page.get_by_label("商品名称或规格编码").fill("径山野生")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="更多 径山野生绿茶").click()
    page.get_by_role("menuitem", name="下架").click()
    expect(page.get_by_role("row").filter(has_text="径山野生绿茶")).to_contain_text("仓库中")
    page.get_by_role("link", name="仓库中").click()
    page.get_by_role("button", name="更多 径山野生绿茶").click()
    page.get_by_role("menuitem", name="上架").click()
    expect(page.get_by_text("「径山野生绿茶」已上架")).to_be_visible()
    page.get_by_role("link", name="出售中").click()
    page.get_by_role("button", name="更多 径山野生绿茶").click()
    page.get_by_role("menuitem", name="复制商品").click()
    expect(page.get_by_text("还没有上架")).to_be_visible()


def test_stock_that_was_adjusted_is_told_with_its_reason(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    new_product(page, shop, "盘点商品")

    page.get_by_role("button", name="调整库存").click()
    dialog = page.get_by_role("dialog", name="调整库存")
    dialog.get_by_label("数量").fill("7")
    dialog.get_by_role("button", name="进货").click()
    dialog.get_by_role("button", name="调整库存").click()
    page.get_by_role("button", name="库存记录").click()

    expect(page.get_by_role("dialog", name="库存记录")).to_contain_text("+7")
    expect(page.get_by_role("dialog", name="库存记录")).to_contain_text("进货")


def test_an_activity_that_overlaps_another_names_it_before_it_is_published(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    offer = offered(shop)
    page = log_in()
    page.goto(f"{shop.url}#/activities/new?product={offer.product_id}")
    page.get_by_label("500 克 / 瓶装 拼团价").fill("40")
    page.get_by_label("500 克 / 瓶装 活动库存").fill("5")
    for name in ("1000 克 / 瓶装", "1000 克 / 礼盒"):
        page.get_by_role("row", name=name).locator(".el-checkbox").click()

    page.get_by_role("button", name="发布活动").click()

    notice = page.get_by_role("alert").filter(has_text="同一商品在这段时间已有活动")
    expect(notice.get_by_role("link", name=offer.title)).to_be_visible()
    expect(page.locator('[data-field="starts_at_s"]')).to_contain_text("与其他活动重叠")
    expect(page.get_by_role("dialog", name="发布这个活动？")).to_be_hidden()


def test_a_group_gets_more_time_and_another_is_closed_and_the_figures_tell_both(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    offer, staff = offered(shop), shop.staff()
    assert shop.system.quiet(PATIENCE_S)  # what others bought and got back is counted
    before = figures(staff.api.get("/v1/merchant/dashboard"))
    member = buyer(shop)
    placed = member.open(offer)
    member.pay(placed)
    path = f"/v1/merchant/groups/{placed.group_id}"
    until(lambda: staff.api.get(path)["status"] == "open")
    until(lambda: opened(staff.api, before))
    page = log_in()
    page.goto(f"{shop.url}#/groups?activity={offer.activity_id}")
    page.locator("tbody").get_by_role("link", name=placed.group_id).click()

    page.get_by_role("button", name="延长时间").click()
    dialog = page.get_by_role("dialog", name="延长时间")
    dialog.get_by_label("延长多久").fill("6")
    dialog.get_by_role("button", name="延长时间").click()
    expect(page.get_by_text("已延长")).to_be_visible()

    page.get_by_role("button", name="结束并退款").click()
    dialog = page.get_by_role("dialog", name="结束这个团？")
    expect(dialog).to_contain_text("1 笔付款共 ¥58.00 会原路退回")
    verb = dialog.get_by_role("button", name="结束并退款 ¥58.00")
    dialog.get_by_role("button", name="货源不足").click()
    expect(verb).to_be_disabled()
    dialog.get_by_label("请输入「结束」确认").fill("结束")
    verb.click()
    expect(page.get_by_text("商家结束了这个团：货源不足")).to_be_visible()

    def all_counted() -> bool:
        now = figures(staff.api.get("/v1/merchant/dashboard"))
        return bool(now["refunded_fen"] >= before["refunded_fen"] + PRICE) and bool(
            now["groups_failed"] > before["groups_failed"]
        )

    until(all_counted)
    page.goto(f"{shop.url}#/")
    page.get_by_text("更新于").wait_for()
    now = figures(staff.api.get("/v1/merchant/dashboard"))
    assert now["paid_fen"] == before["paid_fen"] + PRICE
    assert now["refunded_fen"] == before["refunded_fen"] + PRICE
    assert now["groups_opened"] == before["groups_opened"] + 1
    assert now["groups_failed"] == before["groups_failed"] + 1
    for figure, value in now.items():
        shown = f"¥{value / 100:,.2f}" if figure.endswith("_fen") else str(value)
        expect(page.locator(f'[data-figure="{figure}"] .big')).to_have_text(shown)

    assert_logged(page, shop, placed.group_id)


def test_accounts_are_checked_and_changed_and_never_tell_a_key(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    bodies: list[str] = []
    page.on(
        "response",
        lambda answer: bodies.append(answer.text()) if "payment-accounts" in answer.url else None,
    )
    page.goto(f"{shop.url}#/payment-accounts")

    page.get_by_role("button", name="检查 支付宝").click()
    expect(page.get_by_text("支付宝认可 APPID 和应用私钥")).to_be_visible()
    page.get_by_role("button", name="检查 微信支付").click()
    expect(page.get_by_text("微信支付认可商户号")).to_be_visible()

    page.get_by_role("button", name="修改 微信支付").click()
    page.get_by_role("textbox", name="商户号").fill("12")
    page.get_by_label("商户 API 私钥").fill("not a key")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator('[data-field="mchid"]')).to_contain_text("商户号是 8 到 10 位数字")
    expect(page.locator('[data-field="private_key"]')).to_contain_text("不是有效的商户 API 私钥")
    page.get_by_role("link", name="返回").click()
    page.get_by_role("button", name="放弃修改").click()

    page.get_by_role("button", name="修改 微信小程序登录").click()
    expect(page.get_by_label("AppSecret")).to_have_value("")
    page.get_by_role("button", name="保存", exact=True).click()  # the secret stays as it is
    expect(page.get_by_text("平台认可")).to_be_visible()
    assert bodies
    assert not any("PRIVATE KEY" in body or "app_secret" in body for body in bodies)


def test_only_an_empty_category_can_be_deleted(log_in: Callable[..., Page], shop: Shop) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/categories")

    page.get_by_role("button", name="删除 时令水果").click()
    dialog = page.get_by_role("dialog", name="删除「时令水果」？")
    dialog.get_by_role("button", name="删除分类").click()
    expect(dialog.get_by_role("alert")).to_contain_text("请先把它们移到其他分类")
    dialog.get_by_role("button", name="取消").click()

    page.get_by_role("button", name="新建分类").click()
    page.get_by_label("分类名称").fill("用完就删")
    page.get_by_label("上级分类").select_option("蜂蜜茶饮")
    page.get_by_role("button", name="保存分类").click()
    page.get_by_role("button", name="删除 用完就删").click()
    dialog = page.get_by_role("dialog", name="删除「用完就删」？")
    dialog.get_by_role("button", name="删除分类").click()
    expect(page.get_by_role("button", name="删除 用完就删")).to_have_count(0)


def picture(name: str) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": photograph()}


def figures(dashboard: Any) -> dict[str, int]:
    names = ("paid_fen", "refunded_fen", "orders_paid", "groups_opened", "groups_failed")
    return {name: dashboard["today"][name] for name in names}


def opened(api: Any, before: dict[str, int]) -> bool:
    now = figures(api.get("/v1/merchant/dashboard"))
    return now["groups_opened"] > before["groups_opened"]


def assert_logged(page: Page, shop: Shop, group_id: str) -> None:
    """That the audit log tells of both, in words, with what was before and after."""
    page.goto(f"{shop.url}#/audit?subject=group%23{group_id}")
    row = page.get_by_role("row").filter(has_text=group_id)
    expect(row.filter(has_text="延长团的时间")).to_contain_text("截止时间")
    expect(row.filter(has_text="结束团")).to_contain_text("货源不足")


def test_buyers_are_told_in_the_shops_own_words(log_in: Callable[..., Page], shop: Shop) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/messages")
    card = page.locator("section").filter(
        has=page.get_by_role("heading", name="已发货", exact=True)
    )
    words = card.get_by_label("本店的话")
    words.fill("包裹出发啦：")
    page.get_by_role("button", name="保存模板").click()
    expect(card.get_by_text("请写上{快递公司}，买家需要知道。")).to_be_visible()
    expect(words).to_have_value("包裹出发啦：")

    for name in ("快递公司", "快递单号"):
        card.get_by_role("button", name=f"插入 {{{name}}}").click()

    expect(card.get_by_text("包裹出发啦：顺丰速运SF1234567890123")).to_be_visible()
    page.get_by_role("button", name="保存模板").click()
    expect(page.get_by_text("已保存")).to_be_visible()
    page.reload()
    expect(words).to_have_value("包裹出发啦：{快递公司}{快递单号}")
    card.get_by_role("button", name="恢复默认").click()
    page.get_by_role("button", name="保存模板").click()
    expect(page.get_by_text("已保存")).to_be_visible()

    page.get_by_role("link", name="微信订阅消息").click()
    expect(words).to_be_hidden()
    formed = page.locator('[data-field="subscribe.result.template_id"]')
    kept = formed.get_by_role("textbox").input_value()
    formed.get_by_role("textbox").fill("thing1")
    page.get_by_role("button", name="保存模板").click()
    expect(formed).to_contain_text("模板 ID 不对")
    formed.get_by_role("textbox").fill(kept)

    page.get_by_role("link", name="操作日志").click()
    expect(page.locator("tbody tr").first).to_contain_text("修改消息模板")


def test_shop_says_who_runs_it_and_what_buyers_agree_to(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/settings")
    page.get_by_label("经营主体").fill("杭州果园食品有限公司")
    page.get_by_label("统一社会信用代码").fill("91330106ma2cfxxx0q")
    page.get_by_label("证照图片").set_input_files(picture("执照.jpg"))
    expect(page.get_by_role("button", name="删除 1")).to_be_visible()
    page.get_by_role("button", name="保存设置").click()
    expect(page.get_by_text("已保存")).to_be_visible()

    page.get_by_role("link", name="协议", exact=True).click()
    rules = page.get_by_label("拼团规则")
    expect(page.get_by_label("用户协议")).to_have_value(re.compile("由杭州果园食品有限公司经营"))
    usual = rules.input_value()
    rules.fill("一、邀请朋友一起买\n\n二、没有凑齐就退款")
    page.get_by_role("button", name="保存协议").click()
    expect(page.get_by_text("第 1 版")).to_be_visible()
    page.reload()
    expect(rules).to_have_value("一、邀请朋友一起买\n\n二、没有凑齐就退款")
    page.get_by_role("button", name="换回默认文字 拼团规则").click()
    expect(rules).to_have_value(usual)
    page.get_by_role("button", name="保存协议").click()
    expect(page.get_by_text("第 2 版")).to_be_visible()
    page.get_by_role("link", name="操作日志").click()
    expect(page.locator("tbody tr").first).to_contain_text("修改协议")
