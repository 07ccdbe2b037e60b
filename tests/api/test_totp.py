"""Two-step verification: a code at every login, each good once, and its secret told once."""

import json
from collections import Counter

import pytest
from cryptography.exceptions import InvalidTag

from chalicelib.domain.lockout import PASSWORDS
from chalicelib.gateways import sealed
from chalicelib.tables.shop import StaffItem
from tests.fixtures.merchant import Caller, MerchantFixture, concurrently
from tests.fixtures.staff_logins import (
    PASSWORD,
    create_staff,
    enable_totp,
    log_in,
    staff_session,
    totp_code,
)

HALF_MINUTE_S = 30


@pytest.fixture
def boss(merchant: MerchantFixture) -> Caller:
    create_staff(merchant, "boss")
    return staff_session(merchant, "boss")


@pytest.fixture
def secret(boss: Caller, merchant: MerchantFixture) -> str:
    """Of the app that is set up, a step ago: its next code is good."""
    made = enable_totp(boss, merchant)
    merchant.clock.forward(HALF_MINUTE_S)
    return made


def stored_boss(merchant: MerchantFixture) -> StaffItem:
    key = StaffItem.at(merchant.merchant_id, "boss")
    return StaffItem.get(key.pk, key.sk, consistent_read=True)


def test_login_asks_for_a_code_only_from_who_knows_the_password(
    merchant: MerchantFixture, secret: str
) -> None:
    replies = [
        log_in(merchant, "boss"),
        log_in(merchant, "boss", "wrong password"),
        log_in(merchant, "boss", "wrong password", totp_code(merchant, secret)),
        log_in(merchant, "boss", code=totp_code(merchant, secret)),
    ]

    assert [(reply.status, reply.body.get("code")) for reply in replies] == [
        (401, "totp_needed"),
        (401, "wrong_password"),
        (401, "wrong_password"),
        (201, None),
    ]


def test_code_is_good_once(merchant: MerchantFixture, secret: str) -> None:
    code = totp_code(merchant, secret)

    replies = concurrently([lambda: log_in(merchant, "boss", code=code)] * 4)

    assert sorted(reply.status for reply in replies) == [201, 401, 401, 401]
    assert log_in(merchant, "boss", code=code).code == "wrong_totp"
    assert log_in(merchant, "boss", code=totp_code(merchant, secret, 1)).status == 201
    assert log_in(merchant, "boss", code=totp_code(merchant, secret)).code == "wrong_totp"


def test_code_that_set_the_app_up_does_not_log_in(merchant: MerchantFixture, boss: Caller) -> None:
    made = enable_totp(boss, merchant)

    assert log_in(merchant, "boss", code=totp_code(merchant, made)).code == "wrong_totp"


@pytest.mark.slow
def test_wrong_codes_count_as_wrong_passwords_do(merchant: MerchantFixture, secret: str) -> None:
    wrong = totp_code(merchant, secret, 10)
    guesses = [log_in(merchant, "boss", code=wrong).code for _ in range(PASSWORDS.tries_max)]

    resting = log_in(merchant, "boss", code=totp_code(merchant, secret))

    assert guesses == ["wrong_totp"] * PASSWORDS.tries_max
    assert (resting.status, resting.code) == (429, "too_many_requests")


@pytest.mark.slow
def test_codes_in_use_are_not_found_out_by_confirming_them(
    merchant: MerchantFixture, boss: Caller, secret: str
) -> None:
    path, wrong = "/v1/merchant/me/totp/confirmation", totp_code(merchant, secret, 10)

    guesses = concurrently([lambda: boss.post(path, {"code": wrong})] * 12)

    assert Counter(reply.status for reply in guesses) == {409: PASSWORDS.tries_max, 429: 7}
    assert boss.post(path, {"code": totp_code(merchant, secret)}).status == 429


def test_codes_are_asked_for_only_after_the_first_has_come(
    merchant: MerchantFixture, boss: Caller
) -> None:
    begun = boss.post("/v1/merchant/me/totp").body
    wrong = boss.post(
        "/v1/merchant/me/totp/confirmation", {"code": totp_code(merchant, begun["secret"], 5)}
    )

    assert (wrong.status, wrong.body["details"]["field"]) == (400, "code")
    assert boss.get("/v1/merchant/me").body["totp"] is False
    assert log_in(merchant, "boss").status == 201


def test_secret_is_told_once_as_text_address_and_picture(
    merchant: MerchantFixture, boss: Caller
) -> None:
    first, second = (boss.post("/v1/merchant/me/totp").body for _ in range(2))

    assert first["secret"] != second["secret"]
    assert second["url"].startswith("otpauth://totp/")
    assert f"secret={second['secret']}" in second["url"]
    assert second["qr_svg"].startswith("<svg ")
    path = "/v1/merchant/me/totp/confirmation"
    assert boss.post(path, {"code": totp_code(merchant, first["secret"])}).status == 400
    code = {"code": totp_code(merchant, second["secret"])}
    assert [boss.post(path, code).body for _ in range(2)] == [{"done": True}] * 2
    assert boss.post("/v1/merchant/me/totp").code == "conflict"


def test_table_alone_does_not_tell_the_secret(merchant: MerchantFixture, secret: str) -> None:
    item = stored_boss(merchant)

    assert secret not in json.dumps(item.to_simple_dict())
    box = str(item.totp_secret)
    assert len(sealed.unseal(box, "totp", merchant.merchant_id, "boss")) == 20
    for whose in (("totp", merchant.merchant_id, "other"), ("totp", "other", "boss"), ("x",)):
        with pytest.raises(InvalidTag):
            sealed.unseal(box, *whose)


def test_removal_wants_the_password(merchant: MerchantFixture, boss: Caller, secret: str) -> None:
    path = "/v1/merchant/me/totp/removal"

    wrong = boss.post(path, {"password": "wrong password"})
    assert (wrong.status, wrong.body["details"]["field"]) == (400, "password")
    assert boss.get("/v1/merchant/me").body["totp"] is True
    assert [boss.post(path, {"password": PASSWORD}).body for _ in range(2)] == [{"done": True}] * 2

    assert log_in(merchant, "boss").status == 201
    assert stored_boss(merchant).totp_secret is None


def test_reset_by_another_owner_removes_codes(merchant: MerchantFixture, secret: str) -> None:
    reply = merchant.owner().post("/v1/merchant/staff/boss/password-reset")

    assert log_in(merchant, "boss", reply.body["first_password"]).status == 201
    assert stored_boss(merchant).totp_step is None
