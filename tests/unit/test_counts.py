"""What sums over counters say."""

import pytest

from chalicelib.domain.counts import Sums, sums_of


def test_parts_add_up() -> None:
    parts = [{"paid_fen": 5900, "orders_paid": 1}, {"paid_fen": 100, "groups_formed": 2}, {}]

    assert sums_of(parts) == Sums(paid_fen=6000, orders_paid=1, groups_formed=2)


@pytest.mark.parametrize(
    ("formed", "failed", "permille"), [(0, 0, None), (0, 3, 0), (2, 1, 667), (5, 0, 1000)]
)
def test_formation_rate_is_of_those_that_were_decided(
    formed: int, failed: int, permille: int | None
) -> None:
    sums = Sums(groups_opened=9, groups_formed=formed, groups_failed=failed)

    assert sums.formed_permille == permille
    assert sums.groups_open == 9 - formed - failed


def test_groups_that_are_counted_as_opened_a_little_later_are_never_fewer_than_none() -> None:
    assert Sums(groups_opened=0, groups_formed=1).groups_open == 0
