"""Which orders may be made ready in their store, and which handed over; what people read of it."""

from dataclasses import replace

import pytest

from chalicelib.domain.order import Order, OrderStatus
from chalicelib.domain.order_words import staff_text, status_text
from chalicelib.domain.pickup import PickupRefused, check_hand_over, check_readiness
from chalicelib.domain.recipient import masked_phone

PAID = Order(OrderStatus.FULFILLING, total_fen=5900, pay_by_s=0, pickup=True)


def test_what_is_to_be_fulfilled_is_made_ready_and_then_handed_over() -> None:
    check_readiness(PAID)
    check_hand_over(replace(PAID, status=OrderStatus.READY_FOR_PICKUP))


@pytest.mark.parametrize("status", [s for s in OrderStatus if s is not OrderStatus.FULFILLING])
def test_nothing_else_is_made_ready(status: OrderStatus) -> None:
    with pytest.raises(PickupRefused) as refusal:
        check_readiness(replace(PAID, status=status))

    assert refusal.value.details == {"state": status.value}


@pytest.mark.parametrize(
    "status", [s for s in OrderStatus if s is not OrderStatus.READY_FOR_PICKUP]
)
def test_nothing_else_is_handed_over(status: OrderStatus) -> None:
    with pytest.raises(PickupRefused):
        check_hand_over(replace(PAID, status=status))


def test_what_is_sent_is_not_made_ready() -> None:
    with pytest.raises(PickupRefused) as refusal:
        check_readiness(replace(PAID, pickup=False))

    assert refusal.value.message == "这个订单要快递发货，不是到店自提。"


def test_an_open_request_holds_up_both() -> None:
    disputed = replace(PAID, after_sale="A")

    for check, status in (
        (check_readiness, OrderStatus.FULFILLING),
        (check_hand_over, OrderStatus.READY_FOR_PICKUP),
    ):
        with pytest.raises(PickupRefused) as refusal:
            check(replace(disputed, status=status))
        assert refusal.value.message == "买家申请了售后。请先处理售后申请，再备货或交货。"


def test_people_read_where_a_pickup_stands() -> None:
    ready = replace(PAID, status=OrderStatus.READY_FOR_PICKUP)

    assert status_text(PAID, in_group=True) == "已成团待备货"
    assert status_text(PAID, in_group=False) == "待备货"
    assert (status_text(ready, in_group=True), staff_text(ready)) == ("待自提", "待自提")
    assert staff_text(PAID) == "待备货"


@pytest.mark.parametrize(
    ("phone", "shown"), [("13800138000", "138****8000"), ("1380", "****"), ("", "****")]
)
def test_a_phone_is_shown_in_part(phone: str, shown: str) -> None:
    assert masked_phone(phone) == shown
