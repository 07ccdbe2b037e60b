"""Collecting in a store, freight, and money that goes back."""

import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from chalicelib.domain.short_number import short_of
from tests.browser.accessibility import go_by_night, unusable
from tests.browser.buyers import WAIT_S, buy_alone, buyer, pair, sell, wait_until
from tests.browser.conftest import NARROW, WIDE, Shop
from tests.browser.test_pages import LIGHTS


def test_an_order_is_made_ready_and_handed_over_to_who_shows_its_code(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    phone = buyer(shop, "自提的人")
    order = to_collect(shop, phone)
    page = log_in("xiaowu", "xiaowu-2026")
    page.goto(f"{shop.url}#/orders?tab=fulfilling")
    row = page.get_by_role("row").filter(has_text=short_of(order))
    row.get_by_role("button", name="备好了").click()
    page.get_by_role("dialog").get_by_role("button", name="备好了").click()
    expect(row).to_have_count(0)
    page.goto(f"{shop.url}#/orders/{order}")
    expect(page.get_by_text("备货完成，可到店自提")).to_be_visible()
    code = phone.order(order)["pickup_code"]

    page.get_by_role("link", name="自提核销").click()
    page.get_by_label("取货码").fill("1234")
    page.get_by_label("取货码").press("Enter")
    expect(page.get_by_text("取货码是 8 位数字，请核对")).to_be_visible()
    page.get_by_label("取货码").fill(f"{code[:4]} {code[4:]}")
    page.get_by_label("取货码").press("Enter")
    expect(page.get_by_role("button", name="确认交货")).to_be_focused()
    page.keyboard.press("Enter")  # as a scanner and one more key do

    expect(page.get_by_text("本次已交货 1 单")).to_be_visible()
    wait_until(shop, order, "completed")
    page.get_by_label("取货码").fill(code)
    page.get_by_label("取货码").press("Enter")
    expect(page.get_by_text("这个订单已经取走了，不要再交货。")).to_be_visible()
    expect(page.get_by_role("button", name="确认交货")).to_have_count(0)


def test_a_store_is_made_closed_and_removed(log_in: Callable[..., Page], shop: Shop) -> None:
    page = log_in()
    page.get_by_role("link", name="自提门店").click()
    page.get_by_role("button", name="新建门店").click()
    dialog = page.get_by_role("dialog", name="新建门店")
    dialog.get_by_role("button", name="保存门店").click()
    expect(dialog.get_by_text("请填写门店名称")).to_be_visible()
    dialog.get_by_label("门店名称").fill("城东店")
    dialog.get_by_label("门店地址").fill("杭州市上城区清江路 1 号")
    dialog.get_by_label("电话").fill("0571-87654321")
    dialog.get_by_role("button", name="保存门店").click()
    row = page.get_by_role("row").filter(has_text="城东店")
    expect(row).to_contain_text("接受自提")

    row.get_by_role("button", name="编辑 城东店").click()
    page.get_by_role("dialog", name="编辑门店").locator(".el-switch").click()
    page.get_by_role("button", name="保存门店").click()
    expect(row).to_contain_text("暂停自提")

    row.get_by_role("button", name="删除 城东店").click()
    page.get_by_role("dialog").get_by_role("button", name="删除").click()
    expect(row).to_have_count(0)


def test_a_freight_template_tells_its_price_and_is_chosen_by_a_product(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    sale = sell(shop, "算运费的柚子")
    page = log_in()
    page.goto(f"{shop.url}#/freight")
    page.get_by_role("button", name="新建运费模板").click()
    page.get_by_role("button", name="保存模板").click()
    alert = page.get_by_role("alert").filter(has_text="处需要修改")
    expect(alert).to_contain_text("还有 3 处需要修改")
    page.get_by_label("模板名称").fill("首件八元")
    page.get_by_label("首费").fill("8")
    page.get_by_label("续费").fill("4")
    expect(page.get_by_text("寄到浙江 2 件：¥12.00")).to_be_visible()
    page.get_by_role("button", name="添加一组地区").click()
    page.get_by_role("group", name="第 1 组地区", exact=True).get_by_label("新疆").check()
    region = page.get_by_role("group", name="第 1 组地区的运费")
    region.get_by_label("首费").fill("20")
    region.get_by_label("续费").fill("10")
    page.get_by_label("省份").select_option("新疆")
    expect(page.get_by_text("寄到新疆 2 件：¥30.00")).to_be_visible()
    page.get_by_label("省份").select_option("台湾")
    expect(page.get_by_text("台湾不配送")).to_be_visible()
    page.get_by_role("button", name="保存模板").click()
    expect(page.get_by_role("heading", name="首件八元", level=1)).to_be_visible()

    page.goto(f"{shop.url}#/products/{sale.product_id}")
    page.get_by_label("运费模板").select_option("首件八元")
    page.get_by_text("编码、重量和成本").click()
    page.get_by_label("一箱 商品编码").fill("YZ-01")
    page.get_by_label("一箱 重量（克）").fill("2500")
    page.get_by_label("一箱 成本").fill("9.5")
    with page.expect_response(lambda it: it.request.method == "PUT"):
        page.get_by_role("button", name="保存商品").click()

    product = shop.staff().api.get(f"/v1/merchant/products/{sale.product_id}")
    sku = product["skus"][0]
    assert (sku["code"], sku["weight_g"], sku["cost_fen"]) == ("YZ-01", 2500, 950)
    names = {
        it["template_id"]: it["name"]
        for it in shop.staff().api.get("/v1/merchant/freight-templates")["items"]
    }
    assert names[product["freight_template_id"]] == "首件八元"


def test_a_refund_that_was_closed_is_found_and_sent_under_a_fresh_number(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    order, phone = asked_back(shop, "退不出去的柚子")
    page = log_in()
    give_up(page, shop, order, "退不出去的柚子", "CLOSED")

    page.get_by_role("link", name="退款异常").first.click()
    stuck = page.get_by_role("row").filter(has_text="退不出去的柚子")
    expect(stuck).to_contain_text("支付平台已关闭这笔退款")
    stuck.get_by_role("button", name="重新发起").click()
    expect(page.get_by_role("dialog")).to_contain_text("新的退款单号")
    page.get_by_role("dialog").get_by_role("button", name="退款 ¥5.00").click()
    expect(page.get_by_text("已重新发起，结果稍后更新")).to_be_visible()
    refund_in(shop, order, "requested")  # to be sent a minute after the one before it

    page.goto(f"{shop.url}#/orders/{order}")
    expect(page.get_by_role("heading", name="退款与售后")).to_be_visible()
    expect(page.get_by_text("−¥5.00")).to_be_visible()
    (refund,) = phone.order(order)["refunds"]
    assert (refund["amount_fen"], refund["out_refund_no"]) == (500, f"{order}01A1")

    page.get_by_role("link", name="订单账目").click()
    asked = page.get_by_role("row").filter(has_text="发起退款").first
    expect(asked).to_contain_text("借：销售")
    expect(asked).to_contain_text("贷：应退款")
    balances = page.locator("dl > div")
    expect(balances.filter(has_text="销售")).to_contain_text("¥24.90")
    expect(balances.filter(has_text="销售")).not_to_contain_text("−")


def test_a_refund_paid_in_another_way_is_put_on_record(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    order, phone = asked_back(shop, "线下退的柚子")
    page = log_in()
    give_up(page, shop, order, "线下退的柚子", "ABNORMAL")
    page.goto(f"{shop.url}#/orders/{order}")
    expect(page.get_by_text("买家的收款账户异常")).to_be_visible()
    page.locator("section").get_by_role("link", name="退款异常").click()
    row = page.get_by_role("row").filter(has_text="线下退的柚子")

    row.get_by_role("button", name="登记线下退款").click()
    dialog = page.get_by_role("dialog")
    record = dialog.get_by_role("button", name="登记已退 ¥5.00")
    expect(record).to_be_disabled()
    dialog.get_by_label("凭证").fill("流水号 20261129001")
    assert unusable(page) == []
    record.click()
    expect(page.get_by_text("已登记线下退款 ¥5.00")).to_be_visible()
    expect(row).to_have_count(0)

    (refund,) = phone.order(order)["refunds"]
    assert refund["status_text"] == "商家已用银行转账退款，凭证：流水号 20261129001"
    page.goto(f"{shop.url}#/orders/{order}/ledger")
    balances = page.locator("dl > div")
    expect(balances.filter(has_text="线下退款")).to_contain_text("¥5.00")
    expect(balances.filter(has_text="应退款")).to_contain_text("¥0.00")

    # The gateway pays it after all: somebody has to look.
    number = refund["out_refund_no"]
    shop.system.wechat_control.post("/_local/refunds/settle", {"out_refund_no": number})
    wait_for_notice(shop)
    page.goto(f"{shop.url}#/")
    expect(page.locator("a").filter(has_text="异常通知").locator("strong")).to_have_text("1")
    page.get_by_role("link", name="异常通知").click()
    notice = page.locator("li.statement").filter(has_text=number)
    expect(notice).to_contain_text("支付平台又退了一次")
    assert unusable(page) == []
    page.set_viewport_size(NARROW)
    assert unusable(page) == []
    notice.get_by_role("button", name="标记已处理").click()
    dialog.get_by_label("处理说明").fill("已从买家处收回")
    dialog.get_by_role("button", name="标记已处理").click()
    expect(page.get_by_text("已标记处理")).to_be_visible()
    expect(notice).to_have_count(0)


def wait_for_notice(shop: Shop) -> None:
    api, ends_s = shop.staff().api, time.monotonic() + WAIT_S
    while not api.get("/v1/merchant/rejected-results")["items"]:
        assert time.monotonic() < ends_s
        time.sleep(0.3)


def give_up(page: Page, shop: Shop, order: str, title: str, status: str) -> None:
    """Approve what is asked back of an order, and let the gateway give its refund up."""
    wechat = shop.system.wechat_control
    wechat.post("/_local/faults", {"operation": "refund", "kind": "stays_processing"})
    page.goto(f"{shop.url}#/after-sales")
    row = page.get_by_role("row").filter(has_text=title)
    expect(row).to_contain_text("吴要退")
    row.get_by_role("button", name="同意退款").click()
    page.get_by_role("dialog").get_by_role("button", name="退款 ¥5.00").click()
    expect(page.get_by_text("已同意，¥5.00 正在退回")).to_be_visible()
    refund_in(shop, order, "processing")
    wechat.post("/_local/refunds/settle", {"status": status})
    refund_in(shop, order, "failed")


def test_an_after_sale_leads_to_its_order_and_keeps_it_from_being_shipped(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    order, _ = asked_back(shop, "等答复的柚子")
    page = log_in()
    page.goto(f"{shop.url}#/after-sales")

    page.get_by_role("link", name=short_of(order)).click()

    expect(page.get_by_role("button", name="发货")).to_be_disabled()
    expect(page.get_by_text("买家申请了售后。请先处理售后申请，再发货。").first).to_be_visible()
    page.get_by_role("link", name="去处理").click()
    expect(page.get_by_role("heading", name="售后申请")).to_be_visible()

    row = page.get_by_role("row").filter(has_text="等答复的柚子")
    row.get_by_role("button", name="同意退款").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("退款金额").fill("99")
    expect(dialog.get_by_text("最多退 ¥5.00，请改小")).to_be_visible()
    expect(dialog).to_contain_text("将原路退回 ¥5.00")  # and never more than the buyer asked for
    expect(dialog.get_by_role("button", name="退款 ¥5.00")).to_be_disabled()


@pytest.mark.parametrize(("size", "by_night"), [(WIDE, False), (NARROW, True)], ids=LIGHTS)
def test_the_pages_of_orders_and_delivery_can_be_used_by_everybody(
    log_in: Callable[..., Page], shop: Shop, size: ViewportSize, by_night: bool
) -> None:
    order, _ = pair(shop, "给所有人看的柚子", quantity=2, remark="送人的")
    page = log_in()
    page.set_viewport_size(size)
    if by_night:
        go_by_night(page)
    found: dict[str, object] = {}

    for path, title in {
        "orders": "订单",
        f"orders/{order}": "订单详情",
        "batch-shipping": "批量发货",
        f"packing?orders={order}": "打印配货单",
        "pickups": "自提核销",
        "stores": "自提门店",
        "freight": "运费模板",
        "freight/new": "新建运费模板",
    }.items():
        page.goto(f"{shop.url}#/{path}")
        page.get_by_role("heading", name=title, level=1, exact=True).wait_for()
        if wrong := unusable(page):
            found[path] = wrong

    assert found == {}


def to_collect(shop: Shop, phone: Any) -> str:
    """A paid order that its buyer will collect in the demonstration's store."""
    api = shop.staff().api
    store_id = api.get("/v1/merchant/stores")["items"][0]["store_id"]
    who = {"store_id": store_id, "name": "自提的人", "phone": "13800138000"}
    pickup = {"delivery": "pickup", "address": None, "pickup": who}
    order = buy_alone(phone, sell(shop, "到店自提的柚子"), **pickup)
    wait_until(shop, order, "fulfilling")
    return order


def asked_back(shop: Shop, title: str) -> tuple[str, Any]:
    """(an order whose buyer asks for ¥5 back, the buyer)."""
    phone = buyer(shop, "吴要退")
    order = buy_alone(phone, sell(shop, title))
    wait_until(shop, order, "fulfilling")
    body = {"amount_fen": 500, "reason": "late", "words": "太慢了"}
    phone.api.post(f"/v1/orders/{order}/after-sales", body, key=secrets.token_hex(16))
    return order, phone


def refund_in(shop: Shop, order: str, status: str) -> None:
    """Wait for the order's one refund to be in `status`."""
    api = shop.staff().api
    ends_s = time.monotonic() + WAIT_S
    while True:
        refunds = api.get(f"/v1/merchant/orders/{order}")["refunds"]
        if [it["status"] for it in refunds] == [status]:
            return
        assert time.monotonic() < ends_s, refunds
        time.sleep(0.3)
