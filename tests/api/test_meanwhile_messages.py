"""Buyers are told once, and never against what became of their group meanwhile."""

from collections.abc import Iterator

import pytest

from chalicelib.domain.order import Refund, RefundStatus
from chalicelib.errors import OrderClosed
from chalicelib.services.groups import group_controls, settlement
from chalicelib.services.orders import notifications
from chalicelib.tables.buyers import MessageItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.interleavings import interleaved
from tests.fixtures.shop import GRACE_S, LIFE_S, STAFF, Shop, Sold, new_shop


@pytest.fixture
def shop(engine: str) -> Iterator[Shop]:
    with new_shop() as shop:
        yield shop


@pytest.fixture
def sold(shop: Shop) -> Sold:
    return shop.activity(seats=4, product_stock=200)


@pytest.fixture
def leader(shop: Shop, sold: Sold) -> OrderItem:
    """The paid order that opened a group."""
    order = shop.open(sold, shop.buyer())
    shop.pay(order)
    return shop.order(order.order_id)


def told(shop: Shop, order: OrderItem) -> list[MessageItem]:
    return notifications.of_buyer(shop.merchant_id, order.buyer_id, after=None, limit=10)[0]


def keys(shop: Shop, order: OrderItem) -> list[str]:
    return [message.text_key for message in told(shop, order)]


def test_member_of_a_group_that_staff_closed_meanwhile_does_not_wait(
    shop: Shop, leader: OrderItem
) -> None:
    def closed() -> None:
        group_controls.close(
            shop.merchant_id,
            str(leader.group_id),
            reason="原料短缺",
            staff=STAFF,
            now_s=shop.now_s,
        )

    with interleaved(closed):
        notifications.tell_waiting(leader, now_s=shop.now_s)

    assert keys(shop, leader) == ["closed"]


def test_member_who_was_told_is_not_told_again(shop: Shop, sold: Sold, leader: OrderItem) -> None:
    notifications.tell_waiting(leader, now_s=shop.now_s)
    for _ in range(2):
        shop.pay(shop.join(sold, str(leader.group_id), shop.buyer()))

    notifications.tell_waiting(leader, now_s=shop.now_s + 60)

    assert [(one.facts["missing"], one.at_s) for one in told(shop, leader)] == [(3, shop.now_s)]


def test_who_bought_alone_or_waits_no_more_is_not_told_to_wait(
    shop: Shop, sold: Sold, leader: OrderItem
) -> None:
    alone = shop.buy_alone(sold, shop.buyer())
    shop.pay(alone)

    notifications.tell_waiting(shop.order(alone.order_id), now_s=shop.now_s)
    notifications.tell_waiting(leader, now_s=shop.now_s + LIFE_S)

    assert (keys(shop, alone), keys(shop, leader)) == ([], [])


def test_refund_told_again_was_made_when_it_was_told_first(shop: Shop, leader: OrderItem) -> None:
    refund = Refund(RefundStatus.SUCCEEDED, leader.total_fen, at_s=shop.now_s)

    for later_s in (0, 60):
        notifications.tell_refunded(leader, "01F", refund, now_s=shop.now_s + later_s)

    assert [(one.text_key, one.at_s) for one in told(shop, leader)] == [("refunded", shop.now_s)]


def test_who_paid_nothing_too_late_is_told_nothing(shop: Shop) -> None:
    """Nothing goes back of it, so its payment looks like one that took its seat."""
    sold = shop.activity(seats=3, price_fen=0)
    leader = shop.open(sold, shop.buyer())
    shop.ask(leader)
    group = shop.group(str(leader.group_id))
    shop.now_s += LIFE_S - 1
    late = shop.join(sold, group.group_id, shop.buyer())
    shop.now_s += GRACE_S + 1

    with (
        interleaved(lambda: settlement.fail_if_due(group, now_s=shop.now_s)),
        pytest.raises(OrderClosed),
    ):
        shop.ask(late)
    settlement.carry_out(shop.group(group.group_id), now_s=shop.now_s)

    assert (keys(shop, leader), keys(shop, late)) == (["failed"], [])
    assert shop.order(late.order_id).status == "closed"
