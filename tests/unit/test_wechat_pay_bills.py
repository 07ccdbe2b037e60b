"""WeChat Pay's bill of a day: what is read from it, and which bills are not believed."""

import datetime as dt
import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.gateways import wechat_pay_bills
from chalicelib.gateways.payment import BillKind, BillRow, RefundStatus
from chalicelib.gateways.verification import VerificationError
from chalicelib.gateways.wechat_pay_account import WechatAccount
from chalicelib.gateways.wechat_pay_bills import rows, unpacked

DAY = dt.date(2026, 11, 20)
NOON_S = 1_795_147_200  # of that day in Beijing
OURS = WechatAccount(
    mchid="1900000109",
    appid="wx8888888888888888",
    serial_no="",
    private_key="",
    api_v3_key="",
    public_keys=(),
)
PARTNERS = replace(OURS, sub_mchid="1900001234")
FIRST, SECOND = "4200002026112000000000000001", "4200002026112000000000000002"
NUMBER, OTHER = "b" * 22 + "1aB2cD3e01", "b" * 22 + "1aB2cD3f01"
BILL = (
    (
        "\ufeff交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,"
        "付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,"
        "退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n"
        "`2026-11-20 12:00:00,`wx8888888888888888,`1900000109,`0,`,"
        "`4200002026112000000000000001,`order01,`oBuyer,`JSAPI,`SUCCESS,`OTHERS,`CNY,"
        "`59.00,`0.00,`0,`0,`0.00,`0.00,"
        "`,`,`草莓,现摘,`g1,`0.35000,`0.60%,`59.00,`0.00,`\r\n"
        "`2026-11-20 12:00:01,`wx8888888888888888,`1900000109,`0,`,"
        "`4200002026112000000000000002,`order02,`oFriend,`JSAPI,`SUCCESS,`CMB_DEBIT,`CNY,"
        "`129.90,`5.00,`0,`0,`0.00,`0.00,"
        "`,`,`樱桃,`,`0.78000,`0.60%,`134.90,`0.00,`\r\n"
        "`2026-11-20 12:00:02,`wx8888888888888888,`1900000109,`0,`,"
        "`4200002026112000000000000001,`order01,`oBuyer,`JSAPI,`REFUND,`OTHERS,`CNY,"
        "`0.00,`0.00,`50300020261120,`order01F,`20.05,`0.00,"
        "`ORIGINAL,`PROCESSING,`草莓,现摘,`g1,`-0.12000,`0.60%,`0.00,`20.05,`\r\n"
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n"
        "`3,`188.90,`20.05,`0.00,`1.01000,`193.90,`20.05\r\n"
    )
    .replace("order01", NUMBER)
    .replace("order02", OTHER)
)
NO_TRADES = (
    BILL.split("\r\n")[0]
    + "\r\n总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,"
    + "申请退款总金额\r\n`0,`0.00,`0.00,`0.00,`0.00000,`0.00,`0.00\r\n"
)


def read(text: str, account: WechatAccount = OURS, day: dt.date = DAY) -> list[BillRow]:
    return list(rows(text.encode(), day, account))


def disbelieved(text: str | bytes) -> Mapping[str, Any]:
    """The details with which a bill is refused, before a single row of it is given."""
    with pytest.raises(VerificationError) as why:
        rows(text if isinstance(text, bytes) else text.encode(), DAY, OURS)
    return why.value.details


# What is read


def test_bill_is_read_as_payments_and_refunds_in_fen() -> None:
    assert read(BILL) == [
        BillRow(BillKind.PAYMENT, NUMBER, FIRST, 5900, 35, NOON_S),
        BillRow(BillKind.PAYMENT, OTHER, SECOND, 13490, 78, NOON_S + 1),
        BillRow(
            BillKind.REFUND,
            NUMBER,
            FIRST,
            2005,
            -12,
            NOON_S + 2,
            out_refund_no=f"{NUMBER}F",
            refund_status=RefundStatus.PROCESSING,
        ),
    ]


def test_bill_without_rows_is_read_as_nothing() -> None:
    assert read(NO_TRADES) == []


def test_columns_are_found_by_name_wherever_they_stand_and_whatever_else_there_is() -> None:
    def turned(line: str, new: str) -> str:
        cells = line.removeprefix("\ufeff").split(",`" if line.startswith("`") else ",")
        quoted = "`" if line.startswith("`") else ""
        return f",{quoted}".join([f"{quoted}{new}", cells[0].removeprefix("`"), *cells[:0:-1]])

    head, *details, totals_head, totals = BILL.rstrip().split("\r\n")
    lines = [turned(head, "新的一列"), *(turned(line, "新") for line in details)]

    assert read("\n".join([*lines, totals_head, totals])) == read(BILL)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("SUCCESS", RefundStatus.SUCCEEDED),
        ("PROCESSING", RefundStatus.PROCESSING),
        ("FAIL", RefundStatus.CLOSED),
        ("CHANGE", RefundStatus.ABNORMAL),
        ("LOST", RefundStatus.UNKNOWN),
    ],
)
def test_every_refund_status_of_a_bill_has_ours(word: str, status: RefundStatus) -> None:
    *_, refund = read(BILL.replace("PROCESSING", word))

    assert refund.refund_status is status


@pytest.mark.parametrize(
    ("old", "new", "mismatch"),
    [
        ("`wx8888888888888888", "`wx0000000000000000", "appid"),
        ("`1900000109,`0", "`1900000110,`0", "mchid"),
        ("`1900000109,`0", "`1900000109,`1900001234", "sub_mchid"),
        ("`CNY", "`USD", "currency"),
        ("`1900000109,`0", "`1900000109,`", ""),  # some bills leave it empty
    ],
)
def test_row_of_another_account_is_given_and_says_what_is_not_ours(
    old: str, new: str, mismatch: str
) -> None:
    first, *others = read(BILL.replace(old, new, 1))

    assert (first.mismatch, first.amount_fen) == (mismatch, 5900)
    assert [row.mismatch for row in others] == ["", ""]


@pytest.mark.parametrize(
    ("appid", "sub_mchid", "mismatch"),
    [
        ("wx8888888888888888", "1900001234", ""),
        ("wxown", "1900001234", ""),
        ("wxother", "1900001234", "appid"),
        ("wxown", "1900009999", "sub_mchid"),
        ("wxown", "0", "sub_mchid"),
    ],
)
def test_row_of_a_partner_names_its_merchant_and_either_app(
    appid: str, sub_mchid: str, mismatch: str
) -> None:
    text = BILL.replace("`wx8888888888888888,`1900000109,`0", f"`{appid},`1900000109,`{sub_mchid}")

    seen = read(text, replace(PARTNERS, sub_appid="wxown"))

    assert [row.mismatch for row in seen] == [mismatch] * 3


def test_moment_beside_the_day_is_borne_with() -> None:
    first, *_ = read(BILL.replace("`2026-11-20 12:00:00", "`2026-11-21 00:00:03"))

    assert first.at_s == NOON_S + 12 * 3600 + 3


# What is not believed


@pytest.mark.parametrize(
    ("total", "old", "new"),
    [
        ("总交易单数", "`3,`188.90", "`2,`188.90"),
        ("总交易单数", "`3,`188.90", "`three,`188.90"),
        ("应结订单总金额", "`3,`188.90", "`3,`188.91"),
        ("退款总金额", "`20.05,`0.00,`1.01000", "`20.04,`0.00,`1.01000"),
        ("充值券退款总金额", "`0.00,`1.01000", "`0.01,`1.01000"),
        ("手续费总金额", "`1.01000", "`-1.01000"),
        ("订单总金额", "`193.90", "`0.00"),
        ("申请退款总金额", "`193.90,`20.05", "`193.90,`20.06"),
    ],
)
def test_totals_that_are_not_those_of_the_rows_are_refused(total: str, old: str, new: str) -> None:
    details = disbelieved(BILL.replace(old, new))

    assert (details["reason"], details["field"]) == ("totals", total)


@pytest.mark.parametrize("line", [1, 2, 3])
def test_bill_that_lost_a_row_is_refused(line: int) -> None:
    lines = BILL.split("\r\n")
    del lines[line]

    assert disbelieved("\r\n".join(lines)) == {
        "reason": "totals",
        "field": "总交易单数",
        "seen": "3",
    }


@pytest.mark.parametrize(
    "column",
    [
        "交易时间",
        "公众账号ID",
        "商户号",
        "特约商户号",
        "微信订单号",
        "商户订单号",
        "交易状态",
        "货币种类",
        "商户退款单号",
        "退款状态",
        "应结订单金额",
        "手续费",
        "订单金额",
        "申请退款金额",
        "总交易单数",
        "手续费总金额",
    ],
)
def test_bill_without_a_column_is_refused(column: str) -> None:
    text = re.sub(rf"(?<![^\W_]){column}(?=,)", "别的", BILL)

    assert disbelieved(text) == {"reason": "columns", "field": column}


def test_column_that_stands_twice_is_refused() -> None:
    assert disbelieved(BILL.replace("费率备注", "订单金额", 1)) == {
        "reason": "columns",
        "field": "订单金额",
    }


@pytest.mark.parametrize(
    ("old", "new", "details"),
    [
        ("`SUCCESS", "`PAID", {"reason": "unknown_state", "field": "交易状态", "seen": "PAID"}),
        (f"`{FIRST}", "`0", {"reason": "incomplete", "field": "微信订单号"}),
        (f"`{NUMBER}F", "`0", {"reason": "incomplete", "field": "商户退款单号"}),
        (
            "`2026-11-20 12:00:00",
            "`2026-11-20T12:00",
            {"reason": "unreadable", "field": "交易时间", "seen": "2026-11-20T12:00"},
        ),
        (
            "`2026-11-20 12:00:00",
            "`2026-11-22 00:00:00",
            {"reason": "mismatch", "field": "交易时间", "seen": "2026-11-22 00:00:00"},
        ),
        ("`g1,", "", {"reason": "unreadable", "field": "row"}),
        ("`樱桃", "`樱桃,`新鲜", {"reason": "unreadable", "field": "row"}),
        ("\r\n`2026-11-20 12:00:01", "\r\n2026-11-20 12:00:01", {"field": "row"}),
    ],
)
def test_row_that_cannot_be_read_takes_the_whole_bill_with_it(
    old: str, new: str, details: dict[str, Any]
) -> None:
    assert disbelieved(BILL.replace(old, new, 1)).items() >= details.items()


@pytest.mark.parametrize("amount", ["", "５９.00", "59.005", "5.9e1", "+59.00", "59,00", " 59.00"])
def test_amount_that_is_no_whole_number_of_fen_is_refused(amount: str) -> None:
    details = disbelieved(BILL.replace("`0.60%,`59.00", f"`0.60%,`{amount}"))

    seen = {"seen": amount} if amount else {}
    assert details == {"reason": "unreadable", "field": "订单金额"} | seen


@pytest.mark.parametrize("amount", ["59", "59.0", "59.00000", "0059.00"])
def test_amount_may_have_as_many_decimals_as_it_likes(amount: str) -> None:
    first, *_ = read(BILL.replace("`0.60%,`59.00", f"`0.60%,`{amount}"))

    assert first.amount_fen == 5900


def test_fee_of_less_than_a_fen_is_refused() -> None:
    assert disbelieved(BILL.replace("`0.35000", "`0.35400"))["field"] == "手续费"


@pytest.mark.parametrize(
    "text",
    [b"", b"\n", b"<html>busy</html>", b"\xff\xfe", BILL.encode("gbk", "replace"), BILL[:-150]],
)
def test_what_is_no_bill_is_refused(text: Any) -> None:
    assert disbelieved(text)["reason"] in {"columns", "unreadable"}


# What is unpacked


def sha1(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def test_file_is_unpacked_and_held_to_the_digest_of_what_was_in_it() -> None:
    bill = BILL.encode()

    assert unpacked(gzip.compress(bill), sha1=sha1(bill)) == bill
    assert unpacked(gzip.compress(bill), sha1=sha1(bill).upper()) == bill
    assert unpacked(bill, sha1=sha1(bill)) == bill  # unpacked on its way


def test_other_file_than_was_promised_is_refused() -> None:
    bill = BILL.encode()

    with pytest.raises(VerificationError) as why:
        unpacked(gzip.compress(bill), sha1=sha1(gzip.compress(bill)))

    assert why.value.details == {"reason": "mismatch", "field": "hash_value", "seen": sha1(bill)}


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda file: file[:-1],
        lambda file: file[: len(file) // 2],
        lambda file: file[:12] + b"\x00" * 8 + file[20:],
        lambda file: file[:2],
        lambda file: file + b"more",
    ],
)
def test_file_that_cannot_be_unpacked_is_refused(spoilt: Callable[..., Any]) -> None:
    bill = BILL.encode()

    with pytest.raises(VerificationError) as why:
        unpacked(spoilt(gzip.compress(bill)), sha1=sha1(bill))

    assert why.value.details == {"reason": "unreadable", "field": "gzip"}


def test_small_file_with_too_much_in_it_is_not_unpacked_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wechat_pay_bills, "BILL_BYTES_MAX", 1000)
    zeros = bytes(1_000_000)
    endless = gzip.compress(zeros)[:-8]  # whoever reads on finds that it breaks off

    with pytest.raises(VerificationError) as why:
        unpacked(endless, sha1=sha1(zeros))

    assert why.value.details == {"reason": "too_large", "field": "bill"}


@pytest.mark.parametrize(
    ("old", "new", "readable"),
    [
        ("`樱桃", "`樱桃\n新鲜", True),
        ("`樱桃", "`樱桃,`新鲜,`现摘", True),
        ("`SUCCESS,`CMB_DEBIT", "`PAID,`CMB_DEBIT", False),
        ("`2026-11-20 12:00:01", "`2026-11-22 00:00:00", False),
        ("`129.90", "`129.9O", True),
    ],
)
def test_row_of_another_system_costs_nobody_the_bill(old: str, new: str, readable: bool) -> None:
    foreign = BILL.replace(OTHER, "till-0001").replace(old, new, 1)

    payment, other, refund = read(foreign)

    assert (payment.out_trade_no, refund.out_refund_no) == (NUMBER, f"{NUMBER}F")
    assert other.kind is (BillKind.PAYMENT if readable else BillKind.FOREIGN)


def test_fee_of_another_system_with_five_decimals_is_added_up() -> None:
    foreign = BILL.replace(OTHER, "till-0001").replace("`0.78000", "`0.78345")

    rows_read = read(foreign.replace("`1.01000", "`1.01345"))

    assert [row.kind for row in rows_read] == [BillKind.PAYMENT, BillKind.FOREIGN, BillKind.REFUND]
    assert disbelieved(foreign) == {"reason": "totals", "field": "手续费总金额", "seen": "1.01000"}
