"""What goes back by the terms of a group leaves the order as it is."""

from dataclasses import replace

import pytest

from chalicelib.domain.ledger import Account, balances
from chalicelib.domain.order import (
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from chalicelib.domain.order_transitions import group_formed, refund_requested
from chalicelib.domain.order_units import Units

NOW_S = 1_796_000_000
PAID = Payment(PaymentStatus.SUCCEEDED, "wechat_pay", 6700, NOW_S, paid_at_s=NOW_S)
BACK = Refund(RefundStatus.SUCCEEDED, 6700, NOW_S)
ORDER = Order(OrderStatus.PAID, 6700, NOW_S, {"01": PAID}, units=Units(bought=1))


@pytest.mark.parametrize(("rebate_fen", "back_fen"), [(5900, 5900), (6700, 6700), (9999, 6700)])
def test_it_goes_back_with_forming_and_no_more_than_was_paid(
    rebate_fen: int, back_fen: int
) -> None:
    change = group_formed(ORDER, rebate_fen=rebate_fen, now_s=NOW_S)

    assert change.after.status is OrderStatus.FULFILLING
    assert change.after.refunds["01r"].amount_fen == back_fen
    assert change.after.refundable_fen == 6700 - back_fen
    assert not change.after.is_given_back
    assert change.marks_due
    sums = balances(change.entries)
    assert (sums[Account.SALES], sums[Account.REFUNDS_DUE]) == (back_fen - 6700, -back_fen)


def test_nothing_goes_back_where_nothing_is_promised() -> None:
    change = group_formed(ORDER, now_s=NOW_S)

    assert (change.after.refunds, change.marks_due) == ({}, False)


def test_order_that_was_paid_twice_is_not_given_back_by_its_rebate() -> None:
    twice = replace(
        ORDER, payments={"01": PAID, "02": PAID}, refunds={"02L": BACK}, status=OrderStatus.PAID
    )

    formed = group_formed(twice, rebate_fen=6700, now_s=NOW_S).after

    assert (formed.refundable_fen, formed.is_given_back) == (0, False)


def test_rest_that_goes_back_after_sale_ends_the_order() -> None:
    formed = group_formed(ORDER, rebate_fen=5900, now_s=NOW_S).after

    change = refund_requested(formed, "A", 800, 1, starts_s=NOW_S, receive_by_s=0, now_s=NOW_S)

    assert (change.after.status, change.after.is_given_back) == (OrderStatus.REFUNDING, True)
    assert not change.after.is_refunded
