"""Which touches are kept, and which one came first before a purchase."""

from dataclasses import replace

from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.touches import DAYS, KEPT_DAYS, KEPT_MAX, Touch, added, first_before

NOW_S = 1_800_000_000


def touch(name: str, at_s: int, last_at_s: int = 0) -> Touch:
    return Touch(name, f"of {name}", "link", "g", "a", at_s, last_at_s or at_s)


def test_a_share_is_one_touch_and_the_first_is_kept_beside_the_latest() -> None:
    old = touch("old", NOW_S - KEPT_DAYS * DAY_S - 1)
    many = [touch(f"{n:02}", NOW_S - n) for n in range(30)]

    kept = added([old, touch("again", NOW_S - 100)], [*many, touch("again", NOW_S)], now_s=NOW_S)

    assert len(kept) == KEPT_MAX
    assert kept[0] == touch("again", NOW_S - 100, NOW_S)
    assert [it.share_id for it in kept[1:]] == [f"{n:02}" for n in range(KEPT_MAX - 2, -1, -1)]


def test_the_first_visit_of_the_days_before_a_purchase_counts() -> None:
    long_ago = NOW_S - DAYS * DAY_S - 1
    again = touch("again", long_ago, NOW_S - 5)
    late = touch("late", NOW_S + 1)

    assert first_before([touch("x", long_ago), late], NOW_S) is None
    assert first_before([touch("x", NOW_S - 1), again, late], NOW_S) == (again, NOW_S - 5)
    told_late = replace(touch("told", NOW_S - 9), told_at_s=NOW_S + 1)
    assert first_before([told_late, again], NOW_S) == (again, NOW_S - 5)
    edge = touch("edge", NOW_S - DAYS * DAY_S)
    assert first_before([again, edge], NOW_S) == (edge, edge.at_s)
