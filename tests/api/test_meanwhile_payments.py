"""Attempts to pay are begun, closed and cancelled at the same time; a gateway refuses one."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.domain.ids import ATTEMPTS_MAX
from chalicelib.domain.order import Payment, PaymentStatus, entry_of
from chalicelib.errors import AlreadyPaid, GatewayFailed, OrderClosed, PriceChanged
from chalicelib.gateways.payment import GatewayRefused, Trade, TradeStatus
from chalicelib.services import timeouts
from chalicelib.services.money import payments, price_changes
from chalicelib.services.money.captures import Outcome
from chalicelib.tables.trade import OrderItem
from tests.fixtures.interleavings import interleaved
from tests.fixtures.shop import OTHER_PAY, STAFF, Shop, new_shop


@pytest.fixture
def shop(engine: str) -> Iterator[Shop]:
    with new_shop() as shop:
        yield shop


@pytest.fixture
def order(shop: Shop) -> OrderItem:
    """It holds the last seat of a group of two."""
    sold = shop.activity(seats=2)
    return shop.join(sold, shop.opened(sold), shop.buyer())


def attempts(shop: Shop, order: OrderItem) -> dict[str, Payment]:
    return dict(shop.order(order.order_id).view().payments)


def asked_late(shop: Shop, order: OrderItem) -> Payment:
    """An attempt that the gateway has not answered, to be asked about at the pay-by time: what is
    next about the order is the same whether it is pending or closed."""
    shop.now_s = order.pay_by_s - timeouts.QUERY_AFTER_S
    shop.gateway.silent = {"prepay"}
    with pytest.raises(GatewayFailed):
        shop.ask(order)
    shop.gateway.silent = set()
    return attempts(shop, order)["01"]


def closed(payment: Payment) -> Payment:
    return replace(payment, status=PaymentStatus.CLOSED, query_at_s=0)


def test_no_attempt_is_begun_for_an_order_that_was_cancelled_meanwhile(
    shop: Shop, order: OrderItem
) -> None:
    asked_late(shop, order)

    with interleaved(lambda: shop.cancel(order)), pytest.raises(OrderClosed):
        shop.ask(order, OTHER_PAY)

    assert shop.order(order.order_id).status == "closed"
    assert list(attempts(shop, order)) == ["01"]


def test_attempt_begun_while_another_is_closed_is_what_is_asked_about_next(
    shop: Shop, order: OrderItem
) -> None:
    shop.ask(order)
    first = attempts(shop, order)["01"]
    shop.now_s += 10

    with interleaved(lambda: payments.store_attempt(order, "01", closed(first))):
        shop.ask(order, OTHER_PAY)

    assert shop.order(order.order_id).due_at_s == shop.now_s + timeouts.QUERY_AFTER_S


def test_attempt_begun_while_another_is_stored_is_asked_about(shop: Shop, order: OrderItem) -> None:
    shop.ask(order)
    first = attempts(shop, order)["01"]
    shop.now_s += 10

    with interleaved(lambda: shop.ask(order, OTHER_PAY)):
        payments.store_attempt(order, "01", closed(first))

    assert shop.order(order.order_id).due_at_s == shop.now_s + timeouts.QUERY_AFTER_S


def test_attempt_closed_while_it_is_stored_stays_closed(shop: Shop, order: OrderItem) -> None:
    shop.ask(order)
    shop.now_s += 10
    shop.ask(order, OTHER_PAY)
    later = replace(attempts(shop, order)["01"], query_at_s=order.pay_by_s - 1)
    payments.store_attempt(order, "01", later)  # the other one is asked about first

    with interleaved(lambda: payments.store_attempt(order, "01", closed(later))):
        payments.store_attempt(order, "01", later)

    assert attempts(shop, order)["01"] == closed(later)


def test_order_cancelled_while_its_attempt_is_stored_is_not_released_again(
    shop: Shop, order: OrderItem
) -> None:
    later = replace(asked_late(shop, order), query_at_s=order.pay_by_s + 60)

    with interleaved(lambda: shop.cancel(order)):
        payments.store_attempt(order, "01", later)

    stored = shop.order(order.order_id)
    assert (stored.status, stored.due_at_s) == ("closed", order.pay_by_s + 60)


def test_no_attempt_is_begun_at_the_pay_by_time(shop: Shop, order: OrderItem) -> None:
    shop.now_s = order.pay_by_s

    with pytest.raises(OrderClosed):
        shop.ask(order)

    assert attempts(shop, order) == {}


def test_order_has_so_many_attempts_and_no_more(shop: Shop, order: OrderItem) -> None:
    gone = Payment(PaymentStatus.CLOSED, OTHER_PAY, order.total_fen, at_s=shop.now_s)
    every = {f"{number:02d}": entry_of(gone) for number in range(1, ATTEMPTS_MAX + 1)}
    order.update(actions=[OrderItem.payments.set(every)])

    with pytest.raises(OrderClosed):
        shop.ask(order)

    assert len(attempts(shop, order)) == ATTEMPTS_MAX


def test_attempt_that_the_gateway_refuses_is_open_until_it_says_that_it_is_closed(
    shop: Shop, order: OrderItem
) -> None:
    shop.gateway.refuses = {"prepay": "NOAUTH"}

    with pytest.raises(GatewayRefused):
        shop.ask(order)

    assert [paid.status for paid in attempts(shop, order).values()] == ["created"]


def test_order_of_nothing_that_was_cancelled_while_it_is_paid_is_not_paid(shop: Shop) -> None:
    order = shop.open(shop.activity(seats=2, price_fen=0), shop.buyer())

    with interleaved(lambda: shop.cancel(order)), pytest.raises(OrderClosed):
        shop.ask(order)

    assert shop.order(order.order_id).status == "closed"
    assert attempts(shop, order) == {}  # a payment of nothing that found no seat is none


def lower(shop: Shop, order: OrderItem, total_fen: int) -> None:
    price_changes.lower(shop.merchant_id, order.order_id, total_fen, staff=STAFF, now_s=shop.now_s)


def test_no_attempt_is_begun_at_a_price_that_was_lowered_meanwhile(
    shop: Shop, order: OrderItem
) -> None:
    with interleaved(lambda: lower(shop, order, 5000)), pytest.raises(PriceChanged) as refusal:
        shop.ask(order)

    assert refusal.value.details == {"old_fen": 5900, "new_fen": 5000}
    assert attempts(shop, order) == {}
    shop.pay(shop.order(order.order_id))
    assert attempts(shop, order)["01"].amount_fen == 5000
    shop.check()


def test_price_is_not_lowered_of_an_order_that_was_paid_meanwhile(
    shop: Shop, order: OrderItem
) -> None:
    with interleaved(lambda: shop.pay(order)), pytest.raises(AlreadyPaid):
        lower(shop, order, 5000)

    stored = shop.order(order.order_id)
    assert (stored.total_fen, stored.status) == (5900, "paid")
    shop.check()


def test_attempt_begun_meanwhile_keeps_the_price_until_it_is_closed(
    shop: Shop, order: OrderItem
) -> None:
    with interleaved(lambda: shop.ask(order)):
        lower(shop, order, 5000)

    assert shop.order(order.order_id).total_fen == 5000
    assert attempts(shop, order)["01"].status is PaymentStatus.CLOSED
    shop.check()


@pytest.mark.parametrize("alone", [True, False])
def test_payment_at_a_price_that_was_lowered_meanwhile_is_one_too_many(
    shop: Shop, order: OrderItem, alone: bool
) -> None:
    if alone:
        order = shop.buy_alone(shop.activity(product_stock=200), shop.buyer())
    number = shop.ask(order)
    paid = Trade(
        number,
        TradeStatus.SUCCEEDED,
        amount_fen=order.total_fen,
        transaction_id=f"t{number}",
        paid_at_s=shop.now_s,
        attach=order.group_id or "",
    )

    with interleaved(lambda: lower(shop, order, 5000)):
        outcome = shop.hear(paid)

    shop.gateway.pay_in_spite(number, at_s=shop.now_s)
    assert outcome is Outcome.LATE
    stored = shop.order(order.order_id)
    assert (stored.total_fen, stored.status) == (5000, "pending")
    assert stored.view().refunds["01L"].amount_fen == order.total_fen
    shop.check()
