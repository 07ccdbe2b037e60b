"""Bills of Alipay, as they are fetched, unpacked and read."""

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib import clock, http_client
from chalicelib.domain.beijing import BEIJING, day_of, midnight_s
from chalicelib.gateways.alipay import Alipay
from chalicelib.gateways.alipay_bills import rows_of
from chalicelib.gateways.alipay_client import AlipayClient
from chalicelib.gateways.payment import BillKind, BillRow, RefundStatus
from chalicelib.gateways.verification import VerificationError
from infra.local import alipay_views
from infra.local.alipay import Alipay as LocalAlipay
from infra.local.alipay_keys import Account
from tests.fixtures.alipay_gateway import (
    PRICE_FEN,
    failure_of,
    gateway_of,
    gateway_saying,
    now_s,
    order,
    refund_request,
    refusal_of,
)

Shop = tuple[LocalAlipay, Account, Alipay]


@pytest.fixture
def day(monkeypatch: pytest.MonkeyPatch) -> dt.date:
    """A day of which the bill is made: it is noon of the next."""
    today = day_of(now_s())
    monkeypatch.setattr(clock, "now_s", lambda: midnight_s(today) + 36 * 3600)
    return today


@pytest.fixture
def shop() -> Iterator[Shop]:
    """(counterpart, account, gateway) at that time, with a clock of its own."""
    counterpart = LocalAlipay(now=lambda: float(clock.now_s())).start()
    counterpart.courier.send = lambda url, headers, body: 200
    account = counterpart.new_account("m1")
    yield counterpart, account, gateway_of(account, counterpart.gateway_url)
    assert counterpart.quiet()
    counterpart.stop()


def test_bill_lists_what_was_paid_and_refunded_on_the_day(shop: Shop, day: dt.date) -> None:
    counterpart, _, pay = shop
    noon_s = midnight_s(day) + 12 * 3600
    bought = []
    for hour in (1, 2):
        one = order(payer="open-id", expires_at_s=clock.now_s() + 60)
        pay.prepay(one, now_s=clock.now_s())
        counterpart.pay(out_trade_no=one.out_trade_no, paid_at=noon_s + hour)
        bought.append(one)
    pay.refund(refund_request(bought[1], amount_fen=500))
    refund = counterpart.ledger.trade(
        counterpart.new_account("m1").mchid, bought[1].out_trade_no
    ).refunds[f"{bought[1].out_trade_no}F"]
    refund.settled_at = noon_s + 3

    rows = list(pay.bill(day))

    numbers = [pay.query(it.out_trade_no).transaction_id for it in bought]
    payment = BillKind.PAYMENT
    assert [row for row in rows if row.kind is payment] == [
        BillRow(payment, it.out_trade_no, number, PRICE_FEN, 11, noon_s + n)
        for n, (it, number) in enumerate(zip(bought, numbers, strict=True), start=1)
    ]
    assert [row for row in rows if row.kind is BillKind.REFUND] == [
        BillRow(
            BillKind.REFUND,
            bought[1].out_trade_no,
            numbers[1],
            500,
            -3,
            noon_s + 3,
            out_refund_no=f"{bought[1].out_trade_no}F",
            refund_status=RefundStatus.SUCCEEDED,
        )
    ]


def test_day_without_business_has_no_rows_once_its_bill_would_be_made(
    shop: Shop, day: dt.date, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, pay = shop

    assert list(pay.bill(day)) == []
    at_noon_s = clock.now_s()
    monkeypatch.setattr(clock, "now_s", lambda: at_noon_s - 1)
    assert failure_of(lambda: pay.bill(day)) == {"reason": "isp.bill_not_exist"}


def test_bill_that_alipay_will_not_give_is_no_day_without_business(
    alipay: LocalAlipay, account: Account
) -> None:
    name = "alipay_data_dataservice_bill_downloadurl_query_response"
    said = {"code": "40006", "sub_code": "isv.insufficient-isv-permissions"}

    with gateway_saying(alipay, account, said, name=name) as pay:
        reason = refusal_of(lambda: pay.bill(DAY))

    assert reason == "isv.insufficient-isv-permissions"


def test_bill_is_fetched_by_https_from_anywhere_but_the_gateway(
    monkeypatch: pytest.MonkeyPatch, pay: Alipay
) -> None:
    asked: list[Any] = []

    def call(*args: Any, **more: Any) -> bytes:
        asked.append(args)
        return b""

    monkeypatch.setattr(http_client, "call", call)
    client = AlipayClient(pay._account, "https://openapi.example.com/gateway.do")

    for address in (
        "http://bills.example.com/file?token=1",
        "https://bills.example.com/file",
        "ftp://bills.example.com/file",
        "https://openapi.example.com/bill",
    ):
        client.download(address)

    assert [url for _, url in asked] == [
        "https://bills.example.com/file?token=1",
        "https://bills.example.com/file",
        "https://bills.example.com/file",
        "https://openapi.example.com/bill",
    ]


DAY = dt.date(2026, 11, 21)
SELLER = "2088123412341234"
TEXT = (
    "#支付宝业务明细查询\r\n"
    f"#账号：[{SELLER}0156]\r\n"
    "#起始日期：[2026年11月21日 00:00:00]   终止日期：[2026年11月22日 00:00:00]\r\n"
    "#-----------------------------------------业务明细列表------------------------------------\r\n"
    f"{alipay_views.COLUMNS}\r\n"
    f"2026112122001\t,{'1' * 32}\t,交易,草莓,2026-11-21 09:59:00,2026-11-21 10:00:00,,,,,小明,"
    "19.90,19.90,0.00,0.00,0.00,0.00,0.00,,0.00,0.00,,-0.12,0.00,\r\n"
    f"2026112122001\t,{'1' * 32}\t,退款,草莓,2026-11-21 09:59:00,2026-11-21 11:00:00,,,,,小明,"
    f"-5.00,-5.00,0.00,0.00,0.00,0.00,0.00,,0.00,0.00,{'1' * 32}F\t,0.03,0.00,\r\n"
    "#-----------------------------------------业务明细列表结束--------------------------------\r\n"
    "#交易合计：1笔，商家实收共19.90元，商家优惠共0.00元\r\n"
    "#退款合计：1笔，商家实收退款共-5.00元，商家优惠退款共0.00元\r\n"
)


def zipped(text: str | bytes, name: str = "20881234123412340156_20261121_业务明细.csv") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        alipay_views._add(archive, name, "")
        archive.writestr(alipay_views._GbkName("业务明细(汇总).csv"), b"#")
    if isinstance(text, str):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(alipay_views._GbkName(name), text.encode("gbk"))
            archive.writestr(alipay_views._GbkName("业务明细(汇总).csv"), b"#")
    return content.getvalue()


def test_bill_is_read_by_the_names_of_its_columns() -> None:
    at_s = int(dt.datetime(2026, 11, 21, 10, tzinfo=BEIJING).timestamp())
    back = "\r\n".join(
        line if line.startswith("#") else ",".join(line.split(",")[::-1])
        for line in TEXT.split("\r\n")
    )

    for text in (TEXT, back):
        payment, refund = rows_of(zipped(text), day=DAY, seller_id=SELLER)
        assert payment == BillRow(BillKind.PAYMENT, "1" * 32, "2026112122001", PRICE_FEN, 12, at_s)
        assert refund == BillRow(
            BillKind.REFUND,
            "1" * 32,
            "2026112122001",
            500,
            -3,
            at_s + 3600,
            out_refund_no="1" * 32 + "F",
            refund_status=RefundStatus.SUCCEEDED,
        )


@pytest.mark.parametrize(
    ("spoil", "details"),
    [
        (
            lambda text: text.replace("共19.90元", "共19.91元"),
            {"reason": "mismatch", "field": "交易合计", "seen": "1990"},
        ),
        (
            lambda text: text.replace("退款合计：1笔", "退款合计：2笔"),
            {"reason": "mismatch", "field": "退款合计", "seen": "1"},
        ),
        (
            lambda text: text[: text.index("#交易合计")],
            {"reason": "incomplete", "field": "交易合计"},
        ),
        (
            lambda text: text.replace(SELLER, "2088000000000000"),
            {"reason": "mismatch", "field": "seller_id", "seen": "2088000000000000"},
        ),
        (
            lambda text: text.replace("起始日期：[2026年11月21日", "起始日期：[2026年11月20日"),
            {"reason": "mismatch", "field": "bill_date", "seen": "2026-11-20"},
        ),
        (
            lambda text: text.replace("商家实收（元）,", "商家收（元）,"),
            {"reason": "incomplete", "field": "商家实收（元）"},
        ),
        (
            lambda text: text.replace(",交易,", ",转账,"),
            {"reason": "unknown_state", "field": "业务类型", "seen": "转账"},
        ),
        (
            lambda text: text.replace(",草莓,", ",草莓,葡萄,", 1),
            {"reason": "unreadable", "field": "line", "seen": "26"},
        ),
        (
            lambda text: text.replace("2026-11-21 10:00:00", "10:00"),
            {"reason": "unreadable", "field": "完成时间", "seen": "10:00"},
        ),
    ],
)
def test_bill_that_is_not_what_it_says_is_not_believed(
    spoil: Callable[..., Any], details: dict[str, Any]
) -> None:
    with pytest.raises(VerificationError) as why:
        rows_of(zipped(spoil(TEXT)), day=DAY, seller_id=SELLER)

    assert why.value.details == details


@pytest.mark.parametrize(
    "archive",
    [b"", b"PK", b"<html>", zipped(TEXT)[:-30], zipped(TEXT)[:200], zipped(TEXT, "x.csv")],
)
def test_file_that_is_no_bill_is_not_believed(archive: Any) -> None:
    with pytest.raises(VerificationError):
        rows_of(archive, day=DAY, seller_id=SELLER)


def test_bill_of_too_many_files_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.gateways.alipay_bills.FILES_MAX", 0)

    with pytest.raises(VerificationError) as why:
        rows_of(zipped(TEXT), day=DAY, seller_id=SELLER)

    assert why.value.details == {"reason": "incomplete", "field": "files", "seen": "1"}


def test_bill_that_grows_beyond_all_bounds_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.gateways.alipay_bills.UNZIPPED_BYTES_MAX", 1000)

    with pytest.raises(VerificationError) as why:
        rows_of(zipped(TEXT + "#" * 1000), day=DAY, seller_id=SELLER)

    assert why.value.details["reason"] == "too_long"


FOREIGN_LINE = (
    "2026112122009\t,till-0001\t,交易,{name},2026-11-21 09:59:00,2026-11-21 10:00:00,,,,,小红,"
    "1.00,{received},0.00,0.00,0.00,0.00,0.00,,0.00,0.00,,-0.01,0.00,\r\n"
)


@pytest.mark.parametrize(
    ("line", "read"),
    [
        (FOREIGN_LINE.format(name="樱桃,新鲜", received="1.00"), True),
        (FOREIGN_LINE.format(name="樱桃\n新鲜", received="1.00"), True),
        (FOREIGN_LINE.format(name='"樱桃', received="1.00"), False),
        (FOREIGN_LINE.format(name="樱桃", received="1.00345"), False),
        (FOREIGN_LINE.format(name="樱桃", received="1.00").replace("交易", "转账"), False),
    ],
)
def test_line_of_another_system_costs_nobody_the_bill(line: Any, read: bool) -> None:
    ours = TEXT.index("2026112122001")
    received = "20.90" if read else "19.90"
    text = TEXT[:ours] + line + TEXT[ours:]
    text = text.replace(
        "#交易合计：1笔，商家实收共19.90元", f"#交易合计：2笔，商家实收共{received}元"
    )
    if "转账" in line:
        text = text.replace("#交易合计：2笔", "#交易合计：1笔")

    foreign, payment, refund = rows_of(zipped(text), day=DAY, seller_id=SELLER)

    assert foreign.kind is (BillKind.PAYMENT if read else BillKind.FOREIGN)
    assert (payment.out_trade_no, refund.out_refund_no) == ("1" * 32, f"{'1' * 32}F")
