"""Which touches are kept, and which one came first before a purchase."""

from dataclasses import replace

from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.touches import (
    DAYS,
    KEPT_DAYS,
    KEPT_MAX,
    Touch,
    added,
    first_and_last,
    first_before,
)

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


def test_what_the_shop_itself_has_spread_invites_nobody() -> None:
    poster = replace(touch("poster", NOW_S - 9), sharer_id="")

    assert first_before([poster], NOW_S) is None
    assert first_before([poster, touch("friend", NOW_S - 5)], NOW_S) == (
        touch("friend", NOW_S - 5),
        NOW_S - 5,
    )


def test_a_seat_belongs_to_the_last_visit_of_the_days_before_it_that_leads_to_it() -> None:
    early, late = touch("early", NOW_S - 90, NOW_S + 1), touch("late", NOW_S - 50, NOW_S - 10)
    poster = replace(touch("poster", NOW_S - 70), sharer_id="")
    other = replace(touch("other", NOW_S - 1), activity_id="b")
    edge = touch("edge", NOW_S - 3 * DAY_S)

    def found(*touches: Touch, days: int = 3) -> tuple[tuple[str, int], ...] | None:
        both = first_and_last(touches, "a", NOW_S, days=days)
        return both and tuple((it.share_id, at_s) for it, at_s in both)

    assert found(late, early, poster, other) == (("early", NOW_S - 90), ("late", NOW_S - 10))
    assert found(poster, early) == (("early", NOW_S - 90), ("poster", NOW_S - 70))
    assert found(edge) == (("edge", edge.at_s),) * 2
    assert found(edge, days=2) is None
    assert found(other, replace(late, told_at_s=NOW_S + 1)) is None
