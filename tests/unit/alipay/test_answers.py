"""Answers of Alipay that do not come, or are not to be believed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import http_client
from chalicelib.errors import GatewayFailed
from chalicelib.gateways.alipay import Alipay
from chalicelib.gateways.payment import RefundStatus, TradeStatus
from infra.local.alipay import Alipay as LocalAlipay
from infra.local.alipay_keys import Account, sign
from infra.local.wechat_http import Answer
from infra.local.wechat_keys import key_pair
from tests.fixtures.alipay_gateway import (
    NOWHERE,
    PRICE_FEN,
    failure_of,
    gateway_answering,
    gateway_of,
    gateway_saying,
    ledger_of,
    now_s,
    order,
    paid,
    refund_request,
    refusal_of,
    statement,
)


@pytest.mark.parametrize("kind", ["server_error", "rate_limited", "forged_answer", "lost_answer"])
@pytest.mark.parametrize("operation", ["prepay", "query", "close", "refund", "query_refund"])
def test_unknown_outcome_is_a_failure_and_no_refusal(
    alipay: LocalAlipay, pay: Alipay, operation: str, kind: str
) -> None:
    bought = paid(alipay, pay) if "refund" in operation else order(payer="open-id")
    if "refund" not in operation:
        pay.prepay(bought, now_s=now_s())
    if operation == "query_refund":
        pay.refund(refund_request(bought))
    calls: dict[str, Callable[[], object]] = {
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


def test_refund_whose_answer_was_lost_happened_once(alipay: LocalAlipay, pay: Alipay) -> None:
    bought = paid(alipay, pay)
    alipay.faults.add("refund", "lost_answer", times=2)

    for _ in range(2):
        assert failure_of(lambda: pay.refund(refund_request(bought))) == {"reason": "no_answer"}

    assert pay.refund(refund_request(bought)).status is RefundStatus.SUCCEEDED
    assert ledger_of(alipay, bought)["refunded_fen"] == PRICE_FEN


def test_slow_answer_is_not_waited_for(
    alipay: LocalAlipay, pay: Alipay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_client, "READ_TIMEOUT_S", 0.1)
    alipay.faults.add("query", "slow", seconds=0.3)

    assert failure_of(lambda: pay.query("1" * 32)) == {"reason": "no_answer"}


def test_gateway_that_is_away_is_a_failure(account: Account) -> None:
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
def test_answer_that_alipay_did_not_write_is_a_failure(
    account: Account, answer: Any, reason: str
) -> None:
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
    alipay: LocalAlipay, account: Account, text: str, signature: str
) -> None:
    with gateway_saying(alipay, account, text.encode(), signature=signature) as pay:
        reason = failure_of(lambda: pay.query("1" * 32))["reason"]

    assert reason == ("signature" if signature else "unsigned")


def test_error_without_a_signature_is_a_failure_and_no_refusal(account: Account) -> None:
    body = b'{"error_response":{"code":"40002","sub_code":"isv.code-invalid"}}'

    with gateway_answering(account, Answer(200, body)) as pay:
        assert failure_of(lambda: pay.payer_of("code"))["reason"] == "unsigned"


def test_answer_signed_by_another_key_is_a_failure(alipay: LocalAlipay, account: Account) -> None:
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
def test_signed_text_is_found_whatever_its_strings_hold(
    alipay: LocalAlipay, account: Account, text: Any
) -> None:
    with gateway_saying(alipay, account, text % (b"1" * 32)) as pay:
        assert pay.query("1" * 32).status is TradeStatus.UNPAID


def test_what_is_read_is_what_was_signed_although_the_name_comes_twice(
    alipay: LocalAlipay, account: Account
) -> None:
    good, bad = json.dumps(statement()).encode(), json.dumps(statement(trade_no="forged")).encode()
    name, proof = b"alipay_trade_query_response", sign(alipay.platform, good).encode()
    bodies = [
        b'{"%s":%s,"%s":%s,"sign":"%s"}' % (name, first, name, second, proof)
        for first, second in ((good, bad), (bad, good))
    ]

    seen: list[Any] = []
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
        ({"total_amount": "1e2"}, {"reason": "unreadable", "field": "total_amount", "seen": "1e2"}),
        ({"code": ""}, {"reason": "no_code"}),
    ],
)
def test_signed_answer_that_cannot_be_is_a_failure(
    alipay: LocalAlipay, account: Account, said: dict[str, Any], details: dict[str, Any]
) -> None:
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
def test_code_that_asks_for_another_try_is_a_failure(
    alipay: LocalAlipay, account: Account, code: str, sub_code: str
) -> None:
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
def test_code_that_says_no_is_a_refusal_with_its_reason(
    alipay: LocalAlipay, account: Account, code: str, sub_code: str
) -> None:
    said = {"code": code, "sub_code": sub_code, "sub_msg": "不行"}

    with gateway_saying(alipay, account, said, name="alipay_trade_close_response") as pay:
        assert refusal_of(lambda: pay.close("1" * 32)) == sub_code
