"""Each law of shares notices what breaks it."""

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar

import pytest
from pynamodb.expressions.update import Action

from chalicelib.domain.ids import new_id
from chalicelib.services.orders import attributions
from chalicelib.tables.base import StoredItem
from chalicelib.tables.shares import AttributionItem, ShareCountsItem, VisitItem
from tests.fixtures.shop import Shop
from tests.laws.faults.workflows.invitations import come, shared

Planted = tuple[StoredItem, list[Action]]
_Item = TypeVar("_Item", bound=StoredItem)


def attributed(shop: Shop) -> AttributionItem:
    """What is kept of a paid seat whose buyer came by a share."""
    sold, buyer = shop.activity(seats=3), shop.buyer()
    group_id = shop.opened(sold)
    come(shop, buyer, shared(shop, shop.buyer(), group_id))
    order = shop.join(sold, group_id, buyer)
    shop.pay(order)
    attributions.follow(shop.merchant_id, order.order_id, now_s=shop.now_s)
    return only(shop, AttributionItem)


def only(shop: Shop, kind: type[_Item]) -> _Item:
    [item] = [it for it in shop.check().items if isinstance(it, kind)]
    return item


def one_more_counted(shop: Shop) -> Planted:
    attributed(shop)
    return only(shop, ShareCountsItem), [ShareCountsItem.paid.add(1)]


def visitor_not_counted(shop: Shop) -> Planted:
    attributed(shop)
    return only(shop, VisitItem), [VisitItem.state.set("again")]


def of_another_share(shop: Shop) -> Planted:
    item = attributed(shop)
    other = {**item.last.as_dict(), "share_id": new_id()}
    return item, [AttributionItem.last.set(other), AttributionItem.first.set(other)]


def of_oneself(shop: Shop) -> Planted:
    item = attributed(shop)
    own = asdict(item.last_touch) | {"sharer_id": item.order_id.buyer_id}
    return item, [AttributionItem.last.set(own)]


def too_old(shop: Shop) -> Planted:
    item = attributed(shop)
    return item, [AttributionItem.first_at_s.set(item.order_id.placed_at_s - 8 * 86400)]


@pytest.mark.parametrize(
    ("said", "plant"),
    [
        ("38 shares: paid of .* lacks -1", one_more_counted),
        ("38 shares: visits of .* lacks -1", visitor_not_counted),
        ("38 shares: order .* belongs to share .*, which did not lead to it", of_another_share),
        ("38 shares: order .* belongs to share .*, which did not lead to it", of_oneself),
        ("38 shares: order .* belongs to visits of", too_old),
    ],
)
def test_what_breaks_a_law_is_reported(
    shop: Shop, said: str, plant: Callable[[Shop], Planted]
) -> None:
    item, actions = plant(shop)

    item.update(actions=actions)

    with pytest.raises(AssertionError) as broken:
        shop.check()
    assert re.search(said, str(broken.value)), broken.value
