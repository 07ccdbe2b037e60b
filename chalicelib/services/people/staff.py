"""A merchant's people: who they are, and that they are who they say."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.domain import rights, totp
from chalicelib.domain.rights import Area, Level, Role
from chalicelib.errors import (
    AccountDisabled,
    Conflict,
    NotFound,
    TotpNeeded,
    Unauthenticated,
    WrongPassword,
    WrongTotp,
)
from chalicelib.gateways import sealed
from chalicelib.services.people import brute_force_guard, list_revisions, merchants
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, get_or_none, transaction, update_one
from chalicelib.tables.catalogue_item import CatalogueItem
from chalicelib.tables.shop import AdditionsItem, StaffItem

if TYPE_CHECKING:
    from argon2 import PasswordHasher

USERNAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{2,31}\Z"  # it stands in paths
PASSWORD_MIN, PASSWORD_MAX = 10, 128
NAME_MAX = 30
STAFF_MAX = 200
OWNER = Role.OWNER.value  # the role that a shop is never without

# argon2id with 19 MiB and two passes: what OWASP asks for, within a small function's memory.
_MEMORY_KIB = 19 * 1024
_PASSES = 2
_LANES = 1


def add(
    merchant_id: str,
    username: str,
    *,
    name: str,
    role: str,
    password: str,
    staff: str,
    now_s: int,
    rights: Mapping[str, str] | None = None,
    must_change: bool = False,
    body_hash: str = "",
    before: AdditionsItem | None = None,
) -> StaffItem:
    """Add a member of staff, with the audit row. Raises Conflict when the username is taken.

    rights: where they differ from the role's. must_change: the password is only for the first
    login, which has to choose another. body_hash: of the request that invites them. before: the
    additions that were seen when everyone was counted; with others since, raises LostRace.
    """
    item = StaffItem.at(
        merchant_id,
        username,
        name=name,
        role=role,
        rights=rights or None,
        password_hash=hashed(password),
        must_change=must_change,
        body_hash=body_hash,
    )
    with transaction() as writes:
        writes.put(item, refuse=lambda old: Conflict("这个账号已存在，请换一个。"))
        if before is not None:
            list_revisions.add(writes, before)
        after = {"name": name, "role": role, **({"rights": dict(rights)} if rights else {})}
        subject = f"staff#{username}"
        audit(writes, merchant_id, staff, "staff_added", subject, {}, after, now_s)
    return item


def login(
    merchant_id: str, username: str, password: str, *, code: str | None = None, now_s: int
) -> StaffItem:
    """The member of staff whose password, and code where they use them, this is.

    Raises WrongPassword, after the same work, whether the username or the password is wrong;
    TooManyRequests, before any of it, while the name rests; NotFound for no such merchant; and to
    who knows the password AccountDisabled, TotpNeeded without a code, WrongTotp. Wrong passwords
    and codes are counted together, and the next success forgets them. Writes when it was.
    """
    # Nothing is counted for merchants that are not. Read past the cache of `terms`: an owner who
    # logs in to change a setting must not find the old one kept for a minute.
    merchants.read(merchant_id)
    guess = brute_force_guard.count_guess(
        brute_force_guard.PASSWORDS, merchant_id, username, now_s=now_s
    )
    item = get_or_none(StaffItem.at(merchant_id, username))
    if not is_right(item, password) or item is None:
        raise WrongPassword
    if item.disabled or (item.totp_secret and code is None):
        brute_force_guard.uncount(guess)  # not forgiven: codes that were wrong before stay counted
        raise AccountDisabled if item.disabled else TotpNeeded
    if not _enter(item, code, now_s):
        raise WrongTotp
    brute_force_guard.reset(guess)
    return item


def everyone(merchant_id: str, *, consistent: bool = False) -> list[StaffItem]:
    """The merchant's staff by username."""
    found = CatalogueItem.query(
        f"{merchant_id}#M",
        CatalogueItem.sk.startswith("staff#"),
        consistent_read=consistent,
        limit=STAFF_MAX,
    )
    return [item for item in found if isinstance(item, StaffItem)]


def read(merchant_id: str, username: str) -> StaffItem:
    """A member of staff as they are now. Raises NotFound."""
    item = get_or_none(StaffItem.at(merchant_id, username))
    if item is None:
        raise NotFound("没有找到这位员工。")
    return item


def rights_of(item: StaffItem) -> dict[Area, Level]:
    """What this member of staff may see and do, by area."""
    differences = item.rights.as_dict() if item.rights is not None else None
    return rights.rights_of(Role(item.role), differences)


def hashed(password: str) -> str:
    """What is kept of a password."""
    hasher, _ = _hashing()
    return hasher.hash(password)


def is_right(item: StaffItem | None, password: str) -> bool:
    """Whether it is the password; for nobody, after the same work, it never is."""
    from argon2.exceptions import InvalidHashError, VerificationError

    hasher, nobodys_hash = _hashing()
    try:
        return hasher.verify(item.password_hash if item else nobodys_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def sealed_for(item: StaffItem) -> tuple[str, str, str]:
    """Whose a sealed secret of codes is."""
    return ("totp", item.merchant_id, item.username)


def _enter(item: StaffItem, code: str | None, now_s: int) -> bool:
    """Note the login, and take the code's step, which nobody can take again. False when the code
    is wrong, old or taken. Raises Unauthenticated when the account has changed meanwhile."""
    actions: list[Action] = [StaffItem.last_login_at_s.set(now_s)]
    condition: Condition = StaffItem.session_version == item.session_version
    if item.totp_secret:
        secret = sealed.unseal(item.totp_secret, *sealed_for(item))
        last_step = item.totp_step or 0
        step = totp.accepted_step(secret, code or "", now_s=now_s, last_step=last_step)
        if step is None:
            return False
        actions.append(StaffItem.totp_step.set(step))
        condition &= StaffItem.totp_step == item.totp_step
    try:
        update_one(item, actions, condition=condition, refuse=LostRace)
    except LostRace:
        if item.totp_secret:
            return False
        raise Unauthenticated("账号刚刚有变动，请重新登录。") from None
    return True


@lru_cache(maxsize=1)
def _hashing() -> tuple["PasswordHasher", str]:
    """The hasher, and a hash that takes as long to refuse as anybody's.

    Imported on first use: only logins need it.
    """
    from argon2 import PasswordHasher

    hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)
    return hasher, hasher.hash("nobody's password")
