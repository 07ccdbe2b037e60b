"""Callbacks of WeChat Pay: which are believed, and how they go astray."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.gateways.payment import CallbackRefused, TradeStatus
from chalicelib.gateways.wechat_pay import WechatPay
from chalicelib.gateways.wechat_pay_account import WechatAccount
from infra.local.wechat import Wechat
from infra.local.wechat_accounts import Account
from tests.fixtures.wechat_pay_gateway import (
    NOWHERE,
    NUMBERS,
    PRICE_FEN,
    Sent,
    callback,
    gateway_of,
    now_s,
    paid,
    refused,
    statement,
)


def test_payment_callback_tells_what_the_query_tells(
    wechat: Wechat, pay: WechatPay, sent: list[Sent]
) -> None:
    bought = paid(wechat, pay)

    url, headers, body = sent[-1]
    told = pay.read_callback(headers, body, now_s=now_s())

    assert url == "http://127.0.0.1/callbacks/wechat-pay"
    assert told == pay.query(bought.out_trade_no)
    assert told.status is TradeStatus.SUCCEEDED


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_header_names_may_be_in_any_case(
    wechat: Wechat, pay: WechatPay, sent: list[Sent], case: Any
) -> None:
    paid(wechat, pay)
    _, headers, body = sent[-1]

    told = pay.read_callback(
        {case(name): value for name, value in headers.items()}, body, now_s=now_s()
    )

    assert told.amount_fen == PRICE_FEN


def test_callback_without_signature_type_is_taken_as_rsa(
    wechat: Wechat, pay: WechatPay, sent: list[Sent]
) -> None:
    paid(wechat, pay)
    _, headers, body = sent[-1]
    del headers["Wechatpay-Signature-Type"]

    assert pay.read_callback(headers, body, now_s=now_s()).amount_fen == PRICE_FEN


SIGNATURE_TYPE, TIMESTAMP = "Wechatpay-Signature-Type", "Wechatpay-Timestamp"
NOT_PROVEN: list[tuple[Mapping[str, str | None], bytes, dict[str, str]]] = [
    (
        {SIGNATURE_TYPE: "SM2"},
        b"",
        {"reason": "signature_type", "field": SIGNATURE_TYPE, "seen": "SM2"},
    ),
    *(
        (
            {f"Wechatpay-{name}": None},
            b"",
            {"reason": "missing_header", "field": f"Wechatpay-{name}"},
        )
        for name in ("Timestamp", "Nonce", "Signature", "Serial")
    ),
    *(
        (headers, more, {"reason": "signature", "field": "Wechatpay-Signature"})
        for headers, more in (
            ({}, b" "),
            ({"Wechatpay-Nonce": "x"}, b""),
            ({"Wechatpay-Signature": "WECHATPAY/SIGNTEST/x"}, b""),
            ({"Wechatpay-Signature": "签名"}, b""),
            ({"Wechatpay-Signature": "AAAA"}, b""),
        )
    ),
    *(
        ({TIMESTAMP: text}, b"", {"reason": "timestamp", "field": TIMESTAMP, "seen": text})
        for text in ("-1", "1e9", "１８０", "9" * 13, "now")
    ),
]


@pytest.mark.parametrize(("changes", "more", "details"), NOT_PROVEN)
def test_callback_that_is_not_proven_is_refused(
    wechat: Wechat,
    pay: WechatPay,
    sent: list[Sent],
    changes: Mapping[str, str | None],
    more: bytes,
    details: dict[str, str],
) -> None:
    """changes: other headers, None where one is missing; more: what is added to the body."""
    paid(wechat, pay)
    _, headers, body = sent[-1]
    kept = {name: value for name, value in {**headers, **changes}.items() if value is not None}

    assert refused(pay, kept, body + more) == details


@pytest.mark.parametrize("age_s", [300, -300, 3600])
def test_stale_callback_is_refused(
    wechat: Wechat, pay: WechatPay, sent: list[Sent], age_s: int
) -> None:
    paid(wechat, pay)
    _, headers, body = sent[-1]
    signed_at_s = int(headers["Wechatpay-Timestamp"])

    details = refused(pay, headers, body, at_s=signed_at_s + age_s)

    assert details == {"reason": "stale", "field": "Wechatpay-Timestamp", "seen": str(signed_at_s)}


@pytest.mark.parametrize("age_s", [299, -299])
def test_callback_just_inside_the_window_is_read(
    wechat: Wechat, pay: WechatPay, sent: list[Sent], age_s: int
) -> None:
    paid(wechat, pay)
    _, headers, body = sent[-1]
    signed_at_s = int(headers["Wechatpay-Timestamp"])

    told = pay.read_callback(headers, body, now_s=signed_at_s + age_s)

    assert told.amount_fen == PRICE_FEN


@pytest.mark.parametrize("serial", ["PUB_KEY_ID_0", "7132D72A03E93CDDF8C03BBD1F37EEDF00000000"])
def test_callback_of_an_unknown_serial_is_refused_without_asking_anybody(
    wechat: Wechat, account: Account, sent: list[Sent], serial: str
) -> None:
    pay = WechatPay(WechatAccount.from_secret(account.wechat_pay), NOWHERE)
    headers, body = callback(wechat, account, statement())

    details = refused(pay, headers | {"Wechatpay-Serial": serial}, body)

    assert details == {"reason": "unknown_serial", "field": "Wechatpay-Serial", "seen": serial}


def test_callback_signed_by_the_certificate_is_read_only_with_the_certificate(
    wechat: Wechat, pay: WechatPay, sent: list[Sent]
) -> None:
    wechat.courier.serial = wechat.platform.certificate_serial
    both = gateway_of(
        wechat.new_account(f"merchant-{next(NUMBERS)}", with_certificate=True), wechat
    )

    for gateway in (pay, both):
        paid(wechat, gateway)
    (_, headers_pay, body_pay), (_, headers_both, body_both) = sent

    assert refused(pay, headers_pay, body_pay)["reason"] == "unknown_serial"
    told = both.read_callback(headers_both, body_both, now_s=now_s())
    assert told.amount_fen == PRICE_FEN


def test_account_with_a_certificate_alone_works(wechat: Wechat, sent: list[Sent]) -> None:
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
def test_proven_callback_about_something_else_is_refused(
    wechat: Wechat, account: Account, pay: WechatPay, said: dict[str, Any], details: dict[str, Any]
) -> None:
    ours = {"mchid": account.mchid, "appid": account.appid}
    headers, body = callback(wechat, account, statement(**(ours | said)))

    assert refused(pay, headers, body) == details


def test_callback_for_another_merchant_cannot_be_opened(
    wechat: Wechat, pay: WechatPay, sent: list[Sent]
) -> None:
    other = gateway_of(wechat.new_account(f"merchant-{next(NUMBERS)}"), wechat)
    paid(wechat, pay)
    _, headers, body = sent[-1]

    assert refused(other, headers, body) == {"reason": "ciphertext", "field": "resource"}


def test_callback_about_something_that_nobody_asked_for_is_refused(
    wechat: Wechat, account: Account, pay: WechatPay
) -> None:
    told = callback(wechat, account, {}, kind="payscore")

    assert refused(pay, *told)["field"] == "original_type"


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
    wechat: Wechat,
    account: Account,
    pay: WechatPay,
    changes: dict[str, Any],
    details: dict[str, Any],
) -> None:
    resource = {
        "mchid": account.mchid,
        "out_trade_no": "1" * 32,
        "out_refund_no": "1" * 32 + "F",
        "refund_status": "PROCESSING",
        "amount": {"refund": 5, "total": 9},
    }
    headers, body = callback(wechat, account, resource | changes, kind="refund")

    with pytest.raises(CallbackRefused) as refusal:
        pay.read_callback(headers, body, now_s=now_s())

    assert refusal.value.details == details


def test_callback_sealed_in_another_way_is_refused(
    wechat: Wechat, account: Account, pay: WechatPay
) -> None:
    headers, body = callback(wechat, account, statement(), algorithm="AEAD_SM4_GCM")

    assert refused(pay, headers, body) == {
        "reason": "algorithm",
        "field": "resource",
        "seen": "AEAD_SM4_GCM",
    }


def test_serial_may_be_spelt_in_lower_case(wechat: Wechat, sent: list[Sent]) -> None:
    account = wechat.new_account(f"merchant-{next(NUMBERS)}", with_certificate=True)
    pay = gateway_of(account, wechat)
    wechat.courier.serial = wechat.platform.certificate_serial
    paid(wechat, pay)
    _, headers, body = sent[-1]
    headers["Wechatpay-Serial"] = headers["Wechatpay-Serial"].lower()

    assert pay.read_callback(headers, body, now_s=now_s()).amount_fen == PRICE_FEN


def test_signed_body_that_is_no_callback_is_refused(wechat: Wechat, pay: WechatPay) -> None:
    for body in (b"", b"null", b"\xff", b'{"resource": 1}'):
        headers = wechat.platform.sign(body, at_s=time.time())

        assert refused(pay, headers, body) == {"reason": "unreadable", "field": "Callback"}


# Callbacks that go astray


def test_callback_that_nobody_accepts_is_given_up_and_can_be_resent(
    wechat: Wechat, pay: WechatPay, sent: list[Sent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.local.wechat_callbacks.RETRY_AFTER_S", (0.01,))
    accept, wechat.courier.send = wechat.courier.send, lambda url, headers, body: 500
    bought = paid(wechat, pay)
    assert wechat.courier.summaries()[-1]["state"] == "given_up"

    wechat.courier.send = accept
    wechat.courier.resend(bought.out_trade_no)

    assert wechat.quiet()
    assert len(sent) == 1
    assert wechat.courier.summaries()[-1]["state"] == "delivered"
