"""What everybody's number gives back: by the tiers that it reaches, of the units that are kept."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.activity import Tier
from chalicelib.domain.crowd import (
    counted_until_s,
    digit_of,
    off_fen,
    owed_fen,
    reached_by,
    tier_of,
)
from chalicelib.domain.order import Order, OrderStatus, Payment, PaymentStatus, reason_of
from chalicelib.domain.order_transitions import rebated, refund_requested
from chalicelib.domain.order_units import Units
from chalicelib.errors import Changed

NOW_S = 1_796_000_000
TIERS = (Tier(4, 300), Tier(9, 900), Tier(30, 2000))
PAID = Payment(PaymentStatus.SUCCEEDED, "wechat_pay", 12600, NOW_S, paid_at_s=NOW_S)
# Two units of ¥59.00 and ¥8.00 for freight.
ORDER = Order(OrderStatus.FULFILLING, 12600, NOW_S, {"01": PAID}, units=Units(bought=2))
GOODS_FEN = 11800


@pytest.mark.parametrize(
    ("seats", "reached"), [(0, 0), (3, 0), (4, 1), (8, 1), (9, 2), (29, 2), (30, 3), (9999, 3)]
)
def test_tiers_are_reached_in_turn(seats: int, reached: int) -> None:
    assert reached_by(TIERS, seats) == reached
    assert off_fen(TIERS, reached) == [0, 300, 900, 2000][reached]


def test_refund_names_its_tier_and_keeps_the_order_going() -> None:
    change = rebated(ORDER, digit_of(2), 1800, starts_s=NOW_S, now_s=NOW_S)

    assert list(change.after.refunds) == ["012"]
    assert (change.after.rebated_fen, change.after.status) == (1800, OrderStatus.FULFILLING)
    assert reason_of("012") == "f"
    assert [tier_of(key, TIERS) for key in ("012", "01f", "01A", "01", "014")] == [
        TIERS[1],
        None,
        None,
        None,
        None,
    ]
    with pytest.raises(Changed):
        rebated(replace(ORDER, payments={}), "1", 1, starts_s=NOW_S, now_s=NOW_S)


@pytest.mark.parametrize(
    ("order", "each_fen", "owed"),
    [
        (ORDER, 300, 600),
        (ORDER, 9000, GOODS_FEN - 1),
        (replace(ORDER, units=Units(bought=2, shipped=1, cancelled=1)), 300, 300),
        (replace(ORDER, units=Units(bought=2, shipped=2, brought_back=1)), 300, 300),
        (replace(ORDER, units=Units(bought=2, cancelled=2)), 300, 0),
        *[
            (replace(ORDER, status=status), 300, 0)
            for status in OrderStatus
            if status in ("pending", "paid", "closed", "refunding", "refunded")
        ],
    ],
)
def test_kept_units_of_a_formed_group_are_owed_it(order: Order, each_fen: int, owed: int) -> None:
    assert owed_fen(order, each_fen, GOODS_FEN) == owed


STEPS = st.lists(
    st.one_of(
        st.integers(1, 3).map(lambda reached: ("tier", reached, 0)),
        st.tuples(st.just("back"), st.integers(1, 12600), st.integers(0, 2)),
    ),
    max_size=8,
)


@given(STEPS)
def test_whatever_goes_back_in_between_no_tier_gives_twice_or_more_than_was_paid(
    steps: list[tuple[str, int, int]],
) -> None:
    order, reached, letters = ORDER, 0, iter("ABCDEGHI")
    for what, number, units in steps:
        if what == "tier" and number > reached:
            reached = number
            owed = owed_fen(order, off_fen(TIERS, reached), GOODS_FEN)
            if owed:
                digit = digit_of(reached)
                order = rebated(order, digit, owed, starts_s=NOW_S, now_s=NOW_S).after
        elif what == "back" and not order.is_given_back:
            order = refund_requested(
                order,
                next(letters),
                min(number, order.refundable_fen),
                min(units, order.units.may_go_back),
                starts_s=NOW_S,
                receive_by_s=NOW_S,
                now_s=NOW_S,
            ).after
        assert owed_fen(order, off_fen(TIERS, reached), GOODS_FEN) == 0
        assert 0 <= order.refundable_fen <= 12600
        assert order.rebated_fen <= 2 * off_fen(TIERS, reached)
    if not any(what == "back" for what, _, _ in steps):
        assert order.rebated_fen == 2 * off_fen(TIERS, reached)


def test_last_group_is_counted_late_after_the_end_or_after_staff_ended_it() -> None:
    def until_s(ended_at_s: int | None) -> int:
        return counted_until_s(NOW_S, ended_at_s, pay_by_s=3600, life_max_s=86400, late_s=60)

    assert until_s(None) == NOW_S + 60
    assert until_s(NOW_S - 200_000) == NOW_S - 200_000 + 3600 + 86400 + 60
    assert until_s(NOW_S - 10) == NOW_S + 60
