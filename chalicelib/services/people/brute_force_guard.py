"""Counting guesses at what is secret, exactly, whichever container hears them.

A guess is counted before it is judged, and taken back when it was right: of guesses sent all at
once, no more are told anything than of guesses sent one after the other. Who finds no room while
others are judged waits a moment for them: several right ones at once all enter. Each subject (a
name that logs in, a member of staff who types codes, an address) has an item of its own, in the
table of the catalogue: a flood of guesses slows down nobody else, and no trade. A subject that does
not exist is counted like any other, so that counting tells nothing.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from chalicelib import deadline, observability
from chalicelib.domain import lockout
from chalicelib.domain.lockout import Failures, Rule
from chalicelib.errors import TooManyRequests
from chalicelib.tables.base import LostRace, get_or_none, put_new, retried, update_one
from chalicelib.tables.catalogue_item import CatalogueItem
from chalicelib.tables.shop import GuessesItem
from chalicelib.text import Text

JUDGING_S = 1  # a guess that was counted so lately may be judged yet
PAUSES_S = (0.05, 0.1, 0.2, 0.4)  # for those that are being judged


@dataclass(frozen=True)
class GuessKind:
    """What is guessed at. words: told to who has to wait, with {minutes}. metric: counts them.
    makes_room: whether a right guess is taken back, so that another finds room."""

    name: str
    rule: Rule
    words: str
    metric: str = "GuessesRefused"
    makes_room: bool = True


PASSWORDS = GuessKind(
    "password",
    lockout.PASSWORDS,
    "密码错误次数过多，请 {minutes} 分钟后再试。",
    "StaffLoginsRefused",
)
PICKUP_CODES = GuessKind(
    "pickup_code", lockout.PICKUP_CODES, "取货码输错次数过多，请 {minutes} 分钟后再试。"
)
LOGIN_CODES = GuessKind(
    "login_code", lockout.LOGIN_CODES, "登录太频繁，请 {minutes} 分钟后再试。", makes_room=False
)
CODES_BY_ADDRESS = GuessKind(
    "codes_by_address",
    lockout.CODES_BY_ADDRESS,
    "获取验证码太频繁，请 {minutes} 分钟后再试。",
    "PhoneCodesRefused",
    makes_room=False,
)
CODES_BY_DEVICE = replace(CODES_BY_ADDRESS, name="codes_by_device", rule=lockout.CODES_BY_DEVICE)


@dataclass(frozen=True)
class Guess:
    """One guess that is counted, and is being judged."""

    kind: GuessKind
    merchant_id: str
    subject: str
    since_s: int  # of the window that it is counted in


class _NoRoom(Exception):
    """No guess is heard for `wait_s`. judging: others that were counted may be right yet."""

    def __init__(self, wait_s: int, *, judging: bool) -> None:
        super().__init__("no room")
        self.wait_s, self.judging = wait_s, judging


def count_guess(kind: GuessKind, merchant_id: str, subject: str, *, now_s: int) -> Guess:
    """Count a guess. One read and one write; some more reads while others are being judged.

    Raises TooManyRequests when none is heard now: no write then. Raises Busy.
    """
    for pause_s in (*PAUSES_S, 0):
        try:
            return retried(lambda: _try_count(kind, merchant_id, subject, now_s))
        except _NoRoom as refusal:
            full = refusal
        if not (pause_s and full.judging) or deadline.left_s() < pause_s + deadline.CALL_MIN_S:
            break
        time.sleep(pause_s)
    observability.count(kind.metric)
    words = Text(kind.words, minutes=-(-full.wait_s // 60))
    raise TooManyRequests(words, retry_after_s=full.wait_s)


def _try_count(kind: GuessKind, merchant_id: str, subject: str, now_s: int) -> Guess:
    item = get_or_none(GuessesItem.at(merchant_id, subject, kind.name))
    before = _view(item)
    wait_s = lockout.rest_s(kind.rule, before, now_s=now_s)
    if wait_s:
        lately = now_s - before.last_at_s <= JUDGING_S
        raise _NoRoom(wait_s, judging=kind.makes_room and lately)
    after = lockout.with_one_more(kind.rule, before, now_s=now_s)
    if item is None or after.count == 1:
        _open_window(kind, merchant_id, subject, item, after)
    else:
        _add_to_window(kind, item, after)
    return Guess(kind, merchant_id, subject, after.since_s)


def uncount(guess: Guess) -> None:
    """A guess that was right counts as none; those before it stay counted. One write."""
    item = GuessesItem.at(guess.merchant_id, guess.subject, guess.kind.name)
    with suppress(LostRace):  # forgiven meanwhile, or of a window that is over
        update_one(
            item,
            [GuessesItem.failures.add(-1)],
            condition=(GuessesItem.since_s == guess.since_s) & (GuessesItem.failures > 0),
            refuse=LostRace,
        )


def reset(guess: Guess) -> None:
    """A guess that was right, after which those before it count no more. One write."""
    item = GuessesItem.at(guess.merchant_id, guess.subject, guess.kind.name)
    with suppress(LostRace):
        update_one(
            item,
            [GuessesItem.failures.set(0)],
            condition=GuessesItem.since_s == guess.since_s,
            refuse=LostRace,
        )


@contextmanager
def guarded(
    kind: GuessKind, merchant_id: str, subject: str, *, wrong: type[Exception], now_s: int
) -> Iterator[None]:
    """Run the block as the judgement of one guess: it stays counted when the block raises `wrong`.

    Raises TooManyRequests instead of running it when no guess is heard now.
    """
    guess = count_guess(kind, merchant_id, subject, now_s=now_s)
    try:
        yield
    except wrong:
        raise
    except Exception:
        uncount(guess)
        raise
    uncount(guess)


def unlock(kind: GuessKind, merchant_id: str, subject: str) -> None:
    """Forget the guesses even while the subject rests: somebody else has vouched for them."""

    def step() -> None:
        item = get_or_none(GuessesItem.at(merchant_id, subject, kind.name))
        if item is not None and item.failures:
            reset(Guess(kind, merchant_id, subject, item.since_s))

    retried(step)


def locked_until(
    kind: GuessKind, merchant_id: str, subjects: Sequence[str], *, now_s: int
) -> dict[str, int]:
    """Until when each of these rests, epoch seconds; those that do not are left out."""
    items = {subject: GuessesItem.at(merchant_id, subject, kind.name) for subject in subjects}
    by_pk = {item.pk: subject for subject, item in items.items()}
    found = CatalogueItem.batch_get([(item.pk, item.sk) for item in items.values()])
    ends = {
        by_pk[item.pk]: now_s + lockout.rest_s(kind.rule, _view(item), now_s=now_s)
        for item in found
        if isinstance(item, GuessesItem)
    }
    return {subject: end_s for subject, end_s in ends.items() if end_s > now_s}


def _view(item: GuessesItem | None) -> Failures:
    return Failures(item.failures, item.since_s, item.last_at_s) if item else Failures()


def _open_window(
    kind: GuessKind, merchant_id: str, subject: str, item: GuessesItem | None, first: Failures
) -> None:
    """Begin a window with its first guess. Raises LostRace when another has begun it."""
    values = {
        "failures": first.count,
        "since_s": first.since_s,
        "last_at_s": first.last_at_s,
        "ttl_s": _expires_at_s(kind, first),
    }
    if item is None:
        if not put_new(GuessesItem.at(merchant_id, subject, kind.name, **values)):
            raise LostRace
        return
    update_one(
        item,
        [getattr(GuessesItem, name).set(value) for name, value in values.items()],
        condition=(GuessesItem.failures == item.failures) & (GuessesItem.since_s == item.since_s),
        refuse=LostRace,
    )


def _add_to_window(kind: GuessKind, item: GuessesItem, after: Failures) -> None:
    """Count one more in its window. An inequality, so that guesses made at once are all counted,
    and none too many. Raises LostRace when the window is full, forgiven or over."""
    update_one(
        item,
        [
            GuessesItem.failures.add(1),
            GuessesItem.last_at_s.set(after.last_at_s),
            GuessesItem.ttl_s.set(_expires_at_s(kind, after)),
        ],
        condition=(GuessesItem.since_s == after.since_s)
        & GuessesItem.failures.between(1, kind.rule.tries_max - 1),
        refuse=LostRace,
    )


def _expires_at_s(kind: GuessKind, failures: Failures) -> int:
    return failures.last_at_s + kind.rule.window_s + kind.rule.rest_s
