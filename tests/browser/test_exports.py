"""Exports in the browser: chosen, written, fetched; and those that need other rights."""

import csv
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Shop
from tests.browser.users import created_staff


def fetched(page: Page, folder: Path) -> list[list[str]]:
    """The newest export, once it is written."""
    page.get_by_role("heading", name="导出记录").wait_for()
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text("可下载")
    with page.expect_download() as download:
        row.get_by_role("button", name="下载").click()
    path = folder / "export.csv"
    download.value.save_as(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_an_owner_exports_what_the_warehouse_and_the_accountant_need(
    log_in: Callable[..., Page], shop: Shop, tmp_path: Path
) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/orders?tab=fulfilling")
    page.get_by_role("button", name="导出", exact=True).click()
    dialog = page.get_by_role("dialog", name="导出表格")
    expect(dialog.get_by_role("radio", name="发货")).to_be_checked()
    expect(dialog.get_by_label("完整的姓名、电话、地址")).to_be_checked()
    dialog.get_by_label("买家昵称").check()
    dialog.get_by_label("省", exact=True).uncheck()
    dialog.get_by_role("button", name="导出").click()
    shipping = fetched(page, tmp_path)

    assert shipping[0][:4] == ["订单号", "系统单号", "商品", "规格"]
    assert "买家昵称" in shipping[0]
    assert "省" not in shipping[0]
    assert len(shipping) > 1
    assert not [row for row in shipping[1:] if "*" in row[shipping[0].index("收件电话")]]

    page.goto(f"{shop.url}#/reconciliations")
    page.get_by_role("button", name="导出账务").click()
    dialog = page.get_by_role("dialog", name="导出表格")
    expect(dialog.get_by_role("radio", name="账务")).to_be_checked()
    dialog.get_by_role("button", name="导出").click()
    accounts = fetched(page, tmp_path)

    kinds = {row[accounts[0].index("类型")] for row in accounts[1:]}
    assert "买家付款" in kinds
    page.goto(f"{shop.url}#/audit?subject=export")
    expect(page.get_by_role("cell", name="导出数据").first).to_be_visible()
    expect(page.get_by_role("cell", name="下载导出的文件").first).to_be_visible()


def test_who_may_not_export_finds_no_way_to(log_in: Callable[..., Page], shop: Shop) -> None:
    page = log_in(*created_staff(shop, "fulfilment"))

    page.goto(f"{shop.url}#/orders")
    page.get_by_role("link", name="详情").first.wait_for()

    expect(page.get_by_role("button", name="导出", exact=True)).to_have_count(0)
    page.goto(f"{shop.url}#/exports")
    shop.at_home(page)
