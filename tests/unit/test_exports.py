"""Exports: what may be wished for, and what cells look like in a file."""

import csv
import io
from typing import Any

import pytest

from chalicelib.domain import exports
from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.exports import COLUMNS, PRESETS, Moment, Subject, Wanted, Yuan, written
from chalicelib.domain.rights import Area, view
from chalicelib.errors import InvalidRequest

NOW_S = 1_790_000_000


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("红颜草莓", "红颜草莓"),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+86 139", "'+86 139"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1+1", "'＝1+1"),
        ("\t=1+1", "'=1+1"),
        ("\r\n=1+1", "'=1+1"),
        ("4200001234567890123456789012", "\t4200001234567890123456789012"),
        ("00012", "\t00012"),
        ("13800138000", "13800138000"),
        ("773120E45", "\t773120E45"),  # a parcel's number
        ("1.5e3", "\t1.5e3"),
        ("1-2", "\t1-2"),  # a size
        ("3/4", "\t3/4"),
        ("1 1/2", "\t1 1/2"),
        ("2026-1-5", "\t2026-1-5"),
        ("3月5日", "\t3月5日"),
        ("2026年3月", "\t2026年3月"),
        ("8:30", "\t8:30"),
        ("1.50", "\t1.50"),
        ("10%", "\t10%"),
        ("(5)", "\t(5)"),
        ("1,000", "\t1,000"),
        ("TRUE", "\tTRUE"),
        ("0571-88880000", "0571-88880000"),
        ("261129-483920", "261129-483920"),
        ("1.5", "1.5"),
        ("5 斤装", "5 斤装"),
        ("3-5 岁", "3-5 岁"),
        ("两\n行", "两 行"),
        (Yuan(-5), "-0.05"),
        (Yuan(123456), "1234.56"),
        (Yuan(0), "0.00"),
        (Moment(0), ""),
        (Moment(1_790_000_000), "2026-09-21 22:13:20"),
        (3, "3"),
        (None, ""),
    ],
)
def test_cell_is_no_formula_and_no_rounded_number(cell: Any, shown: str) -> None:
    assert written(cell) == shown


def test_lines_are_read_back_as_they_were() -> None:
    text = exports.lines([["一,二", '他说"好"', Yuan(100)], ["三", "", None]])

    assert list(csv.reader(io.StringIO(text))) == [["一,二", '他说"好"', "1.00"], ["三", "", ""]]
    assert text.count("\r\n") == 2


def test_presets_choose_columns_that_there_are() -> None:
    for preset in PRESETS:
        from_s = 0 if preset.subject is Subject.MEMBERS else NOW_S - DAY_S
        exports.check(Wanted(preset.subject, preset.columns, from_s=from_s), now_s=NOW_S)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Wanted(Subject.ORDERS, ("order_id", "fee")), "columns"),
        (Wanted(Subject.ORDERS, ("title", "title")), "columns"),
        (Wanted(Subject.ORDERS, ("title",), from_s=2, to_s=1), "from_s"),
        (Wanted(Subject.CUSTOMERS, ("buyer",), status="paid"), "status"),
        (Wanted(Subject.CUSTOMERS, ("buyer",), q="小满"), "q"),
        (Wanted(Subject.CUSTOMERS, ("buyer",), tag_id="a-tag"), "tag_id"),
        (Wanted(Subject.MEMBERS, ("buyer",), product_id="a-product"), "from_s"),
        (Wanted(Subject.MOVEMENTS, ("at",), from_s=NOW_S, product_id="p"), "product_id"),
        (Wanted(Subject.MOVEMENTS, ("at",)), "from_s"),
        (Wanted(Subject.MOVEMENTS, ("at",), from_s=NOW_S - 367 * DAY_S), "from_s"),
    ],
)
def test_wish_that_cannot_be_is_refused_with_its_field(wanted: Wanted, field: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        exports.check(wanted, now_s=NOW_S)

    assert refusal.value.details["field"] == field


def test_recipients_in_full_and_movements_need_their_own_rights() -> None:
    assert exports.rights_for(Subject.ORDERS, personal=False) == (view(Area.ORDERS),)
    assert view(Area.RECIPIENTS) in exports.rights_for(Subject.CUSTOMERS, personal=True)
    assert exports.rights_for(Subject.MOVEMENTS, personal=False) == (view(Area.RECONCILIATION),)


def test_every_column_has_its_own_name_and_title() -> None:
    for columns in COLUMNS.values():
        assert len({column.name for column in columns}) == len(columns)
        assert len({column.title for column in columns}) == len(columns)
