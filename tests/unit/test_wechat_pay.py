"""The WeChat Pay wrapper against the local counterpart, over loopback."""

import base64
import itertools
import json
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from chalicelib.errors import GatewayFailed, InvalidRequest
from chalicelib.gateways import wechat_pay as wechat_pay_module
from chalicelib.gateways.directory import payment_gateway
from chalicelib.gateways.payment import (
    CallbackRefused,
    GatewayRefused,
    Prepay,
    Refund,
    RefundRequest,
    RefundStatus,
    Trade,
    TradeStatus,
)
from chalicelib.gateways.wechat_pay import WechatPay
from chalicelib.gateways.wechat_pay_keys import WechatAccount
from infra.local.wechat import Wechat
from infra.local.wechat_http import Answer, Call, Refusal, Server
from infra.local.wechat_keys import key_pair

NUMBERS = itertools.count(1)
PRICE_FEN = 1990
PAID_AT_S = 1_800_000_000
NOWHERE = "http://127.0.0.1:9/"  # the discard port: what is sent there is not answered


@pytest.fixture(scope="module")
def wechat():
    counterpart = Wechat().start()
    yield counterpart
    counterpart.stop()


@pytest.fixture
def sent(wechat):
    """The callbacks that the counterpart sends, as (url, headers, body); each is accepted."""
    posts = []

    def accept(url, headers, body):
        posts.append((url, headers, body))
        return 204

    wechat.faults.clear()
    wechat.courier.send, wechat.courier.serial = accept, ""
    wechat.gateway.refund_delay_s = None
    yield posts
    wechat.faults.clear()
    assert wechat.quiet()


@pytest.fixture
def account(wechat, sent):
    """A merchant of its own for each test; `sent` comes first, so nothing leaves the process."""
    return wechat.new_account(f"merchant-{next(NUMBERS)}")


@pytest.fixture
def pay(wechat, account):
    return gateway_of(account, wechat)


def gateway_of(account, wechat, **changes):
    return WechatPay(
        replace(WechatAccount.from_secret(account.wechat_pay), **changes), wechat.base_url
    )


def order(**changes):
    """A prepay of a number never used before."""
    number = f"{next(NUMBERS):032d}"
    defaults = {
        "out_trade_no": number,
        "amount_fen": PRICE_FEN,
        "description": "阳光玫瑰葡萄 2 斤",
        "payer": "oBuyer",
        "attach": "g1",
        "expires_at_s": 1_900_000_000,
        "notify_url": "http://127.0.0.1/callbacks/wechat-pay",
    }
    return Prepay(**(defaults | changes))


def paid(wechat, pay):
    """An order that its buyer has paid; the callback is out."""
    bought = order()
    pay.prepay(bought, now_s=PAID_AT_S)
    wechat.pay(out_trade_no=bought.out_trade_no, paid_at=time.time())
    assert wechat.quiet()
    return bought


def refund_request(bought, **changes):
    request = RefundRequest(
        out_trade_no=bought.out_trade_no,
        out_refund_no=f"{bought.out_trade_no}F",
        amount_fen=PRICE_FEN,
        paid_fen=PRICE_FEN,
        reason="拼团未成功",
        notify_url="http://127.0.0.1/callbacks/wechat-refund",
    )
    return replace(request, **changes)


def now_s():
    return int(time.time())


def ledger_of(wechat, bought):
    [trade] = wechat.ledger.summaries(bought.out_trade_no)
    return {key: trade[key] for key in ("captured_fen", "refunded_fen", "refunding_fen")}


def refused(pay, headers, body, *, at_s=None):
    """The details with which the payment callback is refused."""
    with pytest.raises(CallbackRefused) as refusal:
        pay.read_payment_callback(headers, body, now_s=at_s or now_s())
    return refusal.value.details


def statement(**changes):
    """A paid trade as the callback of a gateway that says whatever it is told to."""
    said = {
        "out_trade_no": "0" * 32,
        "trade_state": "SUCCESS",
        "transaction_id": "4200",
        "success_time": "2027-01-15T16:00:00+08:00",
        "attach": "g1",
        "amount": {"total": PRICE_FEN, "currency": "CNY"},
    }
    return said | changes


@contextmanager
def gateway_saying(wechat, account, said, *, status=200):
    """The account at a gateway whose every answer is `said`, rightly signed."""

    def answer(call: Call) -> Answer:
        done = Answer.json(said, status=status)
        signature = wechat.platform.sign(
            done.body, at_s=time.time(), serial=call.headers["wechatpay-serial"]
        )
        return replace(done, headers={**done.headers, **signature})

    server = Server(answer)
    server.start()
    try:
        yield WechatPay(WechatAccount.from_secret(account.wechat_pay), server.base_url)
    finally:
        server.stop()


def callback(wechat, account, resource, *, kind="transaction", algorithm="AEAD_AES_256_GCM"):
    """(headers, body) of a callback, rightly signed and sealed whatever it says."""
    body = json.dumps(
        {
            "id": "EV-1",
            "resource_type": "encrypt-resource",
            "event_type": "TRANSACTION.SUCCESS",
            "resource": account.seal(resource, kind) | {"algorithm": algorithm},
        }
    ).encode()
    return wechat.platform.sign(body, at_s=time.time()), body


# Prepay


def test_prepay_gives_the_parameters_of_request_payment_signed_by_the_merchant(pay, account):
    asked = pay.prepay(order(), now_s=PAID_AT_S)

    assert sorted(asked) == ["nonceStr", "package", "paySign", "signType", "timeStamp"]
    assert (asked["timeStamp"], asked["signType"]) == ("1800000000", "RSA")
    assert asked["package"].startswith("prepay_id=wx")
    text = "\n".join(
        (account.appid, asked["timeStamp"], asked["nonceStr"], asked["package"], "")
    ).encode()
    signature = base64.b64decode(asked["paySign"])
    key_pair("merchant").public_key().verify(signature, text, padding.PKCS1v15(), hashes.SHA256())


def test_same_prepay_again_gives_another_prepay_id_for_the_one_trade(wechat, pay):
    bought = order()
    first = pay.prepay(bought, now_s=PAID_AT_S)
    second = pay.prepay(bought, now_s=PAID_AT_S)

    assert first["package"] != second["package"]
    assert len(wechat.ledger.summaries(bought.out_trade_no)) == 1


def test_prepay_of_a_known_number_with_another_amount_is_refused(pay):
    bought = order()
    pay.prepay(bought, now_s=PAID_AT_S)

    with pytest.raises(GatewayRefused) as refusal:
        pay.prepay(replace(bought, amount_fen=1), now_s=PAID_AT_S)

    assert refusal.value.reason == "INVALIDREQUEST"


def test_prepay_of_a_paid_order_is_refused_as_paid(wechat, pay):
    bought = paid(wechat, pay)

    with pytest.raises(GatewayRefused) as refusal:
        pay.prepay(bought, now_s=PAID_AT_S)

    assert refusal.value.reason == "ORDERPAID"
    assert refusal.value.words == "该订单已支付"


def test_prepay_of_a_closed_order_is_refused_as_closed(pay):
    bought = order()
    pay.prepay(bought, now_s=PAID_AT_S)
    pay.close(bought.out_trade_no)

    with pytest.raises(GatewayRefused) as refusal:
        pay.prepay(bought, now_s=PAID_AT_S)

    assert refusal.value.reason == "ORDERCLOSED"


def test_description_longer_than_wechat_pay_takes_is_cut(wechat, pay):
    bought = order(description="葡" * 200)

    pay.prepay(bought, now_s=PAID_AT_S)

    assert pay.query(bought.out_trade_no).status is TradeStatus.UNPAID


def test_request_signed_with_another_certificate_is_refused(wechat, account):
    pay = gateway_of(account, wechat, serial_no="0" * 40)

    with pytest.raises(GatewayRefused) as refusal:
        pay.prepay(order(), now_s=PAID_AT_S)

    assert refusal.value.reason == "SIGNERROR"


def test_app_of_another_merchant_is_refused(wechat, account):
    pay = gateway_of(account, wechat, appid="wxother")

    with pytest.raises(GatewayRefused) as refusal:
        pay.prepay(order(), now_s=PAID_AT_S)

    assert refusal.value.reason == "APPIDMCHIDNOTMATCH"


def test_expired_order_cannot_be_paid(wechat, pay):
    bought = order(expires_at_s=now_s() + 60)
    pay.prepay(bought, now_s=PAID_AT_S)

    with pytest.raises(Refusal) as refusal:
        wechat.pay(out_trade_no=bought.out_trade_no, paid_at=bought.expires_at_s)

    assert refusal.value.code == "ORDER_EXPIRED"
    assert pay.query(bought.out_trade_no).status is TradeStatus.UNPAID


# Query and close


def test_number_never_heard_of_is_unknown(pay):
    assert pay.query("9" * 32) == Trade("9" * 32, TradeStatus.UNKNOWN)


def test_query_follows_a_trade_from_unpaid_to_refunded(wechat, pay):
    bought = order()
    pay.prepay(bought, now_s=PAID_AT_S)
    unpaid = pay.query(bought.out_trade_no)
    at_s = now_s()
    wechat.pay(out_trade_no=bought.out_trade_no, paid_at=at_s)
    succeeded = pay.query(bought.out_trade_no)
    pay.refund(refund_request(bought))

    assert unpaid == Trade(bought.out_trade_no, TradeStatus.UNPAID, PRICE_FEN, attach="g1")
    assert succeeded == Trade(
        out_trade_no=bought.out_trade_no,
        status=TradeStatus.SUCCEEDED,
        amount_fen=PRICE_FEN,
        transaction_id=succeeded.transaction_id,
        paid_at_s=at_s,
        attach="g1",
    )
    assert len(succeeded.transaction_id) == 28
    assert pay.query(bought.out_trade_no) == succeeded  # refunding does not uncapture it


def test_closed_trade_stays_closed_however_often_it_is_closed(pay):
    bought = order()
    pay.prepay(bought, now_s=PAID_AT_S)

    pay.close(bought.out_trade_no)
    pay.close(bought.out_trade_no)

    assert pay.query(bought.out_trade_no).status is TradeStatus.CLOSED


def test_closing_what_was_never_begun_is_done(pay):
    pay.close("9" * 32)

    assert pay.query("9" * 32).status is TradeStatus.UNKNOWN


def test_paid_trade_cannot_be_closed(wechat, pay):
    bought = paid(wechat, pay)

    with pytest.raises(GatewayRefused) as refusal:
        pay.close(bought.out_trade_no)

    assert refusal.value.reason == "ORDERPAID"
    assert pay.query(bought.out_trade_no).status is TradeStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("NOTPAY", TradeStatus.UNPAID),
        ("USERPAYING", TradeStatus.UNPAID),
        ("SUCCESS", TradeStatus.SUCCEEDED),
        ("REFUND", TradeStatus.SUCCEEDED),
        ("CLOSED", TradeStatus.CLOSED),
        ("REVOKED", TradeStatus.CLOSED),
        ("PAYERROR", TradeStatus.CLOSED),
    ],
)
def test_every_trade_state_has_its_status(wechat, account, pay, state, status):
    ours = {"mchid": account.mchid, "appid": account.appid}
    headers, body = callback(wechat, account, statement(**ours, trade_state=state))

    trade = pay.read_payment_callback(headers, body, now_s=now_s())

    assert trade.status is status


# Refunds


def test_refund_is_processing_then_succeeded(wechat, pay):
    bought = paid(wechat, pay)

    asked = pay.refund(refund_request(bought))
    before = ledger_of(wechat, bought)
    wechat.settle_refunds(out_refund_no=asked.out_refund_no)
    after = pay.query_refund(asked.out_refund_no)

    number = f"{bought.out_trade_no}F"
    assert asked == Refund(number, RefundStatus.PROCESSING, PRICE_FEN, "PROCESSING")
    assert before == {"captured_fen": 1990, "refunded_fen": 0, "refunding_fen": 1990}
    assert after == Refund(number, RefundStatus.SUCCEEDED, PRICE_FEN)
    assert ledger_of(wechat, bought) == {
        "captured_fen": 1990,
        "refunded_fen": 1990,
        "refunding_fen": 0,
    }


def test_same_refund_number_twice_is_one_refund(wechat, pay):
    bought = paid(wechat, pay)

    first, second = pay.refund(refund_request(bought)), pay.refund(refund_request(bought))

    assert first == second
    assert ledger_of(wechat, bought)["refunding_fen"] == PRICE_FEN


def test_refunding_more_than_was_paid_is_refused(wechat, pay):
    bought = paid(wechat, pay)
    pay.refund(refund_request(bought, amount_fen=1000))

    with pytest.raises(GatewayRefused) as refusal:
        pay.refund(refund_request(bought, out_refund_no=f"{bought.out_trade_no}A", amount_fen=991))

    assert refusal.value.reason == "INVALIDREQUEST"
    assert ledger_of(wechat, bought)["refunding_fen"] == 1000


def test_refund_of_an_unpaid_order_is_refused(pay):
    bought = order()
    pay.prepay(bought, now_s=PAID_AT_S)

    with pytest.raises(GatewayRefused) as refusal:
        pay.refund(refund_request(bought))

    assert refusal.value.reason == "RESOURCENOTEXISTS"


def test_refund_waits_for_balance_under_the_same_number(wechat, account, pay):
    bought = paid(wechat, pay)
    wechat.ledger.balances[account.mchid] = PRICE_FEN - 1

    with pytest.raises(GatewayRefused) as refusal:
        pay.refund(refund_request(bought))

    assert refusal.value.reason == "NOTENOUGH"
    assert pay.query_refund(f"{bought.out_trade_no}F").status is RefundStatus.UNKNOWN
    wechat.ledger.balances[account.mchid] = PRICE_FEN
    assert pay.refund(refund_request(bought)).status is RefundStatus.PROCESSING
    assert wechat.ledger.balances[account.mchid] == 0


def test_refund_never_asked_for_is_unknown(pay):
    assert pay.query_refund("9" * 33) == Refund("9" * 33, RefundStatus.UNKNOWN)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("SUCCESS", RefundStatus.SUCCEEDED),
        ("CLOSED", RefundStatus.CLOSED),
        ("ABNORMAL", RefundStatus.ABNORMAL),
    ],
)
def test_refund_callback_and_query_say_the_same(wechat, pay, sent, word, status):
    bought = paid(wechat, pay)
    pay.refund(refund_request(bought))
    wechat.settle_refunds(out_refund_no=f"{bought.out_trade_no}F", status=word)
    assert wechat.quiet()

    url, headers, body = sent[-1]
    told = pay.read_refund_callback(headers, body, now_s=now_s())

    assert url == "http://127.0.0.1/callbacks/wechat-refund"
    assert (told.status, told.amount_fen) == (status, PRICE_FEN)
    assert told == pay.query_refund(f"{bought.out_trade_no}F")


def test_processing_refund_callback_is_read_as_such(wechat, account, pay):
    resource = {
        "mchid": account.mchid,
        "out_trade_no": "1" * 32,
        "out_refund_no": "1" * 32 + "F",
        "refund_status": "PROCESSING",
        "amount": {"refund": 5, "total": 9},
    }
    headers, body = callback(wechat, account, resource, kind="refund")

    told = pay.read_refund_callback(headers, body, now_s=now_s())

    assert told == Refund("1" * 32 + "F", RefundStatus.PROCESSING, 5, "PROCESSING")


def test_refund_is_settled_by_itself_after_its_delay(wechat, pay, sent):
    wechat.gateway.refund_delay_s = 0.01
    bought = paid(wechat, pay)

    pay.refund(refund_request(bought))

    assert wechat.quiet()
    assert pay.query_refund(f"{bought.out_trade_no}F").status is RefundStatus.SUCCEEDED


def test_refund_may_stay_processing_until_it_is_settled_by_hand(wechat, pay):
    wechat.gateway.refund_delay_s = 0.0
    wechat.faults.add("refund", "stays_processing")
    bought = paid(wechat, pay)

    pay.refund(refund_request(bought))

    assert wechat.quiet()
    assert pay.query_refund(f"{bought.out_trade_no}F").status is RefundStatus.PROCESSING
    assert wechat.settle_refunds(out_refund_no=f"{bought.out_trade_no}F") == 1


# Answers that do not come, or are not to be believed


@pytest.mark.parametrize("kind", ["server_error", "rate_limited", "forged_answer", "lost_answer"])
@pytest.mark.parametrize("operation", ["prepay", "query", "close", "refund", "query_refund"])
def test_unknown_outcome_is_a_failure_and_no_refusal(wechat, pay, operation, kind):
    bought = paid(wechat, pay) if "refund" in operation else order()
    if "refund" not in operation:
        pay.prepay(bought, now_s=PAID_AT_S)
    if operation == "query_refund":
        pay.refund(refund_request(bought))
    calls = {
        "prepay": lambda: pay.prepay(bought, now_s=PAID_AT_S),
        "query": lambda: pay.query(bought.out_trade_no),
        "close": lambda: pay.close(bought.out_trade_no),
        "refund": lambda: pay.refund(refund_request(bought)),
        "query_refund": lambda: pay.query_refund(f"{bought.out_trade_no}F"),
    }
    wechat.faults.add(operation, kind)

    with pytest.raises(GatewayFailed) as failure:
        calls[operation]()

    assert type(failure.value) is GatewayFailed
    reasons = {
        "server_error": "SYSTEMERROR",
        "rate_limited": "FREQUENCYLIMITED",
        "forged_answer": "signature",
        "lost_answer": "no_answer",
    }
    assert failure.value.details["reason"] == reasons[kind]
    calls[operation]()  # and the same again succeeds


def test_refund_whose_answer_was_lost_happened_once(wechat, pay):
    bought = paid(wechat, pay)
    wechat.faults.add("refund", "lost_answer", times=2)

    for _ in range(2):
        with pytest.raises(GatewayFailed):
            pay.refund(refund_request(bought))
    asked = pay.refund(refund_request(bought))

    assert asked.status is RefundStatus.PROCESSING
    assert ledger_of(wechat, bought)["refunding_fen"] == PRICE_FEN


def test_refund_that_failed_on_the_server_did_not_happen(wechat, pay):
    bought = paid(wechat, pay)
    wechat.faults.add("refund", "server_error")

    with pytest.raises(GatewayFailed):
        pay.refund(refund_request(bought))

    assert ledger_of(wechat, bought)["refunding_fen"] == 0


def test_slow_answer_is_not_waited_for(wechat, account, monkeypatch):
    monkeypatch.setattr(wechat_pay_module, "TIMEOUT_S", (1, 0.1))
    pay = gateway_of(account, wechat)
    bought = order()
    wechat.faults.add("prepay", "slow", seconds=0.3)

    with pytest.raises(GatewayFailed) as failure:
        pay.prepay(bought, now_s=PAID_AT_S)

    assert failure.value.details == {"reason": "no_answer"}
    assert len(wechat.ledger.summaries(bought.out_trade_no)) == 1  # it had its effect


def test_gateway_that_is_away_is_a_failure(account, wechat):
    pay = WechatPay(WechatAccount.from_secret(account.wechat_pay), NOWHERE)

    with pytest.raises(GatewayFailed) as failure:
        pay.query("1" * 32)

    assert failure.value.details == {"reason": "no_answer"}


@pytest.mark.parametrize(
    ("said", "details"),
    [
        ({"mchid": "1"}, {"reason": "mismatch", "field": "mchid", "seen": "1"}),
        ({"appid": "wx1"}, {"reason": "mismatch", "field": "appid", "seen": "wx1"}),
        ({"out_trade_no": "2"}, {"reason": "mismatch", "field": "out_trade_no", "seen": "2"}),
        (
            {"amount": {"total": 1, "currency": "USD"}},
            {"reason": "mismatch", "field": "currency", "seen": "USD"},
        ),
        (
            {"trade_state": "ACCEPT"},
            {"reason": "unknown_state", "field": "trade_state", "seen": "ACCEPT"},
        ),
        ({"transaction_id": ""}, {"reason": "incomplete", "field": "transaction_id"}),
    ],
)
def test_signed_answer_about_something_else_is_a_failure(wechat, account, said, details):
    ours = {"mchid": account.mchid, "appid": account.appid}

    with (
        gateway_saying(wechat, account, statement(**(ours | said))) as pay,
        pytest.raises(GatewayFailed) as failure,
    ):
        pay.query("0" * 32)

    assert failure.value.details == details


@pytest.mark.parametrize(
    ("said", "details"),
    [
        ({"out_refund_no": "2"}, {"reason": "mismatch", "field": "out_refund_no", "seen": "2"}),
        (
            {"amount": {"refund": 1, "total": PRICE_FEN, "currency": "CNY"}},
            {"reason": "mismatch", "field": "amount", "seen": "1"},
        ),
        (
            {"amount": {"refund": PRICE_FEN, "total": PRICE_FEN, "currency": "USD"}},
            {"reason": "mismatch", "field": "currency", "seen": "USD"},
        ),
        ({"status": ""}, {"reason": "unknown_state", "field": "refund_status"}),
    ],
)
def test_signed_answer_about_another_refund_is_a_failure(wechat, account, said, details):
    request = refund_request(order())
    refund = {
        "out_refund_no": request.out_refund_no,
        "out_trade_no": request.out_trade_no,
        "status": "PROCESSING",
        "amount": {"refund": PRICE_FEN, "total": PRICE_FEN, "currency": "CNY"},
    }

    with (
        gateway_saying(wechat, account, refund | said) as pay,
        pytest.raises(GatewayFailed) as failure,
    ):
        pay.refund(request)

    assert failure.value.details == details


@pytest.mark.parametrize("code", ["ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"])
def test_codes_are_known_in_both_spellings(wechat, account, code):
    with gateway_saying(wechat, account, {"code": code, "message": "无"}, status=404) as pay:
        assert pay.query("0" * 32).status is TradeStatus.UNKNOWN


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "USERPAYING"), (403, "SYSTEM_ERROR"), (429, "ANYTHING"), (202, "USER_PAYING")],
)
def test_code_that_asks_for_another_try_is_a_failure(wechat, account, status, code):
    with (
        gateway_saying(wechat, account, {"code": code}, status=status) as pay,
        pytest.raises(GatewayFailed) as failure,
    ):
        pay.close("0" * 32)

    assert type(failure.value) is GatewayFailed
    assert failure.value.details == {"reason": code.replace("_", "")}


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b'{"code": 7}'])
def test_error_that_wechat_pay_did_not_write_is_a_failure(account, body):
    server = Server(lambda call: Answer(403, body, {"Content-Type": "application/json"}))
    server.start()
    pay = WechatPay(WechatAccount.from_secret(account.wechat_pay), server.base_url)

    with pytest.raises(GatewayFailed) as failure:
        pay.query("0" * 32)

    server.stop()
    assert type(failure.value) is GatewayFailed
    assert failure.value.details == {"reason": "http_403"}


# Callbacks


def test_payment_callback_tells_what_the_query_tells(wechat, pay, sent):
    bought = paid(wechat, pay)

    url, headers, body = sent[-1]
    told = pay.read_payment_callback(headers, body, now_s=now_s())

    assert url == "http://127.0.0.1/callbacks/wechat-pay"
    assert told == pay.query(bought.out_trade_no)
    assert told.status is TradeStatus.SUCCEEDED


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_header_names_may_be_in_any_case(wechat, pay, sent, case):
    paid(wechat, pay)
    _, headers, body = sent[-1]

    told = pay.read_payment_callback(
        {case(name): value for name, value in headers.items()}, body, now_s=now_s()
    )

    assert told.amount_fen == PRICE_FEN


def test_callback_without_signature_type_is_taken_as_rsa(wechat, pay, sent):
    paid(wechat, pay)
    _, headers, body = sent[-1]
    del headers["Wechatpay-Signature-Type"]

    assert pay.read_payment_callback(headers, body, now_s=now_s()).amount_fen == PRICE_FEN


def test_callback_of_another_signature_type_is_refused(wechat, pay, sent):
    paid(wechat, pay)
    _, headers, body = sent[-1]
    headers["Wechatpay-Signature-Type"] = "WECHATPAY2-SM2-WITH-SM3"

    assert refused(pay, headers, body) == {
        "reason": "signature_type",
        "field": "Wechatpay-Signature-Type",
        "seen": "WECHATPAY2-SM2-WITH-SM3",
    }


@pytest.mark.parametrize("name", ["Timestamp", "Nonce", "Signature", "Serial"])
def test_callback_without_one_of_its_headers_is_refused(wechat, pay, sent, name):
    paid(wechat, pay)
    _, headers, body = sent[-1]
    del headers[f"Wechatpay-{name}"]

    assert refused(pay, headers, body) == {
        "reason": "missing_header",
        "field": f"Wechatpay-{name}",
    }


@pytest.mark.parametrize(
    "tamper",
    [
        lambda headers, body: (headers, body + b" "),
        lambda headers, body: (headers | {"Wechatpay-Nonce": "x"}, body),
        lambda headers, body: (headers | {"Wechatpay-Signature": "WECHATPAY/SIGNTEST/x"}, body),
        lambda headers, body: (headers | {"Wechatpay-Signature": "签名"}, body),
        lambda headers, body: (headers | {"Wechatpay-Signature": "AAAA"}, body),
    ],
)
def test_tampered_callback_is_refused(wechat, pay, sent, tamper):
    paid(wechat, pay)
    _, headers, body = sent[-1]

    details = refused(pay, *tamper(headers, body))

    assert details == {"reason": "signature", "field": "Wechatpay-Signature"}


@pytest.mark.parametrize("age_s", [300, -300, 3600])
def test_stale_callback_is_refused(wechat, pay, sent, age_s):
    paid(wechat, pay)
    _, headers, body = sent[-1]
    signed_at_s = int(headers["Wechatpay-Timestamp"])

    details = refused(pay, headers, body, at_s=signed_at_s + age_s)

    assert details == {
        "reason": "stale",
        "field": "Wechatpay-Timestamp",
        "seen": str(signed_at_s),
    }


@pytest.mark.parametrize("age_s", [299, -299])
def test_callback_just_inside_the_window_is_read(wechat, pay, sent, age_s):
    paid(wechat, pay)
    _, headers, body = sent[-1]
    signed_at_s = int(headers["Wechatpay-Timestamp"])

    told = pay.read_payment_callback(headers, body, now_s=signed_at_s + age_s)

    assert told.amount_fen == PRICE_FEN


@pytest.mark.parametrize("timestamp", ["-1", "1e9", "１８０", "9" * 13, "now"])
def test_timestamp_that_is_no_number_is_refused(wechat, pay, sent, timestamp):
    paid(wechat, pay)
    _, headers, body = sent[-1]

    details = refused(pay, headers | {"Wechatpay-Timestamp": timestamp}, body)

    assert details["reason"] == "timestamp"


@pytest.mark.parametrize("serial", ["PUB_KEY_ID_0", "7132D72A03E93CDDF8C03BBD1F37EEDF00000000"])
def test_callback_of_an_unknown_serial_is_refused_without_asking_anybody(
    wechat, account, sent, serial
):
    pay = WechatPay(WechatAccount.from_secret(account.wechat_pay), NOWHERE)
    headers, body = callback(wechat, account, statement())

    details = refused(pay, headers | {"Wechatpay-Serial": serial}, body)

    assert details == {"reason": "unknown_serial", "field": "Wechatpay-Serial", "seen": serial}


def test_callback_signed_by_the_certificate_is_read_only_with_the_certificate(wechat, pay, sent):
    wechat.courier.serial = wechat.platform.certificate_serial
    both = gateway_of(
        wechat.new_account(f"merchant-{next(NUMBERS)}", with_certificate=True), wechat
    )

    for gateway in (pay, both):
        paid(wechat, gateway)
    (_, headers_pay, body_pay), (_, headers_both, body_both) = sent

    assert refused(pay, headers_pay, body_pay)["reason"] == "unknown_serial"
    told = both.read_payment_callback(headers_both, body_both, now_s=now_s())
    assert told.amount_fen == PRICE_FEN


def test_account_with_a_certificate_alone_works(wechat, sent):
    account = wechat.new_account(f"merchant-{next(NUMBERS)}")
    only = tuple(wechat.platform.public_keys(with_certificate=True).items())[1:]
    pay = gateway_of(account, wechat, public_keys=only)

    bought = paid(wechat, pay)

    assert pay.query(bought.out_trade_no).status is TradeStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("said", "details"),
    [
        ({"mchid": "1"}, {"reason": "mismatch", "field": "mchid", "seen": "1"}),
        ({"appid": "wx1"}, {"reason": "mismatch", "field": "appid", "seen": "wx1"}),
        (
            {"amount": {"total": 1, "currency": "USD"}},
            {"reason": "mismatch", "field": "currency", "seen": "USD"},
        ),
        ({"amount": {"total": 1}}, {"reason": "mismatch", "field": "currency"}),
        ({"amount": None}, {"reason": "incomplete", "field": "amount"}),
        ({"amount": {"total": "1"}}, {"reason": "unreadable", "field": "TradeStatement"}),
        (
            {"success_time": "2027-01-15T16:00:00"},
            {"reason": "unreadable", "field": "success_time", "seen": "2027-01-15T16:00:00"},
        ),
        (
            {"success_time": "yesterday"},
            {"reason": "unreadable", "field": "success_time", "seen": "yesterday"},
        ),
    ],
)
def test_proven_callback_about_something_else_is_refused(wechat, account, pay, said, details):
    ours = {"mchid": account.mchid, "appid": account.appid}
    headers, body = callback(wechat, account, statement(**(ours | said)))

    assert refused(pay, headers, body) == details


def test_callback_for_another_merchant_cannot_be_opened(wechat, pay, sent):
    other = gateway_of(wechat.new_account(f"merchant-{next(NUMBERS)}"), wechat)
    paid(wechat, pay)
    _, headers, body = sent[-1]

    assert refused(other, headers, body) == {"reason": "ciphertext", "field": "resource"}


def test_refund_callback_is_no_payment_callback_nor_the_reverse(wechat, account, pay):
    payment = callback(wechat, account, statement())
    refund = callback(wechat, account, {}, kind="refund")

    assert refused(pay, *refund)["field"] == "original_type"
    with pytest.raises(CallbackRefused) as refusal:
        pay.read_refund_callback(*payment, now_s=now_s())
    assert refusal.value.details["field"] == "original_type"


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"mchid": "1"}, {"reason": "mismatch", "field": "mchid", "seen": "1"}),
        ({"mchid": ""}, {"reason": "incomplete", "field": "mchid"}),
        (
            {"refund_status": "LOST"},
            {"reason": "unknown_state", "field": "refund_status", "seen": "LOST"},
        ),
        (
            {"amount": {"refund": 5, "total": 9, "currency": "USD"}},
            {"reason": "mismatch", "field": "currency", "seen": "USD"},
        ),
    ],
)
def test_proven_refund_callback_about_something_else_is_refused(
    wechat, account, pay, changes, details
):
    resource = {
        "mchid": account.mchid,
        "out_trade_no": "1" * 32,
        "out_refund_no": "1" * 32 + "F",
        "refund_status": "PROCESSING",
        "amount": {"refund": 5, "total": 9},
    }
    headers, body = callback(wechat, account, resource | changes, kind="refund")

    with pytest.raises(CallbackRefused) as refusal:
        pay.read_refund_callback(headers, body, now_s=now_s())

    assert refusal.value.details == details


def test_callback_sealed_in_another_way_is_refused(wechat, account, pay):
    headers, body = callback(wechat, account, statement(), algorithm="AEAD_SM4_GCM")

    assert refused(pay, headers, body) == {
        "reason": "algorithm",
        "field": "resource",
        "seen": "AEAD_SM4_GCM",
    }


def test_serial_may_be_spelt_in_lower_case(wechat, sent):
    account = wechat.new_account(f"merchant-{next(NUMBERS)}", with_certificate=True)
    pay = gateway_of(account, wechat)
    wechat.courier.serial = wechat.platform.certificate_serial
    paid(wechat, pay)
    _, headers, body = sent[-1]
    headers["Wechatpay-Serial"] = headers["Wechatpay-Serial"].lower()

    assert pay.read_payment_callback(headers, body, now_s=now_s()).amount_fen == PRICE_FEN


def test_signed_body_that_is_no_callback_is_refused(wechat, pay):
    for body in (b"", b"null", b"\xff", b'{"resource": 1}'):
        headers = wechat.platform.sign(body, at_s=time.time())

        assert refused(pay, headers, body) == {"reason": "unreadable", "field": "Callback"}


# Callbacks that go astray


def test_refused_callback_comes_again_until_it_is_accepted(wechat, pay, sent, monkeypatch):
    monkeypatch.setattr("infra.local.wechat_callbacks.RETRY_AFTER_S", (0.01, 0.01, 0.01))
    answers = iter([500, 0, 204])
    bodies = []
    wechat.courier.send = lambda url, headers, body: bodies.append(body) or next(answers)

    paid(wechat, pay)

    assert len(bodies) == 3
    assert len(set(bodies)) == 1
    [delivery] = wechat.courier.summaries()[-1:]
    assert (delivery["state"], delivery["answers"]) == ("delivered", [500, 0, 204])


def test_callback_that_nobody_accepts_is_given_up_and_can_be_resent(wechat, pay, sent, monkeypatch):
    monkeypatch.setattr("infra.local.wechat_callbacks.RETRY_AFTER_S", (0.01,))
    accept, wechat.courier.send = wechat.courier.send, lambda url, headers, body: 500
    bought = paid(wechat, pay)
    assert wechat.courier.summaries()[-1]["state"] == "given_up"

    wechat.courier.send = accept
    wechat.courier.resend(bought.out_trade_no)

    assert wechat.quiet()
    assert len(sent) == 1
    assert wechat.courier.summaries()[-1]["state"] == "delivered"


@pytest.mark.parametrize(("kind", "times"), [("dropped", 0), ("duplicated", 2), ("delayed", 1)])
def test_callbacks_can_be_made_to_go_astray(wechat, pay, sent, kind, times):
    wechat.faults.add("payment_callback", kind, seconds=0.01)

    paid(wechat, pay)

    assert len(sent) == times


def test_callback_over_http_reaches_the_merchant_as_it_was_signed(wechat, pay, monkeypatch):
    from infra.local.wechat_callbacks import post

    told = []

    def receive(call: Call) -> Answer:
        told.append(pay.read_payment_callback(call.headers, call.body, now_s=now_s()))
        return Answer(204)

    server = Server(receive)
    server.start()
    wechat.courier.send = post
    bought = order(notify_url=f"{server.base_url}/callback")
    asked = pay.prepay(bought, now_s=PAID_AT_S)

    wechat.pay(prepay_id=asked["package"].removeprefix("prepay_id="))
    assert wechat.quiet()

    server.stop()
    assert [trade.out_trade_no for trade in told] == [bought.out_trade_no]


# The account


def test_making_a_gateway_parses_nothing_and_calls_nobody():
    account = WechatAccount("1", "wx1", "0", "no key", "k" * 32, (("PUB_KEY_ID_1", "no key"),))

    assert WechatPay(account, NOWHERE).method == "wechat_pay"


def test_key_that_cannot_be_read_is_a_failure_for_the_merchant_to_mend(wechat, account):
    pay = gateway_of(account, wechat, private_key="no key")

    with pytest.raises(GatewayFailed) as failure:
        pay.query("1" * 32)

    assert failure.value.details == {"reason": "private_key"}
    assert failure.value.message == "商家的微信支付密钥有误，请商家改正后再试。"


def test_key_that_is_not_rsa_is_a_failure(wechat, account):
    from cryptography.hazmat.primitives.asymmetric import ed25519

    pem = (
        ed25519.Ed25519PrivateKey.generate()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    pay = gateway_of(account, wechat, public_keys=(("PUB_KEY_ID_1", pem.decode()),))

    with pytest.raises(GatewayFailed) as failure:
        pay.query("1" * 32)

    assert failure.value.details == {"reason": "public_keys"}


def test_account_shows_no_secret_when_printed(account):
    shown = repr(WechatAccount.from_secret(account.wechat_pay))

    assert "PRIVATE" not in shown
    assert account.wechat_pay["api_v3_key"] not in shown


def test_other_methods_of_payment_are_refused():
    with pytest.raises(InvalidRequest) as refusal:
        payment_gateway("m1", "alipay")

    assert refusal.value.details == {"method": "alipay"}
