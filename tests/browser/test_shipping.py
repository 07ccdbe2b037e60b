"""Orders found, shipped one by one and from a table, and put right."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from chalicelib.domain.short_number import short_of
from infra.local.demo_data import address
from tests.browser import excel
from tests.browser.accessibility import TOO_WIDE
from tests.browser.buyers import buy, buyer, form_group, pair, sell, wait_until
from tests.browser.conftest import NARROW, WIDE, Shop

HEAD = ["订单号", "快递公司", "快递单号"]
ROW = ["QWERTY", "顺丰", "SF12"]


def workbook(*sheets: excel.Sheet, **given: Any) -> bytes:
    """A workbook, one row to ship in it unless told otherwise."""
    file = io.BytesIO()
    excel.write_sheets(file, sheets or (excel.Sheet("发货", [HEAD, ROW]),), **given)
    return file.getvalue()


# Files as programs write them, each with one row to ship, and where that row is.
TABLES = [
    ("首列空.csv", ",订单号,快递公司,快递单号\n1,QWERTY,顺丰,SF12\n".encode(), 2),
    ("标题.csv", "九月的发货\n订单号,快递公司,快递单号\nQWERTY,顺丰,SF12\n".encode(), 3),
    ("一格.csv", "请填订单号/快递公司/单号\n订单号,快递公司,单号\nQWERTY,顺丰,SF12".encode(), 3),
    ("制表符.csv", "\t订单号,\t快递公司,\t快递单号\n\tQWERTY,\t顺丰,\tSF12\n".encode(), 2),
    (
        "十行.csv",
        ("说明,请勿改动\n" * 10 + "订单号,物流公司,面单号\nQWERTY,顺丰,SF12").encode(),
        12,
    ),
    ("分号.csv", '"订单号";"快递公司";"运单编号"\r\n"QWERTY";"顺丰";"SF12"\r\n'.encode(), 2),
    ("引号.csv", '订单号,快递公司,物流单号\nQWERTY,"顺丰",SF12\n,"备注\n两行",\n'.encode(), 2),
    ("统一码.csv", "订单编号\t承运商\t运单号码\r\nQWERTY\t顺丰\tSF12\r\n".encode("utf-16"), 2),
    ("无标记.csv", "订单号,快递公司,快递单号\nQWERTY,顺丰,SF12\n".encode("utf-16-be"), 2),
    ("无表头.csv", "\n\nQWERTY,顺丰,SF12\n".encode(), 3),
    ("地址.csv", "QWERTY\t顺丰\tSF12\t浙江,杭州,余杭\n".encode(), 1),
    ("大写.xlsx", workbook(named=str.upper), 2),
    ("反斜杠.xlsx", workbook(named=lambda name: name.replace("/", "\\")), 2),
    ("别处.xlsx", workbook(folder="book/"), 2),
    ("双字节.xlsx", workbook(encoding="utf-16"), 2),
    ("多表.xlsx", workbook(excel.Sheet("说明", [["先看这里"]]), excel.Sheet("单", [HEAD, ROW])), 2),
    (
        "隐藏表.xlsx",
        workbook(
            excel.Sheet("旧", [HEAD, ["Z", "中通", "1"]], state="hidden"),
            excel.Sheet("新", [HEAD, ROW]),
        ),
        2,
    ),
]


def test_orders_are_shipped_from_the_table_that_was_downloaded_and_only_once(
    log_in: Callable[..., Page], shop: Shop, tmp_path: Path
) -> None:
    orders = pair(shop, "整批发出的柚子")
    page = log_in()
    page.get_by_role("link", name="批量发货", exact=True).click()
    downloaded = download(page, page.get_by_role("button", name="下载待发货表格"), tmp_path)
    rows: list[list[Any]]
    head, *rows = excel.read(downloaded)
    mine: list[list[Any]] = [list(row) for row in rows if row[0] in orders]
    assert head[:3] == ["系统单号", "快递公司", "快递单号"]
    assert [row[1:3] for row in mine] == [["", ""], ["", ""]]
    assert {row[3] for row in mine} == {"钱多多", "孙小美"}
    assert {row[4] for row in mine} == {"13800138000"}

    # One carrier by an alias, one number as Excel keeps numbers; other orders stay unfilled.
    mine[0][1:3], mine[1][1:3] = ["顺丰", "SF1234567890123"], ["zhongtong", 78_123_456_789_012]
    others = [row for row in rows if row[0] not in orders]
    filled = excel.write(tmp_path / "filled.xlsx", [head, *mine, *others])
    upload(page, filled)
    expect(page.get_by_text("2 单可以发货")).to_be_visible()
    page.get_by_role("button", name="发货 2 单").click()
    expect(page.get_by_text("已发货 2 单")).to_be_visible()

    page.get_by_role("button", name="再发一批").click()
    upload(page, filled)
    expect(page.get_by_text("2 单之前已发货")).to_be_visible()
    expect(page.get_by_role("button", name="发货 0 单")).to_be_disabled()
    page.get_by_role("button", name="批量发货记录").click()
    batch = page.locator("tbody tr").first
    for cell in ("店主", "2", "0"):  # by whom, shipped, not shipped
        expect(batch.get_by_role("cell", name=cell, exact=True)).to_be_visible()
    for row in mine:
        file = wait_until(shop, row[0], "shipped")
        assert [(it["number"], it["units"]) for it in file["parcels"]] == [(str(row[2]), 1)]


def test_what_is_wrong_in_a_table_is_put_right_where_it_stands(
    log_in: Callable[..., Page], shop: Shop, tmp_path: Path
) -> None:
    first, second = pair(shop, "写错单号的柚子")
    unformed = buy(buyer(shop, "李一人"), sell(shop, "还没成团的柚子"))
    wait_until(shop, unformed, "paid")
    page = log_in()
    page.goto(f"{shop.url}#/batch-shipping")

    lines = [
        f"{first}\t顺丰\t123",
        f"{second}\t没有的快递\t78123456789013",
        f"{unformed}\t中通\t78123456789014",
    ]
    page.get_by_label("或从表格粘贴").fill("\n".join(lines))
    page.get_by_role("button", name="核对").click()
    expect(page.get_by_text("2 单需要修改，1 单已跳过")).to_be_visible()
    expect(page.get_by_text("还差 1 人成团，成团后才能发货。")).to_be_visible()
    expect(page.get_by_role("button", name="发货 0 单")).to_be_disabled()

    page.get_by_label("第 1 行快递单号").fill("SF1234567890456")
    page.get_by_label("第 1 行快递单号").press("Enter")
    page.get_by_label("第 2 行快递公司").fill("中通")
    page.get_by_label("第 2 行快递公司").press("Enter")
    page.get_by_role("button", name="发货 2 单").click()

    expect(page.get_by_text("已发货 2 单，1 单已跳过")).to_be_visible()
    failed = excel.read(download(page, page.get_by_role("button", name="下载没发出的"), tmp_path))
    assert failed == [
        ["订单号", "快递公司", "快递单号", "原因"],
        [unformed, "中通", "78123456789014", "还差 1 人成团，成团后才能发货。"],
    ]
    wait_until(shop, first, "shipped")


def test_a_table_saved_by_a_chinese_excel_as_csv_is_read(
    log_in: Callable[..., Page], shop: Shop, tmp_path: Path
) -> None:
    order, _ = pair(shop, "国标编码的柚子")
    page = log_in()
    page.goto(f"{shop.url}#/batch-shipping")
    table = tmp_path / "发货.csv"
    text = f'今天的发货,,\r\n快递公司,"快递单号",订单编号\r\n"邮政 EMS",1234567890123,{order}\r\n'
    table.write_bytes(text.encode("gb18030"))

    upload(page, table)

    expect(page.get_by_text("1 单可以发货")).to_be_visible()


def test_a_file_that_is_no_table_is_told_in_words(
    log_in: Callable[..., Page], shop: Shop, tmp_path: Path
) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/batch-shipping")
    for name, content, words in (
        ("a.xlsx", b"PK\x03\x04 not a workbook", "没有读懂这个文件"),
        ("old.xls.xlsx", b"\xd0\xcf\x11\xe0 of 1997", "这是旧版 .xls 文件"),
        ("picture.csv", b"\x89PNG\x00\x00", "没有读懂这个文件"),
        ("empty.csv", "订单号,快递公司,快递单号\n".encode(), "没有读到订单"),
        ("entity.xlsx", workbook(prolog='<!DOCTYPE x [<!ENTITY a "aaa">]>'), "没有读懂这个文件"),
        ("bomb.xlsx", workbook(prolog=" " * 101 * 1024**2), "文件太大"),
    ):
        (tmp_path / name).write_bytes(content)
        upload(page, tmp_path / name)
        expect(page.get_by_text(words)).to_be_visible()


def test_tables_of_every_program_are_read(
    log_in: Callable[..., Page], shop: Shop, tmp_path: Path
) -> None:
    page = log_in()
    page.goto(f"{shop.url}#/batch-shipping")
    for number, (name, content, at) in enumerate(TABLES):
        (tmp_path / name).write_bytes(content)
        upload(page, tmp_path / name)
        for field, value in (("订单号", "QWERTY"), ("快递公司", "顺丰"), ("快递单号", "SF12")):
            cell = page.get_by_label(f"第 {at} 行{field}", exact=True)
            expect(cell, f"{number}: {field} of {name}").to_have_value(value)
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_role("button", name="重新选表格").click()


def test_rows_that_a_table_hides_are_shipped_only_when_somebody_says_so(
    log_in: Callable[..., Page], shop: Shop, tmp_path: Path
) -> None:
    seen, hidden = pair(shop, "筛选掉的柚子")
    rows = [HEAD, [hidden, "顺丰", "SF5555555555551"], [seen, "顺丰", "SF5555555555552"]]
    page = log_in()
    page.goto(f"{shop.url}#/batch-shipping")
    upload(page, excel.write(tmp_path / "筛选.xlsx", rows, hidden=[2]))

    expect(page.get_by_text("2 单可以发货")).to_be_visible()
    warning = page.get_by_role("alert").filter(has_text="有 1 行在表格里是隐藏的（第 2 行）")
    expect(warning).to_be_visible()
    expect(page.get_by_role("button", name="发货 2 单")).to_be_disabled()
    page.get_by_role("button", name="去掉隐藏的行").click()
    expect(warning).to_have_count(0)
    page.get_by_role("button", name="发货 1 单").click()
    expect(page.get_by_text("已发货 1 单")).to_be_visible()

    wait_until(shop, seen, "shipped")
    assert wait_until(shop, hidden, "fulfilling")["shipped"] == 0


def test_what_buyers_wrote_is_never_a_formula_in_a_table(
    log_in: Callable[..., Page], shop: Shop, tmp_path: Path
) -> None:
    sale = sell(shop, "=1+1 的柚子")
    name, remark = "=2+5+cmd|' /C'!A0", '+HYPERLINK("http://a.example")'
    given = {"address": address("x") | {"name": name, "street": "@SUM(A1)"}, "remark": remark}
    orders = form_group(
        shop, sale, (buyer(shop, "-3+4"), given), (buyer(shop, "周一"), {"remark": "\t=1"})
    )
    page = log_in()

    page.goto(f"{shop.url}#/orders?product={sale.product_id}")
    expect(page.get_by_role("link", name="=1+1 的柚子").first).to_be_visible()
    page.get_by_role("button", name="导出", exact=True).click()
    page.get_by_role("dialog", name="导出表格").get_by_role("button", name="导出").click()
    page.get_by_role("heading", name="导出记录").wait_for()
    fetch = page.get_by_role("row").nth(1).get_by_role("button", name="下载")
    exported = read_csv(download(page, fetch, tmp_path))
    page.goto(f"{shop.url}#/batch-shipping")
    to_ship = excel.read(
        download(page, page.get_by_role("button", name="下载待发货表格"), tmp_path)
    )

    columns = exported[0]
    assert {row[columns.index("系统单号")] for row in exported[1:]} == set(orders)
    assert {row[columns.index("商品")] for row in exported[1:]} == {"'=1+1 的柚子"}
    assert {row[columns.index("订单号")] for row in exported[1:]} == {short_of(it) for it in orders}
    probed = next(row for row in to_ship if row[0] == orders[0])
    assert (probed[3], probed[9]) == (f"'{name}", f"'{remark}")
    cells = [cell for row in [*exported, *to_ship] for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_an_order_is_found_shipped_in_two_parcels_and_its_number_corrected(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    phone, friend = buyer(shop, "钱多多"), buyer(shop, "孙小美")
    two = {"quantity": 2}
    order, other = form_group(shop, sell(shop, "分两箱的柚子"), (phone, two), (friend, two))
    phone.api.post(f"/v1/orders/{order}/urges")
    page = log_in("xiaowu", "xiaowu-2026")
    find(page, shop, order)
    expect(page.get_by_text("催发货", exact=True)).to_be_visible()
    page.get_by_role("button", name=f"发货 {short_of(order)}").click()

    drawer = page.get_by_role("dialog", name="发货")
    ship(page, drawer, "顺丰", "SF1111111111111", units="1")
    expect(drawer.get_by_text("共 2 件，已发 1 件")).to_be_visible()
    drawer.get_by_label("快递单号").fill("SF2222222222222")
    drawer.get_by_role("button", name="发货", exact=True).click()
    expect(drawer).to_be_hidden()
    page.get_by_role("link", name=f"详情 {short_of(order)}").click()
    page.get_by_role("button", name="更正单号 SF1111111111111").click()
    dialog = page.get_by_role("dialog", name="更正快递单号？")
    dialog.get_by_label("快递单号").fill("SF3333333333333")
    dialog.get_by_role("button", name="更正单号").click()

    expect(page.get_by_text("更正单号：现为 顺丰速运 SF3333333333333")).to_be_visible()
    file = wait_until(shop, order, "shipped")
    assert [(it["number"], it["units"]) for it in file["parcels"]] == [
        ("SF3333333333333", 1),
        ("SF2222222222222", 1),
    ]
    assert wait_until(shop, other, "fulfilling")["shipped"] == 0


def test_a_wrong_number_is_told_beside_it_and_saving_goes_on_to_the_next_order(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    order, _ = pair(shop, "一单接一单的柚子")
    page = log_in()
    page.goto(f"{shop.url}#/orders/{order}")
    page.get_by_role("button", name="发货", exact=True).click()

    drawer = page.get_by_role("dialog", name="发货")
    ship(page, drawer, "顺丰", "12")
    expect(drawer.get_by_text("顺丰速运的单号应是")).to_be_visible()
    drawer.get_by_label("快递单号").fill("SF4444444444444")
    drawer.get_by_label("快递单号").press("Enter")

    expect(page.get_by_text("已发货：SF4444444444444")).to_be_visible()
    expect(drawer.get_by_label("快递单号")).to_have_value("")
    expect(drawer.get_by_label("快递单号")).to_be_focused()
    wait_until(shop, order, "shipped")
    page.goto(f"{shop.url}#/audit?subject=order%23{order}")
    expect(page.get_by_role("row").filter(has_text="SF4444444444444")).to_contain_text("顺丰速运")
    expect(page.get_by_label("对象")).to_have_value(f"order#{order}")


def test_an_address_is_changed_before_shipping(log_in: Callable[..., Page], shop: Shop) -> None:
    order, _ = pair(shop, "换个地址的柚子")
    page = log_in("ayun", "ayun-kefu-2026")
    page.goto(f"{shop.url}#/orders/{order}")
    page.get_by_role("button", name="修改地址").wait_for()
    expect(page.get_by_role("button", name="发货")).to_have_count(0)  # not for this role

    page.get_by_role("button", name="修改地址").click()
    dialog = page.get_by_role("dialog", name="修改地址")
    expect(dialog.get_by_label("手机号")).to_have_value("13800138000")  # in full: it is edited
    dialog.get_by_label("详细地址").fill("")
    dialog.get_by_role("button", name="保存地址").click()
    expect(dialog.get_by_text("请填写详细地址")).to_be_visible()
    dialog.get_by_label("详细地址").fill("莲花峰路 26 号")
    dialog.get_by_role("button", name="保存地址").click()

    expect(page.get_by_text("改了收货地址 · 阿云")).to_be_visible()
    expect(page.get_by_text("莲花峰路 26 号")).to_have_count(0)
    page.get_by_role("button", name="查看完整信息").click()
    expect(page.get_by_text("莲花峰路 26 号")).to_be_visible()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "phone"])
def test_a_recipient_is_shown_after_a_click_that_the_audit_log_tells_of(
    log_in: Callable[..., Page], shop: Shop, size: ViewportSize
) -> None:
    order, _ = pair(shop, "看看是谁的柚子")
    page = log_in()
    page.set_viewport_size(size)
    page.goto(f"{shop.url}#/orders/{order}")

    expect(page.get_by_text("138****8000")).to_be_visible()
    expect(page.get_by_text("钱*")).to_be_visible()
    expect(page.get_by_text("查看会记入操作日志")).to_be_visible()
    expect(page.get_by_text("13800138000")).to_have_count(0)
    page.get_by_role("button", name="查看完整信息").press("Enter")
    expect(page.get_by_text("13800138000")).to_be_visible()
    expect(page.get_by_text("西溪花园 12 幢 2 单元 1603 室")).to_be_visible()
    expect(page.get_by_text("这次查看已记入操作日志")).to_be_visible()
    expect(page.locator(":focus")).to_contain_text("钱多多")
    assert not page.evaluate(TOO_WIDE)

    page.goto(f"{shop.url}#/audit?subject=order%23{order}")
    row = page.get_by_role("row").filter(has_text="查看收件信息")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(order)
    expect(row).to_contain_text("用途 查看订单")


def test_who_ships_sees_the_recipient_of_this_parcel_and_not_of_the_next(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    order, _ = pair(shop, "核对地址的柚子")
    page = log_in("xiaowu", "xiaowu-2026")
    page.goto(f"{shop.url}#/orders/{order}")
    page.get_by_role("button", name="发货", exact=True).click()

    drawer = page.get_by_role("dialog", name="发货")
    expect(drawer.get_by_text("138****8000")).to_be_visible()
    drawer.get_by_role("button", name="查看完整信息").click()
    expect(drawer.get_by_text("13800138000")).to_be_visible()
    ship(page, drawer, "顺丰", "SF5555555555555")

    expect(page.get_by_text("已发货：SF5555555555555")).to_be_visible()
    expect(drawer.get_by_label("快递单号")).to_have_value("")
    expect(drawer.get_by_text("138****8000")).to_be_visible()
    expect(drawer.get_by_text("13800138000")).to_have_count(0)


def test_chosen_orders_are_printed_as_a_packing_list_without_the_frame(
    log_in: Callable[..., Page], shop: Shop
) -> None:
    order, _ = pair(shop, "要打印的柚子", remark="请挑大的")
    page = log_in()
    find(page, shop, order)
    page.get_by_label(f"选择订单 {short_of(order)}").check()
    page.get_by_role("button", name="打印配货单").click()
    expect(page.get_by_text("1 单，共 1 件")).to_be_visible()
    expect(page.get_by_text("查看收件信息已记入操作日志")).to_be_visible()
    expect(page.get_by_text("13800138000")).to_be_visible()

    page.emulate_media(media="print")

    expect(page.get_by_text("买家留言：请挑大的")).to_be_visible()
    expect(page.get_by_role("button", name="打印")).to_be_hidden()
    expect(page.get_by_role("navigation", name="主导航")).to_be_hidden()


def test_who_may_not_ship_is_not_offered_it(log_in: Callable[..., Page], shop: Shop) -> None:
    page = log_in("ayun", "ayun-kefu-2026")

    expect(page.get_by_role("link", name="批量发货", exact=True)).to_have_count(0)
    page.goto(f"{shop.url}#/batch-shipping")
    shop.at_home(page)
    page.goto(f"{shop.url}#/orders?tab=fulfilling")
    expect(page.get_by_role("link", name="详情").first).to_be_visible()
    expect(page.get_by_role("button", name="发货")).to_have_count(0)
    expect(page.get_by_role("checkbox")).to_have_count(0)  # nothing to do with many orders
    page.goto(f"{shop.url}#/packing")
    shop.at_home(page)


def find(page: Page, shop: Shop, order_id: str) -> None:
    """The order list, with one order found in it."""
    page.goto(f"{shop.url}#/orders")
    page.get_by_label("搜索订单").fill(order_id)
    page.get_by_label("搜索订单").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)


def ship(page: Page, drawer: Locator, carrier: str, number: str, **given: Any) -> None:
    """Fill the drawer as somebody with a keyboard does, and save."""
    drawer.get_by_label("快递公司").fill(carrier)
    expect(page.get_by_role("option", name=carrier).first).to_be_visible()
    drawer.get_by_label("快递公司").press("Enter")
    if "units" in given:
        drawer.get_by_label("这个包裹的件数").fill(given["units"])
    drawer.get_by_label("快递单号").fill(number)
    drawer.get_by_label("快递单号").press("Enter")


def upload(page: Page, file: Path) -> None:
    page.locator("input[type=file]").set_input_files(file)


def download(page: Page, button: Locator, to: Path) -> Path:
    with page.expect_download() as begun:
        button.click()
    path = to / f"{len(list(to.iterdir()))}-{begun.value.suggested_filename}"
    begun.value.save_as(path)
    return path
