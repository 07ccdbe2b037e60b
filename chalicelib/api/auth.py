"""Sessions: JSON Web Tokens signed with our own key and verified in process.

A token names its audience, its merchant and its subject; nothing about who asks is ever taken
from a path or a body.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chalicelib import clock
from chalicelib.errors import Forbidden, Unauthenticated
from chalicelib.gateways import secrets

BUYER_SESSION_S = 7 * 86400  # a mini-program logs in again silently
STAFF_SESSION_S = 12 * 3600  # one working day
_ALGORITHM = "HS256"


class Role(StrEnum):
    OWNER = "owner"  # everything, staff and settings included
    MANAGER = "manager"  # products, activities, orders, refunds
    FULFILMENT = "fulfilment"  # reads orders, ships
    SERVICE = "service"  # reads orders, answers buyers


ANY_ROLE = tuple(Role)
MANAGERS = (Role.OWNER, Role.MANAGER)


@dataclass(frozen=True)
class Buyer:
    merchant_id: str
    buyer_id: str
    name: str


@dataclass(frozen=True)
class Staff:
    merchant_id: str
    username: str
    role: Role


def buyer_token(merchant_id: str, buyer_id: str, name: str, *, now_s: int) -> str:
    claims = {"m": merchant_id, "sub": buyer_id, "name": name}
    return _signed(claims, audience="buyer", now_s=now_s, life_s=BUYER_SESSION_S)


def staff_token(merchant_id: str, username: str, role: str, *, now_s: int) -> str:
    claims = {"m": merchant_id, "sub": username, "role": role}
    return _signed(claims, audience="staff", now_s=now_s, life_s=STAFF_SESSION_S)


def buyer_of(headers: Mapping[str, str]) -> Buyer:
    """The buyer who asks. Raises Unauthenticated without a valid session."""
    claims = _claims(headers, audience="buyer")
    return Buyer(claims["m"], claims["sub"], claims.get("name", ""))


def staff_of(headers: Mapping[str, str], roles: Sequence[Role]) -> Staff:
    """The staff member who asks. Raises Unauthenticated, or Forbidden when the role may not."""
    claims = _claims(headers, audience="staff")
    role = Role(claims["role"])
    if role not in roles:
        raise Forbidden(role=role.value)
    return Staff(claims["m"], claims["sub"], role)


def _signed(claims: dict[str, str], *, audience: str, now_s: int, life_s: int) -> str:
    import jwt  # it brings cryptography, 70 ms that jobs and public reads can do without

    times = {"iat": now_s, "exp": now_s + life_s}
    return jwt.encode(
        {**claims, **times, "aud": audience}, secrets.secret("session-key"), algorithm=_ALGORITHM
    )


def _claims(headers: Mapping[str, str], *, audience: str) -> dict[str, Any]:
    import jwt

    scheme, _, token = (headers.get("authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    try:
        claims: dict[str, Any] = jwt.decode(
            token.strip(),
            secrets.secret("session-key"),
            algorithms=[_ALGORITHM],
            audience=audience,
            options={"require": ["exp", "aud", "sub"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError as error:
        raise Unauthenticated("登录已失效，请重新登录。") from error
    if claims["exp"] <= clock.now_s():  # by the same clock as every other deadline
        raise Unauthenticated("登录已过期，请重新登录。")
    return claims
