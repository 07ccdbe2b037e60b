"""Whether a member of staff's session is still good, by the person as they are now.

A container keeps what it read of a person for KEPT_S: a role that was changed, an account that
was disabled, sessions that were ended are so everywhere after that long, and at once in the
container that changed them.
"""

from chalicelib.errors import AccountDisabled, Unauthenticated
from chalicelib.tables.base import get_or_none
from chalicelib.tables.shop import StaffItem
from chalicelib.timed_cache import TimedCache

KEPT_S = 30
KEPT_MAX = 1024

# By merchant and username.
_staff: TimedCache[tuple[str, str], StaffItem] = TimedCache(KEPT_S, KEPT_MAX)


def person(merchant_id: str, username: str, version: int, *, now_s: int) -> StaffItem:
    """Whose session this is, at most KEPT_S old. `version`: the session's, as it was signed.

    Raises Unauthenticated when their sessions have been ended since, AccountDisabled.
    """
    item = _staff.get((merchant_id, username), now_s)
    # A session newer than what is kept was begun after a change that this container has missed.
    if item is None or version > item.session_version:
        item = _read(merchant_id, username, now_s)
    if item.disabled:
        raise AccountDisabled
    if version != item.session_version:
        raise Unauthenticated("登录已失效，请重新登录。")
    return item


def refresh(merchant_id: str, username: str) -> None:
    """Read the person anew: they were changed here."""
    _staff.drop((merchant_id, username))


def _read(merchant_id: str, username: str, now_s: int) -> StaffItem:
    refresh(merchant_id, username)
    item = get_or_none(StaffItem.at(merchant_id, username))
    if item is None:
        raise Unauthenticated("登录已失效，请重新登录。")
    _staff.put((merchant_id, username), item, now_s)
    return item
