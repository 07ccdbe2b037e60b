"""Sessions: JSON Web Tokens signed with our own key and verified in process.

A token names its audience, its merchant and its subject; nothing about who asks is ever taken
from a path or a body. A staff token says no rights: what its holder may do, and whether it is
still good, is read of the person (services.sessions).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib import clock
from chalicelib.domain import rights
from chalicelib.domain.rights import Right, Rights, Role
from chalicelib.errors import Forbidden, PasswordChangeNeeded, Unauthenticated
from chalicelib.gateways import secrets
from chalicelib.services.people import sessions, staff

BUYER_SESSION_S = 7 * 86400  # a mini-program logs in again silently
STAFF_SESSION_S = 12 * 3600  # one working day
STAFF_RENEWED_S = 7 * 86400  # from the login; then the password is asked for again
_ALGORITHM = "HS256"


@dataclass(frozen=True)
class Buyer:
    """other_ids: of buyers who are the same person and were merged into this one. until_s: when the
    session ends."""

    merchant_id: str
    buyer_id: str
    name: str
    other_ids: tuple[str, ...] = ()
    until_s: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids of the person; new orders are placed under the first."""
        return (self.buyer_id, *self.other_ids)


@dataclass(frozen=True)
class Staff:
    merchant_id: str
    username: str
    role: Role
    rights: Rights
    since_s: int = 0  # when the session's password was given, however often it was renewed

    def may(self, right: Right) -> bool:
        return rights.may(self.rights, right)


def buyer_token(
    merchant_id: str,
    buyer_id: str,
    name: str,
    *,
    other_ids: Sequence[str] = (),
    now_s: int,
    until_s: int | None = None,
) -> str:
    """until_s: of the session that it takes the place of; None: it is begun now."""
    life_s = BUYER_SESSION_S if until_s is None else until_s - now_s
    claims: dict[str, Any] = {"m": merchant_id, "sub": buyer_id, "name": name}
    if other_ids:
        claims["also"] = list(other_ids)
    return _signed(claims, audience="buyer", now_s=now_s, life_s=life_s)


def staff_token(
    merchant_id: str, username: str, version: int, *, now_s: int, since_s: int | None = None
) -> tuple[str, int]:
    """(a session, when it ends). version: the person's; since_s: of the session it renews."""
    since_s = now_s if since_s is None else since_s
    life_s = min(STAFF_SESSION_S, since_s + STAFF_RENEWED_S - now_s)
    claims: dict[str, str | int] = {"m": merchant_id, "sub": username}
    claims |= {"v": version, "since": since_s}
    return _signed(claims, audience="staff", now_s=now_s, life_s=life_s), now_s + life_s


def buyer_of(headers: Mapping[str, str]) -> Buyer:
    """The buyer who asks. Raises Unauthenticated without a valid session."""
    claims = _claims(headers, audience="buyer")
    name, other_ids = claims.get("name", ""), tuple(claims.get("also", ()))
    return Buyer(claims["m"], claims["sub"], name, other_ids, claims["exp"])


def staff_of(
    headers: Mapping[str, str], enough: Sequence[Right], *, before_password_change: bool = False
) -> Staff:
    """The staff member who asks. enough: rights of which they need one; empty: none at all.

    before_password_change: also who has yet to choose a password of their own. Raises
    Unauthenticated; PasswordChangeNeeded; Forbidden without any of those rights.
    """
    claims = _claims(headers, audience="staff")
    version = claims.get("v")
    if not isinstance(version, int):
        raise Unauthenticated("登录已失效，请重新登录。")
    person = sessions.person(claims["m"], claims["sub"], version, now_s=clock.now_s())
    if person.must_change and not before_password_change:
        raise PasswordChangeNeeded
    role = Role(person.role)
    since_s = claims.get("since", claims["iat"])
    who = Staff(claims["m"], claims["sub"], role, staff.rights_of(person), since_s)
    if enough and not any(who.may(right) for right in enough):
        raise Forbidden(
            "没有权限进行这个操作。需要的话，请店主在“员工”里开通。", right=str(enough[0])
        )
    return who


def _signed(claims: dict[str, Any], *, audience: str, now_s: int, life_s: int) -> str:
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
