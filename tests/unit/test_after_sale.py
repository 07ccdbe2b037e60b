"""What may be asked back of an order, and why not."""

from dataclasses import replace

import pytest

from chalicelib.domain.after_sale import (
    DAY_S,
    PERIOD_S,
    AfterSaleRefused,
    check_request,
    next_letter,
)
from chalicelib.domain.order import (
    AFTER_SALE_LETTERS,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from chalicelib.errors import InvalidRequest

NOW_S = 1_790_000_000
PAID = Payment(PaymentStatus.SUCCEEDED, "wechat_pay", 5900, NOW_S, paid_at_s=NOW_S)
ORDER = Order(OrderStatus.FULFILLING, total_fen=5900, pay_by_s=NOW_S + 600, payments={"01": PAID})
ALL_BACK = Refund(RefundStatus.SUCCEEDED, 5900, NOW_S)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (OrderStatus.PENDING, "订单没有付款，不用申请售后。"),
        (OrderStatus.CLOSED, "订单没有付款，不用申请售后。"),
        (OrderStatus.PAID, "成团后才能申请售后；没有拼成会自动退款。"),
        (OrderStatus.REFUNDING, "订单已在退款，不用再申请。"),
        (OrderStatus.REFUNDED, "订单已在退款，不用再申请。"),
    ],
)
def test_order_that_is_not_started_or_goes_back_whole_is_told_why(
    status: OrderStatus, words: str
) -> None:
    with pytest.raises(AfterSaleRefused) as refusal:
        check_request(replace(ORDER, status=status), 100, now_s=NOW_S)

    assert refusal.value.message == words


@pytest.mark.parametrize(
    "order",
    [replace(ORDER, payments={}), replace(ORDER, refunds={"01A": ALL_BACK})],
    ids=["never paid", "all back"],
)
def test_nothing_is_asked_back_of_an_order_with_nothing_left(order: Order) -> None:
    with pytest.raises(AfterSaleRefused) as refusal:
        check_request(order, 100, now_s=NOW_S)

    assert refusal.value.message == "订单已没有可退的金额。需要帮助请联系商家。"


def test_request_may_come_until_its_days_are_over() -> None:
    check_request(ORDER, 5900, now_s=NOW_S + PERIOD_S)
    check_request(ORDER, 5900, now_s=NOW_S + 7 * DAY_S, period_s=7 * DAY_S)

    with pytest.raises(AfterSaleRefused) as refusal:
        check_request(ORDER, 5900, now_s=NOW_S + 7 * DAY_S + 1, period_s=7 * DAY_S)

    assert refusal.value.details == {"days": 7}


@pytest.mark.parametrize("amount_fen", [-1, 0, 5901])
def test_amount_is_something_and_no_more_than_is_left(amount_fen: int) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        check_request(ORDER, amount_fen, now_s=NOW_S)

    assert refusal.value.details == {"field": "amount_fen", "max": 5900}


def test_payment_has_so_many_requests_and_no_more() -> None:
    most = len(AFTER_SALE_LETTERS)
    assert [next_letter(used) for used in (0, most - 1)] == ["A", AFTER_SALE_LETTERS[-1]]

    with pytest.raises(AfterSaleRefused):
        next_letter(most)
