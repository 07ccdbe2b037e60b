"""Refunds at Alipay, and what becomes of them."""

import json
from typing import Any

import pytest

from chalicelib.gateways.alipay import Alipay
from chalicelib.gateways.payment import Refund, RefundStatus
from infra.local.alipay import Alipay as LocalAlipay
from infra.local.alipay_keys import Account, sign
from infra.local.wechat_http import Answer
from tests.fixtures.alipay_gateway import (
    PRICE_FEN,
    failure_of,
    gateway_answering,
    gateway_saying,
    ledger_of,
    now_s,
    order,
    paid,
    refund_request,
    refusal_of,
)


def test_refund_is_confirmed_by_its_answer(alipay: LocalAlipay, pay: Alipay) -> None:
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


def test_same_refund_number_twice_is_one_refund(alipay: LocalAlipay, pay: Alipay) -> None:
    bought = paid(alipay, pay)
    request = refund_request(bought, amount_fen=1000)

    first, second = pay.refund(request), pay.refund(request)

    assert first == second
    assert ledger_of(alipay, bought)["refunded_fen"] == 1000


def test_refund_that_moved_nothing_yet_is_processing_until_a_query_says_more(
    alipay: LocalAlipay, pay: Alipay
) -> None:
    bought = paid(alipay, pay)
    alipay.faults.add("refund", "stays_processing")

    asked = pay.refund(refund_request(bought))
    before = pay.query_refund(asked.out_refund_no)
    alipay.settle_refunds(out_refund_no=asked.out_refund_no)

    number = f"{bought.out_trade_no}F"
    assert asked == Refund(number, RefundStatus.PROCESSING, PRICE_FEN)
    assert before == Refund(number, RefundStatus.PROCESSING, PRICE_FEN, "REFUND_PROCESSING")
    assert pay.query_refund(number).status is RefundStatus.SUCCEEDED


def test_refund_that_failed_is_unknown_and_can_be_asked_for_again(
    alipay: LocalAlipay, pay: Alipay
) -> None:
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
def test_refund_that_is_not_covered_is_refused(
    alipay: LocalAlipay, pay: Alipay, changes: dict[str, Any], reason: str
) -> None:
    bought = paid(alipay, pay)
    pay.refund(refund_request(bought, amount_fen=1000))

    assert refusal_of(lambda: pay.refund(refund_request(bought, **changes))) == reason
    assert ledger_of(alipay, bought)["refunded_fen"] == 1000


def test_refund_waits_for_balance_under_the_same_number(
    alipay: LocalAlipay, account: Account, pay: Alipay
) -> None:
    bought = paid(alipay, pay)
    alipay.ledger.balances[account.mchid] = PRICE_FEN - 1

    reason = refusal_of(lambda: pay.refund(refund_request(bought)))

    assert reason == "ACQ.SELLER_BALANCE_NOT_ENOUGH"
    assert pay.query_refund(f"{bought.out_trade_no}F").status is RefundStatus.UNKNOWN
    alipay.ledger.balances[account.mchid] = PRICE_FEN
    assert pay.refund(refund_request(bought)).status is RefundStatus.SUCCEEDED
    assert alipay.ledger.balances[account.mchid] == 0


def test_refund_never_asked_for_is_unknown(alipay: LocalAlipay, pay: Alipay) -> None:
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
def test_signed_answer_about_another_refund_is_a_failure(
    alipay: LocalAlipay, account: Account, said: dict[str, Any], details: dict[str, Any]
) -> None:
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
def test_signed_answer_about_another_order_is_a_failure(
    alipay: LocalAlipay, account: Account, operation: str
) -> None:
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


def test_refund_that_was_made_before_with_another_amount_is_a_failure(
    alipay: LocalAlipay, account: Account
) -> None:
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
