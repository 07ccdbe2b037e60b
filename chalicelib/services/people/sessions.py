"""Whether a member of staff's session is still good, by the person as they are now.

A container keeps what it read of a person for KEPT_S: a role that was changed, an account that
was disabled, sessions that were ended are so everywhere after that long, and at once in the
container that changed them.
"""

from chalicelib.errors import AccountDisabled, Unauthenticated
from chalicelib.tables.catalogue_item import stored
from chalicelib.tables.shop import StaffItem

KEPT_S = 30
KEPT_MAX = 1024

_kept: dict[tuple[str, str], tuple[int, StaffItem]] = {}  # (merchant, username) -> (read at, item)


def person(merchant_id: str, username: str, version: int, *, now_s: int) -> StaffItem:
    """Whose session this is, at most KEPT_S old. `version`: the session's, as it was signed.

    Raises Unauthenticated when their sessions have been ended since, AccountDisabled.
    """
    read_at_s, item = _kept.get((merchant_id, username), (0, None))
    # A session newer than what is kept was begun after a change that this container has missed.
    fresh = item is not None and 0 <= now_s - read_at_s < KEPT_S
    if item is None or not fresh or version > item.session_version:
        item = _read(merchant_id, username, now_s)
    if item.disabled:
        raise AccountDisabled
    if version != item.session_version:
        raise Unauthenticated("登录已失效，请重新登录。")
    return item


def forget(merchant_id: str, username: str) -> None:
    """Read the person anew: they were changed here."""
    _kept.pop((merchant_id, username), None)


def _read(merchant_id: str, username: str, now_s: int) -> StaffItem:
    forget(merchant_id, username)
    item = stored(StaffItem.at(merchant_id, username))
    if item is None:
        raise Unauthenticated("登录已失效，请重新登录。")
    if len(_kept) >= KEPT_MAX:
        _kept.clear()
    _kept[merchant_id, username] = (now_s, item)
    return item
