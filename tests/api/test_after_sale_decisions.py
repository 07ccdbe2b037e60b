"""After-sale requests that are withdrawn or decided while their order changes, or twice."""

from collections.abc import Callable

import pytest

from chalicelib.domain.after_sale import AfterSaleRefused, Reason
from chalicelib.services.after_sale import after_sale_decisions, after_sales
from chalicelib.services.after_sale.after_sales import Claim
from chalicelib.services.fulfilment import receipts
from chalicelib.tables.trade import OrderItem
from tests.fixtures.interleavings import interleaved
from tests.fixtures.order_states import formed_order, group_of_two, order_at_rest, other_payment
from tests.fixtures.shop import DAY_S, OTHER_PAY, STAFF, Shop
from tests.fixtures.staff_requests import approve_after_sale, request_after_sale, ship

Decide = Callable[[Shop, OrderItem, str], None]


def withdraw(shop: Shop, order: OrderItem, letter: str) -> None:
    after_sales.withdraw(shop.merchant_id, order.order_id, letter, now_s=shop.now_s)


def refuse(shop: Shop, order: OrderItem, letter: str) -> None:
    after_sale_decisions.refuse(
        shop.merchant_id, order.order_id, letter, reply="签收时完好", staff=STAFF, now_s=shop.now_s
    )


def statuses(shop: Shop, order: OrderItem) -> list[tuple[str, str]]:
    asked = after_sales.of_order(shop.merchant_id, order.order_id)
    return [(item.letter, item.status) for item in asked]


def test_request_made_again_after_one_that_came_and_went_is_another(shop: Shop) -> None:
    order = order_at_rest(shop)

    with interleaved(lambda: withdraw(shop, order, request_after_sale(shop, order))):
        assert request_after_sale(shop, order) == "B"

    assert statuses(shop, order) == [("A", "withdrawn"), ("B", "requested")]


def test_order_received_while_a_request_is_withdrawn_is_done(shop: Shop) -> None:
    order = order_at_rest(shop)
    ship(shop, order)
    letter = request_after_sale(shop, order, Claim(900, Reason.DAMAGED))

    with interleaved(lambda: receipts.confirm(shop.merchant_id, order.order_id, now_s=shop.now_s)):
        withdraw(shop, order, letter)

    received = shop.order(order.order_id)
    assert (received.status, received.after_sale, received.due_at_s) == ("completed", None, None)


def test_second_payment_heard_while_a_request_is_withdrawn_goes_back_at_once(shop: Shop) -> None:
    _, _, order = group_of_two(shop)
    late = other_payment(shop, order)
    shop.pay(order)
    shop.run_jobs()
    letter = request_after_sale(shop, order)

    with interleaved(lambda: shop.notify(late, OTHER_PAY)):
        withdraw(shop, order, letter)

    stored = shop.order(order.order_id)
    assert (set(stored.view().refunds), stored.due_at_s) == ({"01L"}, shop.now_s)


@pytest.mark.parametrize(
    ("first", "then", "status"),
    [
        (approve_after_sale, withdraw, "approved"),
        (withdraw, approve_after_sale, "withdrawn"),
        (refuse, withdraw, "refused"),
        (withdraw, refuse, "withdrawn"),
        (approve_after_sale, refuse, "approved"),
    ],
)
def test_request_decided_while_it_is_decided_is_decided_once(
    shop: Shop, first: Decide, then: Decide, status: str
) -> None:
    order = formed_order(shop)
    letter = request_after_sale(shop, order)

    with interleaved(lambda: first(shop, order, letter)), pytest.raises(AfterSaleRefused):
        then(shop, order, letter)

    assert statuses(shop, order) == [(letter, status)]


@pytest.mark.parametrize("decide", [withdraw, refuse, approve_after_sale])
def test_request_decided_twice_alike_is_decided_once(shop: Shop, decide: Decide) -> None:
    order = formed_order(shop)
    letter = request_after_sale(shop, order)

    with interleaved(lambda: decide(shop, order, letter)):
        decide(shop, order, letter)

    assert len(shop.order(order.order_id).view().refunds) == int(decide is approve_after_sale)


def test_second_payment_heard_while_a_refund_is_approved_goes_back_at_once(shop: Shop) -> None:
    _, _, order = group_of_two(shop)
    late = other_payment(shop, order)
    shop.pay(order)
    shop.run_jobs()
    approve_after_sale(
        shop, order, request_after_sale(shop, order, Claim(900, Reason.DAMAGED)), 900
    )
    shop.run_jobs()
    shop.confirm(f"{order.order_id}02A")
    letter = request_after_sale(shop, order, Claim(800, Reason.DAMAGED))

    with interleaved(lambda: shop.notify(late, OTHER_PAY)):
        approve_after_sale(shop, order, letter, 800)  # to be sent a minute after the one before

    stored = shop.order(order.order_id)
    assert set(stored.view().refunds) == {"01L", "02A", "02B"}
    assert stored.due_at_s == shop.now_s


def test_request_that_waited_for_longer_than_a_year_is_not_approved(shop: Shop) -> None:
    order = formed_order(shop)
    letter = request_after_sale(shop, order)
    shop.now_s += 366 * DAY_S

    with pytest.raises(AfterSaleRefused):
        approve_after_sale(shop, order, letter)

    assert statuses(shop, order) == [(letter, "requested")]
