"""Accounts at the gateways: told without their keys, changed with a trace, checked there."""

import json
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from chalicelib.gateways import secrets
from chalicelib.gateways.wechat_pay import wechat_pay
from chalicelib.services.people.payment_account_history import without_history
from infra.local.wechat_faults import Kind
from infra.local.wechat_keys import key_pair, private_pem, public_pem
from tests.fixtures.caches import restore, snapshot
from tests.fixtures.merchant import MerchantFixture, Reply

pytestmark = pytest.mark.parametrize("paid_by", ["alipay"], indirect=True)  # both are there

ACCOUNTS = "/v1/merchant/payment-accounts"
OTHER = key_pair("other")
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)
NO_RSA: Any = ed25519.Ed25519PrivateKey.generate()


def given(merchant: MerchantFixture, method: str) -> dict[str, Any]:
    """The account that the local gateway knows, as the owner would write it."""
    known: Mapping[str, Mapping[str, Any]] = {
        "wechat-pay": merchant.account.wechat_pay,
        "wechat-login": merchant.account.wechat_login,
        "alipay": merchant.gateway._account_of().alipay,
        "wechat-account": merchant.wechat.web_logins.new_account(),
        "sms": {
            "secret_id": f"AKID{'a1' * 16}",
            "secret_key": "c3D4" * 8,
            "sdk_app_id": "1400006666",
            "sign_name": "山野果园",
            "template_id": "449739",
        },
    }
    return {**known[method], "revision": 0}


def save(merchant: MerchantFixture, method: str, **changes: Any) -> Reply:
    return merchant.owner().put(f"{ACCOUNTS}/{method}", given(merchant, method) | changes)


def check(merchant: MerchantFixture, method: str) -> Any:
    return merchant.owner().post(f"{ACCOUNTS}/{method}/check").body


def shown(merchant: MerchantFixture, method: str) -> Any:
    items = merchant.owner().get(ACCOUNTS).body["items"]
    return next(item for item in items if item["method"] == method)


def problems(reply: Reply) -> list[str]:
    """The fields of a refusal's problems."""
    assert (reply.status, reply.code) == (400, "invalid_request"), reply.body
    return [one["field"] for one in reply.body["details"]["problems"]]


def audit_rows(merchant: MerchantFixture) -> Any:
    return merchant.owner().get("/v1/merchant/audit?subject=payment_account").body["items"]


def unwritten() -> AbstractContextManager[None]:
    """SSM takes no parameter in the block."""

    def refuse(request: Any, **_: Any) -> None:
        raise EndpointConnectionError(endpoint_url=request.url)

    @contextmanager
    def block() -> Any:
        events = secrets._client().meta.events
        events.register("before-send.ssm.PutParameter", refuse)
        try:
            yield
        finally:
            events.unregister("before-send.ssm.PutParameter", refuse)

    return block()


@pytest.mark.slow
def test_accounts_are_told_without_their_keys(merchant: MerchantFixture) -> None:
    merchant.owner()
    for method in ("wechat-pay", "alipay", "wechat-login", "wechat-account", "sms"):
        assert save(merchant, method).status == 200

    told = merchant.owner().get(ACCOUNTS)

    pay = given(merchant, "wechat-pay")
    assert shown(merchant, "wechat-pay") == {
        "method": "wechat-pay",
        "configured": True,
        "as_saved": True,
        "key_serials": list(pay["public_keys"]),
        "changed_at_s": merchant.now_s,
        "changed_by": "owner",
        "revision": 1,
        "offered": True,
        "mode": "direct",
        "mchid": pay["mchid"],
        "appid": pay["appid"],
        "sp_mchid": "",
        "sp_appid": "",
        "sub_mchid": "",
        "sub_appid": "",
        "official_account_appid": "",
        "serial_no": pay["serial_no"],
        "app_id": "",
        "seller_id": "",
        "secret_id": "",
        "sdk_app_id": "",
        "sign_name": "",
        "template_id": "",
        "region": "",
    }
    assert shown(merchant, "sms")["sign_name"] == "山野果园"
    assert shown(merchant, "alipay")["seller_id"] == given(merchant, "alipay")["seller_id"]
    everything = json.dumps([told.body, audit_rows(merchant)])
    for secret in (
        pay["api_v3_key"],
        given(merchant, "wechat-login")["app_secret"],
        given(merchant, "sms")["secret_key"],
        "PRIVATE KEY",
    ):
        assert secret not in everything


def test_account_that_the_operator_wrote_is_told_as_never_changed_here(
    merchant: MerchantFixture,
) -> None:
    told = shown(merchant, "wechat-pay")

    assert (told["configured"], told["as_saved"]) == (True, True)
    assert (told["revision"], told["changed_by"], told["changed_at_s"]) == (0, None, None)


def test_keys_that_are_left_out_stay_and_audit_says_which_were_replaced(
    merchant: MerchantFixture,
) -> None:
    save(merchant, "wechat-pay")
    mchid = "1900000001"

    kept = save(merchant, "wechat-pay", mchid=mchid, private_key=None, api_v3_key=None, revision=1)
    new_key = save(merchant, "wechat-pay", mchid=mchid, api_v3_key="x" * 32, revision=2)

    assert (kept.status, new_key.status) == (200, 200)
    stored = secrets.json_secret(f"merchants/{merchant.merchant_id}/wechat-pay")
    assert stored["private_key"] == merchant.account.wechat_pay["private_key"].strip()
    assert (stored["mchid"], stored["api_v3_key"]) == (mchid, "x" * 32)
    assert {row["action"] for row in audit_rows(merchant)} == {"payment_account_changed"}
    changes = [row["after"] for row in audit_rows(merchant)]
    assert {"mchid": mchid} in changes
    assert {"api_v3_key": "已更换"} in changes


def stored(merchant: MerchantFixture, method: str) -> dict[str, Any]:
    """The account in the parameter that keeps it."""
    return without_history(secrets.json_secret(f"merchants/{merchant.merchant_id}/{method}"))


@pytest.mark.parametrize(
    ("method", "kept", "changes"),
    [
        ("wechat-pay", ("private_key", "api_v3_key", "public_keys"), {"mchid": "1900000001"}),
        ("alipay", ("private_key", "alipay_public_key"), {"app_id": "2021000000000000"}),
        ("wechat-login", ("app_secret",), {"appid": "wx0000000000000000"}),
        ("wechat-account", ("app_secret",), {"appid": "wx0000000000000000"}),
        ("sms", ("secret_key",), {"sign_name": "果园小店"}),
    ],
)
def test_one_field_is_changed_and_every_key_stays(
    merchant: MerchantFixture, method: str, kept: tuple[str, ...], changes: dict[str, str]
) -> None:
    save(merchant, method)
    before = stored(merchant, method)
    body = {name: part for name, part in given(merchant, method).items() if name not in kept}

    reply = merchant.owner().put(f"{ACCOUNTS}/{method}", {**body, **changes, "revision": 1})

    assert (reply.status, reply.body["revision"]) == (200, 2)
    assert stored(merchant, method) == before | changes
    assert changes in [row["after"] for row in audit_rows(merchant)]


def test_public_keys_are_exactly_those_given_and_one_that_is_left_empty_stays(
    merchant: MerchantFixture,
) -> None:
    first = save(merchant, "wechat-pay").body["key_serials"][0]
    old, new = stored(merchant, "wechat-pay")["public_keys"][first], public_pem(OTHER).strip()
    second = "PUB_KEY_ID_0119000000012026"

    added = save(merchant, "wechat-pay", public_keys={first: None, second: new}, revision=1)
    with_both = stored(merchant, "wechat-pay")["public_keys"]
    left = save(merchant, "wechat-pay", public_keys={second: None}, revision=2)

    assert sorted(added.body["key_serials"]) == sorted([first, second])
    assert with_both == {first: old, second: new}
    assert left.body["key_serials"] == [second]
    assert stored(merchant, "wechat-pay")["public_keys"] == {second: new}


def test_public_key_that_is_to_stay_and_is_not_there_is_refused(merchant: MerchantFixture) -> None:
    save(merchant, "wechat-pay")
    before = stored(merchant, "wechat-pay")

    reply = save(merchant, "wechat-pay", public_keys={"PUB_KEY_ID_1": None}, revision=1)

    assert problems(reply) == ["public_keys.PUB_KEY_ID_1"]
    assert stored(merchant, "wechat-pay") == before


@pytest.mark.parametrize(
    ("method", "keys"),
    [
        ("wechat-pay", {"api_v3_key": "", "private_key": "", "public_keys": {}}),
        ("alipay", {"private_key": "", "alipay_public_key": ""}),
        ("wechat-login", {"app_secret": ""}),
        ("wechat-account", {"app_secret": ""}),
        ("sms", {"secret_key": ""}),
    ],
)
def test_first_account_needs_its_keys(
    merchant: MerchantFixture, method: str, keys: dict[str, Any]
) -> None:
    merchant._keep_secret(method, {})

    left_out = save(merchant, method, **dict.fromkeys(keys))
    empty = save(merchant, method, **keys)

    assert problems(left_out) == problems(empty) == list(keys)
    assert shown(merchant, method)["configured"] is False


def test_change_is_guarded_by_the_revision_and_a_repeat_is_no_change(
    merchant: MerchantFixture,
) -> None:
    new = "1" * 32
    first = [save(merchant, "wechat-login", app_secret=new).body["revision"] for _ in range(2)]
    late = save(merchant, "wechat-login", app_secret="0" * 32)

    assert first == [1, 1]
    assert (late.status, late.code) == (409, "changed")
    assert len(audit_rows(merchant)) == 1


def test_save_that_was_cut_off_is_told_and_a_repeat_mends_it(merchant: MerchantFixture) -> None:
    with unwritten():
        reply = save(merchant, "wechat-login", app_secret="0" * 32)

    assert (reply.status, reply.code) == (503, "busy")
    assert (shown(merchant, "wechat-login")["as_saved"], len(audit_rows(merchant))) == (False, 1)
    again = save(merchant, "wechat-login", app_secret="0" * 32)
    assert (again.body["as_saved"], again.body["revision"], len(audit_rows(merchant))) == (
        True,
        1,
        1,
    )


@pytest.mark.parametrize(
    ("method", "changes", "field"),
    [
        ("wechat-pay", {"mchid": "x"}, "mchid"),
        ("wechat-pay", {"appid": "wx123"}, "appid"),
        ("wechat-pay", {"official_account_appid": "gh_1"}, "official_account_appid"),
        (
            "wechat-pay",
            dict.fromkeys(("appid", "official_account_appid"), "wx0123456789abcdef"),
            "official_account_appid",
        ),
        ("wechat-pay", {"serial_no": "12"}, "serial_no"),
        ("wechat-pay", {"api_v3_key": "short"}, "api_v3_key"),
        ("wechat-pay", {"private_key": "nonsense"}, "private_key"),
        ("wechat-pay", {"private_key": public_pem(OTHER)}, "private_key"),
        ("wechat-pay", {"private_key": private_pem(WEAK)}, "private_key"),
        ("wechat-pay", {"private_key": private_pem(NO_RSA)}, "private_key"),
        ("wechat-pay", {"public_keys": {}}, "public_keys"),
        ("wechat-pay", {"public_keys": {"PUB_KEY_ID_1": "x"}}, "public_keys.PUB_KEY_ID_1"),
        (
            "wechat-pay",
            {"public_keys": {"PUB_KEY_ID_1": public_pem(NO_RSA)}},
            "public_keys.PUB_KEY_ID_1",
        ),
        ("wechat-pay", {"public_keys": {"7A": public_pem(OTHER)}}, "public_keys.7A"),
        ("wechat-pay", {"mode": "partner", "sp_mchid": "1900000001"}, "sp_appid"),
        ("alipay", {"app_id": "20210001"}, "app_id"),
        ("alipay", {"seller_id": "1088000000000000"}, "seller_id"),
        ("alipay", {"private_key": "AAAA"}, "private_key"),
        ("alipay", {"alipay_public_key": "AAAA"}, "alipay_public_key"),
        ("wechat-login", {"appid": "x"}, "appid"),
        ("wechat-login", {"app_secret": "x"}, "app_secret"),
        ("wechat-account", {"appid": "x"}, "appid"),
        ("sms", {"secret_id": "x"}, "secret_id"),
        ("sms", {"sdk_app_id": "app"}, "sdk_app_id"),
        ("sms", {"template_id": ""}, "template_id"),
        ("sms", {"sign_name": "【山野果园】"}, "sign_name"),
    ],
)
def test_part_that_cannot_be_used_is_refused_with_its_field(
    merchant: MerchantFixture, method: str, changes: dict[str, Any], field: str
) -> None:
    before = shown(merchant, method)

    assert field in problems(save(merchant, method, **changes))
    assert shown(merchant, method) == before


def test_merchant_of_a_service_provider_is_accepted(merchant: MerchantFixture) -> None:
    account = merchant.wechat.new_account("of a provider", partner=True)
    login = {**account.wechat_login, "revision": 0}
    saved = [
        merchant.owner().put(f"{ACCOUNTS}/wechat-pay", {**account.wechat_pay, "revision": 0}),
        merchant.owner().put(f"{ACCOUNTS}/wechat-login", login),
    ]

    assert [reply.status for reply in saved] == [200, 200]
    assert saved[0].body["sub_mchid"] == account.mchid
    assert check(merchant, "wechat-pay")["accepted"] is True


def test_more_than_a_parameter_holds_is_refused(merchant: MerchantFixture) -> None:
    long_pem = merchant.account.wechat_pay["private_key"] + "x" * 6000

    assert problems(save(merchant, "wechat-pay", private_key=long_pem)) == ["public_keys"]


def test_what_clings_to_a_copied_text_is_dropped(merchant: MerchantFixture) -> None:
    pay = given(merchant, "wechat-pay")
    clinging = {serial: f"\r\n{pem} " for serial, pem in pay["public_keys"].items()}

    saved = save(merchant, "wechat-pay", mchid=f" {pay['mchid']}\n", public_keys=clinging)

    assert (saved.status, saved.body["mchid"]) == (200, pay["mchid"])
    assert check(merchant, "wechat-pay")["accepted"] is True


def test_certificate_under_another_serial_is_refused(merchant: MerchantFixture) -> None:
    platform = merchant.wechat.platform
    other = {"1" * 40: platform.certificate_pem}
    right = {platform.certificate_serial: platform.certificate_pem}

    assert problems(save(merchant, "wechat-pay", public_keys=other)) == [f"public_keys.{'1' * 40}"]
    assert save(merchant, "wechat-pay", public_keys=right).status == 200


def test_own_public_key_in_the_place_of_alipays_is_noticed(merchant: MerchantFixture) -> None:
    without_history = public_pem(key_pair("merchant"))

    assert problems(save(merchant, "alipay", alipay_public_key=without_history)) == [
        "alipay_public_key"
    ]


def test_bare_base64_of_alipays_key_tool_is_taken(merchant: MerchantFixture) -> None:
    keys = {name: given(merchant, "alipay")[name] for name in ("private_key", "alipay_public_key")}
    bare = {name: "".join(pem.split("-----")[2].split()) for name, pem in keys.items()}

    assert save(merchant, "alipay", **bare).status == 200
    assert check(merchant, "alipay")["accepted"] is True


@pytest.mark.parametrize("method", ["wechat-pay", "alipay", "wechat-login", "wechat-account"])
def test_right_account_is_accepted_by_its_gateway(merchant: MerchantFixture, method: str) -> None:
    assert save(merchant, method).status == 200

    said = check(merchant, method)

    assert (said["accepted"], said["reason"]) == (True, "")


@pytest.mark.parametrize(
    ("method", "changes", "reason", "words"),
    [
        ("wechat-pay", {"private_key": private_pem(OTHER)}, "SIGNERROR", "同一套"),
        ("wechat-pay", {"serial_no": "0" * 40}, "SIGNERROR", "证书序列号"),
        ("wechat-pay", {"mchid": "1900000001"}, "SIGNERROR", "商户号"),
        ("alipay", {"private_key": private_pem(OTHER)}, "isv.invalid-signature", "应用私钥"),
        ("alipay", {"app_id": "2021000000000000"}, "isv.invalid-app-id", "APPID"),
        ("alipay", {"alipay_public_key": public_pem(OTHER)}, "signature", "支付宝公钥"),
        ("wechat-login", {"appid": "wx0000000000000000"}, "40013", "AppID"),
        ("wechat-login", {"app_secret": "0" * 32}, "40125", "AppSecret"),
        ("wechat-account", {"appid": "wx0000000000000000"}, "40013", "AppID"),
        ("wechat-account", {"app_secret": "0" * 32}, "40125", "AppSecret"),
    ],
)
def test_wrong_account_is_refused_with_words_that_say_what_to_do(
    merchant: MerchantFixture, method: str, changes: dict[str, Any], reason: str, words: str
) -> None:
    assert save(merchant, method, **changes).status == 200

    said = check(merchant, method)

    assert (said["accepted"], said["reason"]) == (False, reason)
    assert words in said["words"]


def test_gateway_that_does_not_answer_is_no_verdict_on_the_keys(merchant: MerchantFixture) -> None:
    merchant.wechat.faults.add("query", Kind.LOST_ANSWER)

    said = check(merchant, "wechat-pay")

    assert (said["accepted"], said["reason"]) == (False, "no_answer")
    assert "没有回应" in said["words"]


@pytest.mark.parametrize(
    ("method", "other"), [("wechat-login", "wechat-account"), ("wechat-account", "wechat-login")]
)
def test_app_of_the_other_login_is_refused(
    merchant: MerchantFixture, method: str, other: str
) -> None:
    kept = given(merchant, other)
    assert merchant.owner().put(f"{ACCOUNTS}/{other}", kept).status == 200
    before = audit_rows(merchant)

    refused = save(merchant, method, appid=kept["appid"])

    assert problems(refused) == ["appid"]
    assert audit_rows(merchant) == before


def test_first_save_that_changes_nothing_leaves_no_audit_row(merchant: MerchantFixture) -> None:
    reply = save(merchant, "wechat-login")

    assert reply.status == 200
    assert audit_rows(merchant) == []


def test_login_to_another_app_than_the_payments_is_told(merchant: MerchantFixture) -> None:
    other = merchant.wechat.new_account("another merchant")
    save(merchant, "wechat-login", **other.wechat_login)

    assert check(merchant, "wechat-login")["accepted"] is True
    assert check(merchant, "wechat-pay")["reason"] == "other_app"


def test_login_to_another_official_account_than_the_payments_is_told(
    merchant: MerchantFixture,
) -> None:
    save(merchant, "wechat-pay", official_account_appid="wxfedcba9876543210")
    save(merchant, "wechat-account")

    said = check(merchant, "wechat-pay")

    assert (said["reason"], "公众号" in said["words"]) == ("other_app", True)


def test_shop_without_an_account_is_told_so(merchant: MerchantFixture) -> None:
    merchant.keep_wechat_pay_account({})

    assert shown(merchant, "wechat-pay")["configured"] is False
    assert check(merchant, "wechat-pay")["reason"] == "not_configured"


def test_checks_are_limited_for_each_person(merchant: MerchantFixture) -> None:
    path = f"{ACCOUNTS}/wechat-login/check"

    replies = [merchant.owner().post(path).status for _ in range(11)]

    assert replies == [200] * 10 + [429]


def test_changed_keys_are_in_use_here_at_once_and_elsewhere_in_five_minutes(
    merchant: MerchantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mchid() -> str:
        return wechat_pay(merchant.merchant_id)._account.mchid

    before = mchid()
    held = snapshot(secrets._values)
    save(merchant, "wechat-pay", mchid="1900000001")
    assert mchid() == "1900000001"

    restore(secrets._values, held)  # a container that has not heard of it
    assert mchid() == before
    later = time.monotonic() + secrets.KEPT_S
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert mchid() == "1900000001"
