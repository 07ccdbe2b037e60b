"""The law of what all groups of an activity reach together notices what breaks it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib.domain.activity import Tier
from chalicelib.services.timeouts import CROWD_LOOK_S
from chalicelib.tables.base import StoredItem
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.counts import TallyItem
from chalicelib.tables.crowd import CrowdGroupItem, CrowdItem
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem, not_due
from tests.fixtures.shop import Shop, new_shop
from tests.fixtures.table_snapshot import TableSnapshot
from tests.laws.planting import assert_change_is_reported, assert_loss_is_reported

ONE_FEN = {"status": "succeeded", "amount_fen": 1, "at_s": 1}
Item = Callable[[TableSnapshot], StoredItem]


@pytest.fixture(scope="module")
def shop(engine: str) -> Iterator[Shop]:
    """Two groups of two people have reached the first tier, and all of them have got it."""
    with new_shop() as shop:
        sold = shop.activity(seats=2, crowd_tiers=(Tier(4, 300), Tier(9, 900)))
        for _ in range(2):
            group_id = shop.opened(sold)
            shop.pay(shop.join(sold, group_id, shop.buyer(), quantity=2))
        shop.gateway.confirms_at_once = True
        shop.run_jobs(3, forward_s=CROWD_LOOK_S)
        yield shop


def crowd(snapshot: TableSnapshot) -> CrowdItem:
    return next(iter(snapshot.crowds.values()))


def row(snapshot: TableSnapshot) -> CrowdGroupItem:
    return next(iter(snapshot.crowd_groups.values()))


def order(snapshot: TableSnapshot) -> OrderItem:
    return next(it for it in snapshot.orders.values() if it.quantity == 2)


def activity(snapshot: TableSnapshot) -> ActivityItem:
    return next(iter(snapshot.activities.values()))


@pytest.mark.parametrize(
    ("reported", "item_of", "actions"),
    [
        ("5 people counted of 4", crowd, [CrowdItem.seats.add(1)]),
        ("it will not be counted", crowd, not_due()),
        ("1 tiers are reached, written down as", crowd, [CrowdItem.reached_at_s.set([])]),
        ("1 tiers are reached, written down as", crowd, [CrowdItem.reached_at_s.set([1, 2])]),
        ("group .* is in elsewhere", row, [TradeItem.list_key.set("elsewhere")]),
        ("group .* has got 2 tiers of 1", row, [CrowdGroupItem.reached.set(2)]),
        (
            "601 fen of order .* go back, 600 at most",
            order,
            [OrderItem.refunds["011"]["amount_fen"].set(601)],
        ),
        (
            "599 fen of order .* go back, 1 more are owed",
            order,
            [OrderItem.refunds["011"]["amount_fen"].set(599)],
        ),
        ("order .* has got tiers {1, 2} of 1", order, [OrderItem.refunds["012"].set(ONE_FEN)]),
        (r"crowd of .*: \[\], counted in", activity, [ActivityItem.crowd_tiers.set([])]),
        (
            "seats_formed counted, not",
            lambda snapshot: snapshot.tallies[0],
            [TallyItem.seats_formed.add(1)],
        ),
    ],
)
def test_planted_violation_is_reported(
    shop: Shop, reported: str, item_of: Item, actions: list[Any]
) -> None:
    item = item_of(shop.check(quiescent=True))

    assert_change_is_reported(lambda: shop.check(quiescent=True), reported, item, actions)


def test_group_that_nobody_lists_is_reported(shop: Shop) -> None:
    lost = [row(shop.check(quiescent=True))]

    assert_loss_is_reported(
        lambda: shop.check(quiescent=True), "group .* is settled or listed, not both", lost
    )
