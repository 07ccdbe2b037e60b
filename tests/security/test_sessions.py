"""API2, broken authentication: no session but a right one opens anything."""

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from chalicelib.api.http import Audience, Operation
from chalicelib.gateways import secrets
from chalicelib.tables.shop import StaffItem
from tests.fixtures.merchant import Caller, Reply
from tests.fixtures.two_merchants import CLERK, DISABLED, INVITED, OWNER, PASSWORD, TwoMerchants
from tests.security.operations import ask, name_of, of

HOUR_S = 3600
OTHER_KEY = "another key, of as many characters as ours has"


def claims(merchants: TwoMerchants, audience: str, **changes: Any) -> dict[str, Any]:
    """What a right session of the audience says, and what else it is made to."""
    shop, now_s = merchants.ours, merchants.merchant.now_s
    whose = (
        {"sub": shop.leader.buyer_id, "name": "团长"}
        if audience == "buyer"
        else {"sub": OWNER, "v": 1}
    )
    times = {"iat": now_s, "exp": now_s + HOUR_S}
    return {"m": shop.merchant_id, **whose, **times, "aud": audience} | changes


def signed(merchants: TwoMerchants, audience: str, *leave_out: str, **changes: Any) -> str:
    said = claims(merchants, audience, **changes)
    for name in leave_out:
        del said[name]
    return jwt.encode(said, secrets.secret("session-key"), algorithm="HS256")


def other(audience: str) -> str:
    return "staff" if audience == "buyer" else "buyer"


def encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def unsigned(merchants: TwoMerchants, audience: str) -> str:
    header = {"alg": "none", "typ": "JWT"}
    return f"Bearer {encoded(header)}.{encoded(claims(merchants, audience))}."


def signed_as_none(merchants: TwoMerchants, audience: str) -> str:
    """A right signature under a header that says there is none."""
    _, payload, signature = signed(merchants, audience).split(".")
    return f"Bearer {encoded({'alg': 'none', 'typ': 'JWT'})}.{payload}.{signature}"


def tampered(merchants: TwoMerchants, audience: str) -> str:
    """Another merchant's name under our signature."""
    header, _, signature = signed(merchants, audience).split(".")
    payload = encoded(claims(merchants, audience, m=merchants.theirs.merchant_id))
    return f"Bearer {header}.{payload}.{signature}"


def promoted(merchants: TwoMerchants, audience: str) -> str:
    header, _, signature = signed(merchants, audience).split(".")
    payload = encoded(claims(merchants, "staff", sub="owner", aud=audience))
    return f"Bearer {header}.{payload}.{signature}"


def with_other_key(merchants: TwoMerchants, audience: str) -> str:
    return f"Bearer {jwt.encode(claims(merchants, audience), OTHER_KEY, algorithm='HS256')}"


def with_other_algorithm(merchants: TwoMerchants, audience: str) -> str:
    key = secrets.secret("session-key")
    return f"Bearer {jwt.encode(claims(merchants, audience), key, algorithm='HS512')}"


SESSIONS: dict[str, Callable[[TwoMerchants, str], str]] = {
    "none": lambda merchants, audience: "",
    "empty": lambda merchants, audience: "Bearer ",
    "nonsense": lambda merchants, audience: "Bearer nonsense",
    "basic": lambda merchants, audience: f"Basic {signed(merchants, audience)}",
    "bare": lambda merchants, audience: signed(merchants, audience),
    "of_the_other_audience": lambda merchants, audience: (
        f"Bearer {signed(merchants, other(audience))}"
    ),
    "expired": lambda merchants, audience: (
        f"Bearer {signed(merchants, audience, exp=merchants.merchant.now_s)}"
    ),
    "without_end": lambda merchants, audience: f"Bearer {signed(merchants, audience, 'exp')}",
    "without_subject": lambda merchants, audience: f"Bearer {signed(merchants, audience, 'sub')}",
    "without_audience": lambda merchants, audience: f"Bearer {signed(merchants, audience, 'aud')}",
    "of_no_audience_of_ours": lambda merchants, audience: (
        f"Bearer {signed(merchants, audience, aud='console')}"
    ),
    "unsigned": unsigned,
    "signed_as_none": signed_as_none,
    "tampered": tampered,
    "promoted": promoted,
    "cut_off": lambda merchants, audience: f"Bearer {signed(merchants, audience)[:-6]}",
    "with_other_key": with_other_key,
    "with_other_algorithm": with_other_algorithm,
}


STAFF_SESSIONS: dict[str, Callable[[TwoMerchants], str]] = {
    "of_an_ended_version": lambda merchants: signed(merchants, "staff", v=0),
    "of_a_version_to_come": lambda merchants: signed(merchants, "staff", v=2),
    "of_no_version": lambda merchants: signed(merchants, "staff", "v"),
    "of_a_version_that_is_no_number": lambda merchants: signed(merchants, "staff", v="1"),
    "of_nobody": lambda merchants: signed(merchants, "staff", sub="nobody"),
    "of_another_shops_clerk": lambda merchants: signed(
        merchants, "staff", sub=merchants.theirs.clerk
    ),
}


@pytest.mark.parametrize("kind", STAFF_SESSIONS)
def test_staff_session_that_is_good_no_more_opens_nothing(
    merchants: TwoMerchants, kind: str
) -> None:
    token = STAFF_SESSIONS[kind](merchants)

    reply = Caller(merchants.merchant.api_client, token).get("/v1/merchant/settings")

    assert (reply.status, reply.code) == (401, "unauthenticated")


@pytest.mark.parametrize("operation", of(Audience.STAFF), ids=name_of)
def test_who_has_left_can_do_nothing(merchants: TwoMerchants, operation: Operation) -> None:
    caller = Caller(merchants.merchant.api_client, signed(merchants, "staff", sub=DISABLED))

    reply = ask(operation, merchants.ours).by(caller)

    assert (reply.status, reply.code) == (401, "account_disabled")


@pytest.mark.parametrize(
    "operation", [o for o in of(Audience.STAFF) if o.name != "change_own_password"], ids=name_of
)
def test_first_password_opens_nothing_but_the_choice_of_another(
    merchants: TwoMerchants, operation: Operation
) -> None:
    caller = Caller(merchants.merchant.api_client, signed(merchants, "staff", sub=INVITED))

    reply = ask(operation, merchants.ours).by(caller)

    assert (reply.status, reply.code) == (403, "password_change_needed")


@pytest.mark.leaves("added guesses")
def test_first_password_is_wanted_for_the_choice_of_another(merchants: TwoMerchants) -> None:
    caller = Caller(merchants.merchant.api_client, signed(merchants, "staff", sub=INVITED))
    body = {"old_password": "guess", "new_password": "another horse battery"}

    reply = caller.put("/v1/merchant/me/password", body)

    assert (reply.status, reply.code) == (400, "invalid_request")


@pytest.mark.parametrize("operation", [*of(Audience.BUYER), *of(Audience.STAFF)], ids=name_of)
def test_session_that_is_not_right_opens_nothing(
    merchants: TwoMerchants, operation: Operation
) -> None:
    asked, audience = ask(operation, merchants.ours), operation.audience.value

    replies = {
        name: asked.by(merchants.visitor(), Authorization=header_of(merchants, audience))
        for name, header_of in SESSIONS.items()
    }

    answers = {name: (reply.status, reply.code) for name, reply in replies.items()}
    assert answers == dict.fromkeys(SESSIONS, (401, "unauthenticated"))


@pytest.mark.parametrize("header", ["", "Bearer ", "Basic {}", "{}"])
def test_who_sends_no_session_is_told_to_log_in_and_not_that_it_has_ended(
    merchants: TwoMerchants, header: str
) -> None:
    sent = header.format(signed(merchants, "staff"))

    reply = merchants.visitor().get("/v1/merchant/settings", Authorization=sent)

    assert (reply.status, reply.body["message"]) == (401, "请先登录。")


@pytest.mark.parametrize("audience", ["buyer", "staff"])
def test_sessions_of_these_cases_would_be_right_but_for_their_fault(
    merchants: TwoMerchants, audience: str
) -> None:
    path = "/v1/orders" if audience == "buyer" else "/v1/merchant/settings"

    assert (
        Caller(merchants.merchant.api_client, signed(merchants, audience)).get(path).status == 200
    )


def test_session_is_checked_before_anything_that_is_sent(merchants: TwoMerchants) -> None:
    reply = merchants.visitor().post("/v1/groups/nonsense/seats", b"{" * 70_000)

    assert (reply.status, reply.code) == (401, "unauthenticated")


def test_session_in_the_address_or_in_a_cookie_counts_for_nothing(merchants: TwoMerchants) -> None:
    token, visitor = signed(merchants, "buyer"), merchants.visitor()

    replies = [
        visitor.get(f"/v1/orders?token={token}"),
        visitor.get(f"/v1/orders?authorization=Bearer%20{token}"),
        visitor.get("/v1/orders", Cookie=f"token={token}; Authorization=Bearer {token}"),
    ]

    assert [(reply.status, reply.code) for reply in replies] == [(401, "unauthenticated")] * 3


def log_in(merchants: TwoMerchants, username: str, password: str) -> Reply:
    path = f"/v1/merchants/{merchants.ours.merchant_id}/staff-sessions"
    return merchants.visitor().post(path, {"username": username, "password": password})


@pytest.mark.leaves("added guesses", "added guesses")
def test_names_cannot_be_told_apart_by_the_answer(merchants: TwoMerchants) -> None:
    nobody, known = log_in(merchants, "nobody", PASSWORD), log_in(merchants, OWNER, "guess")

    assert (nobody.status, nobody.code) == (401, "wrong_password")
    assert (nobody.body, dict(nobody.headers)) == (known.body, dict(known.headers))


@pytest.mark.leaves(*["added guesses"] * 4)
def test_name_or_password_that_is_almost_right_is_wrong(merchants: TwoMerchants) -> None:
    names = [CLERK.upper(), "ｃｌｅｒｋ", f"x#{CLERK}"]
    passwords = ["", f"{PASSWORD}\0", f" {PASSWORD}", PASSWORD.upper()]

    replies = [log_in(merchants, name, PASSWORD) for name in names]
    replies += [log_in(merchants, CLERK, password) for password in passwords]

    assert {(reply.status, reply.code) for reply in replies} == {(401, "wrong_password")}


def test_password_and_hash_are_never_told(merchants: TwoMerchants) -> None:
    owner = merchants.merchant.owner()
    kept = StaffItem.at(merchants.merchant.merchant_id, OWNER)

    told = json.dumps(
        [owner.get("/v1/merchant/staff").body, owner.get("/v1/merchant/settings").body]
    )

    assert StaffItem.get(kept.pk, kept.sk).password_hash.startswith("$argon2id$")
    assert "argon2" not in told
    assert "password" not in told


@pytest.mark.leaves("added guesses")
def test_buyers_code_is_asked_of_wechat_and_a_wrong_one_makes_nobody(
    merchants: TwoMerchants,
) -> None:
    path = f"/v1/merchants/{merchants.ours.merchant_id}/sessions"

    replies = [
        merchants.visitor().post(path, {"code": code})
        for code in ("guess", "' or '1'='1", "a&appid=other", "\u0000", "x" * 128)
    ]

    assert [(reply.status, reply.code) for reply in replies] == [(400, "invalid_request")] * 5


# Operations that a closed account's session is refused as any other would be, or that tell and
# change nothing of a buyer's.
ALIKE = {
    "withdraw_after_sale": 404,
    "send_return": 404,
    "confirm_exchange": 404,
    "exchange_points": 409,  # the shop has no points
    "parse_address": 200,
    "prove_phone": 400,
    "delete_account": 200,
}


@pytest.mark.parametrize("operation", of(Audience.BUYER), ids=name_of)
def test_session_of_a_closed_account_reads_and_writes_nothing(
    merchants: TwoMerchants, operation: Operation
) -> None:
    shop = merchants.ours
    ids = {"order_id": shop.former_order, "payment_no": f"{shop.former_order}01"}

    reply = ask(operation, shop, **ids).by(shop.former)

    if operation.name in ALIKE:
        assert reply.status == ALIKE[operation.name], reply.body
    else:
        assert (reply.status, reply.code) == (401, "session_superseded")


def test_role_is_the_persons_whatever_the_session_says(merchants: TwoMerchants) -> None:
    token = signed(merchants, "staff", sub=CLERK, role="owner")

    reply = Caller(merchants.merchant.api_client, token).get("/v1/merchant/staff")

    assert (reply.status, reply.code) == (403, "forbidden")
    assert reply.body["details"] == {"right": "staff:act"}


def test_session_that_was_copied_ends_with_its_login_whatever_is_renewed(
    merchants: TwoMerchants,
) -> None:
    ends_at_s = merchants.merchant.now_s + HOUR_S
    held = Caller(merchants.merchant.api_client, signed(merchants, "buyer"))
    name = held.get("/v1/me/profile").body["name"]

    renewed = held.put("/v1/me/profile", {"name": name}).body

    assert renewed["expires_at_s"] == ends_at_s
    key = secrets.secret("session-key")
    options: Any = {"verify_exp": False, "verify_iat": False}
    told = jwt.decode(renewed["token"], key, ["HS256"], audience="buyer", options=options)
    assert told["exp"] == ends_at_s
