"""Answers of WeChat Pay that do not come, or are not to be believed."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import http_client
from chalicelib.errors import GatewayFailed
from chalicelib.gateways.payment import RefundStatus, TradeStatus
from chalicelib.gateways.wechat_pay import WechatPay
from chalicelib.gateways.wechat_pay_account import WechatAccount
from infra.local.wechat import Wechat
from infra.local.wechat_accounts import Account
from infra.local.wechat_http import Answer, Server
from tests.fixtures.wechat_pay_gateway import (
    NOWHERE,
    PAID_AT_S,
    PRICE_FEN,
    gateway_of,
    gateway_saying,
    ledger_of,
    order,
    paid,
    refund_request,
    statement,
)


@pytest.mark.parametrize("kind", ["server_error", "rate_limited", "forged_answer", "lost_answer"])
@pytest.mark.parametrize("operation", ["prepay", "query", "close", "refund", "query_refund"])
def test_unknown_outcome_is_a_failure_and_no_refusal(
    wechat: Wechat, pay: WechatPay, operation: str, kind: str
) -> None:
    bought = paid(wechat, pay) if "refund" in operation else order()
    if "refund" not in operation:
        pay.prepay(bought, now_s=PAID_AT_S)
    if operation == "query_refund":
        pay.refund(refund_request(bought))
    calls: dict[str, Callable[[], object]] = {
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


def test_refund_whose_answer_was_lost_happened_once(wechat: Wechat, pay: WechatPay) -> None:
    bought = paid(wechat, pay)
    wechat.faults.add("refund", "lost_answer", times=2)

    for _ in range(2):
        with pytest.raises(GatewayFailed):
            pay.refund(refund_request(bought))
    asked = pay.refund(refund_request(bought))

    assert asked.status is RefundStatus.PROCESSING
    assert ledger_of(wechat, bought)["refunding_fen"] == PRICE_FEN


def test_refund_that_failed_on_the_server_did_not_happen(wechat: Wechat, pay: WechatPay) -> None:
    bought = paid(wechat, pay)
    wechat.faults.add("refund", "server_error")

    with pytest.raises(GatewayFailed):
        pay.refund(refund_request(bought))

    assert ledger_of(wechat, bought)["refunding_fen"] == 0


def test_slow_answer_is_not_waited_for(
    wechat: Wechat, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_client, "READ_TIMEOUT_S", 0.1)
    pay = gateway_of(account, wechat)
    bought = order()
    wechat.faults.add("prepay", "slow", seconds=0.3)

    with pytest.raises(GatewayFailed) as failure:
        pay.prepay(bought, now_s=PAID_AT_S)

    assert failure.value.details == {"reason": "no_answer"}
    assert len(wechat.ledger.summaries(bought.out_trade_no)) == 1  # it had its effect


def test_gateway_that_is_away_is_a_failure(account: Account, wechat: Wechat) -> None:
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
def test_signed_answer_about_something_else_is_a_failure(
    wechat: Wechat, account: Account, said: dict[str, Any], details: dict[str, Any]
) -> None:
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
def test_signed_answer_about_another_refund_is_a_failure(
    wechat: Wechat, account: Account, said: dict[str, Any], details: dict[str, Any]
) -> None:
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
def test_codes_are_known_in_both_spellings(wechat: Wechat, account: Account, code: str) -> None:
    with gateway_saying(wechat, account, {"code": code, "message": "无"}, status=404) as pay:
        assert pay.query("0" * 32).status is TradeStatus.UNKNOWN


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "USERPAYING"), (403, "SYSTEM_ERROR"), (429, "ANYTHING"), (202, "USER_PAYING")],
)
def test_code_that_asks_for_another_try_is_a_failure(
    wechat: Wechat, account: Account, status: int, code: str
) -> None:
    with (
        gateway_saying(wechat, account, {"code": code}, status=status) as pay,
        pytest.raises(GatewayFailed) as failure,
    ):
        pay.close("0" * 32)

    assert type(failure.value) is GatewayFailed
    assert failure.value.details == {"reason": code.replace("_", "")}


def test_answer_without_a_proof_is_a_failure_whatever_it_says(account: Account) -> None:
    server = Server(lambda call: Answer.json(statement()))
    server.start()
    pay = WechatPay(WechatAccount.from_secret(account.wechat_pay), server.base_url)

    with pytest.raises(GatewayFailed) as failure:
        pay.query("0" * 32)

    server.stop()
    assert failure.value.details == {"reason": "missing_header", "field": "Wechatpay-Timestamp"}


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b'{"code": 7}'])
def test_error_that_wechat_pay_did_not_write_is_a_failure(account: Account, body: bytes) -> None:
    server = Server(lambda call: Answer(403, body, {"Content-Type": "application/json"}))
    server.start()
    pay = WechatPay(WechatAccount.from_secret(account.wechat_pay), server.base_url)

    with pytest.raises(GatewayFailed) as failure:
        pay.query("0" * 32)

    server.stop()
    assert type(failure.value) is GatewayFailed
    assert failure.value.details == {"reason": "http_403"}
