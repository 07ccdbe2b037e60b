"""The checkers of law 28, and of what went to WeChat, can fail: planted violations are reported."""

import re
from collections.abc import Callable, Iterator

import pytest

from chalicelib.domain.identity import Identity, Way
from chalicelib.domain.ids import OrderId, new_order_no
from chalicelib.domain.reminder import Awaited
from chalicelib.services.orders.subscribe_messages import State
from chalicelib.services.people import identities
from chalicelib.tables.base import StoredItem
from chalicelib.tables.buyers import (
    AddressBookItem,
    BuyerItem,
    IdentityItem,
    MessageItem,
    SubscriptionsItem,
    UnpaidOrdersItem,
)
from chalicelib.tables.reminders import ReminderItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.shop import Shop, new_shop
from tests.fixtures.table_snapshot import TableSnapshot
from tests.laws.checkers import person_laws


@pytest.fixture(scope="module")
def snapshot(engine: str) -> Iterator[TableSnapshot]:
    """A person of two buyers, who has a seat under each: both were taken before the merge."""
    with new_shop() as shop:
        sold = shop.activity(seats=4, limit_per_buyer=5)
        group_id = shop.opened(sold)
        phone = Identity(Way.PHONE, "13800138000")
        older, younger = (_log_in(shop, n) for n in range(2))
        identities.prove(shop.merchant_id, younger.buyer_id, phone, now_s=shop.now_s)
        for buyer in (older, younger):
            shop.join(sold, group_id, buyer.buyer_id)
        identities.prove(shop.merchant_id, older.buyer_id, phone, now_s=shop.now_s)
        yield shop.check()


def _log_in(shop: Shop, number: int) -> BuyerItem:
    one = Identity(Way.WECHAT_MINI, f"openid-{number}", f"wx-{number}")
    return identities.log_in(shop.merchant_id, [one], now_s=shop.now_s + number)


def reported(snapshot: TableSnapshot) -> str:
    return "\n".join(text for law in person_laws.LAWS for text in law(snapshot))


def kept_and_gone(snapshot: TableSnapshot) -> tuple[BuyerItem, BuyerItem]:
    gone = next(buyer for buyer in snapshot.buyers.values() if buyer.merged_into)
    return snapshot.buyers[str(gone.merged_into)], gone


def order_of(snapshot: TableSnapshot, buyer: BuyerItem) -> OrderItem:
    return next(o for o in snapshot.orders.values() if o.buyer_id == buyer.buyer_id)


def placed_later(snapshot: TableSnapshot, buyer: BuyerItem) -> None:
    """Let an order of this buyer's be placed after the merge."""
    order = order_of(snapshot, buyer)
    order.order_no = new_order_no(OrderId(order.buyer_id, order.order_no).placed_at_s + 60)


def add_subscriptions(snapshot: TableSnapshot, identity_id: str, count: int) -> None:
    item = SubscriptionsItem.at(snapshot.merchant_id, identity_id, left={"t": count})
    snapshot.items = [*snapshot.items, item]


def add_address(snapshot: TableSnapshot, buyer: BuyerItem) -> None:
    book = AddressBookItem.at(snapshot.merchant_id, buyer.buyer_id, addresses=[{"name": "x"}])
    snapshot.items = [
        *(one for one in snapshot.items if one.pk != book.pk or one.sk != book.sk),
        book,
    ]


def add_message(snapshot: TableSnapshot, state: State, due_at_s: int | None) -> None:
    order_id = next(iter(snapshot.orders.values())).order_id
    item = MessageItem.at(snapshot.merchant_id, order_id, "x", wechat_state=state.value)
    item.due_at_s = due_at_s
    snapshot.items = [*snapshot.items, item]


def add_reminder(snapshot: TableSnapshot, buyer: BuyerItem, due_at_s: int | None = 9) -> None:
    item = ReminderItem.at(snapshot.merchant_id, buyer.buyer_id, Awaited.GROUP, "g", asked_at_s=1)
    item.due_at_s = due_at_s
    told = MessageItem.of_reminder(snapshot.merchant_id, buyer.buyer_id, item.sk, 1)
    snapshot.items = [*snapshot.items, item, *([told] if due_at_s == 1 else [])]


def close(snapshot: TableSnapshot, buyer: BuyerItem) -> None:
    add_reminder(snapshot, buyer)
    buyer.erased_at_s = 1


Plant = Callable[[TableSnapshot, BuyerItem, BuyerItem], object]
PLANTS: list[tuple[str, Plant]] = [
    ("is listed by None", lambda s, kept, gone: setattr(kept, "absorbed", None)),
    ("is of .* and of", lambda s, kept, gone: setattr(gone, "merged_into", None)),
    ("do not expect 2 ids", lambda s, kept, gone: setattr(s.holds[kept.buyer_id], "ids", None)),
    ("do not expect 0 ids", lambda s, kept, gone: setattr(s.holds[gone.buyer_id], "ids", 2)),
    ("who lacks it", lambda s, kept, gone: setattr(kept, "identities", {})),
    ("that lead nowhere", lambda s, kept, gone: s.identities.clear()),
    ("who was merged, keeps identities", lambda s, kept, gone: setattr(gone, "phone", "1")),
    ("an id that was merged before", lambda s, kept, gone: placed_later(s, gone)),
    ("who was merged, may keep addresses", lambda s, kept, gone: add_address(s, gone)),
    ("subscriptions .* which nobody has", lambda s, kept, gone: add_subscriptions(s, "x", 1)),
    ("subscriptions .* are {'t': 0}", lambda s, *_: add_subscriptions(s, min(s.identities), 0)),
    ("is sent, due 5", lambda s, kept, gone: add_message(s, State.SENT, 5)),
    ("is sending, due None", lambda s, kept, gone: add_message(s, State.SENDING, None)),
    ("reminder.* is not due", lambda s, kept, gone: add_reminder(s, gone, None)),
    ("reminder.* was told and is waited for", lambda s, kept, gone: add_reminder(s, kept, 1)),
    ("reminder.* a closed account, is waited for", lambda s, kept, gone: close(s, kept)),
    ("still tells who it was", lambda s, kept, gone: setattr(kept, "erased_at_s", 1)),
    ("of a closed account is pending", lambda s, kept, gone: setattr(kept, "erased_at_s", 1)),
    ("has 2 seats in group .*, allowed 1", lambda s, kept, gone: placed_later(s, kept)),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "plant"), PLANTS, ids=[plant[0] for plant in PLANTS])
def test_planted_violation_is_reported(
    snapshot: TableSnapshot, expected: str, plant: Plant
) -> None:
    items: list[StoredItem] = []
    for item in snapshot.items:
        model = type(item)
        if model in (BuyerItem, IdentityItem, UnpaidOrdersItem, OrderItem):
            item = model.get(item.pk, item.sk)
        items.append(item)
    copy = TableSnapshot(
        snapshot.merchant_id, snapshot.ledger, snapshot.initial_stock, snapshot.now_s, items
    )
    assert reported(copy) == ""

    plant(copy, *kept_and_gone(copy))

    law = "(28 persons|24 messages|15 work)"
    assert re.search(f"{law}: .*{expected}", reported(copy)), reported(copy)
