"""Orders stored before it was written down where each of their units is."""

from typing import Any

import pytest

from chalicelib.domain.ids import OrderId, new_id
from chalicelib.domain.order_units import Units
from chalicelib.tables.trade import OrderItem


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ({"status": "fulfilling", "returned": 1}, Units(3, cancelled=1, returned=1)),
        (
            {"status": "fulfilling", "shipped": 1, "returned": 1},
            Units(3, shipped=1, cancelled=1, returned=1),
        ),
        (
            {"status": "shipped", "shipped": 3, "returned": 2},
            Units(3, shipped=3, brought_back=2, returned=2),
        ),
        ({"status": "refunding", "returned": 3}, Units(3, cancelled=3, returned=3)),
        ({"status": "ready_for_pickup", "pickup": True}, Units(3)),
        ({"status": "completed", "pickup": True}, Units(3, handed_over=3)),
        (
            {"status": "completed", "pickup": True, "returned": 1},
            Units(3, handed_over=3, brought_back=1, returned=1),
        ),
        (  # written down since
            {"status": "fulfilling", "returned": 2, "cancelled": 2, "brought_back": 0},
            Units(3, cancelled=2, returned=2),
        ),
    ],
)
def test_units_of_an_order_stored_before_are_where_its_state_says(
    stored: dict[str, Any], expected: Units
) -> None:
    order = OrderItem.at("m" * 22, OrderId(new_id(), "1xXjFjS0"), quantity=3, **stored)

    assert order.units == expected
    assert order.units.to_deliver >= 0
