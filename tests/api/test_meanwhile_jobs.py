"""Jobs drive what others change at that moment, what is broken, and what needs nothing."""

from collections.abc import Iterator

import pytest

from chalicelib.domain.beijing import day_of
from chalicelib.domain.ids import new_id
from chalicelib.domain.order import Intent
from chalicelib.services import timeouts
from chalicelib.services.money import day_book, refunds
from chalicelib.services.orders import counting
from chalicelib.services.work import due
from chalicelib.tables.base import retried
from chalicelib.tables.trade import OrderItem
from tests.fixtures.capacity_meter import metered
from tests.fixtures.interleavings import interleaved
from tests.fixtures.shop import OTHER_PAY, Shop, new_shop


@pytest.fixture
def shop(engine: str) -> Iterator[Shop]:
    with new_shop() as shop:
        yield shop


@pytest.fixture
def order(shop: Shop) -> OrderItem:
    """It holds the second of three seats."""
    sold = shop.activity(seats=3)
    return shop.join(sold, shop.opened(sold), shop.buyer())


def attend(shop: Shop, order: OrderItem) -> None:
    due.attend(order.pk, order.sk, now_s=shop.now_s)


def broken(shop: Shop, order: OrderItem) -> OrderItem:
    """Nobody can make anything of it."""
    order.update(actions=[OrderItem.status.set("nonsense")])
    return order


def counted(shop: Shop) -> tuple[int, int]:
    """(orders, fen) paid today."""
    day = day_of(shop.now_s)
    sums = counting.sums_until(counting.days(shop.merchant_id, [day])[day])
    return sums.orders_paid, sums.paid_fen


def due_at(shop: Shop, order: OrderItem) -> int | None:
    return shop.order(order.order_id).due_at_s


def test_run_that_has_no_time_left_leaves_what_is_due(
    shop: Shop, order: OrderItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.now_s = order.pay_by_s
    monkeypatch.setattr(due, "RUN_S", 0.0)

    assert due.run(Intent.RELEASE, now_s=shop.now_s) == 0

    assert shop.order(order.order_id).status == "pending"


def test_what_is_not_there_needs_nothing(shop: Shop) -> None:
    with metered() as meter:
        due.drive(f"{shop.merchant_id}#G#{new_id()}", "group", now_s=shop.now_s)
        due.drive(f"{shop.merchant_id}#B#{new_id()}", "order#0", now_s=shop.now_s)

    assert set(meter.calls) <= {"GetItem", "BatchGetItem"}


def test_order_whose_marker_says_what_is_next_is_not_written(shop: Shop, order: OrderItem) -> None:
    with metered() as meter:
        due.drive(order.pk, order.sk, now_s=shop.now_s)

    assert set(meter.calls) <= {"GetItem", "BatchGetItem"}
    assert due_at(shop, order) == order.pay_by_s


def test_order_whose_gateway_is_silent_holds_up_no_other(shop: Shop, order: OrderItem) -> None:
    shop.ask(order)
    shop.now_s += timeouts.QUERY_AFTER_S
    shop.gateway.silent = {"query"}

    attend(shop, order)

    assert due_at(shop, order) == shop.now_s + timeouts.POSTPONE_S


def test_broken_item_holds_up_no_other(shop: Shop, order: OrderItem) -> None:
    shop.now_s = order.pay_by_s

    attend(shop, broken(shop, order))

    assert due_at(shop, order) == shop.now_s + timeouts.POSTPONE_S


def test_broken_item_that_is_due_later_or_never_is_left_so(shop: Shop, order: OrderItem) -> None:
    attend(shop, broken(shop, order))
    assert due_at(shop, order) == order.pay_by_s

    order.update(actions=[OrderItem.due_at_s.remove(), OrderItem.due_shard.remove()])
    attend(shop, order)
    assert due_at(shop, order) is None


def test_broken_item_that_somebody_else_has_moved_is_not_moved(
    shop: Shop, order: OrderItem
) -> None:
    shop.now_s = order.pay_by_s
    broken(shop, order)
    later_s = shop.now_s + 5000

    with interleaved(lambda: order.update(actions=[OrderItem.due_at_s.set(later_s)])):
        attend(shop, order)

    assert due_at(shop, order) == later_s


def test_order_paid_while_its_marker_is_mended_is_posted_in_time(
    shop: Shop, order: OrderItem
) -> None:
    trade = shop.capture(order)
    order.update(actions=[OrderItem.due_at_s.set(shop.now_s + timeouts.POSTPONE_S)])

    with interleaved(lambda: shop.hear(trade)):
        retried(lambda: due._tidy(order))

    assert (shop.order(order.order_id).status, due_at(shop, order)) == ("paid", order.pay_by_s)


def test_refund_of_a_second_payment_is_not_forgotten_while_the_first_is_posted(
    shop: Shop, order: OrderItem
) -> None:
    second = shop.other_gateway.pay(shop.ask(order, OTHER_PAY), at_s=shop.now_s)
    shop.pay(order)
    paid = shop.order(order.order_id)

    with interleaved(lambda: shop.hear(second, OTHER_PAY)):
        retried(lambda: due._tidy(paid))

    assert shop.order(order.order_id).posted == {"02"}
    assert due_at(shop, order) == shop.now_s


def test_payment_posted_by_two_at_once_is_counted_once(shop: Shop, order: OrderItem) -> None:
    """What is next about the order is its refund, before and after."""
    second = shop.other_gateway.pay(shop.ask(order, OTHER_PAY), at_s=shop.now_s)
    shop.pay(order)
    shop.hear(second, OTHER_PAY)
    refunds.drive(shop.order(order.order_id), "01L", now_s=shop.now_s)
    paid = shop.order(order.order_id)
    day_book.post_captures(paid)

    with interleaved(lambda: due._tidy(paid)):
        retried(lambda: due._tidy(paid))

    refund_at_s = paid.view().refunds["01L"].next_at_s
    assert (paid.due_at_s, due_at(shop, order)) == (refund_at_s, refund_at_s)
    assert counted(shop) == (1, 2 * order.total_fen)
