"""Staff of a town who log in: with passwords, and codes from an authenticator app."""

import base64

from chalicelib.domain import totp
from chalicelib.services.people import staff
from tests.callers import Caller, Reply
from tests.support import Town

PASSWORD = "correct horse battery"
ANOTHER = "another horse battery"


def hire(town: Town, username: str, role: str = "owner", password: str = PASSWORD) -> None:
    """Somebody with a password of their own, as the operator's command makes them."""
    staff.add(
        town.merchant_id,
        username,
        name=username,
        role=role,
        password=password,
        staff="test",
        now_s=town.now_s,
    )


def log_in(town: Town, username: str, password: str = PASSWORD, code: str | None = None) -> Reply:
    path = f"/v1/merchants/{town.merchant_id}/staff-sessions"
    login = {"username": username, "password": password}
    return town.visitor().post(path, login | ({} if code is None else {"code": code}))


def at_work(town: Town, username: str, password: str = PASSWORD) -> Caller:
    """Somebody who has logged in."""
    return with_session(town, log_in(town, username, password))


def with_session(town: Town, reply: Reply) -> Caller:
    assert reply.status in (200, 201), reply.body
    return Caller(town.door, reply.body["token"])


def invite(town: Town, owner: Caller, username: str, role: str = "service") -> str:
    """The first password of somebody new."""
    body = {"username": username, "name": "小李", "role": role}
    reply = owner.post("/v1/merchant/staff", body)
    assert reply.status == 201, reply.body
    return str(reply.body["first_password"])


def app_code(town: Town, secret: str, steps: int = 0) -> str:
    """What an authenticator app shows, so many half minutes from now."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    return totp.code_at(key, totp.step_of(town.now_s) + steps)


def with_codes(caller: Caller, town: Town) -> str:
    """Set an authenticator app up; its secret. The code of now is taken by it."""
    begun = caller.post("/v1/merchant/me/totp")
    assert begun.status == 201, begun.body
    secret = str(begun.body["secret"])
    confirmed = caller.post("/v1/merchant/me/totp/confirmation", {"code": app_code(town, secret)})
    assert confirmed.body == {"done": True}, confirmed.body
    return secret
