"""How often a password may be wrong: a name that was guessed at too often rests for a while."""

from dataclasses import dataclass

FAILURES_MAX = 5
WINDOW_S = 15 * 60  # failures further apart than this do not add up
REST_S = 15 * 60  # after the failure that was one too many


@dataclass(frozen=True)
class Failures:
    """Wrong passwords for one name since the last right one. Times are epoch seconds, UTC."""

    count: int = 0
    since_s: int = 0  # the first of them
    last_at_s: int = 0


def rest_s(failures: Failures, *, now_s: int) -> int:
    """Seconds until the name may be tried again; 0: now."""
    if failures.count < FAILURES_MAX:
        return 0
    return max(0, failures.last_at_s + REST_S - now_s)


def with_one_more(failures: Failures, *, now_s: int) -> Failures:
    """`failures` after a wrong password now: counted with the others of its window, or the first
    of a new one. A name that rests is not tried at all, so it does not rest longer for it."""
    rested = failures.count >= FAILURES_MAX
    if rested or failures.count == 0 or failures.since_s + WINDOW_S <= now_s:
        return Failures(1, now_s, now_s)
    return Failures(failures.count + 1, failures.since_s, now_s)
