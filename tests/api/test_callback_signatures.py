"""Signatures of callbacks: what is not proven to come from the gateway changes nothing."""

from collections.abc import Callable

import pytest

from chalicelib.domain.ids import new_id
from infra.local.wechat_keys import Platform
from tests.fixtures.callbacks import held_seat, path_of
from tests.fixtures.merchant import MerchantFixture
from tests.fixtures.payment_fixtures import BOTH

pytestmark = pytest.mark.slow

GATEWAYS = BOTH


def forged(
    headers: dict[str, str], body: bytes, merchant: MerchantFixture
) -> tuple[dict[str, str], bytes]:
    return headers | {"Wechatpay-Signature": "bm90IGEgc2lnbmF0dXJl"}, body


def tampered(
    headers: dict[str, str], body: bytes, merchant: MerchantFixture
) -> tuple[dict[str, str], bytes]:
    return headers, body.replace(b"encrypt-resource", b"encrypt-resourcf")


def stale(
    headers: dict[str, str], body: bytes, merchant: MerchantFixture
) -> tuple[dict[str, str], bytes]:
    merchant.clock.forward(300)  # a true one, replayed five minutes later
    return headers, body


def from_the_future(
    headers: dict[str, str], body: bytes, merchant: MerchantFixture
) -> tuple[dict[str, str], bytes]:
    merchant.clock.forward(-300)
    return headers, body


def unknown_key(
    headers: dict[str, str], body: bytes, merchant: MerchantFixture
) -> tuple[dict[str, str], bytes]:
    stranger = Platform.generate()
    return headers | stranger.sign(body, at_s=merchant.now_s), body


def under_our_serial(
    headers: dict[str, str], body: bytes, merchant: MerchantFixture
) -> tuple[dict[str, str], bytes]:
    """By the key of the old certificate, under the serial of the public key."""
    platform = merchant.wechat.platform
    signed = platform.sign(body, at_s=merchant.now_s, serial=platform.certificate_serial)
    return headers | signed | {"Wechatpay-Serial": platform.public_key_id}, body


def unsigned(
    headers: dict[str, str], body: bytes, merchant: MerchantFixture
) -> tuple[dict[str, str], bytes]:
    return {"Content-Type": "application/json"}, body


def signature_test(
    headers: dict[str, str], body: bytes, merchant: MerchantFixture
) -> tuple[dict[str, str], bytes]:
    probe = "WECHATPAY/SIGNTEST/" + headers["Wechatpay-Signature"]
    return headers | {"Wechatpay-Signature": probe}, body


def garbled(
    headers: dict[str, str], body: bytes, merchant: MerchantFixture
) -> tuple[dict[str, str], bytes]:
    nonsense = b"\xff\xfe not json"
    return headers | merchant.wechat.platform.sign(nonsense, at_s=merchant.now_s), nonsense


@pytest.mark.wechat_pay_only
@pytest.mark.parametrize(
    "spoil",
    [
        forged,
        tampered,
        stale,
        from_the_future,
        unknown_key,
        under_our_serial,
        unsigned,
        signature_test,
        garbled,
    ],
)
def test_callback_that_is_not_proven_changes_nothing(
    merchant: MerchantFixture,
    spoil: Callable[[dict[str, str], bytes, MerchantFixture], tuple[dict[str, str], bytes]],
) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)
    items = [merchant.stored_group(group_id), merchant.stored_order(order_id)]
    before = [merchant.image(item) for item in items]
    headers, body = spoil(*merchant.wechat.courier.signed(number), merchant)

    reply = merchant.api_client.request("POST", path_of(merchant), headers, body)

    assert (reply.status, reply.code) == (401, "callback_refused")
    assert [merchant.image(item) for item in items] == before
    assert merchant.refused_callbacks() == []  # anybody can send one: it must not cost a write
    merchant.resend(number)
    assert merchant.stored_group(group_id).status == "formed"


def test_callback_replayed_within_its_time_is_a_repeat_and_nothing_more(
    merchant: MerchantFixture,
) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay(buyer, order_id)
    headers, body = merchant.gateway.courier.signed(number)
    before = merchant.image(merchant.stored_group(group_id))

    replies = [
        merchant.api_client.request("POST", path_of(merchant), headers, body) for _ in range(2)
    ]

    assert [reply.status for reply in replies] == [200, 200]
    assert merchant.image(merchant.stored_group(group_id)) == before


@pytest.mark.wechat_pay_only
def test_callback_at_another_merchants_door_is_refused(merchant: MerchantFixture) -> None:
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)
    headers, body = merchant.wechat.courier.signed(number)
    other = MerchantFixture(merchant.wechat, merchant.clock, merchant.api_client)

    there = merchant.api_client.request("POST", path_of(other), headers, body)
    nowhere = merchant.api_client.request(
        "POST", f"/v1/callbacks/wechat-pay/{new_id()}/payments", {}, body
    )

    assert (there.status, there.code) == (401, "callback_refused")
    assert (nowhere.status, nowhere.code) == (404, "not_found")
    assert merchant.stored_group(group_id).seats_paid == 1


@pytest.mark.wechat_pay_only
@pytest.mark.parametrize("known", [True, False])
def test_callback_signed_with_the_old_certificate_counts_only_where_it_is_known(
    merchant: MerchantFixture, known: bool
) -> None:
    keys = merchant.wechat.platform.public_keys(with_certificate=known)
    merchant.keep_wechat_pay_account({**merchant.account.wechat_pay, "public_keys": keys})
    _, group_id, buyer, order_id = held_seat(merchant)
    number = merchant.pay_unheard(buyer, order_id)
    merchant.wechat.courier.serial = merchant.wechat.platform.certificate_serial

    headers, body = merchant.wechat.courier.signed(number)
    reply = merchant.api_client.request("POST", path_of(merchant), headers, body)

    assert reply.status == (200 if known else 401)
    assert merchant.stored_group(group_id).status == ("formed" if known else "open")
