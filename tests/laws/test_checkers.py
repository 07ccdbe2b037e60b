"""The checker of the laws can fail: each planted violation is reported, by law and by id."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chalicelib.domain.counts import Counted
from chalicelib.domain.order import Intent
from chalicelib.gateways.payment import RefundStatus
from chalicelib.services.catalogue import adjustments
from chalicelib.tables.base import StoredItem
from chalicelib.tables.buyers import MessageItem
from chalicelib.tables.catalogue import ProductStockItem, VersionItem
from chalicelib.tables.counts import TallyItem
from chalicelib.tables.records import AuditItem, DayBookItem, StockAdjustmentItem
from chalicelib.tables.trade import (
    ClosingItem,
    GroupItem,
    LimitItem,
    OrderDetailItem,
    OrderItem,
    StockItem,
)
from chalicelib.tables.trade_item import TradeItem
from tests.fixtures.fake_gateway import HeldRefund, Record
from tests.fixtures.shop import DAY_S, OTHER_PAY, STAFF, ActivityIds, Shop, new_shop, number_of
from tests.fixtures.table_snapshot import TableSnapshot
from tests.laws.checkers import laws
from tests.laws.checkers.state_edges import StateHistory
from tests.laws.planting import assert_change_is_reported, assert_loss_is_reported


@dataclass
class Scene:
    """A shop with one of everything, in order and at rest."""

    shop: Shop
    sold: ActivityIds
    open_group: GroupItem
    held: OrderItem  # in the open group, unpaid
    paid: OrderItem  # in the open group
    pending_group: GroupItem
    formed_group: GroupItem
    kept: OrderItem  # of the formed group; paid twice, refunded once
    failed_group: GroupItem
    refunded: OrderItem
    alone: OrderItem
    snapshot: TableSnapshot

    def check(self) -> TableSnapshot:
        return self.shop.check(quiescent=True)


@pytest.fixture(scope="module")
def scene(engine: str) -> Iterator[Scene]:
    with new_shop() as shop:
        sold = shop.activity(seats=3, stock=50, product_stock=60, limit_per_buyer=5)
        pair = shop.activity(seats=2)
        refunded = shop.open(sold, shop.buyer())
        shop.pay(refunded)
        shop.cancel(refunded)
        formed_id = shop.opened(pair)
        kept = shop.join(pair, formed_id, shop.buyer())
        shop.ask(kept, OTHER_PAY)
        shop.pay(kept)
        number = number_of(kept)
        shop.notify(shop.other_gateway.pay(number, at_s=shop.now_s), OTHER_PAY)
        adjustments.adjust_stock(
            shop.merchant_id,
            sold.product_id,
            sold.sku_id,
            delta=5,
            reason="盘点",
            staff=STAFF,
            now_s=shop.now_s,
        )
        alone = shop.buy_alone(sold, shop.buyer())
        shop.pay(alone)
        shop.gateway.confirms_at_once = shop.other_gateway.confirms_at_once = True
        shop.run_jobs(3, forward_s=70)
        shop.gateway.confirms_at_once = False
        open_id = shop.opened(sold)
        paid = shop.join(sold, open_id, shop.buyer(), quantity=2)
        shop.pay(paid)
        held = shop.join(sold, open_id, shop.buyer())
        shop.ask(held)
        pending = shop.open(sold, shop.buyer())
        snapshot = shop.check(quiescent=True)
        orders, groups = snapshot.orders, snapshot.groups
        yield Scene(
            shop,
            sold,
            groups[open_id],
            orders[str(held.order_id)],
            orders[str(paid.order_id)],
            groups[str(pending.group_id)],
            groups[formed_id],
            orders[str(kept.order_id)],
            groups[str(refunded.group_id)],
            orders[str(refunded.order_id)],
            orders[str(alone.order_id)],
            snapshot,
        )


def bucket_of(scene: Scene) -> StockItem:
    return next(b for pk, b in scene.snapshot.buckets.items() if scene.sold.activity_id in pk)


def detail_of(scene: Scene) -> OrderDetailItem:
    return scene.snapshot.details[str(scene.paid.order_id)]


def product_stock_of(scene: Scene) -> ProductStockItem:
    return scene.snapshot.product_stocks[scene.sold.sku_id]


def limit_of(scene: Scene) -> LimitItem:
    return scene.snapshot.limits[scene.paid.buyer_id, scene.sold.activity_id]


def closing_of(scene: Scene) -> ClosingItem:
    return scene.snapshot.closings[scene.sold.activity_id]


def promised_to(scene: Scene) -> VersionItem:
    """Return the terms of the group that formed."""
    group = scene.formed_group
    return VersionItem.at(group.merchant_id, group.activity_id, group.version)


def seat_of(order: OrderItem) -> Any:
    return GroupItem.members[order.buyer_id]


OTHER = "0" * 22
Plant = tuple[str, Callable[[Scene], StoredItem], Callable[[Scene], list[Any]]]
# What is reported; the item that is changed; the change.
PLANTS: list[Plant] = [
    ("1 seats: .* 3 seats paid, 2 orders", lambda s: s.open_group,
     lambda s: [GroupItem.seats_paid.add(1)]),
    ("1 seats: .* 3 taken of 2", lambda s: s.open_group,
     lambda s: [GroupItem.seats_total.set(2)]),
    ("1 seats: seat of .* without its order|1 seats: .*without its order", lambda s: s.open_group,
     lambda s: [seat_of(s.held).set("00000000")]),
    ("1 seats: pending order .* has no seat", lambda s: s.open_group,
     lambda s: [seat_of(s.held).remove()]),
    ("1 seats: .* is open, order .* is closed", lambda s: s.held,
     lambda s: [OrderItem.status.set("closed")]),
    ("2 forming: .* is formed with 2 of 3", lambda s: s.open_group,
     lambda s: [GroupItem.status.set("formed")]),
    ("2 forming: .* is open with 2 of 2", lambda s: s.formed_group,
     lambda s: [GroupItem.status.set("open")]),
    ("2 forming: .* is formed with 2 of 3", lambda s: s.open_group,  # before its deadline
     lambda s: [GroupItem.status.set("formed"), GroupItem.seats_least.set(2),
                GroupItem.decided_at_s.set(s.shop.now_s)]),
    ("2 forming: .* is formed with 2 of 3", lambda s: s.open_group,  # with fewer than promised
     lambda s: [GroupItem.status.set("formed"), GroupItem.seats_least.set(3),
                GroupItem.decided_at_s.set(s.shop.now_s + 30 * DAY_S)]),
    ("2 forming: .* failed with 1 paid, 1 promised", lambda s: s.failed_group,
     lambda s: [GroupItem.failed_reason.set("due"), GroupItem.seats_least.set(1)]),
    ("2 forming: .* promises 2, its terms 0", lambda s: s.open_group,
     lambda s: [GroupItem.seats_least.set(2)]),
    ("2 forming: .* is of 9, its terms of", lambda s: s.open_group,
     lambda s: [GroupItem.seats_total.set(9)]),
    ("2 forming: .* is formed, decided at None", lambda s: s.formed_group,
     lambda s: [GroupItem.decided_at_s.remove()]),
    ("2 forming: .* is formed, order .* is paid", lambda s: s.kept,
     lambda s: [OrderItem.status.set("paid")]),
    ("2 forming: .* outlives its activity", lambda s: s.open_group,
     lambda s: [GroupItem.expires_at_s.add(30 * DAY_S)]),
    ("2 forming: .* without its leader", lambda s: s.open_group,
     lambda s: [GroupItem.leader_id.set(OTHER)]),
    ("2 forming: .* is pending with", lambda s: s.pending_group,
     lambda s: [GroupItem.expires_at_s.set(1)]),
    ("3 stock: bucket .* has -", lambda s: bucket_of(s),
     lambda s: [StockItem.available.add(-60)]),
    ("3 stock: SKU .*units are there, not 65", lambda s: bucket_of(s),
     lambda s: [StockItem.available.add(1)]),
    ("3 stock: bucket .*ended: True", lambda s: bucket_of(s),
     lambda s: [StockItem.ended.set(True)]),
    ("3 stock: SKU .*not 65", product_stock_of,
     lambda s: [ProductStockItem.available.add(-1)]),
    ("3 stock: product's stock of .* is -", product_stock_of,
     lambda s: [ProductStockItem.available.set(-1)]),
    ("4 money: paid order .* captured 0 fen", lambda s: s.paid,
     lambda s: [OrderItem.payments["01"]["status"].set("closed")]),
    ("4 money: payment .* is 1 fen, the gateway says 11800", lambda s: s.paid,
     lambda s: [OrderItem.payments["01"]["amount_fen"].set(1)]),
    ("5 payments: fulfilling order .* keeps 2 payments", lambda s: s.kept,
     lambda s: [OrderItem.refunds["01L"].remove()]),
    ("5 payments: .* is refunded in parts", lambda s: s.refunded,
     lambda s: [OrderItem.refunds["01F"]["amount_fen"].set(1)]),
    ("5 payments: refund .* is requested", lambda s: s.refunded,
     lambda s: [OrderItem.refunds["01F"]["status"].set("requested")]),
    ("6 refunds: .*03F refunds nothing that was paid", lambda s: s.paid,
     lambda s: [OrderItem.refunds["03F"].set({"status": "succeeded", "amount_fen": 1, "at_s": 1})]),
    ("6 refunds: .* is refunded more than it was", lambda s: s.refunded,
     lambda s: [OrderItem.refunds["01L"].set(
         {"status": "succeeded", "amount_fen": 5900, "at_s": 1})]),
    ("4 money: refund .*01L is not confirmed", lambda s: s.refunded,
     lambda s: [OrderItem.refunds["01L"].set(
         {"status": "succeeded", "amount_fen": 5900, "at_s": 1})]),
    ("7 fulfilment: .* is fulfilling in a group not formed", lambda s: s.paid,
     lambda s: [OrderItem.status.set("fulfilling")]),
    ("7 fulfilment: paid order .* has no payment that fits", lambda s: s.held,
     lambda s: [OrderItem.status.set("paid")]),
    ("8 deadlines: .* took a seat at", detail_of,
     lambda s: [OrderDetailItem.placed_at_s.add(2 * DAY_S)]),
    ("8 deadlines: .* was paid at", lambda s: s.paid,
     lambda s: [OrderItem.payments["01"]["paid_at_s"].set(1_900_000_000)]),
    ("10 limits: .* holds 2, counted 1", limit_of, lambda s: [LimitItem.used.add(-1)]),
    ("10 limits: order .* is of 9", lambda s: s.paid, lambda s: [OrderItem.quantity.set(9)]),
    ("11 amounts: order .* is of 1 fen", lambda s: s.paid, lambda s: [OrderItem.total_fen.set(1)]),
    ("11 amounts: .* its detail differ", detail_of,
     lambda s: [OrderDetailItem.lines["total_fen"].set(1)]),
    ("11 amounts: payment .* is of 1 fen", lambda s: s.held,
     lambda s: [OrderItem.payments["01"]["amount_fen"].set(1)]),
    ("12 tenancy: .* names merchant", lambda s: s.held,
     lambda s: [OrderItem.merchant_id.set(OTHER)]),
    ("12 tenancy: .* of nothing that the merchant sells", lambda s: s.alone,
     lambda s: [OrderItem.activity_id.set(OTHER)]),
    ("15 work: order .* needs query .* nobody knows", lambda s: s.held,
     lambda s: [TradeItem.due_at_s.remove(), TradeItem.due_shard.remove()]),
    ("15 work: .* is marked for", lambda s: s.held, lambda s: [TradeItem.due_at_s.add(3600)]),
    ("15 work: activity .* is closed, bucket", closing_of,
     lambda s: [TradeItem.due_at_s.remove(), TradeItem.due_shard.remove()]),
    ("16 liveness: .* has been due since", lambda s: s.held,
     lambda s: [TradeItem.due_at_s.set(1)]),
    ("18 markers: .* is in group#9", lambda s: s.open_group,
     lambda s: [TradeItem.due_shard.set("group#9")]),
    ("18 markers: .* is open and has none", lambda s: s.open_group,
     lambda s: [TradeItem.due_at_s.remove(), TradeItem.due_shard.remove()]),
    ("18 markers: .* is open and due at 1", lambda s: s.open_group,
     lambda s: [TradeItem.due_at_s.set(1)]),
    ("18 markers: .* is pending and has a marker", lambda s: s.pending_group,
     lambda s: s.pending_group.due(Intent.GROUP, 1_900_000_000)),
    ("18 markers: .* is formed and has a marker", lambda s: s.formed_group,
     lambda s: s.formed_group.due(Intent.GROUP, 1_900_000_000)),
    ("18 markers: .* is formed, has no marker, and order .* is paid", lambda s: s.kept,
     lambda s: [OrderItem.status.set("paid")]),
    ("4 money: order .* says .*, not", lambda s: s.paid,
     lambda s: [OrderItem.ledger["01 captured"].remove()]),
    ("4 money: order .* says .*, not", lambda s: s.alone,
     lambda s: [OrderItem.ledger["01 earned"].set([1, 1])]),
    ("4 money: day book has refunded .*01F of", lambda s: s.refunded,
     lambda s: [OrderItem.ledger["01F refunded"].set([1, 1])]),
    ("4 money: .* fen should be at the gateway", lambda s: s.refunded,
     lambda s: [OrderItem.ledger["01F refunded"].remove()]),
    ("4 money: paid order .* holds 5900 fen", lambda s: s.paid,
     lambda s: [OrderItem.ledger["01 captured"].set([5900, 1])]),
    ("27 after-sale: order .* waits for A", lambda s: s.alone,
     lambda s: [OrderItem.after_sale.set("A")]),
    ("27 after-sale: .* approved {}, refunded {'A': 1}", lambda s: s.alone,
     lambda s: [OrderItem.refunds["01A"].set({"status": "failed", "amount_fen": 1, "at_s": 1})]),
    ("27 after-sale: .* 0 units came back, 1 counted", lambda s: s.alone,
     lambda s: [OrderItem.returned.set(1)]),
    ("26 counts: 1 groups_opened counted on .* at 3, not 0", lambda s: s.snapshot.days[0],
     lambda s: s.snapshot.days[0].adding({(Counted.GROUPS_OPENED, 3): 1})),
    ("26 counts: activity .* groups_formed counted", lambda s: s.snapshot.tallies[0],
     lambda s: [TallyItem.groups_formed.add(1)]),
    ("17 traces: 0 audit rows for 1 group_closed", lambda s: s.failed_group,
     lambda s: [GroupItem.closed_words.set("缺货")]),
    ("15 work: group .* outlives the end of its activity", closing_of,
     lambda s: [ClosingItem.groups_until_s.set(1)]),
    ("25 search: formed group .* is in", lambda s: s.formed_group,
     lambda s: [TradeItem.list_key.set("elsewhere")]),
    ("25 search: order .* is in None", lambda s: s.paid, lambda s: [TradeItem.list_key.remove()]),
    ("25 search: message .* is in", lambda s: next(iter(s.snapshot.messages.values()))[0],
     lambda s: [TradeItem.list_key.remove()]),
    ("31 rebates: 0 fen of order .* go back, 5899 promised", promised_to,
     lambda s: [VersionItem.leader_free.set(True)]),
    ("31 rebates: 0 fen of order .* go back, 300 promised", promised_to,
     lambda s: [VersionItem.tiers.set([{"seats": 2, "off_fen": 300}])]),
    ("25 search: open group .* is in None", lambda s: s.open_group,
     lambda s: [TradeItem.list_key.remove()]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reported", "item_of", "change"), PLANTS, ids=[plant[0] for plant in PLANTS]
)
def test_planted_violation_is_reported(
    scene: Scene,
    reported: str,
    item_of: Callable[[Scene], StoredItem],
    change: Callable[[Scene], list[Any]],
) -> None:
    item = item_of(scene)
    item.refresh(consistent_read=True)
    assert_change_is_reported(scene.check, reported, item, change(scene))


@pytest.mark.parametrize(
    ("reported", "kind"),
    [
        ("24 messages: order .* has no message", MessageItem),
        ("15 work: activity .* will never be closed", ClosingItem),
        ("17 traces: 0 audit rows", AuditItem),
        ("17 traces: 1 audit rows for 0 stock_adjusted", StockAdjustmentItem),
        ("8 deadlines: order .* has no detail|11 amounts", OrderDetailItem),
        ("1 seats: .* without its order", OrderItem),
        ("4 money: .* is in no day book", DayBookItem),
        ("10 limits: .* counted 0", LimitItem),
    ],
)
def test_lost_item_is_reported(scene: Scene, reported: str, kind: type[StoredItem]) -> None:
    lost = [
        item
        for item in scene.snapshot.items
        if type(item) is kind and getattr(item, "text_key", "failed") in ("failed", "refunded")
    ]
    lost = [item for item in lost if getattr(item, "status", "paid") == "paid"]
    assert_loss_is_reported(scene.check, reported, lost)


def test_gateways_own_record_is_compared(scene: Scene) -> None:
    ours = scene.shop.record
    number = number_of(scene.paid)
    refund = HeldRefund(number, 5900, RefundStatus.SUCCEEDED)
    wrong = {
        "captured .*, which nobody recorded": replace(
            ours, captured={**ours.captured, number_of(scene.held): 5900}
        ),
        "4 money: payment .* the gateway says None": Record({}, ours.refunds),
        "refunds .*01F, which nobody recorded": replace(
            ours, refunds={**ours.refunds, number + "F": refund}
        ),
        "6 refunds: the gateway refunds 17700 fen": replace(
            ours, refunds={**ours.refunds, **{f"{number}{r}": refund for r in "FLX"}}
        ),
        "4 money: refund .* is not confirmed": Record(ours.captured, {}),
    }
    for reported, record in wrong.items():
        snapshot = replace(scene.snapshot, ledger=record)
        assert any(
            re.search(reported, text) for text in laws.violations(snapshot, quiescent=True)
        ), reported


def test_edge_that_is_not_published_is_reported(scene: Scene) -> None:
    history = StateHistory()
    history.check(scene.snapshot)
    scene.kept.update(actions=[OrderItem.status.set("pending")])
    try:
        moved = replace(scene.snapshot, items=[*scene.snapshot.items, scene.kept])
        with pytest.raises(AssertionError, match=r"13 edges: order .* from fulfilling to pending"):
            history.check(moved)
    finally:
        scene.kept.update(actions=[OrderItem.status.set("fulfilling")])
