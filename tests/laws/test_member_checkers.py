"""Each law of members notices what breaks it."""

from collections.abc import Callable

import pytest
from pynamodb.expressions.update import Action

from chalicelib.domain.member import MemberSort
from chalicelib.tables.base import StoredItem, get_or_none
from chalicelib.tables.members import MemberItem, MemberNotesItem, MemberRowItem, members_list
from tests.fixtures.shop import PAY_BY_S, Shop

Planted = tuple[StoredItem, list[Action]]


def member(shop: Shop) -> MemberItem:
    """Who has paid one order of two: ¥99.00."""
    sold, buyer = shop.activity(product_stock=120), shop.buyer()
    shop.pay(shop.buy_alone(sold, buyer))
    shop.cancel(shop.buy_alone(sold, buyer))
    shop.run_jobs(forward_s=PAY_BY_S)
    item = get_or_none(MemberItem.at(shop.merchant_id, buyer))
    assert item is not None
    assert (item.orders, item.spent_fen) == (1, 9900)
    return item


def row(shop: Shop, item: MemberItem) -> MemberRowItem:
    key = members_list(shop.merchant_id, MemberSort.SPENT), f"{item.spent_fen:012d}#{item.buyer_id}"
    return MemberRowItem.get(*key)


def one_more(shop: Shop) -> Planted:
    return member(shop), [MemberItem.orders.add(1)]


def less_spent(shop: Shop) -> Planted:
    return member(shop), [MemberItem.spent_fen.set(9800)]


def other_tags(shop: Shop) -> Planted:
    return row(shop, member(shop)), [MemberRowItem.tags.set(["one"])]


def notes_of_nobody(shop: Shop) -> Planted:
    member(shop)
    notes = MemberNotesItem.at(shop.merchant_id, "nobody")
    return notes, [MemberNotesItem.kind.set(MemberNotesItem)]


@pytest.mark.parametrize(
    ("said", "plant"),
    [
        ("34 members: .* has Figures.orders=2", one_more),
        ("34 members: row .* is of nobody", less_spent),
        ("34 members: .* has Figures.orders=1, spent_fen=9800", less_spent),
        ("34 members: row .* says Figures", other_tags),
        ("34 members: there are notes about nobody", notes_of_nobody),
    ],
)
def test_what_breaks_a_law_is_reported(
    shop: Shop, said: str, plant: Callable[[Shop], Planted]
) -> None:
    item, actions = plant(shop)

    item.update(actions=actions)

    with pytest.raises(AssertionError, match=said):
        shop.check(quiescent=True)


def test_a_lost_row_is_reported(shop: Shop) -> None:
    lost = row(shop, member(shop))

    lost.delete()

    with pytest.raises(AssertionError, match=r"34 members: row .* is not there"):
        shop.check(quiescent=True)
