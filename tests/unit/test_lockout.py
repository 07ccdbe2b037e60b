"""Wrong guesses add up within their window, and who guesses rests after one too many."""

from chalicelib.domain.lockout import PASSWORDS, Failures, rest_s, with_one_more

NOW_S = 1_790_000_000


def failed(times: int, *, every_s: int = 0) -> Failures:
    """Failures that many times, the last of them now."""
    failures = Failures()
    for number in range(times):
        at_s = NOW_S - (times - 1 - number) * every_s
        failures = with_one_more(PASSWORDS, failures, now_s=at_s)
    return failures


def rest_of(failures: Failures, now_s: int) -> int:
    return rest_s(PASSWORDS, failures, now_s=now_s)


def test_name_rests_from_the_failure_that_was_one_too_many() -> None:
    most, rest = PASSWORDS.tries_max, PASSWORDS.rest_s

    assert rest_of(failed(most - 1), NOW_S) == 0
    assert rest_of(failed(most, every_s=60), NOW_S) == rest
    assert rest_of(failed(most), NOW_S + rest - 1) == 1
    assert rest_of(failed(most), NOW_S + rest) == 0


def test_failures_apart_do_not_add_up() -> None:
    most, window = PASSWORDS.tries_max, PASSWORDS.window_s
    spread = failed(2 * most, every_s=window // (most - 1))

    assert spread.count < most
    assert with_one_more(PASSWORDS, failed(4), now_s=NOW_S + window) == Failures(
        1, NOW_S + window, NOW_S + window
    )


def test_rested_name_begins_anew() -> None:
    rested_s = NOW_S + PASSWORDS.rest_s
    again = with_one_more(PASSWORDS, failed(PASSWORDS.tries_max), now_s=rested_s)

    assert again == Failures(1, rested_s, rested_s)
