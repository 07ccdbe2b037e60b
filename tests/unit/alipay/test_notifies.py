"""Notifies of Alipay: which are believed, and how they go astray."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from chalicelib.gateways.alipay import Alipay
from chalicelib.gateways.payment import TradeStatus
from infra.local.alipay import Alipay as LocalAlipay
from infra.local.alipay_keys import Account, sign, signed_text
from infra.local.wechat_http import Answer, Call, Server
from infra.local.wechat_keys import key_pair
from tests.fixtures.alipay_gateway import (
    NOTIFY_URL,
    NUMBERS,
    PRICE_FEN,
    Sent,
    now_s,
    paid,
    refund_request,
    refused,
    told,
)


def test_notify_tells_what_the_query_tells(
    alipay: LocalAlipay, pay: Alipay, sent: list[Sent]
) -> None:
    bought = paid(alipay, pay, attach="g 1&m=2/二")

    [(url, headers, body)] = sent
    said = pay.read_callback(headers, body, now_s=now_s())

    assert url == NOTIFY_URL
    assert headers["Content-Type"] == "application/x-www-form-urlencoded; charset=utf-8"
    assert said == replace(pay.query(bought.out_trade_no), attach="g 1&m=2/二")
    assert said.status is TradeStatus.SUCCEEDED


@pytest.mark.parametrize("amount_fen", [1, PRICE_FEN])
def test_notify_of_a_refund_is_a_statement_about_a_captured_trade(
    alipay: LocalAlipay, pay: Alipay, sent: list[Sent], amount_fen: Any
) -> None:
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
def test_notify_of_every_state_has_its_status(
    alipay: LocalAlipay,
    account: Account,
    pay: Alipay,
    state: str,
    paid_at: str | None,
    status: TradeStatus,
) -> None:
    body = told(alipay, account, trade_status=state, gmt_payment=paid_at)

    assert pay.read_callback({}, body, now_s=now_s()).status is status


def resigned(body: bytes, key_name: str) -> bytes:
    """The same fields, signed by another key."""
    fields = dict(parse_qsl(body.decode()))
    signature = sign(key_pair(key_name), signed_text(fields, "sign", "sign_type"))
    return urlencode(fields | {"sign": signature}).encode()


@pytest.mark.parametrize(
    ("tamper", "details"),
    [
        (lambda body: body.replace(b"19.90", b"0.01"), {"reason": "signature", "field": "sign"}),
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
        (lambda body: body + b"&total_amount=0.01", {"reason": "duplicate", "field": "form"}),
        (lambda body: b"total_amount=19.90&" + body, {"reason": "duplicate", "field": "form"}),
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
def test_tampered_notify_is_refused(
    alipay: LocalAlipay,
    account: Account,
    pay: Alipay,
    tamper: Callable[..., Any],
    details: dict[str, Any],
) -> None:
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
def test_proven_notify_about_something_else_is_refused(
    alipay: LocalAlipay,
    account: Account,
    pay: Alipay,
    changes: dict[str, Any],
    details: dict[str, Any],
) -> None:
    assert refused(pay, told(alipay, account, **changes)) == details


def test_fields_hidden_in_others_under_the_same_signature_are_refused(
    alipay: LocalAlipay, account: Account, pay: Alipay
) -> None:
    body = told(alipay, account, out_biz_no="R1")
    fields = dict(parse_qsl(body.decode()))
    merged = {**fields, "notify_type": f"{fields['notify_type']}&out_biz_no=R1"}
    del merged["out_biz_no"]
    as_name = {**fields, "out_biz_no=R1&out_trade_no": fields["out_trade_no"]}
    del as_name["out_biz_no"], as_name["out_trade_no"]

    for form in (merged, as_name):
        assert signed_text(form, "sign", "sign_type") == signed_text(fields, "sign", "sign_type")
        assert refused(pay, urlencode(form).encode())["reason"] == "ambiguous"


def test_notify_for_another_merchant_of_the_same_alipay_is_refused(
    alipay: LocalAlipay, account: Account, pay: Alipay
) -> None:
    other = alipay.new_account(f"merchant-{next(NUMBERS)}")

    assert refused(pay, told(alipay, other))["field"] == "app_id"


def test_notify_comes_again_until_the_answer_is_the_word(
    alipay: LocalAlipay, pay: Alipay, sent: list[Sent], monkeypatch: pytest.MonkeyPatch
) -> None:
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
