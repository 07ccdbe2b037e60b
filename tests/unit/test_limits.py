"""The brake inside a container: so many asks in so many seconds, in bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.limits import Window

NOW_S = 1_790_000_000


def test_asks_beyond_the_limit_wait_until_the_oldest_is_over() -> None:
    window = Window(3, per_s=60)
    for later_s in (0, 10, 20):
        assert window.wait_s("a", now_s=NOW_S + later_s) == 0
        window.count("a", now_s=NOW_S + later_s)

    assert window.wait_s("a", now_s=NOW_S + 20) == 40
    assert window.wait_s("a", now_s=NOW_S + 59) == 1
    assert window.wait_s("a", now_s=NOW_S + 60) == 0
    assert window.wait_s("b", now_s=NOW_S + 20) == 0


def test_clock_that_is_set_back_locks_nobody_out() -> None:
    window = Window(1, per_s=60)
    window.count("a", now_s=NOW_S)

    assert window.wait_s("a", now_s=NOW_S - 1000) == 0


def test_who_asked_longest_ago_is_forgotten_first() -> None:
    window = Window(1, per_s=60, callers_max=2)
    for caller in ("a", "b", "a", "c"):
        window.count(caller, now_s=NOW_S)

    assert [window.wait_s(caller, now_s=NOW_S) for caller in "abc"] == [60, 0, 60]


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(1, 6), st.integers(1, 20))
def test_no_window_holds_more_asks_than_its_limit_and_waiting_always_helps(
    pauses_s: list[int], times: int, per_s: int
) -> None:
    window, asked_s, now_s = Window(times, per_s=per_s), [], NOW_S
    for pause_s in pauses_s:
        now_s += pause_s
        wait_s = window.wait_s("a", now_s=now_s)
        assert 0 <= wait_s <= per_s
        now_s += wait_s
        assert window.wait_s("a", now_s=now_s) == 0
        window.count("a", now_s=now_s)
        asked_s.append(now_s)

    for start_s in asked_s:
        assert sum(start_s <= at_s < start_s + per_s for at_s in asked_s) <= times
