"""Wrong passwords add up within their window, and a name rests after one too many."""

from chalicelib.domain.lockout import (
    FAILURES_MAX,
    REST_S,
    WINDOW_S,
    Failures,
    rest_s,
    with_one_more,
)

NOW_S = 1_790_000_000


def failed(times: int, *, every_s: int = 0) -> Failures:
    """Failures that many times, the last of them now."""
    failures = Failures()
    for number in range(times):
        failures = with_one_more(failures, now_s=NOW_S - (times - 1 - number) * every_s)
    return failures


def test_name_rests_from_the_failure_that_was_one_too_many() -> None:
    assert rest_s(failed(FAILURES_MAX - 1), now_s=NOW_S) == 0
    assert rest_s(failed(FAILURES_MAX, every_s=60), now_s=NOW_S) == REST_S
    assert rest_s(failed(FAILURES_MAX), now_s=NOW_S + REST_S - 1) == 1
    assert rest_s(failed(FAILURES_MAX), now_s=NOW_S + REST_S) == 0


def test_failures_apart_do_not_add_up() -> None:
    spread = failed(2 * FAILURES_MAX, every_s=WINDOW_S // (FAILURES_MAX - 1))

    assert spread.count < FAILURES_MAX
    assert with_one_more(failed(4), now_s=NOW_S + WINDOW_S) == Failures(
        1, NOW_S + WINDOW_S, NOW_S + WINDOW_S
    )


def test_rested_name_begins_anew() -> None:
    rested_s = NOW_S + REST_S

    assert with_one_more(failed(FAILURES_MAX), now_s=rested_s) == Failures(1, rested_s, rested_s)
