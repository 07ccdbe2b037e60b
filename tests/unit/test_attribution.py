"""What a share has brought by an order, in each state of it."""

from dataclasses import asdict

import pytest

from chalicelib.domain.attribution import Brought, ShareSums, brought_by, together
from chalicelib.domain.order import (
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)

NOW_S = 1_800_000_000
DONE, ASKED = RefundStatus.SUCCEEDED, RefundStatus.REQUESTED


def order(status: str, *paid: str, **refunds: tuple[RefundStatus, int]) -> Order:
    """paid: attempts that were captured, ¥59.00 each. refunds: by attempt and letter, after _."""
    succeeded = Payment(PaymentStatus.SUCCEEDED, "wechat_pay", 5900, NOW_S, paid_at_s=NOW_S)
    return Order(
        OrderStatus(status),
        5900,
        NOW_S,
        payments=dict.fromkeys(paid, succeeded),
        refunds={key[1:]: Refund(*of, NOW_S) for key, of in refunds.items()},
    )


SEAT = {"taken": 1, "paid": 1, "paid_fen": 5900}


@pytest.mark.parametrize(
    ("known", "brought"),
    [
        (order("pending"), {"taken": 1}),
        (order("closed"), {"taken": 1}),
        (order("closed", "01", _01L=(DONE, 5900)), {"taken": 1}),
        (order("paid", "01"), SEAT),
        (order("fulfilling", "01"), {**SEAT, "formed": 1}),
        (order("completed", "01"), {**SEAT, "formed": 1}),
        (order("refunding", "01", _01F=(ASKED, 5900)), SEAT),
        (order("refunded", "01", _01F=(DONE, 5900)), {**SEAT, "refunded": 1, "refunded_fen": 5900}),
        (
            order("refunded", "01", _01A=(DONE, 5900)),
            {**SEAT, "formed": 1, "refunded": 1, "refunded_fen": 5900},
        ),
        (
            order("shipped", "01", _01A=(ASKED, 900), _01f=(DONE, 400)),
            {**SEAT, "formed": 1, "refunded_fen": 400},
        ),
        (order("shipped", "01", "02", _02L=(DONE, 5900)), {**SEAT, "formed": 1}),
    ],
    ids=str,
)
def test_what_an_order_comes_to(known: Order, brought: dict[str, int]) -> None:
    assert brought_by(known) == Brought(**brought)


def test_only_what_differs_is_added_whichever_way() -> None:
    before, after = Brought(1, 1, 5900), Brought(1, 1, 5900, formed=1, refunded_fen=400)

    assert after.minus(before) == {"formed": 1, "refunded_fen": 400}
    assert before.minus(after) == {"formed": -1, "refunded_fen": -400}
    assert after.minus(after) == {}
    assert after.minus(Brought()) == {k: v for k, v in asdict(after).items() if v}


def test_what_several_shares_have_brought_is_added_figure_by_figure() -> None:
    one = ShareSums(3, Brought(1, 1, 5900), Brought(1))
    other = ShareSums(2, Brought(2, 1, 100, 1, 1, 100), Brought())

    assert together([]) == ShareSums()
    assert together([one]) == one
    assert together(iter([one, other])) == ShareSums(5, Brought(3, 2, 6000, 1, 1, 100), Brought(1))
    assert sorted([one, other, ShareSums(9)], key=lambda it: it.rank) == [other, one, ShareSums(9)]
