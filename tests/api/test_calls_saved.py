"""What is looked at first saves calls: each case is answered as it would be without, for less."""

from collections.abc import Callable

import pytest

from chalicelib.domain.ids import OrderId
from chalicelib.errors import NotFound
from chalicelib.services.after_sale import after_sales
from chalicelib.services.groups import settlement
from chalicelib.services.money import day_book
from chalicelib.services.orders import notifications
from chalicelib.tables.trade import GroupItem
from tests.fixtures.capacity_meter import metered
from tests.fixtures.shop import LIFE_S, ActivityIds, Shop


@pytest.fixture
def sold(shop: Shop) -> ActivityIds:
    return shop.activity(seats=3)


def opened(shop: Shop, sold: ActivityIds) -> GroupItem:
    """A group whose leader has paid."""
    return shop.group(shop.opened(sold))


def formed(shop: Shop, sold: ActivityIds) -> GroupItem:
    group = opened(shop, sold)
    for _ in range(2):
        shop.pay(shop.join(sold, group.group_id, shop.buyer()))
    return shop.group(group.group_id)


@pytest.mark.parametrize(("make", "later_s"), [(opened, 0), (formed, 2 * LIFE_S)])
def test_a_group_that_is_not_due_or_is_decided_is_let_be(
    shop: Shop, sold: ActivityIds, make: Callable[[Shop, ActivityIds], GroupItem], later_s: int
) -> None:
    group = make(shop, sold)

    with metered() as used:
        settlement.decide_if_due(group, now_s=shop.now_s + later_s)

    assert used.calls == []
    assert shop.group(group.group_id).status == group.status


def test_a_group_that_is_settled_is_not_told_of_again(shop: Shop, sold: ActivityIds) -> None:
    group = formed(shop, sold)
    shop.run_jobs()

    with metered() as used:
        settlement.carry_out(shop.group(group.group_id), now_s=shop.now_s)

    assert used.calls == ["GetItem"]  # the test's own


def test_nobody_reads_the_others_while_more_than_one_is_missing(
    shop: Shop, sold: ActivityIds
) -> None:
    group = opened(shop, sold)
    [order_no] = group.members.as_dict().values()
    [buyer_id] = group.members.as_dict()
    order = shop.order(OrderId(buyer_id, order_no))

    with metered() as used:
        notifications.tell_waiting(order, now_s=shop.now_s)

    assert "BatchGetItem" not in used.calls


def test_a_request_that_cannot_be_is_not_looked_for(shop: Shop, sold: ActivityIds) -> None:
    order = shop.open(sold, shop.buyer())

    with metered() as used, pytest.raises(NotFound):
        after_sales.read(shop.merchant_id, order.order_id, "AB")

    assert used.calls == []


def test_the_reconciling_that_is_under_way_is_not_begun_again(
    shop: Shop, sold: ActivityIds
) -> None:
    orders = [shop.open(sold, shop.buyer()) for _ in range(2)]
    for order in orders:
        shop.pay(order)
    day_book.post_captures(shop.order(orders[0].order_id))
    second = shop.order(orders[1].order_id)

    with metered() as used:
        day_book.post_captures(second)

    assert used.calls == ["PutItem"]
