"""Who of a group that is due goes on in which other one."""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given

from chalicelib.domain import group as group_rules
from chalicelib.domain.combining import MOVED_MAX, Mover, choose
from chalicelib.domain.group import Group, GroupStatus

NOW_S = 1_790_000_000
OPEN = Group(
    GroupStatus.OPEN, {"leader": "no"}, seats_total=3, seats_paid=1, life_s=3600,
    ends_at_s=NOW_S + 9000, expires_at_s=NOW_S + 3600, combines=True,
)  # fmt: skip


def group_of(*members: str, seats: int = 3) -> Group:
    return replace(OPEN, members=dict.fromkeys(members, "no"), seats_total=seats)


def mover(buyer_id: str, *others: str, number: str = "") -> Mover:
    return Mover(buyer_id, number or buyer_id, frozenset([buyer_id, *others]))


def test_all_of_them_go_to_the_first_that_has_seats_for_all() -> None:
    groups = {"full": group_of("x", "y"), "free": group_of("x"), "later": group_of("z")}

    chosen = choose([mover("a"), mover("b")], groups)

    assert chosen is not None
    assert (chosen.group_id, [one.buyer_id for one in chosen.movers]) == ("free", ["a", "b"])


@pytest.mark.parametrize(
    "group",
    [
        group_of("x", "y"),
        group_of("a", "b"),
        replace(group_of("x"), status=GroupStatus.FAILED),
        replace(group_of("x"), status=GroupStatus.FORMED),
        replace(group_of("x"), combines=False),
    ],
    ids=["too few seats", "they are in it", "failed", "formed", "by other terms"],
)
def test_nobody_goes_to_a_group_that_cannot_take_them(group: Group) -> None:
    assert choose([mover("a"), mover("b")], {"other": group}) is None
    assert choose([], {"other": group_of("x")}) is None


def test_who_is_there_already_under_another_id_stays() -> None:
    chosen = choose([mover("a", "x"), mover("b")], {"other": group_of("x")})

    assert chosen is not None
    assert [one.buyer_id for one in chosen.movers] == ["b"]


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Mover], dict[str, Group]]:
    """Persons of one or two ids, each of which may have a seat here and there."""
    ids = [f"b{number}" for number in range(8)]
    movers = [
        mover(one, *draw(st.sampled_from([(), (f"{one}x",), ("b0",)])), number=str(number))
        for number, one in enumerate(draw(st.lists(st.sampled_from(ids), unique=True)))
    ]
    known = sorted({one for it in movers for one in it.ids} | {"y", "z"})
    groups = {}
    for number in range(draw(st.integers(0, 4))):
        seats = draw(st.integers(2, 6))
        members = draw(st.lists(st.sampled_from(known), unique=True, min_size=1, max_size=seats))
        status = draw(st.sampled_from([GroupStatus.OPEN, GroupStatus.OPEN, *GroupStatus]))
        groups[f"g{number}"] = replace(group_of(*members, seats=seats), status=status)
    return movers, groups


@given(scenes())
def test_nobody_has_two_seats_and_no_group_too_many_whoever_moves(
    scene: tuple[list[Mover], dict[str, Group]],
) -> None:
    movers, groups = scene

    chosen = choose(movers, groups)

    if chosen is None:
        return
    group = groups[chosen.group_id]
    persons = [one.ids for one in chosen.movers]
    assert set(chosen.movers) <= set(movers)
    assert group.status is GroupStatus.OPEN
    assert 0 < len(persons) <= group.seats_total - len(group.members)
    assert len(set().union(*persons)) == sum(map(len, persons))  # no person twice
    assert set().union(*persons).isdisjoint(group.members)
    stays = set(movers) - set(chosen.movers)
    assert all(one.ids & (set(group.members) | set().union(*persons)) for one in stays)


def test_as_many_go_as_one_transaction_can_take_and_who_came_first() -> None:
    movers = [mover(f"m{number:03d}") for number in reversed(range(MOVED_MAX + 9))]

    chosen = choose(movers, {"other": group_of("x", seats=100)})

    assert chosen is not None
    assert [one.buyer_id for one in chosen.movers] == [f"m{n:03d}" for n in range(MOVED_MAX)]


@pytest.mark.parametrize(("coming", "status"), [(1, "open"), (2, "formed")])
def test_group_that_others_come_into_forms_when_it_is_full(coming: int, status: str) -> None:
    change = group_rules.combined_with(OPEN, coming, now_s=NOW_S)

    assert (change.status, change.seats_paid) == (status, coming)
    assert (change.decided_at_s, change.due_at_s) == ((NOW_S,) * 2 if coming == 2 else (None,) * 2)


def test_group_that_others_leave_fails_with_fewer_paid_seats() -> None:
    change = group_rules.combined_away(2, now_s=NOW_S)

    assert (change.was, change.status, change.failed_reason) == ("open", "failed", "due")
    assert (change.seats_paid, change.due_at_s) == (-2, None)


def test_group_that_may_be_combined_is_undecided_until_it_is_decided() -> None:
    past_s = NOW_S + 3600 + 60

    shown = {
        combines: group_rules.shown_status(
            replace(OPEN, combines=combines), now_s=past_s, grace_s=60
        )
        for combines in (True, False)
    }

    assert shown == {True: "open", False: "failed"}
