"""A day's bill from the local WeChat Pay's ledger to our rows, and what goes wrong on the way."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.domain.beijing import midnight_s
from chalicelib.errors import GatewayFailed
from chalicelib.gateways import wechat_pay_bills
from chalicelib.gateways.payment import BillKind, BillRow, GatewayRefused, Prepay, RefundStatus
from infra.local.wechat import Wechat
from infra.local.wechat_http import Answer, Call, Refusal, Server
from tests.fixtures.wechat_pay_gateway import (
    NUMBERS,
    PAID_AT_S,
    gateway_of,
    gateway_saying,
    order,
    refund_request,
)

DAY = dt.date(2026, 11, 20)
NEXT_DAY = DAY + dt.timedelta(days=1)
NOON_S = midnight_s(DAY) + 12 * 3600
READY_S = midnight_s(NEXT_DAY) + 10 * 3600
MODES = pytest.mark.parametrize("partner", [False, True])
Clocked = tuple[Wechat, list[float]]  # the local WeChat, and the time by its clock


class BillFixture:
    """The local WeChat with a clock of its own, and one merchant at it."""

    def __init__(self, wechat: Wechat, clock: list[float]) -> None:
        self.wechat, self.clock = wechat, clock
        self.account = wechat.new_account(f"merchant-{next(NUMBERS)}")
        self.pay = gateway_of(self.account, wechat)

    def at(self, at_s: int) -> None:
        self.clock[0] = float(at_s)

    def open_account(self, **how: Any) -> None:
        self.account = self.wechat.new_account(f"merchant-{next(NUMBERS)}", **how)
        self.pay = gateway_of(self.account, self.wechat)

    def buy(self, at_s: int, **changes: Any) -> Prepay:
        bought = order(**changes)
        self.at(at_s)
        self.pay.prepay(bought, now_s=PAID_AT_S)
        self.wechat.pay(out_trade_no=bought.out_trade_no)
        return bought

    def refund(self, bought: Prepay, at_s: int, amount_fen: int, letter: str = "A") -> str:
        self.at(at_s)
        number = f"{bought.out_trade_no}{letter}"
        self.pay.refund(
            refund_request(
                bought, out_refund_no=number, amount_fen=amount_fen, paid_fen=bought.amount_fen
            )
        )
        return number

    def settle(self, number: str, at_s: int, status: str = "SUCCESS") -> None:
        self.at(at_s)
        self.wechat.settle_refunds(out_refund_no=number, status=status)

    def bill(self, day: dt.date = DAY, at_s: int = READY_S) -> list[BillRow]:
        self.at(at_s)
        return list(self.pay.bill(day))

    def transaction_id(self, bought: Prepay) -> str:
        return self.wechat.ledger.trade(self.account.mchid, bought.out_trade_no).transaction_id


@pytest.fixture(scope="module")
def clocked() -> Iterator[Clocked]:
    clock = [float(NOON_S)]
    wechat = Wechat(now=lambda: clock[0]).start()
    wechat.courier.send = lambda url, headers, body: 204
    wechat.gateway.refund_delay_s = None
    yield wechat, clock
    wechat.stop()


@pytest.fixture
def bills(clocked: Clocked) -> BillFixture:
    wechat, clock = clocked
    clock[0] = float(NOON_S)
    wechat.faults.clear()
    wechat.bills.edits.clear()
    return BillFixture(wechat, clock)


def failure_of(bills: BillFixture, **when: Any) -> GatewayFailed:
    with pytest.raises(GatewayFailed) as failure:
        bills.bill(**when)
    return failure.value


def server_that_notes(asked: list[Call]) -> Server:
    """A server, started, that keeps what it is asked."""

    def answer(call: Call) -> Answer:
        asked.append(call)
        return Answer(200, b"")

    server = Server(answer)
    server.start()
    return server


# What the bill says


@MODES
def test_bill_has_the_days_payments_and_refunds(bills: BillFixture, partner: bool) -> None:
    bills.open_account(partner=partner)
    first = bills.buy(NOON_S, amount_fen=5900, description="草莓,现摘`\n")
    second = bills.buy(NOON_S + 1, amount_fen=100)
    number = bills.refund(first, NOON_S + 2, 2000)
    bills.settle(number, NOON_S + 3)

    assert bills.bill() == [
        BillRow(
            BillKind.PAYMENT, first.out_trade_no, bills.transaction_id(first), 5900, 35, NOON_S
        ),
        BillRow(
            BillKind.PAYMENT, second.out_trade_no, bills.transaction_id(second), 100, 1, NOON_S + 1
        ),
        BillRow(
            BillKind.REFUND,
            first.out_trade_no,
            bills.transaction_id(first),
            2000,
            -12,
            NOON_S + 2,
            out_refund_no=number,
            refund_status=RefundStatus.SUCCEEDED,
        ),
    ]


def test_fee_goes_back_with_the_money_to_the_last_fen(bills: BillFixture) -> None:
    bought = bills.buy(NOON_S, amount_fen=850)
    for position in range(10):
        bills.refund(bought, NOON_S + 60 * position, 85, letter="ABCDEFGHIJ"[position])

    fees = [row.fee_fen for row in bills.bill()]

    assert fees[0] == 5
    assert sum(fees) == 0
    assert all(fee in (0, -1) for fee in fees[1:])


def test_each_day_has_its_own_rows_by_the_clock_of_beijing(bills: BillFixture) -> None:
    evening = bills.buy(midnight_s(NEXT_DAY) - 1)
    morning = bills.buy(midnight_s(NEXT_DAY))

    late_s = READY_S + 86400
    days = [bills.bill(day, late_s) for day in (DAY, NEXT_DAY)]

    assert [[row.out_trade_no for row in bill] for bill in days] == [
        [evening.out_trade_no],
        [morning.out_trade_no],
    ]


def test_refund_stands_on_the_day_it_was_accepted_with_the_status_of_the_morning_after(
    bills: BillFixture,
) -> None:
    bought = bills.buy(NOON_S, amount_fen=900)
    quick = bills.refund(bought, NOON_S + 60, 300, "A")
    slow = bills.refund(bought, NOON_S + 120, 200, "B")
    stuck = bills.refund(bought, NOON_S + 180, 100, "C")
    refused = bills.refund(bought, NOON_S + 240, 50, "D")
    bills.settle(quick, midnight_s(NEXT_DAY) + 3600)
    bills.settle(stuck, NOON_S + 300, "ABNORMAL")
    bills.settle(refused, NOON_S + 300, "CLOSED")
    bills.settle(slow, READY_S + 3600)

    late_s = READY_S + 2 * 86400
    on_the_day, on_the_next = bills.bill(DAY, late_s), bills.bill(NEXT_DAY, late_s)

    assert {row.out_refund_no: row.refund_status for row in on_the_day[1:]} == {
        quick: RefundStatus.SUCCEEDED,
        slow: RefundStatus.PROCESSING,
        stuck: RefundStatus.ABNORMAL,
        refused: RefundStatus.CLOSED,
    }
    assert on_the_next == []
    assert bills.pay.query_refund(slow).succeeded_at_s == READY_S + 3600


def test_day_without_trades_has_no_rows(bills: BillFixture) -> None:
    unpaid = order()
    bills.pay.prepay(unpaid, now_s=PAID_AT_S)

    assert bills.bill() == []


@MODES
def test_bill_is_of_this_merchant_alone(bills: BillFixture, partner: bool) -> None:
    bills.open_account(partner=partner)
    bills.buy(NOON_S)
    bills.open_account(partner=partner)

    assert bills.bill() == []


def test_planted_divergence_is_in_a_bill_that_is_believed(bills: BillFixture) -> None:
    bought = bills.buy(NOON_S)
    bills.wechat.bills.edits.append(
        lambda rows: [*rows, rows[0] | {"商户订单号": "nobody's", "公众账号ID": "wxother"}]
    )

    ours, theirs = bills.bill()

    assert (ours.out_trade_no, ours.mismatch) == (bought.out_trade_no, "")
    assert (theirs.out_trade_no, theirs.mismatch) == ("nobody's", "appid")


# What goes wrong


def test_bill_that_is_not_made_yet_is_a_failure_and_no_refusal(bills: BillFixture) -> None:
    bills.buy(NOON_S)

    failure = failure_of(bills, at_s=READY_S - 1)

    assert type(failure) is GatewayFailed
    assert failure.details == {"reason": "STATEMENTCREATING"}
    assert len(bills.bill()) == 1


@pytest.mark.parametrize("days", [0, 1, -91])
def test_bill_of_a_day_that_is_not_over_or_long_past_is_refused(
    bills: BillFixture, days: int
) -> None:
    bills.at(READY_S)
    with pytest.raises(GatewayRefused) as refusal:
        bills.pay.bill(NEXT_DAY + dt.timedelta(days=days))

    assert refusal.value.reason == "INVALIDREQUEST"


@pytest.mark.parametrize(
    ("operation", "kind", "reason"),
    [
        ("bill", "bill_not_ready", "STATEMENTCREATING"),
        ("bill", "server_error", "SYSTEMERROR"),
        ("bill", "rate_limited", "FREQUENCYLIMITED"),
        ("bill", "forged_answer", "signature"),
        ("bill", "lost_answer", "no_answer"),
        ("bill", "bad_hash", "mismatch"),
        ("bill_file", "truncated", "unreadable"),
        ("bill_file", "lost_answer", "no_answer"),
        ("bill_file", "server_error", "http_500"),
        ("bill_file", "rate_limited", "http_429"),
    ],
)
def test_bill_that_goes_wrong_is_a_failure_and_can_be_had_again(
    bills: BillFixture, operation: str, kind: str, reason: str
) -> None:
    bills.buy(NOON_S)
    bills.wechat.faults.add(operation, kind)

    failure = failure_of(bills)

    assert type(failure) is GatewayFailed
    assert failure.details["reason"] == reason
    assert len(bills.bill()) == 1


@pytest.mark.parametrize(("late_s", "rows"), [(299, 1), (300, None)])
def test_link_to_a_bill_is_good_for_five_minutes(
    bills: BillFixture, monkeypatch: pytest.MonkeyPatch, late_s: int, rows: int | None
) -> None:
    bills.buy(NOON_S)
    answer = bills.wechat.gateway.answer

    def answer_late(call: Call) -> Answer | None:
        if call.path == "/v3/billdownload/file":
            bills.clock[0] += late_s
        return answer(call)

    monkeypatch.setattr(bills.wechat.gateway, "answer", answer_late)

    if rows is None:
        assert failure_of(bills).details["reason"] == "http_400"
    else:
        assert len(bills.bill()) == rows


def test_link_to_a_bill_is_good_for_the_merchant_that_asked_for_it(bills: BillFixture) -> None:
    bills.buy(NOON_S)
    bills.at(READY_S)
    asked = {"bill_date": DAY.isoformat(), "tar_type": "GZIP"}
    link = bills.wechat.bills.make(bills.account, asked, bills.wechat.base_url)["download_url"]
    token, owner = link.partition("token=")[2], bills.account.mchid
    bills.open_account()

    with pytest.raises(Refusal) as refused:
        bills.wechat.bills.file(token, bills.account.mchid)

    assert (refused.value.status, refused.value.code) == (403, "NO_AUTH")
    assert bills.wechat.bills.file(token, owner)


def test_file_larger_than_we_hold_is_not_read_to_its_end(
    bills: BillFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bills.buy(NOON_S)
    monkeypatch.setattr(wechat_pay_bills, "FILE_BYTES_MAX", 100)

    assert failure_of(bills).details == {"reason": "too_long"}


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:{elsewhere}/v3/billdownload/file?token=x",
        "{base}@127.0.0.1:{elsewhere}/v3/billdownload/file?token=x",
        "{base}.example.com/v3/billdownload/file?token=x",
        "//127.0.0.1:{elsewhere}/file",
        "file:///etc/hostname",
        "/v3/billdownload/file?token=x",
        "",
    ],
)
def test_address_of_another_host_is_not_asked(bills: BillFixture, address: str) -> None:
    asked: list[Call] = []
    elsewhere = server_that_notes(asked)
    port = elsewhere.base_url.rpartition(":")[2]
    said = {"hash_type": "SHA1", "hash_value": "0" * 40, "download_url": ""}

    with gateway_saying(bills.wechat, bills.account, said) as pay:
        said["download_url"] = address.format(base=pay._client._base_url, elsewhere=port)
        with pytest.raises(GatewayFailed) as failure:
            pay.bill(DAY)

    elsewhere.stop()
    assert (failure.value.details["reason"], failure.value.details["field"]) == (
        "mismatch",
        "download_url",
    )
    assert asked == []


def test_address_that_sends_us_on_is_not_followed(
    bills: BillFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Call] = []
    elsewhere = server_that_notes(asked)
    bills.buy(NOON_S)
    answer = bills.wechat.gateway.answer

    def send_on(call: Call) -> Answer | None:
        if call.path == "/v3/billdownload/file":
            return Answer(302, b"", {"Location": f"{elsewhere.base_url}/file"})
        return answer(call)

    monkeypatch.setattr(bills.wechat.gateway, "answer", send_on)

    failure = failure_of(bills)

    elsewhere.stop()
    assert failure.details == {"reason": "http_302"}
    assert asked == []


def test_digest_of_another_kind_is_not_believed(bills: BillFixture) -> None:
    said = {"hash_type": "MD5", "hash_value": hashlib.md5(b"").hexdigest(), "download_url": ""}

    with (
        gateway_saying(bills.wechat, bills.account, said) as pay,
        pytest.raises(GatewayFailed) as failure,
    ):
        pay.bill(DAY)

    assert failure.value.details == {"reason": "mismatch", "field": "hash_type", "seen": "MD5"}
