"""The rules of an order and of what is next about it."""

from dataclasses import replace

import pytest

from chalicelib.domain.order import (
    Intent,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    entry_of,
    next_intent,
    payment_of,
    refund_of,
    retry_at_s,
)
from chalicelib.domain.order_units import Units
from chalicelib.domain.order_words import BUYER_WORDS, staff_text, status_text
from chalicelib.domain.texts import TextKey, text_of

NOW_S = 1_790_000_000
PENDING = Order(OrderStatus.PENDING, total_fen=5900, pay_by_s=NOW_S + 600)
PAID = Payment(PaymentStatus.SUCCEEDED, "wechat_pay", 5900, NOW_S, paid_at_s=NOW_S)
ASKED = Payment(PaymentStatus.CREATED, "wechat_pay", 5900, NOW_S, query_at_s=NOW_S + 90)
REFUND = Refund(RefundStatus.REQUESTED, 5900, NOW_S, next_at_s=NOW_S)


def test_pending_order_is_released_at_its_pay_by_time() -> None:
    assert next_intent(PENDING) == (Intent.RELEASE, NOW_S + 600)


def test_gateway_is_asked_about_an_attempt_before_the_order_is_released() -> None:
    asked = replace(PENDING, payments={"01": ASKED})

    assert next_intent(asked) == (Intent.QUERY, NOW_S + 90)


def test_closed_order_still_looks_after_an_attempt_that_may_be_paid() -> None:
    closed = replace(PENDING, status=OrderStatus.CLOSED, payments={"01": ASKED})

    assert next_intent(closed) == (Intent.QUERY, NOW_S + 90)


def test_open_refund_is_due_whatever_became_of_the_order() -> None:
    closed = replace(
        PENDING, status=OrderStatus.CLOSED, payments={"01": PAID}, refunds={"01L": REFUND}
    )

    assert next_intent(closed) == (Intent.REFUND, NOW_S)


def test_failed_refund_is_no_work_for_a_job() -> None:
    failed = replace(REFUND, status=RefundStatus.FAILED)
    order = replace(PENDING, status=OrderStatus.REFUNDING, refunds={"01F": failed})

    assert next_intent(order) is None
    assert next_intent(replace(order, refunds={"01F": failed, "02L": REFUND})) == (
        Intent.REFUND,
        NOW_S,
    )


def test_nothing_is_due_about_an_order_that_is_at_rest() -> None:
    assert next_intent(replace(PENDING, status=OrderStatus.FULFILLING)) is None


def test_payment_that_took_the_seat_is_the_one_not_refunded_as_late() -> None:
    twice = replace(PENDING, payments={"01": PAID, "02": PAID}, refunds={"01L": REFUND})

    assert twice.seat_payment == ("02", PAID)


@pytest.mark.parametrize(
    ("age_s", "wait_s"), [(0, 60), (60, 60), (300, 300), (3600, 3600), (90000, 3600)]
)
def test_waits_double_within_their_bounds(age_s: int, wait_s: int) -> None:
    again_s = retry_at_s(NOW_S - age_s, now_s=NOW_S, shortest_s=60, longest_s=3600)

    assert again_s == NOW_S + wait_s


def test_entries_survive_being_stored() -> None:
    free = Payment(PaymentStatus.SUCCEEDED, "free", 0, NOW_S, paid_at_s=NOW_S)

    assert payment_of(entry_of(PAID)) == PAID
    assert payment_of(entry_of(free)) == free
    assert refund_of(entry_of(REFUND)) == REFUND
    assert "reason" not in entry_of(REFUND)  # what is empty takes no room


def test_every_status_has_a_word_for_buyers() -> None:
    assert set(BUYER_WORDS) == set(OrderStatus)


@pytest.mark.parametrize(
    ("order", "in_group", "text"),
    [
        (replace(PENDING, status=OrderStatus.PAID), True, "待成团"),
        (replace(PENDING, status=OrderStatus.FULFILLING), True, "已成团待发货"),
        (replace(PENDING, status=OrderStatus.FULFILLING), False, "待发货"),
        (replace(PENDING, status=OrderStatus.CLOSED), True, "已关闭"),
        (
            replace(PENDING, status=OrderStatus.CLOSED, refunds={"01L": REFUND}),
            True,
            "已关闭·退款中",
        ),
    ],
)
def test_buyers_read_what_their_order_waits_for(order: Order, in_group: bool, text: str) -> None:
    assert status_text(order, in_group=in_group) == text


def test_closed_order_says_when_its_late_payment_is_back() -> None:
    back = replace(REFUND, status=RefundStatus.SUCCEEDED)
    order = replace(PENDING, status=OrderStatus.CLOSED, refunds={"01L": back})

    assert status_text(order, in_group=True) == "已关闭·已退款"


FACTS = {
    "groups": "5",
    "title": "草莓",
    "amount_fen": 5900,
    "missing": 2,
    "seats": 5,
    "reply": "签收时完好",
    "address": "王师傅 13800138000",
    "days": 7,
    "reason": "产地停运",
    "store": "西湖店",
    "code": "12345678",
    "carrier": "顺丰速运",
    "number": "SF1234567890123",
    "units": 2,
    "way": "银行转账",
    "proof": "R-77",
    "coupon": "见面礼",
    "worth": "满 50 减 10",
    "points": 300,
    "day": "2027-12-31",
    "coupons": 2,
}


OF_NO_ORDER = (
    TextKey.COUPONS_EXPIRING,
    TextKey.INVITER_COUPON,
    TextKey.INVITER_POINTS,
    TextKey.INVITATION_TAKEN_BACK,
)


@pytest.mark.parametrize("key", list(TextKey))
def test_every_message_is_a_sentence_with_its_facts(key: TextKey) -> None:
    text = text_of(key, FACTS)

    assert text.startswith("「草莓」") is (key not in OF_NO_ORDER)
    assert text.endswith("。")
    assert "¥59.00" in text or key not in (TextKey.FAILED, TextKey.LATE, TextKey.REFUNDED)


def test_failed_group_that_cost_nothing_promises_no_refund() -> None:
    assert "退款" not in text_of(TextKey.FAILED, {"title": "草莓", "amount_fen": 0})


SHIPPED = Order(
    OrderStatus.SHIPPED,
    total_fen=5900,
    pay_by_s=NOW_S + 600,
    payments={"01": PAID},
    units=Units(bought=2, shipped=1),
    receive_by_s=NOW_S + 10 * 86400,
)


def test_shipped_order_is_received_by_itself_when_its_days_are_over() -> None:
    assert next_intent(SHIPPED) == (Intent.RECEIPT, NOW_S + 10 * 86400)
    assert next_intent(replace(SHIPPED, status=OrderStatus.COMPLETED)) is None


def test_receipt_waits_for_whatever_else_is_open() -> None:
    failed = Refund(RefundStatus.FAILED, 900, NOW_S)

    assert next_intent(replace(SHIPPED, after_sale="A")) is None
    assert next_intent(replace(SHIPPED, unposted=True)) == (Intent.RELEASE, NOW_S + 600)
    assert next_intent(replace(SHIPPED, refunds={"01A": REFUND})) == (Intent.REFUND, NOW_S)
    assert next_intent(replace(SHIPPED, refunds={"01A": failed})) is None


def test_partly_shipped_order_says_so_to_its_buyer_and_to_staff() -> None:
    partly = replace(SHIPPED, status=OrderStatus.FULFILLING)

    assert status_text(partly, in_group=True) == "部分已发货"
    assert (staff_text(partly), staff_text(SHIPPED)) == ("部分发货", "已发货")
