"""The laws of shipping can fail: each planted violation is reported."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from pynamodb.expressions.update import Action

from chalicelib.domain.after_sale import Reason
from chalicelib.services.after_sale import after_sale_decisions, after_sales
from chalicelib.services.after_sale.after_sales import Claim
from chalicelib.services.fulfilment import receipts, shipping
from chalicelib.services.fulfilment.shipping import Draft
from chalicelib.tables.base import StoredItem
from chalicelib.tables.buyers import MessageItem
from chalicelib.tables.records import AuditItem, FoundOrderItem
from chalicelib.tables.trade import OrderDetailItem, OrderItem
from tests.fixtures.shipping import SF
from tests.fixtures.shop import STAFF, Shop, new_shop
from tests.laws.planting import assert_change_is_reported, assert_loss_is_reported


@dataclass
class Scene:
    shop: Shop
    shipped: OrderItem
    partly: OrderItem
    received: OrderItem
    refunded: OrderItem

    def detail_of(self, order: OrderItem) -> OrderDetailItem:
        key = OrderDetailItem.at(self.shop.merchant_id, order.order_id)
        return OrderDetailItem.get(key.pk, key.sk, consistent_read=True)

    def check(self) -> None:
        self.shop.check(quiescent=True)


@pytest.fixture(scope="module")
def scene(engine: str) -> Iterator[Scene]:
    with new_shop() as shop:
        sold = shop.activity(stock=50, product_stock=90)
        made = [shop.buy_alone(sold, shop.buyer(), quantity=2) for _ in range(4)]
        for order in made:
            shop.pay(order)
        shop.gateway.confirms_at_once = True
        shop.run_jobs(2, forward_s=600)
        for number, order in enumerate(made):
            units = 1 if number == 1 else None
            draft = Draft("SF", f"SF{number}234567890123", units)
            shipping.ship(shop.merchant_id, order.order_id, draft, staff=STAFF, now_s=shop.now_s)
        receipts.confirm(shop.merchant_id, made[2].order_id, now_s=shop.now_s)
        give_back(shop, made[3])
        shop.run_jobs(2, forward_s=60)
        shop.check(quiescent=True)
        yield Scene(shop, *(shop.order(order.order_id) for order in made))


def give_back(shop: Shop, order: OrderItem) -> None:
    claim = Claim(order.total_fen, Reason.DAMAGED)
    after_sales.request(shop.merchant_id, order.order_id, claim, now_s=shop.now_s)
    after_sale_decisions.approve(
        shop.merchant_id,
        order.order_id,
        "A",
        amount_fen=order.total_fen,
        units_back=0,
        staff=STAFF,
        now_s=shop.now_s,
    )


Plant = tuple[str, Callable[[Scene], StoredItem], Callable[[Scene], list[Action]]]
# What is reported; the item that is changed; the change.
PLANTS: list[Plant] = [
    ("7 fulfilment: shipped order .* says 3, its parcels 2", lambda s: s.shipped,
     lambda s: [OrderItem.shipped.set(3)]),
    ("7 fulfilment: shipped order .* its parcels 9 of 2", lambda s: s.detail_of(s.shipped),
     lambda s: [OrderDetailItem.parcels[0]["units"].set(9)]),
    ("7 fulfilment: .* has odd parcels", lambda s: s.detail_of(s.shipped),
     lambda s: [OrderDetailItem.parcels[0]["parcel_id"].set("2")]),
    ("7 fulfilment: paid order .* has parcels", lambda s: s.shipped,
     lambda s: [OrderItem.status.set("paid")]),
    ("7 fulfilment: .* was shipped without having formed", lambda s: s.shipped,
     lambda s: [OrderItem.ledger["01 earned"].remove()]),
    ("21 lists of work: shipped order .* has 1 units to deliver", lambda s: s.partly,
     lambda s: [OrderItem.status.set("shipped")]),
    ("21 lists of work: fulfilling order .* has nothing to deliver", lambda s: s.shipped,
     lambda s: [OrderItem.status.set("fulfilling")]),
    ("7 fulfilment: order .* was refunded, then shipped", lambda s: s.detail_of(s.refunded),
     lambda s: [OrderDetailItem.parcels[0]["shipped_at_s"].set(s.shop.now_s)]),
    ("7 fulfilment: shipped order .* will never be received", lambda s: s.shipped,
     lambda s: [OrderItem.receive_by_s.remove()]),
    ("7 fulfilment: completed order .* was never received", lambda s: s.received,
     lambda s: [OrderItem.received_at_s.remove()]),
    ("7 fulfilment: completed order .* was received at 1, shipped at", lambda s: s.received,
     lambda s: [OrderItem.received_at_s.set(1)]),
    ("15 work: order .* needs receipt at .* and nobody knows", lambda s: s.shipped,
     lambda s: [OrderItem.due_at_s.remove(), OrderItem.due_shard.remove()]),
    ("17 traces: 0 audit rows for 1 parcel_corrected", lambda s: s.detail_of(s.shipped),
     lambda s: [OrderDetailItem.parcels[0]["corrections"].set(1)]),
    (f"25 search: order .* is not found by {SF}", lambda s: s.detail_of(s.shipped),
     lambda s: [OrderDetailItem.parcels[0]["number"].set(SF)]),
]  # fmt: skip


@pytest.mark.parametrize(("reported", "item_of", "change"), PLANTS, ids=[p[0] for p in PLANTS])
def test_planted_violation_is_reported(
    scene: Scene,
    reported: str,
    item_of: Callable[[Scene], StoredItem],
    change: Callable[[Scene], list[Action]],
) -> None:
    item = item_of(scene)
    item.refresh(consistent_read=True)
    assert_change_is_reported(scene.check, reported, item, change(scene))


@pytest.mark.parametrize(
    ("reported", "kind"),
    [
        ("24 messages: parcel 1 of order", MessageItem),
        ("25 search: order .* is not found by placed", FoundOrderItem),
        ("17 traces: 0 audit rows for 1 order_shipped", AuditItem),
    ],
)
def test_lost_item_is_reported(scene: Scene, reported: str, kind: type[StoredItem]) -> None:
    lost = [item for item in scene.shop.check().items if type(item) is kind]
    assert_loss_is_reported(scene.check, reported, lost)
