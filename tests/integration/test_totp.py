"""Two-step verification: a code at every login, each good once, and its secret told once."""

import json
from collections import Counter

import pytest
from cryptography.exceptions import InvalidTag

from chalicelib.domain.lockout import PASSWORDS
from chalicelib.gateways import sealed
from chalicelib.tables.shop import StaffItem
from tests.people import PASSWORD, app_code, at_work, hire, log_in, with_codes
from tests.support import Caller, Town, at_once

HALF_MINUTE_S = 30


@pytest.fixture
def boss(town: Town) -> Caller:
    hire(town, "boss")
    return at_work(town, "boss")


@pytest.fixture
def secret(boss: Caller, town: Town) -> str:
    """Of the app that is set up, a step ago: its next code is good."""
    made = with_codes(boss, town)
    town.clock.forward(HALF_MINUTE_S)
    return made


def stored_boss(town: Town) -> StaffItem:
    key = StaffItem.at(town.merchant_id, "boss")
    return StaffItem.get(key.pk, key.sk, consistent_read=True)


def test_login_asks_for_a_code_only_from_who_knows_the_password(town: Town, secret: str) -> None:
    replies = [
        log_in(town, "boss"),
        log_in(town, "boss", "wrong password"),
        log_in(town, "boss", "wrong password", app_code(town, secret)),
        log_in(town, "boss", code=app_code(town, secret)),
    ]

    assert [(reply.status, reply.body.get("code")) for reply in replies] == [
        (401, "totp_needed"),
        (401, "wrong_password"),
        (401, "wrong_password"),
        (201, None),
    ]


def test_code_is_good_once(town: Town, secret: str) -> None:
    code = app_code(town, secret)

    replies = at_once([lambda: log_in(town, "boss", code=code)] * 4)

    assert sorted(reply.status for reply in replies) == [201, 401, 401, 401]
    assert log_in(town, "boss", code=code).code == "wrong_totp"
    assert log_in(town, "boss", code=app_code(town, secret, 1)).status == 201
    assert log_in(town, "boss", code=app_code(town, secret)).code == "wrong_totp"


def test_code_that_set_the_app_up_does_not_log_in(town: Town, boss: Caller) -> None:
    made = with_codes(boss, town)

    assert log_in(town, "boss", code=app_code(town, made)).code == "wrong_totp"


def test_wrong_codes_count_as_wrong_passwords_do(town: Town, secret: str) -> None:
    wrong = app_code(town, secret, 10)
    guesses = [log_in(town, "boss", code=wrong).code for _ in range(PASSWORDS.tries_max)]

    resting = log_in(town, "boss", code=app_code(town, secret))

    assert guesses == ["wrong_totp"] * PASSWORDS.tries_max
    assert (resting.status, resting.code) == (429, "too_many_requests")


def test_codes_in_use_are_not_found_out_by_confirming_them(
    town: Town, boss: Caller, secret: str
) -> None:
    path, wrong = "/v1/merchant/me/totp/confirmation", app_code(town, secret, 10)

    guesses = at_once([lambda: boss.post(path, {"code": wrong})] * 12)

    assert Counter(reply.status for reply in guesses) == {409: PASSWORDS.tries_max, 429: 7}
    assert boss.post(path, {"code": app_code(town, secret)}).status == 429


def test_codes_are_asked_for_only_after_the_first_has_come(town: Town, boss: Caller) -> None:
    begun = boss.post("/v1/merchant/me/totp").body
    wrong = boss.post(
        "/v1/merchant/me/totp/confirmation", {"code": app_code(town, begun["secret"], 5)}
    )

    assert (wrong.status, wrong.body["details"]["field"]) == (400, "code")
    assert boss.get("/v1/merchant/me").body["totp"] is False
    assert log_in(town, "boss").status == 201


def test_secret_is_told_once_as_text_address_and_picture(town: Town, boss: Caller) -> None:
    first, second = (boss.post("/v1/merchant/me/totp").body for _ in range(2))

    assert first["secret"] != second["secret"]
    assert second["url"].startswith("otpauth://totp/")
    assert f"secret={second['secret']}" in second["url"]
    assert second["qr_svg"].startswith("<svg ")
    path = "/v1/merchant/me/totp/confirmation"
    assert boss.post(path, {"code": app_code(town, first["secret"])}).status == 400
    code = {"code": app_code(town, second["secret"])}
    assert [boss.post(path, code).body for _ in range(2)] == [{"done": True}] * 2
    assert boss.post("/v1/merchant/me/totp").code == "conflict"


def test_table_alone_does_not_tell_the_secret(town: Town, secret: str) -> None:
    item = stored_boss(town)

    assert secret not in json.dumps(item.to_simple_dict())
    box = str(item.totp_secret)
    assert len(sealed.unseal(box, "totp", town.merchant_id, "boss")) == 20
    for whose in (("totp", town.merchant_id, "other"), ("totp", "other", "boss"), ("x",)):
        with pytest.raises(InvalidTag):
            sealed.unseal(box, *whose)


def test_removal_wants_the_password(town: Town, boss: Caller, secret: str) -> None:
    path = "/v1/merchant/me/totp/removal"

    wrong = boss.post(path, {"password": "wrong password"})
    assert (wrong.status, wrong.body["details"]["field"]) == (400, "password")
    assert boss.get("/v1/merchant/me").body["totp"] is True
    assert [boss.post(path, {"password": PASSWORD}).body for _ in range(2)] == [{"done": True}] * 2

    assert log_in(town, "boss").status == 201
    assert stored_boss(town).totp_secret is None


def test_reset_by_another_owner_removes_codes(town: Town, secret: str) -> None:
    reply = town.owner().post("/v1/merchant/staff/boss/password-reset")

    assert log_in(town, "boss", reply.body["first_password"]).status == 201
    assert stored_boss(town).totp_step is None
