"""Rights: presets of roles, what an owner may give or take, and what comes with it."""

import pytest

from chalicelib.domain.rights import (
    LEVELS,
    NEEDS,
    PRESETS,
    Area,
    Level,
    Role,
    act,
    differences_from,
    may,
    rights_of,
    view,
)
from chalicelib.errors import InvalidRequest


def test_every_preset_has_levels_that_there_are_and_all_that_they_need() -> None:
    for role, preset in PRESETS.items():
        assert all(preset[area] in LEVELS[area] for area in Area), role
        for right, needs in NEEDS.items():
            assert not may(preset, right) or all(may(preset, needed) for needed in needs), role


def test_only_an_owner_manages_staff_and_accounts() -> None:
    assert [r for r in Role if may(PRESETS[r], act(Area.STAFF))] == [Role.OWNER]
    assert [r for r in Role if may(PRESETS[r], view(Area.ACCOUNTS))] == [Role.OWNER]


def test_acting_includes_viewing_and_not_the_other_way() -> None:
    given = rights_of(Role.SERVICE, {"refunds": "view"})

    assert may(given, view(Area.REFUNDS))
    assert not may(given, act(Area.REFUNDS))
    assert may(given, view(Area.ORDERS))  # has act


def test_only_what_differs_from_the_preset_is_stored() -> None:
    wanted = dict(PRESETS[Role.SERVICE]) | {Area.STATISTICS: Level.VIEW, Area.PICKUP: Level.NONE}

    assert differences_from(Role.SERVICE, wanted) == {"pickup": "none", "statistics": "view"}
    assert differences_from(Role.SERVICE, {}) == {}
    assert differences_from(Role.OWNER, PRESETS[Role.OWNER]) == {}


def test_what_work_cannot_be_done_without_comes_with_it() -> None:
    taken = {Area.ORDERS: Level.NONE, Area.GOODS: Level.NONE, Area.SETTINGS: Level.NONE}

    stored = differences_from(Role.SERVICE, taken)

    assert stored == {"orders": "view", "settings": "none"}  # goods: for activities, as preset
    assert rights_of(Role.SERVICE, stored)[Area.ORDERS] is Level.VIEW


@pytest.mark.parametrize(
    ("role", "wanted"),
    [
        (Role.OWNER, {Area.STAFF: Level.NONE}),
        (Role.OWNER, {Area.REFUNDS: Level.VIEW}),
        (Role.MANAGER, {Area.STAFF: Level.ACT}),
        (Role.SERVICE, {Area.STATISTICS: Level.ACT}),
        (Role.SERVICE, {Area.SHIPPING: Level.VIEW}),
    ],
)
def test_what_an_owner_lacks_or_nobody_has_is_refused(
    role: Role, wanted: dict[Area, Level]
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        differences_from(role, wanted)

    assert refusal.value.details["field"] == f"rights.{next(iter(wanted))}"


def test_stored_rights_that_are_known_no_more_count_as_the_preset() -> None:
    stored = {"flying": "act", "goods": "own", "statistics": "view", "staff": "act"}

    rights = rights_of(Role.SERVICE, stored)

    assert rights == {**PRESETS[Role.SERVICE], Area.STATISTICS: Level.VIEW}
    assert rights_of(Role.OWNER, {"refunds": "none"}) == PRESETS[Role.OWNER]
