"""How often something secret may be guessed at: who guessed too often rests for a while."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """`tries_max` wrong guesses in `window_s`, then a rest of `rest_s` after the last of them."""

    tries_max: int
    window_s: int
    rest_s: int


PASSWORDS = Rule(5, window_s=15 * 60, rest_s=15 * 60)
PICKUP_CODES = Rule(20, window_s=60, rest_s=60)
LOGIN_CODES = Rule(60, window_s=60, rest_s=60)
CODES_BY_ADDRESS = Rule(60, window_s=3600, rest_s=600)  # messages, which cost the shop money
CODES_BY_DEVICE = Rule(10, window_s=3600, rest_s=3600)


@dataclass(frozen=True)
class Failures:
    """Guesses of one subject that were wrong, or are being judged. Times are epoch seconds, UTC."""

    count: int = 0
    since_s: int = 0  # the first of them
    last_at_s: int = 0


def rest_s(rule: Rule, failures: Failures, *, now_s: int) -> int:
    """Seconds until another guess is heard; 0: now."""
    if failures.count < rule.tries_max:
        return 0
    return max(0, failures.last_at_s + rule.rest_s - now_s)


def with_one_more(rule: Rule, failures: Failures, *, now_s: int) -> Failures:
    """`failures` with a guess made now: counted with the others of its window, or the first of a
    new one. Who rests is not heard at all, and does not rest longer for asking."""
    rested = failures.count >= rule.tries_max
    if rested or failures.count == 0 or failures.since_s + rule.window_s <= now_s:
        return Failures(1, now_s, now_s)
    return Failures(failures.count + 1, failures.since_s, now_s)
