"""A merchant's account at Alipay, its keys, and who pays there."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from chalicelib.errors import AuthCodeRefused, GatewayFailed, InvalidRequest
from chalicelib.gateways import directory, secrets
from chalicelib.gateways.alipay import Alipay
from chalicelib.gateways.alipay_account import AlipayAccount
from chalicelib.gateways.alipay_signatures import AlipaySignatures
from chalicelib.gateways.payment import TradeStatus
from infra.local.alipay import Alipay as LocalAlipay
from infra.local.alipay_keys import Account
from tests.fixtures.alipay_gateway import NOWHERE, failure_of, gateway_of, gateway_saying, pkcs1_pem


def test_code_of_the_mini_program_is_the_buyers_open_id_once(
    alipay: LocalAlipay, pay: Alipay
) -> None:
    code = alipay.codes.issue("open-id-of-xiaoming")

    assert pay.payer_of(code) == "open-id-of-xiaoming"
    for wrong in (code, "never-issued"):
        with pytest.raises(AuthCodeRefused) as refusal:
            pay.payer_of(wrong)
        assert (refusal.value.status, refusal.value.code) == (400, "auth_code_refused")


@pytest.mark.parametrize("kind", ["server_error", "lost_answer", "forged_answer"])
def test_code_that_alipay_did_not_answer_for_is_a_failure(
    alipay: LocalAlipay, pay: Alipay, kind: str
) -> None:
    alipay.faults.add("login", kind)

    failure_of(lambda: pay.payer_of(alipay.codes.issue("open-id")))


def test_authorisation_without_an_open_id_is_a_failure(
    alipay: LocalAlipay, account: Account
) -> None:
    name = "alipay_system_oauth_token_response"

    with gateway_saying(alipay, account, {"user_id": "2088"}, name=name) as pay:
        assert failure_of(lambda: pay.payer_of("code")) == {"reason": "no_open_id"}


def test_codes_are_of_alipay_alone() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        directory.payer_of("m1", "wechat_pay", "code")

    assert refusal.value.details == {"field": "auth_code"}


# The account


def test_making_a_gateway_parses_nothing_and_calls_nobody() -> None:
    account = AlipayAccount("2021", "2088", "no key", "no key")

    assert Alipay(account, NOWHERE).method == "alipay"


def test_keys_may_be_bare_base64_as_alipays_key_tool_gives_them(
    alipay: LocalAlipay, account: Account
) -> None:
    bare = {
        name: "".join(account.alipay[name].splitlines()[1:-1])
        for name in ("private_key", "alipay_public_key")
    }
    traditional = "".join(pkcs1_pem("merchant").splitlines()[1:-1])

    for changes in (bare, bare | {"private_key": traditional}):
        pay = gateway_of(account, alipay.gateway_url, **changes)
        assert pay.query("1" * 32).status is TradeStatus.UNKNOWN


@pytest.mark.parametrize("part", ["private_key", "alipay_public_key"])
def test_key_that_cannot_be_read_is_a_failure_for_the_merchant_to_mend(
    alipay: LocalAlipay, account: Account, part: str
) -> None:
    pay = gateway_of(account, alipay.gateway_url, **{part: "no key"})

    with pytest.raises(GatewayFailed) as failure:
        pay.query("1" * 32)

    assert failure.value.details == {"reason": part}
    assert failure.value.message == "商家的支付宝密钥有误，请商家改正后再试。"


def test_key_that_is_not_rsa_is_a_failure(account: Account) -> None:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    pem = key.public_bytes(serialization.Encoding.PEM, spki).decode()
    keys = AlipaySignatures(
        replace(AlipayAccount.from_secret(account.alipay), alipay_public_key=pem)
    )

    with pytest.raises(GatewayFailed) as failure:
        keys.verify(b"text", "AAAA")

    assert failure.value.details == {"reason": "alipay_public_key"}


def test_own_key_that_is_not_rsa_is_a_failure(account: Account) -> None:
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    own = replace(AlipayAccount.from_secret(account.alipay), private_key=pem.decode())

    assert failure_of(lambda: AlipaySignatures(own).signed({})) == {"reason": "private_key"}


def test_account_shows_no_key_when_printed(account: Account) -> None:
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
def test_account_that_is_not_complete_is_the_merchants_to_complete(
    monkeypatch: pytest.MonkeyPatch, secret: dict[str, Any]
) -> None:
    from chalicelib.gateways.alipay import alipay as account_of

    monkeypatch.setattr(secrets, "json_secret", lambda name: secret)

    with pytest.raises(secrets.NotConfigured) as missing:
        account_of("m1")

    assert missing.value.details == {"parameter": "merchants/m1/alipay"}


def test_account_is_kept_until_its_content_changes(
    monkeypatch: pytest.MonkeyPatch, account: Account
) -> None:
    from chalicelib.gateways.alipay import alipay as account_of

    monkeypatch.setattr(secrets, "json_secret", lambda name: account.alipay)
    first, second = account_of("m1"), account_of("m2")
    monkeypatch.setattr(
        secrets, "json_secret", lambda name: {**account.alipay, "seller_id": "2088123412341234"}
    )

    assert first is second
    assert account_of("m1") is not first
