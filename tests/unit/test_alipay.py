"""The Alipay wrapper against the local counterpart, over loopback."""

import datetime as dt
import io
import itertools
import json
import time
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from chalicelib import clock
from chalicelib.domain.beijing import BEIJING, day_of, midnight_s
from chalicelib.errors import AuthCodeRefused, GatewayFailed, InvalidRequest
from chalicelib.gateways import directory, plain_http, secrets
from chalicelib.gateways.alipay import Alipay
from chalicelib.gateways.alipay_bills import rows_of
from chalicelib.gateways.alipay_client import AlipayClient
from chalicelib.gateways.alipay_keys import AlipayAccount, AlipayKeys
from chalicelib.gateways.alipay_statements import fen, signed_fen, yuan
from chalicelib.gateways.disbelief import Disbelieved
from chalicelib.gateways.payment import (
    BillKind,
    BillRow,
    CallbackRefused,
    GatewayRefused,
    Prepay,
    Refund,
    RefundRequest,
    RefundStatus,
    Trade,
    TradeStatus,
)
from infra.local import alipay_views
from infra.local.alipay import Alipay as LocalAlipay
from infra.local.alipay_keys import Refused, sign, signed_text
from infra.local.wechat_http import Answer, Call, Server
from infra.local.wechat_keys import key_pair

NUMBERS = itertools.count(1)
PRICE_FEN = 1990
NOWHERE = "http://127.0.0.1:9/gateway.do"  # the discard port: what is sent there is not answered
NOTIFY_URL = "http://127.0.0.1/callbacks/alipay"


@pytest.fixture(scope="module")
def alipay():
    counterpart = LocalAlipay().start()
    yield counterpart
    counterpart.stop()


@pytest.fixture
def sent(alipay):
    """The notifies that the counterpart sends, as (url, headers, body); each is accepted."""
    posts = []

    def accept(url, headers, body):
        posts.append((url, headers, body))
        return 200

    alipay.faults.clear()
    alipay.courier.send = accept
    yield posts
    alipay.faults.clear()
    assert alipay.quiet()


@pytest.fixture
def account(alipay, sent):
    """A merchant of its own for each test; `sent` comes first, so nothing leaves the process."""
    return alipay.new_account(f"merchant-{next(NUMBERS)}")


@pytest.fixture
def pay(alipay, account):
    return gateway_of(account, alipay.gateway_url)


def gateway_of(account, url, **changes):
    return Alipay(replace(AlipayAccount.from_secret(account.alipay), **changes), url)


def order(**changes):
    """A prepay of a number never used before."""
    defaults = {
        "out_trade_no": f"{next(NUMBERS):032d}",
        "amount_fen": PRICE_FEN,
        "description": "阳光玫瑰葡萄 2 斤",
        "payer": "",
        "attach": "g1",
        "expires_at_s": now_s() + 600,
        "notify_url": NOTIFY_URL,
    }
    return Prepay(**(defaults | changes))


def paid(alipay, pay, **changes):
    """An order that its buyer has paid; the notify is out."""
    bought = order(**changes)
    asked = pay.prepay(bought, now_s=now_s())
    alipay.pay(**asked)
    assert alipay.quiet()
    return bought


def refund_request(bought, **changes):
    request = RefundRequest(
        out_trade_no=bought.out_trade_no,
        out_refund_no=f"{bought.out_trade_no}F",
        amount_fen=PRICE_FEN,
        paid_fen=PRICE_FEN,
        reason="拼团未成功",
        notify_url=NOTIFY_URL,
    )
    return replace(request, **changes)


def now_s():
    return int(time.time())


def ledger_of(alipay, bought):
    [trade] = alipay.ledger.summaries(bought.out_trade_no)
    return {key: trade[key] for key in ("captured_fen", "refunded_fen", "refunding_fen")}


def refused(pay, body):
    """The details with which the notify is refused."""
    with pytest.raises(CallbackRefused) as refusal:
        pay.read_callback({}, body, now_s=now_s())
    return refusal.value.details


def told(alipay, account, **changes):
    """The body of a notify of a paid trade, rightly signed whatever it says."""
    fields = {
        "app_id": account.app_id,
        "seller_id": account.mchid,
        "out_trade_no": "1" * 32,
        "trade_no": "2026112222001",
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "19.90",
        "gmt_payment": "2027-01-15 16:00:00",
        "passback_params": "g1",
    }
    return alipay.courier.form(
        {name: value for name, value in (fields | changes).items() if value is not None}
    )


@contextmanager
def gateway_saying(alipay, account, content, *, name="alipay_trade_query_response", signature=None):
    """The account at a gateway whose every answer has this text in it (bytes as they are, else
    as JSON), rightly signed unless another signature is given."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    proof = sign(alipay.platform, text) if signature is None else signature
    body = b'{"%s":%s,"sign":"%s"}' % (name.encode(), text, proof.encode())
    with gateway_answering(account, Answer(200, body)) as pay:
        yield pay


@contextmanager
def gateway_answering(account, answer):
    server = Server(lambda call: answer)
    server.start()
    try:
        yield gateway_of(account, f"{server.base_url}/gateway.do")
    finally:
        server.stop()


def statement(**changes):
    """A paid trade, as the answer of a query."""
    said = {
        "code": "10000",
        "out_trade_no": "1" * 32,
        "trade_no": "2026112222001",
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "19.90",
        "send_pay_date": "2027-01-15 16:00:00",
    }
    return said | changes


def failure_of(call):
    """The details of what is a failure and no refusal."""
    with pytest.raises(GatewayFailed) as failure:
        call()
    assert type(failure.value) is GatewayFailed
    return failure.value.details


def refusal_of(call):
    with pytest.raises(GatewayRefused) as refusal:
        call()
    return refusal.value.reason


# Prepay


def test_prepay_without_a_payer_is_the_signed_address_of_a_page(alipay, account, pay):
    bought = order(expires_at_s=1_900_000_000, description="草莓/葡萄=2&3,斤")

    asked = pay.prepay(bought, now_s=now_s())

    address = urlsplit(asked["url"])
    fields = dict(parse_qsl(address.query, strict_parsing=True))
    assert f"{address.scheme}://{address.netloc}{address.path}" == alipay.gateway_url
    assert (fields["app_id"], fields["method"]) == (account.app_id, "alipay.trade.wap.pay")
    assert (fields["notify_url"], fields["sign_type"]) == (NOTIFY_URL, "RSA2")
    page = "https://shop.example.com/#/pages/order/order"
    assert fields["return_url"] == f"{page}?id={bought.out_trade_no[:30]}"
    assert json.loads(fields["biz_content"]) == {
        "out_trade_no": bought.out_trade_no,
        "total_amount": "19.90",
        "subject": "草莓 葡萄 2 3 斤",
        "seller_id": account.mchid,
        "time_expire": "2030-03-18 01:46:40",  # in Beijing
        "passback_params": "g1",
        "product_code": "QUICK_WAP_WAY",
    }


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Shanghai"])
def test_requests_carry_the_time_of_beijing_in_every_zone(pay, monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    monkeypatch.setattr(clock, "now_s", lambda: 1_900_000_000)
    keys, account = pay._keys, pay._account

    address = AlipayClient(account.app_id, keys, NOWHERE).address("alipay.trade.wap.pay", {})

    monkeypatch.undo()
    time.tzset()
    assert parse_qs(urlsplit(address).query)["timestamp"] == ["2030-03-18 01:46:40"]


def test_trade_exists_only_from_when_the_buyer_opens_the_page(alipay, pay):
    bought = order()
    asked = pay.prepay(bought, now_s=now_s())
    before = pay.query(bought.out_trade_no)

    alipay.open(asked["url"])

    assert before == Trade(bought.out_trade_no, TradeStatus.UNKNOWN)
    assert pay.query(bought.out_trade_no).status is TradeStatus.UNPAID


def test_page_over_http_takes_the_money_and_leads_back_to_the_shop(alipay, pay, sent):
    bought = order()
    asked = pay.prepay(bought, now_s=now_s())

    page = plain_http.call("GET", asked["url"], headers={}, bytes_max=10_000).decode()
    button = page.partition('action="')[2].partition('"')[0]
    with pytest.raises(GatewayFailed) as redirected:
        plain_http.call("POST", alipay.base_url + button, headers={}, bytes_max=10_000)

    assert "¥19.90" in page
    assert redirected.value.details == {"reason": "http_303"}
    assert pay.query(bought.out_trade_no).status is TradeStatus.SUCCEEDED


def test_prepay_with_a_payer_makes_the_trade_at_once(alipay, pay):
    bought = order(payer="open-id-of-xiaoming")

    first, second = (pay.prepay(bought, now_s=now_s()) for _ in range(2))

    assert list(first) == ["trade_no"]
    assert first == second
    assert pay.query(bought.out_trade_no).status is TradeStatus.UNPAID
    assert alipay.pay(**first).order["buyer_open_id"] == "open-id-of-xiaoming"


@pytest.mark.parametrize("payer", ["", "open-id"])
def test_prepay_of_a_paid_order_is_refused_as_paid(alipay, pay, payer):
    bought = paid(alipay, pay, payer=payer)

    assert refusal_of(lambda: pay.prepay(bought, now_s=now_s())) == "ACQ.TRADE_HAS_SUCCESS"


@pytest.mark.parametrize("payer", ["", "open-id"])
def test_prepay_of_a_closed_order_is_refused_as_closed(alipay, pay, payer):
    bought = order(payer=payer)
    asked = pay.prepay(bought, now_s=now_s())
    if not payer:
        alipay.open(asked["url"])
    pay.close(bought.out_trade_no)

    assert refusal_of(lambda: pay.prepay(bought, now_s=now_s())) == "ACQ.TRADE_HAS_CLOSE"


def test_prepay_of_a_known_number_with_another_amount_is_refused(pay):
    bought = order(payer="open-id")
    pay.prepay(bought, now_s=now_s())

    changed = replace(bought, amount_fen=1)

    assert refusal_of(lambda: pay.prepay(changed, now_s=now_s())) == "ACQ.CONTEXT_INCONSISTENT"


@pytest.mark.parametrize(
    "tamper",
    [
        lambda fields: fields | {"biz_content": fields["biz_content"].replace("19.90", "0.01")},
        lambda fields: fields | {"notify_url": "https://elsewhere.example.com"},
        lambda fields: fields | {"app_id": "2021000000000000"},
    ],
)
def test_address_that_was_changed_on_its_way_opens_no_page(alipay, pay, tamper):
    bought = order()
    address, _, query = pay.prepay(bought, now_s=now_s())["url"].partition("?")

    with pytest.raises(Refused):
        alipay.open(f"{address}?{urlencode(tamper(dict(parse_qsl(query))))}")

    assert alipay.ledger.summaries(bought.out_trade_no) == []


def test_address_cannot_be_paid_when_its_time_is_over(alipay, pay):
    bought = order(expires_at_s=now_s() + 60)
    asked = pay.prepay(bought, now_s=now_s())

    with pytest.raises(Refused) as refusal:
        alipay.pay(**asked, paid_at=bought.expires_at_s)

    assert refusal.value.sub_code == "ACQ.TRADE_HAS_CLOSE"
    assert pay.query(bought.out_trade_no).status is TradeStatus.CLOSED


def test_request_signed_by_another_key_is_refused(alipay, account):
    other = pkcs1_pem("stranger")

    pay = gateway_of(account, alipay.gateway_url, private_key=other)

    assert refusal_of(lambda: pay.query("1" * 32)) == "isv.invalid-signature"


def pkcs1_pem(name):
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    kind = serialization.PrivateFormat.TraditionalOpenSSL
    return key_pair(name).private_bytes(pem, kind, plain).decode()


# Query and close


def test_query_follows_a_trade_from_unpaid_to_refunded(alipay, pay):
    bought = order(payer="open-id")
    pay.prepay(bought, now_s=now_s())
    unpaid = pay.query(bought.out_trade_no)
    at_s = now_s()
    trade = alipay.pay(out_trade_no=bought.out_trade_no, paid_at=at_s)
    succeeded = pay.query(bought.out_trade_no)
    pay.refund(refund_request(bought))

    assert unpaid.status is TradeStatus.UNPAID
    assert succeeded == Trade(
        out_trade_no=bought.out_trade_no,
        status=TradeStatus.SUCCEEDED,
        amount_fen=PRICE_FEN,
        transaction_id=trade.trade_no,
        paid_at_s=at_s,
    )
    assert trade.trade_state == "TRADE_CLOSED"
    assert pay.query(bought.out_trade_no) == succeeded  # refunding does not uncapture it


@pytest.mark.parametrize(
    ("state", "paid_at", "status"),
    [
        ("WAIT_BUYER_PAY", "", TradeStatus.UNPAID),
        ("TRADE_SUCCESS", "2027-01-15 16:00:00", TradeStatus.SUCCEEDED),
        ("TRADE_FINISHED", "2027-01-15 16:00:00", TradeStatus.SUCCEEDED),
        ("TRADE_CLOSED", "", TradeStatus.CLOSED),
        ("TRADE_CLOSED", "2027-01-15 16:00:00", TradeStatus.SUCCEEDED),
    ],
)
def test_every_trade_state_has_its_status(alipay, account, state, paid_at, status):
    said = statement(trade_status=state, send_pay_date=paid_at)

    with gateway_saying(alipay, account, said) as pay:
        trade = pay.query("1" * 32)

    assert trade.status is status
    assert trade.paid_at_s == (1_800_000_000 if status is TradeStatus.SUCCEEDED else 0)


def test_closed_trade_stays_closed_however_often_it_is_closed(pay):
    bought = order(payer="open-id")
    pay.prepay(bought, now_s=now_s())

    pay.close(bought.out_trade_no)
    pay.close(bought.out_trade_no)

    assert pay.query(bought.out_trade_no).status is TradeStatus.CLOSED


def test_closing_what_nobody_opened_is_done(pay):
    pay.close("9" * 32)

    assert pay.query("9" * 32).status is TradeStatus.UNKNOWN


def test_paid_trade_cannot_be_closed(alipay, pay):
    bought = paid(alipay, pay)

    assert refusal_of(lambda: pay.close(bought.out_trade_no)) == "ACQ.TRADE_STATUS_ERROR"
    assert pay.query(bought.out_trade_no).status is TradeStatus.SUCCEEDED


# Refunds


def test_refund_is_confirmed_by_its_answer(alipay, pay):
    bought = paid(alipay, pay)

    asked = pay.refund(refund_request(bought))

    number = f"{bought.out_trade_no}F"
    assert asked == Refund(
        number, RefundStatus.SUCCEEDED, PRICE_FEN, succeeded_at_s=asked.succeeded_at_s
    )
    assert abs(asked.succeeded_at_s - now_s()) <= 2
    assert pay.query_refund(number) == asked
    assert ledger_of(alipay, bought) == {
        "captured_fen": 1990,
        "refunded_fen": 1990,
        "refunding_fen": 0,
    }


def test_same_refund_number_twice_is_one_refund(alipay, pay):
    bought = paid(alipay, pay)
    request = refund_request(bought, amount_fen=1000)

    first, second = pay.refund(request), pay.refund(request)

    assert first == second
    assert ledger_of(alipay, bought)["refunded_fen"] == 1000


def test_refund_that_moved_nothing_yet_is_processing_until_a_query_says_more(alipay, pay):
    bought = paid(alipay, pay)
    alipay.faults.add("refund", "stays_processing")

    asked = pay.refund(refund_request(bought))
    before = pay.query_refund(asked.out_refund_no)
    alipay.settle_refunds(out_refund_no=asked.out_refund_no)

    number = f"{bought.out_trade_no}F"
    assert asked == Refund(number, RefundStatus.PROCESSING, PRICE_FEN)
    assert before == Refund(number, RefundStatus.PROCESSING, PRICE_FEN, "REFUND_PROCESSING")
    assert pay.query_refund(number).status is RefundStatus.SUCCEEDED


def test_refund_that_failed_is_unknown_and_can_be_asked_for_again(alipay, pay):
    bought = paid(alipay, pay)
    alipay.faults.add("refund", "stays_processing")
    number = pay.refund(refund_request(bought)).out_refund_no
    alipay.settle_refunds(out_refund_no=number, status="CLOSED")

    assert pay.query_refund(number) == Refund(number, RefundStatus.UNKNOWN)
    assert pay.refund(refund_request(bought)).status is RefundStatus.SUCCEEDED
    assert ledger_of(alipay, bought)["refunded_fen"] == PRICE_FEN


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount_fen": 991, "out_refund_no": "2" * 33}, "ACQ.REASON_TRADE_REFUND_FEE_ERR"),
        ({"amount_fen": 999}, "ACQ.DISCORDANT_REPEAT_REQUEST"),
        ({"out_trade_no": "9" * 32}, "ACQ.TRADE_NOT_EXIST"),
    ],
)
def test_refund_that_is_not_covered_is_refused(alipay, pay, changes, reason):
    bought = paid(alipay, pay)
    pay.refund(refund_request(bought, amount_fen=1000))

    assert refusal_of(lambda: pay.refund(refund_request(bought, **changes))) == reason
    assert ledger_of(alipay, bought)["refunded_fen"] == 1000


def test_refund_waits_for_balance_under_the_same_number(alipay, account, pay):
    bought = paid(alipay, pay)
    alipay.ledger.balances[account.mchid] = PRICE_FEN - 1

    reason = refusal_of(lambda: pay.refund(refund_request(bought)))

    assert reason == "ACQ.SELLER_BALANCE_NOT_ENOUGH"
    assert pay.query_refund(f"{bought.out_trade_no}F").status is RefundStatus.UNKNOWN
    alipay.ledger.balances[account.mchid] = PRICE_FEN
    assert pay.refund(refund_request(bought)).status is RefundStatus.SUCCEEDED
    assert alipay.ledger.balances[account.mchid] == 0


def test_refund_never_asked_for_is_unknown(alipay, pay):
    bought = paid(alipay, pay)

    for number in ("9" * 33, f"{bought.out_trade_no}F"):
        assert pay.query_refund(number) == Refund(number, RefundStatus.UNKNOWN)


@pytest.mark.parametrize(
    ("said", "details"),
    [
        ({"out_request_no": "2"}, {"reason": "mismatch", "field": "out_request_no", "seen": "2"}),
        ({"out_trade_no": "2"}, {"reason": "mismatch", "field": "out_trade_no", "seen": "2"}),
        ({"refund_amount": ""}, {"reason": "unreadable", "field": "refund_amount"}),
        (
            {"refund_status": "MAYBE"},
            {"reason": "unknown_state", "field": "refund_status", "seen": "MAYBE"},
        ),
    ],
)
def test_signed_answer_about_another_refund_is_a_failure(alipay, account, said, details):
    refund = {
        "code": "10000",
        "out_trade_no": "1" * 32,
        "out_request_no": "1" * 32 + "F",
        "refund_amount": "19.90",
        "refund_status": "REFUND_SUCCESS",
    }
    name = "alipay_trade_fastpay_refund_query_response"

    with gateway_saying(alipay, account, refund | said, name=name) as pay:
        assert failure_of(lambda: pay.query_refund("1" * 32 + "F")) == details


@pytest.mark.parametrize("operation", ["create", "refund"])
def test_signed_answer_about_another_order_is_a_failure(alipay, account, operation):
    asked = order(out_trade_no="1" * 32, payer="open-id")
    said = {"code": "10000", "out_trade_no": "2" * 32, "trade_no": "2026112222001"}
    done = {"fund_change": "Y", "gmt_refund_pay": "2026-11-22 12:00:00"}
    calls = {
        "create": lambda pay: pay.prepay(asked, now_s=now_s()),
        "refund": lambda pay: pay.refund(refund_request(asked)),
    }

    with gateway_saying(
        alipay, account, said | done, name=f"alipay_trade_{operation}_response"
    ) as pay:
        details = failure_of(lambda: calls[operation](pay))

    assert details == {"reason": "mismatch", "field": "out_trade_no", "seen": "2" * 32}


def test_refund_that_was_made_before_with_another_amount_is_a_failure(alipay, account):
    asked = refund_request(order(out_trade_no="1" * 32))
    said = {
        "code": "10000",
        "out_trade_no": asked.out_trade_no,
        "fund_change": "N",
        "out_request_no": asked.out_refund_no,
        "refund_amount": "9.90",
        "refund_status": "REFUND_SUCCESS",
        "gmt_refund_pay": "2026-11-22 12:00:00",
    }
    text = json.dumps(said)
    body = (
        f'{{"alipay_trade_refund_response":{text},'
        f'"alipay_trade_fastpay_refund_query_response":{text},'
        f'"sign":"{sign(alipay.platform, text.encode())}"}}'
    )

    with gateway_answering(account, Answer(200, body.encode())) as pay:
        details = failure_of(lambda: pay.refund(asked))

    assert details == {"reason": "mismatch", "field": "refund_amount", "seen": "990"}


# Answers that do not come, or are not to be believed


@pytest.mark.parametrize("kind", ["server_error", "rate_limited", "forged_answer", "lost_answer"])
@pytest.mark.parametrize("operation", ["prepay", "query", "close", "refund", "query_refund"])
def test_unknown_outcome_is_a_failure_and_no_refusal(alipay, pay, operation, kind):
    bought = paid(alipay, pay) if "refund" in operation else order(payer="open-id")
    if "refund" not in operation:
        pay.prepay(bought, now_s=now_s())
    if operation == "query_refund":
        pay.refund(refund_request(bought))
    calls = {
        "prepay": lambda: pay.prepay(bought, now_s=now_s()),
        "query": lambda: pay.query(bought.out_trade_no),
        "close": lambda: pay.close(bought.out_trade_no),
        "refund": lambda: pay.refund(refund_request(bought)),
        "query_refund": lambda: pay.query_refund(f"{bought.out_trade_no}F"),
    }
    alipay.faults.add(operation, kind)

    details = failure_of(calls[operation])

    reasons = {
        "server_error": "aop.ACQ.SYSTEM_ERROR",
        "rate_limited": "isv.app-call-limited",
        "forged_answer": "signature",
        "lost_answer": "no_answer",
    }
    assert details["reason"] == reasons[kind]
    calls[operation]()  # and the same again succeeds


def test_refund_whose_answer_was_lost_happened_once(alipay, pay):
    bought = paid(alipay, pay)
    alipay.faults.add("refund", "lost_answer", times=2)

    for _ in range(2):
        assert failure_of(lambda: pay.refund(refund_request(bought))) == {"reason": "no_answer"}

    assert pay.refund(refund_request(bought)).status is RefundStatus.SUCCEEDED
    assert ledger_of(alipay, bought)["refunded_fen"] == PRICE_FEN


def test_slow_answer_is_not_waited_for(alipay, pay, monkeypatch):
    monkeypatch.setattr(plain_http, "READ_TIMEOUT_S", 0.1)
    alipay.faults.add("query", "slow", seconds=0.3)

    assert failure_of(lambda: pay.query("1" * 32)) == {"reason": "no_answer"}


def test_gateway_that_is_away_is_a_failure(account):
    pay = gateway_of(account, NOWHERE)

    assert failure_of(lambda: pay.query("1" * 32)) == {"reason": "no_answer"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(500), "http_500"),
        (Answer(302, b"", {"Location": "http://127.0.0.1:9/"}), "http_302"),
        (Answer(200, b"<html>"), "unreadable"),
        (Answer(200, b"[]"), "unreadable"),
        (Answer(200, b"\xff"), "unreadable"),
        (Answer(200, b"{}"), "incomplete"),
        (Answer(200, b'{"sign":"x"}'), "incomplete"),
        (Answer(200, b"[" * 100_000), "unreadable"),
        (Answer(200, b" " * (1024 * 1024 + 1)), "too_long"),
    ],
)
def test_answer_that_alipay_did_not_write_is_a_failure(account, answer, reason):
    with gateway_answering(account, answer) as pay:
        assert failure_of(lambda: pay.query("1" * 32))["reason"] == reason


@pytest.mark.parametrize(
    "text",
    [
        '{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}',
        '{"code":"10000","out_trade_no":"11111111111111111111111111111111",'
        '"trade_status":"TRADE_CLOSED","total_amount":"19.90"}',
    ],
)
@pytest.mark.parametrize("signature", ["", "AAAA", "签名", "bm90IGEgc2lnbmF0dXJl"])
def test_answer_without_alipays_signature_is_a_failure_whatever_it_says(
    alipay, account, text, signature
):
    with gateway_saying(alipay, account, text.encode(), signature=signature) as pay:
        reason = failure_of(lambda: pay.query("1" * 32))["reason"]

    assert reason == ("signature" if signature else "unsigned")


def test_error_without_a_signature_is_a_failure_and_no_refusal(account):
    body = b'{"error_response":{"code":"40002","sub_code":"isv.code-invalid"}}'

    with gateway_answering(account, Answer(200, body)) as pay:
        assert failure_of(lambda: pay.payer_of("code"))["reason"] == "unsigned"


def test_answer_signed_by_another_key_is_a_failure(alipay, account):
    text = json.dumps(statement()).encode()

    with gateway_saying(alipay, account, text, signature=sign(key_pair("merchant"), text)) as pay:
        assert failure_of(lambda: pay.query("1" * 32))["reason"] == "signature"


@pytest.mark.parametrize(
    "text",
    [
        b'{"code":"10000","msg":"}","out_trade_no":"%s","trade_status":"WAIT_BUYER_PAY",'
        b'"total_amount":"19.90"}',
        b'{"code":"10000","msg":"{\\"}{{","out_trade_no":"%s","trade_status":"WAIT_BUYER_PAY",'
        b'"total_amount":"19.90"}',
        b'{ "code" : "10000" ,\n "buyer": {"a":["}"]}, "out_trade_no":"%s",'
        b'"trade_status":"WAIT_BUYER_PAY","total_amount":"19.90" }',
        '{"code":"10000","msg":"成功\\/ok","out_trade_no":"%s","trade_status":"WAIT_BUYER_PAY",'
        '"total_amount":"19.90"}'.encode(),
    ],
)
def test_signed_text_is_found_whatever_its_strings_hold(alipay, account, text):
    with gateway_saying(alipay, account, text % (b"1" * 32)) as pay:
        assert pay.query("1" * 32).status is TradeStatus.UNPAID


def test_what_is_read_is_what_was_signed_although_the_name_comes_twice(alipay, account):
    good, bad = json.dumps(statement()).encode(), json.dumps(statement(trade_no="forged")).encode()
    name, proof = b"alipay_trade_query_response", sign(alipay.platform, good).encode()
    bodies = [
        b'{"%s":%s,"%s":%s,"sign":"%s"}' % (name, first, name, second, proof)
        for first, second in ((good, bad), (bad, good))
    ]

    seen = []
    for body in bodies:
        with gateway_answering(account, Answer(200, body)) as pay:
            try:
                seen.append(pay.query("1" * 32).transaction_id)
            except GatewayFailed as failure:
                seen.append(failure.details["reason"])

    assert seen == ["signature", "2026112222001"]


@pytest.mark.parametrize(
    ("said", "details"),
    [
        ({"out_trade_no": "2"}, {"reason": "mismatch", "field": "out_trade_no", "seen": "2"}),
        ({"trade_no": ""}, {"reason": "incomplete", "field": "trade_no"}),
        ({"send_pay_date": ""}, {"reason": "incomplete", "field": "send_pay_date"}),
        (
            {"trade_status": "MAYBE"},
            {"reason": "unknown_state", "field": "trade_status", "seen": "MAYBE"},
        ),
        (
            {"send_pay_date": "yesterday"},
            {"reason": "unreadable", "field": "send_pay_date", "seen": "yesterday"},
        ),
        ({"total_amount": 19.9}, {"reason": "unreadable", "field": "TradeAnswer"}),
        (
            {"total_amount": "1e2"},
            {"reason": "unreadable", "field": "total_amount", "seen": "1e2"},
        ),
        ({"code": ""}, {"reason": "no_code"}),
    ],
)
def test_signed_answer_that_cannot_be_is_a_failure(alipay, account, said, details):
    with gateway_saying(alipay, account, statement(**said)) as pay:
        assert failure_of(lambda: pay.query("1" * 32)) == details


@pytest.mark.parametrize(
    ("code", "sub_code"),
    [
        ("20000", "isp.unknow-error"),
        ("20000", ""),
        ("40004", "ACQ.SYSTEM_ERROR"),
        ("40004", "aop.ACQ.SYSTEM_ERROR"),
        ("40004", "isp.unknow-error"),
        ("40005", "isv.app-call-limited"),
        ("10003", ""),
        ("99999", "anything"),
    ],
)
def test_code_that_asks_for_another_try_is_a_failure(alipay, account, code, sub_code):
    said = {"code": code, "sub_code": sub_code}

    with gateway_saying(alipay, account, said, name="alipay_trade_close_response") as pay:
        assert failure_of(lambda: pay.close("1" * 32)) == {"reason": sub_code or code}


@pytest.mark.parametrize(
    ("code", "sub_code"),
    [
        ("40004", "ACQ.INVALID_PARAMETER"),
        ("40002", "isv.invalid-signature"),
        ("40006", "isv.insufficient-isv-permissions"),
        ("20001", "aop.invalid-auth-token"),
    ],
)
def test_code_that_says_no_is_a_refusal_with_its_reason(alipay, account, code, sub_code):
    said = {"code": code, "sub_code": sub_code, "sub_msg": "不行"}

    with gateway_saying(alipay, account, said, name="alipay_trade_close_response") as pay:
        assert refusal_of(lambda: pay.close("1" * 32)) == sub_code


# Amounts


@pytest.mark.parametrize(
    ("text", "amount_fen"),
    [("0.01", 1), ("19.90", 1990), ("19.9", 1990), ("88", 8800), ("99999999.99", 9_999_999_999)],
)
def test_yuan_become_fen_by_their_digits(text, amount_fen):
    assert fen("total_amount", text) == amount_fen


def test_every_amount_comes_back_as_it_went():
    for amount_fen in (*range(1, 300), 2_899, 100_000_000, 1_109):
        assert fen("total_amount", yuan(amount_fen)) == amount_fen


@pytest.mark.parametrize(
    "text",
    ["", ".5", "1.", "1.999", "-1.00", "+1.00", "1e2", "1,000.00", " 1.00", "1.00\n", "１.00"],
)
def test_amount_that_is_no_exact_number_of_fen_is_not_believed(text):
    with pytest.raises(Disbelieved) as why:
        fen("total_amount", text)

    assert why.value.details["field"] == "total_amount"


def test_amounts_of_bills_may_be_below_nothing():
    assert (signed_fen("x", "-19.90"), signed_fen("x", "0.12")) == (-1990, 12)
    with pytest.raises(Disbelieved):
        signed_fen("x", "--1.00")


# Notifies


def test_notify_tells_what_the_query_tells(alipay, pay, sent):
    bought = paid(alipay, pay, attach="g 1&m=2/二")

    [(url, headers, body)] = sent
    said = pay.read_callback(headers, body, now_s=now_s())

    assert url == NOTIFY_URL
    assert headers["Content-Type"] == "application/x-www-form-urlencoded; charset=utf-8"
    assert said == replace(pay.query(bought.out_trade_no), attach="g 1&m=2/二")
    assert said.status is TradeStatus.SUCCEEDED


@pytest.mark.parametrize("amount_fen", [1, PRICE_FEN])
def test_notify_of_a_refund_is_a_statement_about_a_captured_trade(alipay, pay, sent, amount_fen):
    bought = paid(alipay, pay)
    before = pay.read_callback({}, sent[-1][2], now_s=now_s())
    pay.refund(refund_request(bought, amount_fen=amount_fen))
    assert alipay.quiet()

    body = sent[-1][2]

    fields = dict(parse_qsl(body.decode()))
    whole = amount_fen == PRICE_FEN
    assert fields["trade_status"] == ("TRADE_CLOSED" if whole else "TRADE_SUCCESS")
    assert fields["out_biz_no"] == f"{bought.out_trade_no}F"
    assert pay.read_callback({}, body, now_s=now_s()) == before


@pytest.mark.parametrize(
    ("state", "paid_at", "status"),
    [
        ("WAIT_BUYER_PAY", None, TradeStatus.UNPAID),
        ("TRADE_FINISHED", "2027-01-15 16:00:00", TradeStatus.SUCCEEDED),
        ("TRADE_CLOSED", None, TradeStatus.CLOSED),
    ],
)
def test_notify_of_every_state_has_its_status(alipay, account, pay, state, paid_at, status):
    body = told(alipay, account, trade_status=state, gmt_payment=paid_at)

    assert pay.read_callback({}, body, now_s=now_s()).status is status


def resigned(body, key_name):
    """The same fields, signed by another key."""
    fields = dict(parse_qsl(body.decode()))
    signature = sign(key_pair(key_name), signed_text(fields, "sign", "sign_type"))
    return urlencode(fields | {"sign": signature}).encode()


@pytest.mark.parametrize(
    ("tamper", "details"),
    [
        (
            lambda body: body.replace(b"19.90", b"0.01"),
            {"reason": "signature", "field": "sign"},
        ),
        (lambda body: body + b"&more=1", {"reason": "signature", "field": "sign"}),
        (lambda body: resigned(body, "merchant"), {"reason": "signature", "field": "sign"}),
        (
            lambda body: body.replace(b"sign=", b"other=", 1),
            {"reason": "unsigned", "field": "sign"},
        ),
        (
            lambda body: body.replace(b"sign_type=RSA2", b"sign_type=RSA"),
            {"reason": "signature_type", "field": "sign_type", "seen": "RSA"},
        ),
        (
            lambda body: body.replace(b"&sign_type=RSA2", b""),
            {"reason": "signature_type", "field": "sign_type"},
        ),
        (
            lambda body: body + b"&total_amount=0.01",
            {"reason": "duplicate", "field": "form"},
        ),
        (
            lambda body: b"total_amount=19.90&" + body,
            {"reason": "duplicate", "field": "form"},
        ),
        (lambda body: b"", {"reason": "signature_type", "field": "sign_type"}),
        (lambda body: b"{}", {"reason": "unreadable", "field": "form"}),
        (lambda body: body + b"&\xff=1", {"reason": "unreadable", "field": "form"}),
        (lambda body: body + b"&x=%FF", {"reason": "unreadable", "field": "form"}),
        (lambda body: body + b"&x", {"reason": "unreadable", "field": "form"}),
        (
            lambda body: body + b"".join(b"&x%d=1" % n for n in range(100)),
            {"reason": "unreadable", "field": "form"},
        ),
    ],
)
def test_tampered_notify_is_refused(alipay, account, pay, tamper, details):
    body = told(alipay, account)

    assert pay.read_callback({}, body, now_s=now_s()).amount_fen == PRICE_FEN
    assert refused(pay, tamper(body)) == details


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        (
            {"app_id": "2021000000000000"},
            {"reason": "mismatch", "field": "app_id", "seen": "2021000000000000"},
        ),
        (
            {"seller_id": "2088000000000000"},
            {"reason": "mismatch", "field": "seller_id", "seen": "2088000000000000"},
        ),
        ({"app_id": None}, {"reason": "incomplete", "field": "app_id"}),
        ({"seller_id": None}, {"reason": "incomplete", "field": "seller_id"}),
        ({"total_amount": ""}, {"reason": "incomplete", "field": "total_amount"}),
        ({"trade_no": None}, {"reason": "incomplete", "field": "trade_no"}),
        ({"gmt_payment": None}, {"reason": "incomplete", "field": "send_pay_date"}),
        ({"charset": "GBK"}, {"reason": "mismatch", "field": "charset", "seen": "gbk"}),
        (
            {"total_amount": "19.900"},
            {"reason": "unreadable", "field": "total_amount", "seen": "19.900"},
        ),
        (
            {"total_amount": "-19.90"},
            {"reason": "unreadable", "field": "total_amount", "seen": "-19.90"},
        ),
        (
            {"trade_status": "MAYBE"},
            {"reason": "unknown_state", "field": "trade_status", "seen": "MAYBE"},
        ),
        (
            {"gmt_payment": "2027-13-15 16:00:00"},
            {"reason": "unreadable", "field": "send_pay_date", "seen": "2027-13-15 16:00:00"},
        ),
    ],
)
def test_proven_notify_about_something_else_is_refused(alipay, account, pay, changes, details):
    assert refused(pay, told(alipay, account, **changes)) == details


def test_fields_hidden_in_others_under_the_same_signature_are_refused(alipay, account, pay):
    body = told(alipay, account, out_biz_no="R1")
    fields = dict(parse_qsl(body.decode()))
    merged = {**fields, "notify_type": f"{fields['notify_type']}&out_biz_no=R1"}
    del merged["out_biz_no"]
    as_name = {**fields, "out_biz_no=R1&out_trade_no": fields["out_trade_no"]}
    del as_name["out_biz_no"], as_name["out_trade_no"]

    for form in (merged, as_name):
        assert signed_text(form, "sign", "sign_type") == signed_text(fields, "sign", "sign_type")
        assert refused(pay, urlencode(form).encode())["reason"] == "ambiguous"


def test_notify_for_another_merchant_of_the_same_alipay_is_refused(alipay, account, pay):
    other = alipay.new_account(f"merchant-{next(NUMBERS)}")

    assert refused(pay, told(alipay, other))["field"] == "app_id"


def test_notify_comes_again_until_the_answer_is_the_word(alipay, pay, sent, monkeypatch):
    monkeypatch.setattr("infra.local.wechat_callbacks.RETRY_AFTER_S", (0.01, 0.01, 0.01))
    answers = iter([b"SUCCESS", b"success\n", b"success"])
    bodies = []

    def receive(call: Call) -> Answer:
        bodies.append(call.body)
        return Answer(200, next(answers))

    from infra.local.alipay_callbacks import post

    server = Server(receive)
    server.start()
    alipay.courier.send = post
    paid(alipay, pay, notify_url=f"{server.base_url}/notify")

    server.stop()
    assert len(bodies) == 3
    assert len(set(bodies)) == 1
    [delivery] = alipay.courier.summaries()[-1:]
    assert (delivery["state"], delivery["answers"]) == ("delivered", [0, 0, 200])


@pytest.mark.parametrize(("kind", "times"), [("dropped", 0), ("duplicated", 2), ("delayed", 1)])
def test_notifies_can_be_made_to_go_astray(alipay, pay, sent, kind, times):
    alipay.faults.add("payment_callback", kind, seconds=0.01)

    paid(alipay, pay)

    assert len(sent) == times


# Who pays


def test_code_of_the_mini_program_is_the_buyers_open_id_once(alipay, pay):
    code = alipay.codes.issue("open-id-of-xiaoming")

    assert pay.payer_of(code) == "open-id-of-xiaoming"
    for wrong in (code, "never-issued"):
        with pytest.raises(AuthCodeRefused) as refusal:
            pay.payer_of(wrong)
        assert (refusal.value.status, refusal.value.code) == (400, "auth_code_refused")


@pytest.mark.parametrize("kind", ["server_error", "lost_answer", "forged_answer"])
def test_code_that_alipay_did_not_answer_for_is_a_failure(alipay, pay, kind):
    alipay.faults.add("login", kind)

    failure_of(lambda: pay.payer_of(alipay.codes.issue("open-id")))


def test_authorisation_without_an_open_id_is_a_failure(alipay, account):
    name = "alipay_system_oauth_token_response"

    with gateway_saying(alipay, account, {"user_id": "2088"}, name=name) as pay:
        assert failure_of(lambda: pay.payer_of("code")) == {"reason": "no_open_id"}


def test_codes_are_of_alipay_alone():
    with pytest.raises(InvalidRequest) as refusal:
        directory.payer_of("m1", "wechat_pay", "code")

    assert refusal.value.details == {"field": "auth_code"}


# Bills


@pytest.fixture
def day(monkeypatch):
    """A day of which the bill is made: it is noon of the next."""
    today = day_of(now_s())
    monkeypatch.setattr(clock, "now_s", lambda: midnight_s(today) + 36 * 3600)
    return today


@pytest.fixture
def shop():
    """(counterpart, account, gateway) at that time, with a clock of its own."""
    counterpart = LocalAlipay(now=lambda: float(clock.now_s())).start()
    counterpart.courier.send = lambda url, headers, body: 200
    account = counterpart.new_account("m1")
    yield counterpart, account, gateway_of(account, counterpart.gateway_url)
    assert counterpart.quiet()
    counterpart.stop()


def test_bill_lists_what_was_paid_and_refunded_on_the_day(shop, day):
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


def test_day_without_business_has_no_rows_once_its_bill_would_be_made(shop, day, monkeypatch):
    _, _, pay = shop

    assert list(pay.bill(day)) == []
    at_noon_s = clock.now_s()
    monkeypatch.setattr(clock, "now_s", lambda: at_noon_s - 1)
    assert failure_of(lambda: pay.bill(day)) == {"reason": "isp.bill_not_exist"}


def test_bill_that_alipay_will_not_give_is_no_day_without_business(alipay, account):
    name = "alipay_data_dataservice_bill_downloadurl_query_response"
    said = {"code": "40006", "sub_code": "isv.insufficient-isv-permissions"}

    with gateway_saying(alipay, account, said, name=name) as pay:
        reason = refusal_of(lambda: pay.bill(DAY))

    assert reason == "isv.insufficient-isv-permissions"


def test_bill_is_fetched_by_https_from_anywhere_but_the_gateway(monkeypatch, pay):
    asked = []
    monkeypatch.setattr(plain_http, "call", lambda *args, **more: asked.append(args) or b"")
    client = AlipayClient("2021", pay._keys, "https://openapi.example.com/gateway.do")

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


def zipped(text, name="20881234123412340156_20261121_业务明细.csv"):
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


def test_bill_is_read_by_the_names_of_its_columns():
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
def test_bill_that_is_not_what_it_says_is_not_believed(spoil, details):
    with pytest.raises(Disbelieved) as why:
        rows_of(zipped(spoil(TEXT)), day=DAY, seller_id=SELLER)

    assert why.value.details == details


@pytest.mark.parametrize(
    "archive",
    [b"", b"PK", b"<html>", zipped(TEXT)[:-30], zipped(TEXT)[:200], zipped(TEXT, "x.csv")],
)
def test_file_that_is_no_bill_is_not_believed(archive):
    with pytest.raises(Disbelieved):
        rows_of(archive, day=DAY, seller_id=SELLER)


def test_bill_of_too_many_files_is_not_unpacked(monkeypatch):
    monkeypatch.setattr("chalicelib.gateways.alipay_bills.FILES_MAX", 0)

    with pytest.raises(Disbelieved) as why:
        rows_of(zipped(TEXT), day=DAY, seller_id=SELLER)

    assert why.value.details == {"reason": "incomplete", "field": "files", "seen": "1"}


def test_bill_that_grows_beyond_all_bounds_is_not_unpacked(monkeypatch):
    monkeypatch.setattr("chalicelib.gateways.alipay_bills.UNZIPPED_BYTES_MAX", 1000)

    with pytest.raises(Disbelieved) as why:
        rows_of(zipped(TEXT + "#" * 1000), day=DAY, seller_id=SELLER)

    assert why.value.details["reason"] == "too_long"


# The account


def test_making_a_gateway_parses_nothing_and_calls_nobody():
    account = AlipayAccount("2021", "2088", "no key", "no key")

    assert Alipay(account, NOWHERE).method == "alipay"


def test_keys_may_be_bare_base64_as_alipays_key_tool_gives_them(alipay, account):
    bare = {
        name: "".join(account.alipay[name].splitlines()[1:-1])
        for name in ("private_key", "alipay_public_key")
    }
    traditional = "".join(pkcs1_pem("merchant").splitlines()[1:-1])

    for changes in (bare, bare | {"private_key": traditional}):
        pay = gateway_of(account, alipay.gateway_url, **changes)
        assert pay.query("1" * 32).status is TradeStatus.UNKNOWN


@pytest.mark.parametrize("part", ["private_key", "alipay_public_key"])
def test_key_that_cannot_be_read_is_a_failure_for_the_merchant_to_mend(alipay, account, part):
    pay = gateway_of(account, alipay.gateway_url, **{part: "no key"})

    with pytest.raises(GatewayFailed) as failure:
        pay.query("1" * 32)

    assert failure.value.details == {"reason": part}
    assert failure.value.message == "商家的支付宝密钥有误，请商家改正后再试。"


def test_key_that_is_not_rsa_is_a_failure(account):
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    pem = key.public_bytes(serialization.Encoding.PEM, spki).decode()
    keys = AlipayKeys(replace(AlipayAccount.from_secret(account.alipay), alipay_public_key=pem))

    with pytest.raises(GatewayFailed) as failure:
        keys.prove(b"text", "AAAA")

    assert failure.value.details == {"reason": "alipay_public_key"}


def test_own_key_that_is_not_rsa_is_a_failure(account):
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    own = replace(AlipayAccount.from_secret(account.alipay), private_key=pem.decode())

    assert failure_of(lambda: AlipayKeys(own).sign("text")) == {"reason": "private_key"}


def test_account_shows_no_key_when_printed(account):
    shown = repr(AlipayAccount.from_secret(account.alipay))

    assert "KEY" not in shown


@pytest.mark.parametrize(
    "secret",
    [
        {},
        {"app_id": "2021"},
        {"app_id": 2021, "seller_id": "2088123412341234"},
        {"app_id": "wx1", "seller_id": "2088123412341234", "private_key": "k"},
    ],
)
def test_account_that_is_not_complete_is_the_merchants_to_complete(monkeypatch, secret):
    from chalicelib.gateways.alipay import alipay as account_of

    monkeypatch.setattr(secrets, "json_secret", lambda name: secret)

    with pytest.raises(secrets.NotConfigured) as missing:
        account_of("m1")

    assert missing.value.details == {"parameter": "merchants/m1/alipay"}


def test_account_is_kept_until_its_content_changes(monkeypatch, account):
    from chalicelib.gateways.alipay import alipay as account_of

    monkeypatch.setattr(secrets, "json_secret", lambda name: account.alipay)
    first, second = account_of("m1"), account_of("m2")
    monkeypatch.setattr(
        secrets, "json_secret", lambda name: {**account.alipay, "seller_id": "2088123412341234"}
    )

    assert first is second
    assert account_of("m1") is not first
