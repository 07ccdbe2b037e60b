"""Counting wrong passwords and codes, exactly, whichever container hears them.

A name that nobody has is counted like any other, so that counting tells nobody's name.
"""

from collections.abc import Sequence

from chalicelib import observability
from chalicelib.domain.lockout import REST_S, WINDOW_S, Failures, rest_s, with_one_more
from chalicelib.errors import TooManyRequests
from chalicelib.tables.base import LostRace, put_new, retried, update_one
from chalicelib.tables.catalogue_item import CatalogueItem, stored
from chalicelib.tables.shop import LoginFailuresItem

KEPT_S = WINDOW_S + REST_S  # a count that old decides nothing any more


def refuse_resting(merchant_id: str, username: str, *, now_s: int) -> None:
    """Raise TooManyRequests while the name rests. One read."""
    _refuse(_view(_read(merchant_id, username)), now_s)


def count(merchant_id: str, username: str, *, now_s: int) -> None:
    """Count a wrong password: one write. Raises TooManyRequests when it was not to be tried any
    more, or Busy: of guesses sent all at once, no more are told than one after the other."""

    def step() -> None:
        item = _read(merchant_id, username)
        before = _view(item)
        _refuse(before, now_s)
        _store(merchant_id, username, item, with_one_more(before, now_s=now_s))

    retried(step)


def forgive(merchant_id: str, username: str, *, now_s: int) -> None:
    """Forget the failures before a right password: a write only where there are any.

    Raises TooManyRequests when the name came to rest while this password was being checked.
    """

    def step() -> None:
        item = _read(merchant_id, username)
        before = _view(item)
        _refuse(before, now_s)
        if before.count:
            _store(merchant_id, username, item, Failures(0, now_s, now_s))

    retried(step)


def lift(merchant_id: str, username: str, *, now_s: int) -> None:
    """Forget the failures even while the name rests: somebody else has vouched for the person."""

    def step() -> None:
        item = _read(merchant_id, username)
        if item is not None and item.failures:
            _store(merchant_id, username, item, Failures(0, now_s, now_s))

    retried(step)


def resting(merchant_id: str, usernames: Sequence[str], *, now_s: int) -> dict[str, int]:
    """Until when each of these names rests, epoch seconds; those that do not are left out."""
    by_pk = {LoginFailuresItem.at(merchant_id, name).pk: name for name in usernames}
    found = CatalogueItem.batch_get([(pk, "failures") for pk in by_pk])
    ends = {
        by_pk[item.pk]: now_s + rest_s(_view(item), now_s=now_s)
        for item in found
        if isinstance(item, LoginFailuresItem)
    }
    return {name: end_s for name, end_s in ends.items() if end_s > now_s}


def _read(merchant_id: str, username: str) -> LoginFailuresItem | None:
    return stored(LoginFailuresItem.at(merchant_id, username))


def _view(item: LoginFailuresItem | None) -> Failures:
    return Failures(item.failures, item.since_s, item.last_at_s) if item else Failures()


def _refuse(failures: Failures, now_s: int) -> None:
    wait_s = rest_s(failures, now_s=now_s)
    if wait_s:
        observability.count("StaffLoginsRefused")
        minutes = -(-wait_s // 60)
        raise TooManyRequests(f"密码错误次数过多，请 {minutes} 分钟后再试。", retry_after_s=wait_s)


def _store(
    merchant_id: str, username: str, item: LoginFailuresItem | None, failures: Failures
) -> None:
    """Store what was computed from `item`. Raises LostRace when it has changed since."""
    values = {
        "failures": failures.count,
        "since_s": failures.since_s,
        "last_at_s": failures.last_at_s,
        "ttl_s": failures.last_at_s + KEPT_S,
    }
    if item is None:
        if not put_new(LoginFailuresItem.at(merchant_id, username, **values)):
            raise LostRace
        return
    update_one(
        item,
        [getattr(LoginFailuresItem, name).set(value) for name, value in values.items()],
        condition=(LoginFailuresItem.failures == item.failures)
        & (LoginFailuresItem.since_s == item.since_s),
        refuse=LostRace,
    )
