"""A merchant's people: who they are, and that they are who they say."""

from functools import lru_cache
from typing import TYPE_CHECKING

from chalicelib.errors import Conflict, WrongPassword
from chalicelib.services import lockout, merchants
from chalicelib.services.audit import audit
from chalicelib.tables.base import transaction
from chalicelib.tables.catalogue import CatalogueItem, StaffItem, stored

if TYPE_CHECKING:
    from argon2 import PasswordHasher

USERNAME_PATTERN = r"^[a-z0-9][a-z0-9_.-]{2,31}\Z"
PASSWORD_MIN, PASSWORD_MAX = 10, 128
NAME_MAX = 30
STAFF_MAX = 200

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
) -> StaffItem:
    """Add a member of staff, with the audit row. Raises Conflict when the username is taken."""
    hasher, _ = _hashing()
    item = StaffItem.at(
        merchant_id, username, name=name, role=role, password_hash=hasher.hash(password)
    )
    with transaction() as writes:
        writes.put(item, refuse=lambda old: Conflict("这个账号已存在，请换一个。"))
        after = {"name": name, "role": role}
        subject = f"staff#{username}"
        audit(writes, merchant_id, staff, "staff_added", subject, {}, after, now_s)
    return item


def login(merchant_id: str, username: str, password: str, *, now_s: int) -> StaffItem:
    """The member of staff whose password this is.

    Raises WrongPassword, after the same work, whether the username or the password is wrong;
    TooManyRequests, before any of it, while the name rests; NotFound for no such merchant.
    Writes only after a failure: each is counted, and the next success forgets them.
    """
    # Nothing is counted for merchants that are not. Read past the cache of `terms`: an owner who
    # logs in to change a setting must not find the old one kept for a minute.
    merchants.read(merchant_id)
    lockout.refuse_resting(merchant_id, username, now_s=now_s)
    item = stored(StaffItem.at(merchant_id, username))
    if not _is_right(item, password) or item is None:
        lockout.count(merchant_id, username, now_s=now_s)
        raise WrongPassword
    lockout.forgive(merchant_id, username, now_s=now_s)
    return item


def everyone(merchant_id: str) -> list[StaffItem]:
    """The merchant's staff by username."""
    found = CatalogueItem.query(
        f"{merchant_id}#M", CatalogueItem.sk.startswith("staff#"), limit=STAFF_MAX
    )
    return [item for item in found if isinstance(item, StaffItem)]


def _is_right(item: StaffItem | None, password: str) -> bool:
    """Whether it is the password; for nobody, after the same work, it never is."""
    from argon2.exceptions import InvalidHashError, VerificationError

    hasher, nobodys_hash = _hashing()
    try:
        return hasher.verify(item.password_hash if item else nobodys_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _hashing() -> tuple["PasswordHasher", str]:
    """The hasher, and a hash that takes as long to refuse as anybody's.

    Imported on first use: only logins need it.
    """
    from argon2 import PasswordHasher

    hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)
    return hasher, hasher.hash("nobody's password")
