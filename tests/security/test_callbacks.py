"""API10, unsafe consumption of APIs: a gateway is believed where it proves itself, no further."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.ids import new_id
from infra.local.wechat_keys import Platform, key_pair
from tests.security.street import Street

Message = tuple[dict[str, str], bytes]
REFUSED = (401, "callback_refused")


@pytest.fixture(scope="module")
def number(only_street: Street) -> str:
    """A payment that WeChat has taken and whose callback has not come."""
    shop = only_street.ours
    out_trade_no = only_street.town.pay_unheard(shop.member, shop.held)
    only_street.changes()
    return out_trade_no


def signature_of_another(street: Street, message: Message) -> Message:
    return message[0] | {"Wechatpay-Signature": "bm90IGEgc2lnbmF0dXJl"}, message[1]


def signature_that_is_no_base64(street: Street, message: Message) -> Message:
    return message[0] | {"Wechatpay-Signature": "!!!!"}, message[1]


def body_of_another(street: Street, message: Message) -> Message:
    return message[0], message[1].replace(b"encrypt-resource", b"encrypt-resourcf")


def space_more(street: Street, message: Message) -> Message:
    return message[0], message[1] + b" "


def other_nonce(street: Street, message: Message) -> Message:
    return message[0] | {"Wechatpay-Nonce": "another"}, message[1]


def other_timestamp(street: Street, message: Message) -> Message:
    return message[0] | {"Wechatpay-Timestamp": str(street.town.now_s + 1)}, message[1]


def timestamp_in_other_digits(street: Street, message: Message) -> Message:
    digits = str(street.town.now_s).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    return message[0] | {"Wechatpay-Timestamp": digits}, message[1]


def timestamp_beyond_time(street: Street, message: Message) -> Message:
    return message[0] | {"Wechatpay-Timestamp": "9" * 400}, message[1]


def timestamp_before_time(street: Street, message: Message) -> Message:
    return message[0] | {"Wechatpay-Timestamp": "-1"}, message[1]


def strangers_key(street: Street, message: Message) -> Message:
    stranger = replace(Platform.generate(), key=key_pair("stranger"))
    return message[0] | stranger.sign(message[1], at_s=street.town.now_s), message[1]


def strangers_key_under_our_serial(street: Street, message: Message) -> Message:
    stranger = replace(street.town.wechat.platform, key=key_pair("stranger"))
    return message[0] | stranger.sign(message[1], at_s=street.town.now_s), message[1]


def our_key_under_a_strangers_serial(street: Street, message: Message) -> Message:
    renamed = Platform.generate()  # its keys are the process's own, its serials are not
    return message[0] | renamed.sign(message[1], at_s=street.town.now_s), message[1]


def serial_with_a_path(street: Street, message: Message) -> Message:
    return message[0] | {"Wechatpay-Serial": "../../etc/passwd"}, message[1]


def other_algorithm(street: Street, message: Message) -> Message:
    return message[0] | {"Wechatpay-Signature-Type": "WECHATPAY2-SM2-WITH-SM3"}, message[1]


def unsigned(street: Street, message: Message) -> Message:
    return {"Content-Type": "application/json"}, message[1]


def probe(street: Street, message: Message) -> Message:
    """What WeChat sends to see whether a signature is looked at."""
    signature = "WECHATPAY/SIGNTEST/" + message[0]["Wechatpay-Signature"]
    return message[0] | {"Wechatpay-Signature": signature}, message[1]


def without(name: str) -> Callable[[Street, Message], Message]:
    def spoil(street: Street, message: Message) -> Message:
        return {n: value for n, value in message[0].items() if n != name}, message[1]

    return spoil


def signed_text(text: bytes) -> Callable[[Street, Message], Message]:
    """Rightly signed, and no callback."""

    def spoil(street: Street, message: Message) -> Message:
        return message[0] | street.town.wechat.platform.sign(text, at_s=street.town.now_s), text

    return spoil


def with_envelope(**changes: Any) -> Callable[[Street, Message], Message]:
    def spoil(street: Street, message: Message) -> Message:
        envelope = json.loads(message[1])
        envelope["resource"] |= changes
        return signed_text(json.dumps(envelope).encode())(street, message)

    return spoil


SPOILT: dict[str, Callable[[Street, Message], Message]] = {
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
    street: Street, number: str, spoil: str
) -> None:
    headers, body = SPOILT[spoil](street, street.callback(number))

    reply = street.post(street.callback_path(), headers, body)

    assert (reply.status, reply.code) == REFUSED


@pytest.mark.parametrize("later_s", [300, 3600, -300, -3600])
def test_callback_of_another_time_is_refused(street: Street, number: str, later_s: int) -> None:
    headers, body = street.callback(number)

    with street.at(later_s):
        reply = street.post(street.callback_path(), headers, body)

    assert (reply.status, reply.code) == REFUSED


@pytest.mark.parametrize("what", ["payments", "refunds"])
def test_callback_at_the_neighbours_door_is_refused(street: Street, number: str, what: str) -> None:
    path = street.callback_path(what, street.theirs)

    reply = street.post(path, *street.callback(number))

    assert (reply.status, reply.code) == REFUSED


@pytest.mark.parametrize("merchant_id", ["0" * 22, "x", "..%2f..", "a" * 3000])
def test_callback_for_a_merchant_that_is_not_looks_nothing_up(
    street: Street, number: str, merchant_id: str
) -> None:
    path = f"/v1/callbacks/wechat-pay/{merchant_id}/payments"

    reply = street.post(path, *street.callback(number))

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
    street: Street, number: str, changes: dict[str, Any], answer: tuple[int, str]
) -> None:
    message = street.told("payment", street.payment_said(number) | changes)

    reply = street.post(street.callback_path(), *message)

    assert (reply.status, reply.code) == answer


@pytest.mark.leaves("added refused_callback", "added rejected_result")
def test_payment_of_the_neighbours_order_is_not_ours_to_hear(street: Street) -> None:
    said = {"out_trade_no": f"{street.theirs.held}01"}
    message = street.told("payment", street.payment_said(f"{street.ours.paid}01") | said)

    reply = street.post(street.callback_path(), *message)

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
    street: Street, changes: dict[str, Any], answer: tuple[int, str]
) -> None:
    said = {
        "mchid": street.town.account.mchid,
        "out_trade_no": street.ours.failed_refund[:-1],
        "out_refund_no": street.ours.failed_refund,
        "refund_status": "SUCCESS",
        "success_time": "2026-11-22T12:00:00+08:00",
        "amount": {"total": 5900, "refund": 5900},
    }
    message = street.told("refund", said | changes)

    reply = street.post(street.callback_path("refunds"), *message)

    assert (reply.status, reply.code) == answer


def test_callback_that_counted_is_a_repeat_ever_after(street: Street) -> None:
    message = street.callback(f"{street.ours.paid}01")

    replies = [street.post(street.callback_path(), *message) for _ in range(3)]

    assert [(reply.status, reply.body) for reply in replies] == [(200, {"done": True})] * 3


@pytest.mark.parametrize("fault", ["forged_answer", "server_error", "lost_answer"])
@pytest.mark.leaves("changed order")
def test_answer_of_the_gateway_that_is_not_proven_is_no_answer(street: Street, fault: str) -> None:
    """Only the attempt is noted, before WeChat is asked, so that it can be asked about later."""
    shop = street.theirs
    order_id = shop.outsider.open(shop.activity).body["order_id"]
    street.changes()
    street.town.wechat.faults.add("prepay", fault, times=9)

    reply = shop.outsider.ask_to_pay(order_id)

    assert (reply.status, reply.code) == (502, "gateway_failed")


@pytest.mark.parametrize("fault", ["server_error", "rate_limited", "lost_answer"])
def test_login_that_wechat_does_not_confirm_makes_nobody(street: Street, fault: str) -> None:
    street.town.wechat.faults.add("login", fault)
    path = f"/v1/merchants/{street.ours.merchant_id}/sessions"

    reply = street.visitor().post(path, {"code": street.town.wechat.codes.issue("somebody")})

    assert (reply.status, reply.code) == (502, "gateway_failed")
