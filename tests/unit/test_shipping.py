"""Which orders may be shipped, and how many of their units."""

from dataclasses import replace

import pytest

from chalicelib.domain import shipping
from chalicelib.domain.group import Group, GroupStatus
from chalicelib.domain.order import Order, OrderStatus
from chalicelib.domain.shipping import Parcel, ShippingRefused
from chalicelib.errors import InvalidRequest

NOW_S = 1_790_000_000
TO_SHIP = Order(OrderStatus.FULFILLING, total_fen=5900, pay_by_s=NOW_S)
GROUP = Group(GroupStatus.OPEN, {}, 3, 1, 86400, NOW_S + 86400, NOW_S + 3600)
PARCEL = Parcel("1", "SF", "SF1234567890123", 2, NOW_S, "boss")


@pytest.mark.parametrize("status", [s for s in OrderStatus if s != OrderStatus.FULFILLING])
def test_order_in_any_other_state_is_not_shipped_and_says_why(status: OrderStatus) -> None:
    with pytest.raises(ShippingRefused) as refusal:
        shipping.check(replace(TO_SHIP, status=status), None)

    assert refusal.value.message == shipping.REFUSALS[status]
    assert refusal.value.details == {"state": status.value}


@pytest.mark.parametrize(
    ("group", "words"),
    [
        (GROUP, "还差 2 人成团，成团后才能发货。"),
        (replace(GROUP, seats_least=2), "还差 1 人成团，成团后才能发货。"),
        (replace(GROUP, seats_least=2, seats_paid=2), "已满 2 人，到时成团，成团后才能发货。"),
        (replace(GROUP, status=GroupStatus.FORMED), "刚刚成团，请过几秒再发货。"),
        (replace(GROUP, status=GroupStatus.FAILED), "没有成团，正在退款，不能发货。"),
    ],
)
def test_paid_order_tells_how_its_group_stands(group: Group, words: str) -> None:
    with pytest.raises(ShippingRefused) as refusal:
        shipping.check(replace(TO_SHIP, status=OrderStatus.PAID), group)

    assert refusal.value.message == words


@pytest.mark.parametrize("change", [{"after_sale": "A"}, {"pickup": True}])
def test_order_that_is_asked_back_or_collected_is_not_shipped(change: dict[str, bool]) -> None:
    shipping.check(TO_SHIP, None)

    with pytest.raises(ShippingRefused):
        shipping.check(replace(TO_SHIP, **change), None)  # type: ignore[arg-type]


def test_parcel_holds_what_is_left_or_fewer() -> None:
    assert shipping.check_units(None, left=3) == 3
    assert shipping.check_units(2, left=3) == 2
    for units in (0, 4):
        with pytest.raises(InvalidRequest) as refusal:
            shipping.check_units(units, left=3)
        assert refusal.value.details == {"field": "units", "max": 3}
    with pytest.raises(ShippingRefused):
        shipping.check_units(None, left=0)


def test_number_is_corrected_for_a_day_to_the_second() -> None:
    shipping.check_correction(PARCEL, now_s=NOW_S + 86400)

    with pytest.raises(ShippingRefused):
        shipping.check_correction(PARCEL, now_s=NOW_S + 86401)


def test_parcel_comes_back_as_it_was_stored() -> None:
    corrected = replace(PARCEL, corrections=1, corrected_at_s=NOW_S, corrected_by="boss")

    assert shipping.parcels_of([PARCEL.stored, corrected.stored]) == [PARCEL, corrected]
    assert "corrections" not in PARCEL.stored
    assert shipping.parcels_of(None) == []
