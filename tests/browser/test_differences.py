"""Differences between bills and books in the browser: a list that work empties."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from chalicelib.clock import now_s
from chalicelib.domain.reconcile import Difference
from chalicelib.tables.records import DifferenceItem
from chalicelib.tables.review_queue import DifferenceReviewItem
from infra.local import engine
from infra.local.demo_data import MERCHANT_ID
from tests.browser.accessibility import unusable
from tests.browser.conftest import NARROW, Shop


def found(shop: Shop, number: str, difference: Difference, *, repaired: bool = False) -> None:
    """What the daily comparing finds."""
    dynamodb = engine.client("dynamodb", shop.system.aws_url)
    record = DifferenceItem.at(
        *(MERCHANT_ID, "2026-11-28", "wechat_pay", "", number, difference.value),
        at_s=now_s(),
        ours={
            "amount_fen": 5900,
            "status": "succeeded",
            "transaction_id": "4200001234202611280000",
        },
        theirs={"amount_fen": 6000, "transaction_id": "4200001234202611280000"},
        repaired=repaired,
    )
    for table, item in (("records", record), ("trade", DifferenceReviewItem.of(record))):
        dynamodb.put_item(TableName=table, Item=item.serialize())


def test_difference_leaves_the_list_with_a_note_of_what_was_done(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    number = "7bQm1Zk0Yx3RrT9sWvLpAa1UDq0K2c01"
    found(shop, number, Difference.PAYMENT_AMOUNT)
    found(shop, f"{number}F", Difference.REFUND_UNHEARD, repaired=True)
    page = log_in()
    todo = page.get_by_role("link", name="对账差异").filter(has_text="账单与系统不一致")
    expect(todo.locator("strong")).to_have_text("1")
    todo.click()
    row = page.get_by_role("row").filter(has_text=number)
    expect(row).to_contain_text("待核对")
    expect(row).to_contain_text("状态 成功")
    page.set_viewport_size(NARROW)
    assert unusable(page) == []

    page.get_by_role("button", name="标记已处理").click()
    dialog = page.get_by_role("dialog", name="标记这条差异已处理？")
    expect(dialog.get_by_role("button", name="标记已处理")).to_be_disabled()
    dialog.get_by_label("处理说明").fill("多收的 1 元已退给买家")
    dialog.get_by_role("button", name="标记已处理").click()

    expect(page.get_by_text("没有待核对的差异")).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="已处理").click()
    expect(page.get_by_text("多收的 1 元已退给买家")).to_be_visible()
    expect(page.get_by_text("已补记", exact=True)).to_be_visible()
    assert unusable(page) == []
    page.goto(f"{shop.url}#/audit?subject=difference")
    expect(page.get_by_text("处理对账差异").first).to_be_visible()
