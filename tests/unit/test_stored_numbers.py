"""Money, seats and times are stored as whole numbers, and as nothing else."""

from typing import Any

import pytest

from chalicelib.tables.base import IntAttribute


@pytest.mark.parametrize("value", [5900.0, 59.01, True, "5900", None])
def test_what_is_no_whole_number_is_not_stored(value: Any) -> None:
    with pytest.raises(TypeError):
        IntAttribute().serialize(value)


def test_whole_number_is_stored_and_read_as_it_is() -> None:
    large = 2**53 + 1

    assert IntAttribute().deserialize(IntAttribute().serialize(large)) == large
