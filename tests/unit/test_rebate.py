"""What goes back by the terms of a group leaves the order as it is."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.after_sale import worth_fen
from chalicelib.domain.ledger import Account, balances
from chalicelib.domain.order import (
    AFTER_SALE_LETTERS,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
)
from chalicelib.domain.order_transitions import group_formed, refund_requested
from chalicelib.domain.order_units import Units

NOW_S = 1_796_000_000
PAID = Payment(PaymentStatus.SUCCEEDED, "wechat_pay", 6700, NOW_S, paid_at_s=NOW_S)
ORDER = Order(OrderStatus.PAID, 6700, NOW_S, {"01": PAID}, units=Units(bought=1))


@pytest.mark.parametrize(("rebate_fen", "back_fen"), [(5900, 5900), (6700, 6699), (9999, 6699)])
def test_it_goes_back_with_forming_and_no_more_than_was_paid(
    rebate_fen: int, back_fen: int
) -> None:
    change = group_formed(ORDER, rebate_fen=rebate_fen, goods_fen=5900, now_s=NOW_S)

    assert change.after.status is OrderStatus.FULFILLING
    assert change.after.refunds["01f"].amount_fen == back_fen
    assert change.after.refundable_fen == 6700 - back_fen
    assert not change.after.is_given_back
    assert change.marks_due
    sums = balances(change.entries)
    assert (sums[Account.SALES], sums[Account.REFUNDS_DUE]) == (back_fen - 6700, -back_fen)


def test_nothing_goes_back_where_nothing_is_promised() -> None:
    change = group_formed(ORDER, now_s=NOW_S)

    assert (change.after.refunds, change.marks_due) == ({}, False)


def test_free_goods_end_their_order_by_coming_back_and_not_by_money() -> None:
    formed = group_formed(ORDER, rebate_fen=5900, goods_fen=5900, now_s=NOW_S).after

    freight = refund_requested(formed, "A", 800, 0, starts_s=NOW_S, receive_by_s=0, now_s=NOW_S)
    goods = refund_requested(formed, "A", 1, 1, starts_s=NOW_S, receive_by_s=0, now_s=NOW_S)

    assert (freight.after.refundable_fen, freight.after.is_given_back) == (0, False)
    assert (goods.after.status, goods.after.is_given_back) == (OrderStatus.REFUNDING, True)


def test_rest_of_a_tier_that_goes_back_after_sale_ends_the_order() -> None:
    formed = group_formed(ORDER, rebate_fen=1000, goods_fen=5900, now_s=NOW_S).after

    change = refund_requested(formed, "A", 5700, 0, starts_s=NOW_S, receive_by_s=0, now_s=NOW_S)

    assert (change.after.status, change.after.is_given_back) == (OrderStatus.REFUNDING, True)
    assert not change.after.is_refunded


def test_units_that_are_exchanged_are_worth_their_share_of_what_stays_paid() -> None:
    two = replace(ORDER, units=Units(bought=2))
    formed = group_formed(two, rebate_fen=1000, goods_fen=5900, now_s=NOW_S).after

    assert (worth_fen(two, 1), worth_fen(formed, 1), worth_fen(formed, 2)) == (3350, 2850, 5700)


@given(
    st.integers(1, 5),
    st.integers(0, 5900),
    st.lists(st.tuples(st.integers(1, 30_000), st.integers(0, 5)), max_size=12),
)
def test_units_and_money_go_back_after_a_tier_in_any_parts_and_end_the_order_once(
    units: int, off_fen: int, parts: list[tuple[int, int]]
) -> None:
    paid_fen, given_fen = 5900 * units + 800, off_fen * units
    paid = replace(PAID, amount_fen=paid_fen)
    order = replace(ORDER, total_fen=paid_fen, payments={"01": paid}, units=Units(bought=units))
    order = group_formed(order, rebate_fen=given_fen, goods_fen=5900 * units, now_s=NOW_S).after
    for letter, (amount_fen, back) in zip(AFTER_SALE_LETTERS, parts, strict=False):
        if order.is_given_back:
            break
        amount_fen, back = min(amount_fen, order.refundable_fen), min(back, order.units.may_go_back)
        if not amount_fen:
            break  # nothing but free goods is left
        order = refund_requested(
            order, letter, amount_fen, back, starts_s=NOW_S, receive_by_s=NOW_S, now_s=NOW_S
        ).after

        gone_fen = sum(refund.amount_fen for refund in order.refunds.values())
        assert gone_fen + order.refundable_fen == paid_fen
        assert order.rebated_fen == given_fen
        assert 0 <= order.units.may_go_back <= units
        ends = order.units.all_back or (order.refundable_fen == 0 and not order.has_free_goods)
        assert (order.status is OrderStatus.REFUNDING) == ends
