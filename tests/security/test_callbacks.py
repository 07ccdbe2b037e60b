"""API10, unsafe consumption of APIs: a gateway is believed where it proves itself, no further."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.ids import new_id
from infra.local.wechat_keys import Platform, key_pair
from tests.fixtures.two_merchants import TwoMerchants

Message = tuple[dict[str, str], bytes]
REFUSED = (401, "callback_refused")


@pytest.fixture(scope="module")
def number(shared_merchants: TwoMerchants) -> str:
    """A payment that WeChat has taken and whose callback has not come."""
    shop = shared_merchants.ours
    out_trade_no = shared_merchants.merchant.pay_unheard(shop.member, shop.held)
    shared_merchants.changes()
    return out_trade_no


def signature_of_another(merchants: TwoMerchants, message: Message) -> Message:
    return message[0] | {"Wechatpay-Signature": "bm90IGEgc2lnbmF0dXJl"}, message[1]


def signature_that_is_no_base64(merchants: TwoMerchants, message: Message) -> Message:
    return message[0] | {"Wechatpay-Signature": "!!!!"}, message[1]


def body_of_another(merchants: TwoMerchants, message: Message) -> Message:
    return message[0], message[1].replace(b"encrypt-resource", b"encrypt-resourcf")


def space_more(merchants: TwoMerchants, message: Message) -> Message:
    return message[0], message[1] + b" "


def other_nonce(merchants: TwoMerchants, message: Message) -> Message:
    return message[0] | {"Wechatpay-Nonce": "another"}, message[1]


def other_timestamp(merchants: TwoMerchants, message: Message) -> Message:
    return message[0] | {"Wechatpay-Timestamp": str(merchants.merchant.now_s + 1)}, message[1]


def timestamp_in_other_digits(merchants: TwoMerchants, message: Message) -> Message:
    digits = str(merchants.merchant.now_s).translate(
        str.maketrans("0123456789", "０１２３４５６７８９")
    )
    return message[0] | {"Wechatpay-Timestamp": digits}, message[1]


def timestamp_beyond_time(merchants: TwoMerchants, message: Message) -> Message:
    return message[0] | {"Wechatpay-Timestamp": "9" * 400}, message[1]


def timestamp_before_time(merchants: TwoMerchants, message: Message) -> Message:
    return message[0] | {"Wechatpay-Timestamp": "-1"}, message[1]


def strangers_key(merchants: TwoMerchants, message: Message) -> Message:
    stranger = replace(Platform.generate(), key=key_pair("stranger"))
    return message[0] | stranger.sign(message[1], at_s=merchants.merchant.now_s), message[1]


def strangers_key_under_our_serial(merchants: TwoMerchants, message: Message) -> Message:
    stranger = replace(merchants.merchant.wechat.platform, key=key_pair("stranger"))
    return message[0] | stranger.sign(message[1], at_s=merchants.merchant.now_s), message[1]


def our_key_under_a_strangers_serial(merchants: TwoMerchants, message: Message) -> Message:
    renamed = Platform.generate()  # its keys are the process's own, its serials are not
    return message[0] | renamed.sign(message[1], at_s=merchants.merchant.now_s), message[1]


def serial_with_a_path(merchants: TwoMerchants, message: Message) -> Message:
    return message[0] | {"Wechatpay-Serial": "../../etc/passwd"}, message[1]


def other_algorithm(merchants: TwoMerchants, message: Message) -> Message:
    return message[0] | {"Wechatpay-Signature-Type": "WECHATPAY2-SM2-WITH-SM3"}, message[1]


def unsigned(merchants: TwoMerchants, message: Message) -> Message:
    return {"Content-Type": "application/json"}, message[1]


def probe(merchants: TwoMerchants, message: Message) -> Message:
    """What WeChat sends to see whether a signature is looked at."""
    signature = "WECHATPAY/SIGNTEST/" + message[0]["Wechatpay-Signature"]
    return message[0] | {"Wechatpay-Signature": signature}, message[1]


def without(name: str) -> Callable[[TwoMerchants, Message], Message]:
    def spoil(merchants: TwoMerchants, message: Message) -> Message:
        return {n: value for n, value in message[0].items() if n != name}, message[1]

    return spoil


def signed_text(text: bytes) -> Callable[[TwoMerchants, Message], Message]:
    """Rightly signed, and no callback."""

    def spoil(merchants: TwoMerchants, message: Message) -> Message:
        return message[0] | merchants.merchant.wechat.platform.sign(
            text, at_s=merchants.merchant.now_s
        ), text

    return spoil


def with_envelope(**changes: Any) -> Callable[[TwoMerchants, Message], Message]:
    def spoil(merchants: TwoMerchants, message: Message) -> Message:
        envelope = json.loads(message[1])
        envelope["resource"] |= changes
        return signed_text(json.dumps(envelope).encode())(merchants, message)

    return spoil


SPOILT: dict[str, Callable[[TwoMerchants, Message], Message]] = {
    **{
        spoil.__name__: spoil
        for spoil in (
            signature_of_another,
            signature_that_is_no_base64,
            body_of_another,
            space_more,
            other_nonce,
            other_timestamp,
            timestamp_in_other_digits,
            timestamp_beyond_time,
            timestamp_before_time,
            strangers_key,
            strangers_key_under_our_serial,
            our_key_under_a_strangers_serial,
            serial_with_a_path,
            other_algorithm,
            unsigned,
            probe,
        )
    },
    **{
        f"without_{name.lower()}": without(name)
        for name in (
            "Wechatpay-Timestamp",
            "Wechatpay-Nonce",
            "Wechatpay-Signature",
            "Wechatpay-Serial",
        )
    },
    "signed_emptiness": signed_text(b""),
    "signed_nonsense": signed_text(b"\xff\xfe"),
    "signed_list": signed_text(b"[]"),
    "signed_depth": signed_text(b"[" * 20_000),
    "other_cipher": with_envelope(algorithm="NONE"),
    "cipher_of_nothing": with_envelope(ciphertext=""),
    "cipher_that_is_no_base64": with_envelope(ciphertext="ß"),
    "nonce_of_nothing": with_envelope(nonce=""),
    "other_associated_data": with_envelope(associated_data="other"),
}


@pytest.mark.parametrize("spoil", SPOILT)
def test_callback_that_is_not_proven_is_refused_and_costs_no_write(
    merchants: TwoMerchants, number: str, spoil: str
) -> None:
    headers, body = SPOILT[spoil](merchants, merchants.callback(number))

    reply = merchants.post(merchants.callback_path(), headers, body)

    assert (reply.status, reply.code) == REFUSED


@pytest.mark.parametrize("later_s", [300, 3600, -300, -3600])
def test_callback_of_another_time_is_refused(
    merchants: TwoMerchants, number: str, later_s: int
) -> None:
    headers, body = merchants.callback(number)

    with merchants.at(later_s):
        reply = merchants.post(merchants.callback_path(), headers, body)

    assert (reply.status, reply.code) == REFUSED


@pytest.mark.parametrize("what", ["payments", "refunds"])
def test_callback_at_the_neighbours_door_is_refused(
    merchants: TwoMerchants, number: str, what: str
) -> None:
    path = merchants.callback_path(what, merchants.theirs)

    reply = merchants.post(path, *merchants.callback(number))

    assert (reply.status, reply.code) == REFUSED


@pytest.mark.parametrize("merchant_id", ["0" * 22, "x", "..%2f..", "a" * 3000])
def test_callback_for_a_merchant_that_is_not_looks_nothing_up(
    merchants: TwoMerchants, number: str, merchant_id: str
) -> None:
    path = f"/v1/callbacks/wechat-pay/{merchant_id}/payments"

    reply = merchants.post(path, *merchants.callback(number))

    assert (reply.status, reply.code) == (404, "not_found")


@pytest.mark.leaves("added refused_callback", "added rejected_result")
@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"mchid": "1900000000"}, REFUSED),
        ({"appid": "wx0000000000000000"}, REFUSED),
        ({"amount": {"total": 5900, "currency": "USD"}}, REFUSED),
        ({"amount": None}, REFUSED),
        ({"amount": {"total": 1, "currency": "CNY"}}, (409, "wrong_amount")),
        ({"amount": {"total": -5900, "currency": "CNY"}}, (409, "wrong_amount")),
        ({"amount": {"total": 10**15, "currency": "CNY"}}, (409, "wrong_amount")),
        ({"transaction_id": ""}, REFUSED),
        ({"trade_state": "MAYBE"}, REFUSED),
        ({"out_trade_no": f"{new_id()}1z00000001"}, (404, "not_found")),
        ({"out_trade_no": "somebody-elses-number"}, (404, "not_found")),
        ({"out_trade_no": "１" * 32}, (404, "not_found")),
        ({"out_trade_no": ""}, (404, "not_found")),
    ],
)
def test_signed_callback_that_does_not_fit_is_kept_for_a_person_and_changes_nothing_else(
    merchants: TwoMerchants, number: str, changes: dict[str, Any], answer: tuple[int, str]
) -> None:
    message = merchants.told("payment", merchants.payment_said(number) | changes)

    reply = merchants.post(merchants.callback_path(), *message)

    assert (reply.status, reply.code) == answer


@pytest.mark.leaves("added refused_callback", "added rejected_result")
def test_payment_of_the_neighbours_order_is_not_ours_to_hear(merchants: TwoMerchants) -> None:
    said = {"out_trade_no": f"{merchants.theirs.held}01"}
    message = merchants.told("payment", merchants.payment_said(f"{merchants.ours.paid}01") | said)

    reply = merchants.post(merchants.callback_path(), *message)

    assert (reply.status, reply.code) == (404, "not_found")


@pytest.mark.leaves("added refused_callback", "added rejected_result")
@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"amount": {"total": 5900, "refund": 1}}, (409, "wrong_amount")),
        ({"out_refund_no": f"{new_id()}1z0000000101F"}, (404, "not_found")),
        ({"refund_status": "PERHAPS"}, REFUSED),
    ],
)
def test_refund_that_does_not_fit_is_kept_for_a_person(
    merchants: TwoMerchants, changes: dict[str, Any], answer: tuple[int, str]
) -> None:
    said = {
        "mchid": merchants.merchant.account.mchid,
        "out_trade_no": merchants.ours.failed_refund[:-1],
        "out_refund_no": merchants.ours.failed_refund,
        "refund_status": "SUCCESS",
        "success_time": "2026-11-22T12:00:00+08:00",
        "amount": {"total": 5900, "refund": 5900},
    }
    message = merchants.told("refund", said | changes)

    reply = merchants.post(merchants.callback_path("refunds"), *message)

    assert (reply.status, reply.code) == answer


def test_callback_that_counted_is_a_repeat_ever_after(merchants: TwoMerchants) -> None:
    message = merchants.callback(f"{merchants.ours.paid}01")

    replies = [merchants.post(merchants.callback_path(), *message) for _ in range(3)]

    assert [(reply.status, reply.body) for reply in replies] == [(200, {"done": True})] * 3


@pytest.mark.parametrize("fault", ["forged_answer", "server_error", "lost_answer"])
@pytest.mark.leaves("changed order")
def test_answer_of_the_gateway_that_is_not_proven_is_no_answer(
    merchants: TwoMerchants, fault: str
) -> None:
    """Only the attempt is noted, before WeChat is asked, so that it can be asked about later."""
    shop = merchants.theirs
    order_id = shop.outsider.open(shop.activity).body["order_id"]
    merchants.changes()
    merchants.merchant.wechat.faults.add("prepay", fault, times=9)

    reply = shop.outsider.ask_to_pay(order_id)

    assert (reply.status, reply.code) == (502, "gateway_failed")


@pytest.mark.parametrize("fault", ["server_error", "rate_limited", "lost_answer"])
def test_login_that_wechat_does_not_confirm_makes_nobody(
    merchants: TwoMerchants, fault: str
) -> None:
    merchants.merchant.wechat.faults.add("login", fault)
    path = f"/v1/merchants/{merchants.ours.merchant_id}/sessions"

    reply = merchants.visitor().post(
        path, {"code": merchants.merchant.wechat.codes.issue("somebody")}
    )

    assert (reply.status, reply.code) == (502, "gateway_failed")
