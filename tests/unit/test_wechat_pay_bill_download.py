"""A day's bill from the local WeChat Pay's ledger to our rows, and what goes wrong on the way."""

import datetime as dt
import hashlib

import pytest

from chalicelib.domain.beijing import midnight_s
from chalicelib.errors import GatewayFailed
from chalicelib.gateways import wechat_pay_bills
from chalicelib.gateways.payment import BillKind, BillRow, GatewayRefused, RefundStatus
from infra.local.wechat import Wechat
from infra.local.wechat_http import Answer, Refusal, Server
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


class Street:
    """The local WeChat with a clock of its own, and one merchant at it."""

    def __init__(self, wechat, clock):
        self.wechat, self.clock = wechat, clock
        self.account = wechat.new_account(f"merchant-{next(NUMBERS)}")
        self.pay = gateway_of(self.account, wechat)

    def at(self, at_s):
        self.clock[0] = float(at_s)

    def move_in(self, **how):
        self.account = self.wechat.new_account(f"merchant-{next(NUMBERS)}", **how)
        self.pay = gateway_of(self.account, self.wechat)

    def buy(self, at_s, **changes):
        bought = order(**changes)
        self.at(at_s)
        self.pay.prepay(bought, now_s=PAID_AT_S)
        self.wechat.pay(out_trade_no=bought.out_trade_no)
        return bought

    def refund(self, bought, at_s, amount_fen, letter="A"):
        self.at(at_s)
        number = f"{bought.out_trade_no}{letter}"
        self.pay.refund(
            refund_request(
                bought,
                out_refund_no=number,
                amount_fen=amount_fen,
                paid_fen=bought.amount_fen,
            )
        )
        return number

    def settle(self, number, at_s, status="SUCCESS"):
        self.at(at_s)
        self.wechat.settle_refunds(out_refund_no=number, status=status)

    def bill(self, day=DAY, at_s=READY_S):
        self.at(at_s)
        return list(self.pay.bill(day))

    def transaction_id(self, bought):
        return self.wechat.ledger.trade(self.account.mchid, bought.out_trade_no).transaction_id


@pytest.fixture(scope="module")
def clocked():
    clock = [float(NOON_S)]
    wechat = Wechat(now=lambda: clock[0]).start()
    wechat.courier.send = lambda url, headers, body: 204
    wechat.gateway.refund_delay_s = None
    yield wechat, clock
    wechat.stop()


@pytest.fixture
def street(clocked):
    wechat, clock = clocked
    clock[0] = float(NOON_S)
    wechat.faults.clear()
    wechat.bills.edits.clear()
    return Street(wechat, clock)


def failure_of(street, **when):
    with pytest.raises(GatewayFailed) as failure:
        street.bill(**when)
    return failure.value


# What the bill says


@MODES
def test_bill_has_the_days_payments_and_refunds(street, partner):
    street.move_in(partner=partner)
    first = street.buy(NOON_S, amount_fen=5900, description="草莓,现摘`\n")
    second = street.buy(NOON_S + 1, amount_fen=100)
    number = street.refund(first, NOON_S + 2, 2000)
    street.settle(number, NOON_S + 3)

    assert street.bill() == [
        BillRow(
            BillKind.PAYMENT, first.out_trade_no, street.transaction_id(first), 5900, 35, NOON_S
        ),
        BillRow(
            BillKind.PAYMENT, second.out_trade_no, street.transaction_id(second), 100, 1, NOON_S + 1
        ),
        BillRow(
            BillKind.REFUND,
            first.out_trade_no,
            street.transaction_id(first),
            2000,
            -12,
            NOON_S + 2,
            out_refund_no=number,
            refund_status=RefundStatus.SUCCEEDED,
        ),
    ]


def test_fee_goes_back_with_the_money_to_the_last_fen(street):
    bought = street.buy(NOON_S, amount_fen=850)
    for position in range(10):
        street.refund(bought, NOON_S + 60 * position, 85, letter="ABCDEFGHIJ"[position])

    fees = [row.fee_fen for row in street.bill()]

    assert fees[0] == 5
    assert sum(fees) == 0
    assert all(fee in (0, -1) for fee in fees[1:])


def test_each_day_has_its_own_rows_by_the_clock_of_beijing(street):
    evening = street.buy(midnight_s(NEXT_DAY) - 1)
    morning = street.buy(midnight_s(NEXT_DAY))

    late_s = READY_S + 86400
    bills = [street.bill(day, late_s) for day in (DAY, NEXT_DAY)]

    assert [[row.out_trade_no for row in bill] for bill in bills] == [
        [evening.out_trade_no],
        [morning.out_trade_no],
    ]


def test_refund_stands_on_the_day_it_was_accepted_with_the_status_of_the_morning_after(street):
    bought = street.buy(NOON_S, amount_fen=900)
    quick = street.refund(bought, NOON_S + 60, 300, "A")
    slow = street.refund(bought, NOON_S + 120, 200, "B")
    stuck = street.refund(bought, NOON_S + 180, 100, "C")
    refused = street.refund(bought, NOON_S + 240, 50, "D")
    street.settle(quick, midnight_s(NEXT_DAY) + 3600)
    street.settle(stuck, NOON_S + 300, "ABNORMAL")
    street.settle(refused, NOON_S + 300, "CLOSED")
    street.settle(slow, READY_S + 3600)

    late_s = READY_S + 2 * 86400
    on_the_day, on_the_next = street.bill(DAY, late_s), street.bill(NEXT_DAY, late_s)

    assert {row.out_refund_no: row.refund_status for row in on_the_day[1:]} == {
        quick: RefundStatus.SUCCEEDED,
        slow: RefundStatus.PROCESSING,
        stuck: RefundStatus.ABNORMAL,
        refused: RefundStatus.CLOSED,
    }
    assert on_the_next == []
    assert street.pay.query_refund(slow).succeeded_at_s == READY_S + 3600


def test_day_without_trades_has_no_rows(street):
    unpaid = order()
    street.pay.prepay(unpaid, now_s=PAID_AT_S)

    assert street.bill() == []


@MODES
def test_bill_is_of_this_merchant_alone(street, partner):
    street.move_in(partner=partner)
    street.buy(NOON_S)
    street.move_in(partner=partner)

    assert street.bill() == []


def test_planted_divergence_is_in_a_bill_that_is_believed(street):
    bought = street.buy(NOON_S)
    street.wechat.bills.edits.append(
        lambda rows: [*rows, rows[0] | {"商户订单号": "nobody's", "公众账号ID": "wxother"}]
    )

    ours, theirs = street.bill()

    assert (ours.out_trade_no, ours.mismatch) == (bought.out_trade_no, "")
    assert (theirs.out_trade_no, theirs.mismatch) == ("nobody's", "appid")


# What goes wrong


def test_bill_that_is_not_made_yet_is_a_failure_and_no_refusal(street):
    street.buy(NOON_S)

    failure = failure_of(street, at_s=READY_S - 1)

    assert type(failure) is GatewayFailed
    assert failure.details == {"reason": "STATEMENTCREATING"}
    assert len(street.bill()) == 1


@pytest.mark.parametrize("days", [0, 1, -91])
def test_bill_of_a_day_that_is_not_over_or_long_past_is_refused(street, days):
    street.at(READY_S)
    with pytest.raises(GatewayRefused) as refusal:
        street.pay.bill(NEXT_DAY + dt.timedelta(days=days))

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
def test_bill_that_goes_wrong_is_a_failure_and_can_be_had_again(street, operation, kind, reason):
    street.buy(NOON_S)
    street.wechat.faults.add(operation, kind)

    failure = failure_of(street)

    assert type(failure) is GatewayFailed
    assert failure.details["reason"] == reason
    assert len(street.bill()) == 1


def test_file_larger_than_we_hold_is_not_read_to_its_end(street, monkeypatch):
    street.buy(NOON_S)
    monkeypatch.setattr(wechat_pay_bills, "FILE_BYTES_MAX", 100)

    assert failure_of(street).details == {"reason": "too_long"}


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
def test_address_of_another_host_is_not_asked(street, address):
    asked = []
    elsewhere = Server(lambda call: asked.append(call) or Answer(200, b""))
    elsewhere.start()
    port = elsewhere.base_url.rpartition(":")[2]
    said = {"hash_type": "SHA1", "hash_value": "0" * 40, "download_url": ""}

    with gateway_saying(street.wechat, street.account, said) as pay:
        said["download_url"] = address.format(base=pay._client._base_url, elsewhere=port)
        with pytest.raises(GatewayFailed) as failure:
            pay.bill(DAY)

    elsewhere.stop()
    assert (failure.value.details["reason"], failure.value.details["field"]) == (
        "mismatch",
        "download_url",
    )
    assert asked == []


def test_address_that_sends_us_on_is_not_followed(street):
    asked = []
    elsewhere = Server(lambda call: asked.append(call) or Answer(200, b""))
    elsewhere.start()
    street.buy(NOON_S)
    street.wechat.gateway.answer, answer = (
        lambda call: (
            Answer(302, b"", {"Location": f"{elsewhere.base_url}/file"})
            if call.path == "/v3/billdownload/file"
            else answer(call)
        ),
        street.wechat.gateway.answer,
    )

    failure = failure_of(street)

    del street.wechat.gateway.answer
    elsewhere.stop()
    assert failure.details == {"reason": "http_302"}
    assert asked == []


def test_digest_of_another_kind_is_not_believed(street):
    said = {"hash_type": "MD5", "hash_value": hashlib.md5(b"").hexdigest(), "download_url": ""}

    with (
        gateway_saying(street.wechat, street.account, said) as pay,
        pytest.raises(GatewayFailed) as failure,
    ):
        pay.bill(DAY)

    assert failure.value.details == {"reason": "mismatch", "field": "hash_type", "seen": "MD5"}


# The local counterpart's own rules


def test_link_is_good_for_five_minutes_and_for_who_asked(street):
    street.buy(NOON_S)
    street.at(READY_S)
    bills, account = street.wechat.bills, street.account
    query = {"bill_date": DAY.isoformat(), "tar_type": "GZIP"}
    token = bills.make(account, query, "")["download_url"].partition("token=")[2]

    assert bills.file(token, account.mchid)
    with pytest.raises(Refusal, match="NO_AUTH"):
        bills.file(token, "1")
    street.at(READY_S + 300)
    with pytest.raises(Refusal, match="INVALID_REQUEST"):
        bills.file(token, account.mchid)
