"""Table `trade`: everything that moves. Keys are made here and nowhere else.

| item          | pk                            | sk                      |
|---------------|-------------------------------|-------------------------|
| group         | m#G#group_id                  | group                   |
| order         | m#B#buyer_id                  | order#order_no          |
| order detail  | m#B#buyer_id                  | detail#order_no         |
| after-sale    | m#B#buyer_id                  | after_sale#order_no#letter |
| limit         | m#B#buyer_id                  | limit#activity_id       |
| buyer         | m#B#buyer_id                  | buyer                   |
| key           | m#B#buyer_id                  | key#derived_id          |
| message       | m#B#buyer_id                  | message#order_no#stage  |
| stock bucket  | m#S#activity_id#sku_id#nn     | stock                   |
| closing       | m#A#activity_id               | closing                 |
| reconciling   | m#P#method                    | reconciling             |
| share         | m#X#share_id                  | share                   |
| visit         | m#X#share_id                  | visit#visitor_id        |

An order's key is its buyer's partition: "my orders, newest first" needs no index, and nobody
reads another's order. All money of an order is in its one item, and so is every intent about it.
"""

import zlib
from typing import Any, Self

from pynamodb.attributes import (
    BooleanAttribute,
    DiscriminatorAttribute,
    ListAttribute,
    MapAttribute,
    UnicodeAttribute,
)
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from chalicelib.domain.group import Group, GroupStatus
from chalicelib.domain.ids import OrderId
from chalicelib.domain.ledger import Entry, Movement, entries_of
from chalicelib.domain.order import Intent, Order, OrderStatus, next_intent, payment_of, refund_of
from chalicelib.settings import settings
from chalicelib.tables.base import IntAttribute, StoredItem

DUE_SHARDS = 8


class ByDue(GlobalSecondaryIndex["TradeItem"]):
    """Sparse: only items with work to do. One partition per kind and shard, across merchants."""

    class Meta:
        index_name = "by_due"
        projection = IncludeProjection(["kind"])  # reads filter by it: DynamoDB wants it there

    due_shard = UnicodeAttribute(hash_key=True)
    due_at_s = IntAttribute(range_key=True)


class ByList(GlobalSecondaryIndex["TradeItem"]):
    """Sparse: `m#orders#status`, `m#activity_id#status`, in `list_rank` order."""

    class Meta:
        index_name = "by_list"
        projection = IncludeProjection(
            [
                "kind",
                "title",
                "total_fen",
                "status",
                "seats_total",
                "seats_paid",
                "leader_name",
                "group_id",
                "activity_id",
            ]
        )

    list_key = UnicodeAttribute(hash_key=True)
    list_rank = UnicodeAttribute(range_key=True)


class TradeItem(StoredItem):
    """Any item of the table; reads give the class that `kind` names.

    `due_shard` and `due_at_s` are the item's one due marker: "something is to be done at or
    after". Whoever changes it conditions on the marker as read.
    """

    class Meta:
        table_name = settings.trade_table

    kind = DiscriminatorAttribute()
    due_shard = UnicodeAttribute(null=True)
    due_at_s = IntAttribute(null=True)
    list_key = UnicodeAttribute(null=True)
    list_rank = UnicodeAttribute(null=True)
    by_due = ByDue()
    by_list = ByList()

    def marked(self, intent: Intent, at_s: int) -> Self:
        """The item, not yet stored, with its due marker."""
        self.due_shard, self.due_at_s = due_shard(intent, self.pk), at_s
        return self

    def due(self, intent: Intent, at_s: int) -> list[Action]:
        """Actions that set the due marker of the stored item."""
        shard = due_shard(intent, self.pk)
        return [TradeItem.due_shard.set(shard), TradeItem.due_at_s.set(at_s)]

    def marker_as_read(self) -> Condition:
        """The condition of whoever changes the marker: it is still the one read."""
        if self.due_at_s is None:
            absent: Condition = TradeItem.due_at_s.does_not_exist()
            return absent
        same_time: Condition = TradeItem.due_at_s == self.due_at_s
        same_queue: Condition = TradeItem.due_shard == self.due_shard
        same: Condition = same_time & same_queue
        return same


def not_due() -> list[Action]:
    """Actions that take the due marker away."""
    return [TradeItem.due_shard.remove(), TradeItem.due_at_s.remove()]


def due_shard(intent: Intent, pk: str) -> str:
    """The queue of one intent that an item stands in. What needs a person is kept by merchant."""
    if intent is Intent.PERSON:
        return f"{intent}#{pk.partition('#')[0]}"
    return f"{intent}#{zlib.crc32(pk.encode()) % DUE_SHARDS}"


def due_shards(intent: Intent) -> list[str]:
    return [f"{intent}#{shard}" for shard in range(DUE_SHARDS)]


def listed(key: str | None, rank: str | None = None) -> list[Action]:
    """Actions that put an item under `key` of the list index, or take it out (None)."""
    if key is None:
        return [TradeItem.list_key.remove(), TradeItem.list_rank.remove()]
    actions: list[Action] = [TradeItem.list_key.set(key)]
    return actions + ([TradeItem.list_rank.set(rank)] if rank is not None else [])


class GroupItem(TradeItem, discriminator="group"):
    """A group. `members` is buyer_id -> order_no: the register of seats, taken = its size."""

    merchant_id = UnicodeAttribute()
    group_id = UnicodeAttribute()
    activity_id = UnicodeAttribute()
    version = IntAttribute()
    status = UnicodeAttribute()
    failed_reason = UnicodeAttribute(null=True)
    members: MapAttribute[str, Any] = MapAttribute()
    seats_total = IntAttribute()
    seats_paid = IntAttribute(default=0)
    leader_id = UnicodeAttribute()
    leader_name = UnicodeAttribute()
    body_hash = (
        UnicodeAttribute()
    )  # of the request that opened it: its key with another body is refused
    list_shard = IntAttribute(default=0)  # of the list of open groups
    life_s = IntAttribute()
    ends_at_s = IntAttribute()  # of the activity, when the group was opened
    expires_at_s = IntAttribute(null=True)  # once the leader has paid
    decided_at_s = IntAttribute(null=True)  # once formed or failed

    @classmethod
    def at(cls, merchant_id: str, group_id: str, **more: Any) -> "GroupItem":
        return cls(
            f"{merchant_id}#G#{group_id}",
            "group",
            merchant_id=merchant_id,
            group_id=group_id,
            **more,
        )

    def view(self) -> Group:
        return Group(
            status=GroupStatus(self.status),
            members=self.members.as_dict(),
            seats_total=self.seats_total,
            seats_paid=self.seats_paid,
            life_s=self.life_s,
            ends_at_s=self.ends_at_s,
            expires_at_s=self.expires_at_s,
        )


class OrderItem(TradeItem, discriminator="order"):
    """State of an order, with its payments and refunds: all money of an order is in this one item.

    payments: attempt (2 digits) -> domain.order.Payment; refunds: attempt + reason letter ->
    domain.order.Refund, as maps. ledger: domain.ledger.Entry.key -> [amount_fen, at_s], which is
    only added to.
    """

    merchant_id = UnicodeAttribute()
    buyer_id = UnicodeAttribute()
    order_no = UnicodeAttribute()
    group_id = UnicodeAttribute(null=True)  # None: bought alone
    activity_id = UnicodeAttribute()
    version = IntAttribute()
    product_id = UnicodeAttribute()
    sku_id = UnicodeAttribute()
    status = UnicodeAttribute()
    title = UnicodeAttribute()  # shortened; the detail has it whole
    quantity = IntAttribute()
    total_fen = IntAttribute()
    pay_by_s = IntAttribute()
    limited = BooleanAttribute()  # counted in a LimitItem
    share_id = UnicodeAttribute(null=True)  # whose invitation it came by
    payments: MapAttribute[str, Any] = MapAttribute(default=dict)
    refunds: MapAttribute[str, Any] = MapAttribute(default=dict)
    ledger: MapAttribute[str, Any] = MapAttribute(default=dict)
    posted = IntAttribute(null=True)  # captures that are in the day book, and their buyer told
    after_sale = UnicodeAttribute(null=True)  # the letter of the request that staff has to decide
    returned = IntAttribute(null=True)  # units that after-sale brought back to the stock

    @classmethod
    def at(cls, merchant_id: str, order_id: OrderId, **more: Any) -> "OrderItem":
        return cls(
            buyer_pk(merchant_id, order_id.buyer_id),
            f"order#{order_id.order_no}",
            merchant_id=merchant_id,
            buyer_id=order_id.buyer_id,
            order_no=order_id.order_no,
            **more,
        )

    @property
    def order_id(self) -> OrderId:
        return OrderId(self.buyer_id, self.order_no)

    def view(self) -> Order:
        return Order(
            status=OrderStatus(self.status),
            total_fen=self.total_fen,
            pay_by_s=self.pay_by_s,
            payments={key: payment_of(p) for key, p in self.payments.as_dict().items()},
            refunds={key: refund_of(r) for key, r in self.refunds.as_dict().items()},
            unposted=self.captures > (self.posted or 0),
        )

    @property
    def captures(self) -> int:
        """How many payments its ledger has."""
        return sum(entry.movement is Movement.CAPTURED for entry in self.entries())

    def entries(self) -> list[Entry]:
        """Its ledger, in the order in which it happened."""
        return entries_of(self.ledger.as_dict())

    def marker_as_read(self) -> Condition:
        """The marker, and what it was computed from: no attempt or refund has been added since.

        The marker alone does not tell: an intent that is due later leaves it as it was.
        """
        same_payments: Condition = size(OrderItem.payments) == len(self.payments.as_dict())
        same_refunds: Condition = size(OrderItem.refunds) == len(self.refunds.as_dict())
        same: Condition = super().marker_as_read() & same_payments & same_refunds
        return same

    def is_marked(self) -> bool:
        """Whether the marker says what is next to be done, no less and no more."""
        intent = next_intent(self.view())
        marker = None if intent is None else (due_shard(intent[0], self.pk), intent[1])
        return marker == (None if self.due_at_s is None else (self.due_shard, self.due_at_s))

    def due_next(self, order: Order) -> list[Action]:
        """Actions that set the marker to what is next to be done about `order`."""
        intent = next_intent(order)
        return not_due() if intent is None else self.due(*intent)


def entered(*entries: Entry) -> list[Action]:
    """Actions that add to an order's ledger; nothing moves where nothing is paid."""
    return [OrderItem.ledger[entry.key].set(entry.stored) for entry in entries if entry.amount_fen]


class OrderDetailItem(TradeItem, discriminator="detail"):
    """What is seldom read and never changed by the trade: address, price lines, remark.

    Kept apart so that OrderItem stays under 1 KB, the unit in which every later touch is paid.
    """

    address: MapAttribute[str, Any] = MapAttribute()
    lines: MapAttribute[str, Any] = MapAttribute()
    remark = UnicodeAttribute(default="")
    placed_at_s = IntAttribute()

    @classmethod
    def at(cls, merchant_id: str, order_id: OrderId, **more: Any) -> "OrderDetailItem":
        return cls(buyer_pk(merchant_id, order_id.buyer_id), f"detail#{order_id.order_no}", **more)


class StockItem(TradeItem, discriminator="stock"):
    """One bucket of an activity's stock of one SKU, under a partition key of its own."""

    available = IntAttribute()
    ended = BooleanAttribute(null=True)  # emptied into the product; takes nothing back

    @classmethod
    def at(
        cls, merchant_id: str, activity_id: str, sku_id: str, bucket: int, **more: Any
    ) -> "StockItem":
        return cls(f"{merchant_id}#S#{activity_id}#{sku_id}#{bucket:02d}", "stock", **more)

    @property
    def bucket(self) -> int:
        return int(self.pk[-2:])


class LimitItem(TradeItem, discriminator="limit"):
    """Units of an activity that a buyer holds or bought; only for activities with a limit."""

    used = IntAttribute()

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, activity_id: str, **more: Any) -> "LimitItem":
        return cls(buyer_pk(merchant_id, buyer_id), f"limit#{activity_id}", **more)


class BuyerItem(TradeItem, discriminator="buyer"):
    """A buyer of one merchant. buyer_id is derived from the openid: no look-up by openid needed."""

    merchant_id = UnicodeAttribute()
    buyer_id = UnicodeAttribute()
    openid = UnicodeAttribute()
    name = UnicodeAttribute(default="")
    avatar = UnicodeAttribute(default="")

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, **more: Any) -> "BuyerItem":
        return cls(
            buyer_pk(merchant_id, buyer_id),
            "buyer",
            merchant_id=merchant_id,
            buyer_id=buyer_id,
            **more,
        )


class MessageItem(TradeItem, discriminator="message"):
    """One message to a buyer about one order. The key makes it once: order and stage.

    Stages sort in the order in which they can happen, so the list of messages reads as a story.
    """

    order_id = UnicodeAttribute()
    group_id = UnicodeAttribute(null=True)
    text_key = UnicodeAttribute()
    facts: MapAttribute[str, Any] = MapAttribute()
    at_s = IntAttribute()

    @classmethod
    def at(cls, merchant_id: str, order_id: OrderId, stage: str, **more: Any) -> "MessageItem":
        return cls(
            buyer_pk(merchant_id, order_id.buyer_id),
            f"message#{order_id.order_no}#{stage}",
            order_id=str(order_id),
            **more,
        )


class ClosingItem(TradeItem, discriminator="closing"):
    """The intent to give an activity's unsold stock back to the product, due when it is over."""

    merchant_id = UnicodeAttribute()
    activity_id = UnicodeAttribute()

    @classmethod
    def at(cls, merchant_id: str, activity_id: str, **more: Any) -> "ClosingItem":
        return cls(
            f"{merchant_id}#A#{activity_id}",
            "closing",
            merchant_id=merchant_id,
            activity_id=activity_id,
            **more,
        )


class AfterSaleItem(TradeItem, discriminator="after_sale"):
    """A buyer's request for money back on an order that is to be fulfilled, or was.

    letter: the last of its refund's number, once it is approved.
    """

    merchant_id = UnicodeAttribute()
    order_id = UnicodeAttribute()
    letter = UnicodeAttribute()
    status = UnicodeAttribute()  # domain.after_sale.AfterSaleStatus
    title = UnicodeAttribute()
    amount_fen = IntAttribute()  # asked for; once approved, what goes back
    reason = UnicodeAttribute()  # domain.after_sale.Reason
    words = UnicodeAttribute(default="")
    pictures: ListAttribute[Any] = ListAttribute(default=list)
    requested_at_s = IntAttribute()
    decided_at_s = IntAttribute(null=True)
    reply = UnicodeAttribute(default="")  # of the staff, which the buyer reads
    units_back = IntAttribute(default=0)  # returned to the stock

    @classmethod
    def at(cls, merchant_id: str, order_id: OrderId, letter: str, **more: Any) -> "AfterSaleItem":
        return cls(
            buyer_pk(merchant_id, order_id.buyer_id),
            f"after_sale#{order_id.order_no}#{letter}",
            merchant_id=merchant_id,
            order_id=str(order_id),
            letter=letter,
            **more,
        )


class ReconcilingItem(TradeItem, discriminator="reconciling"):
    """The intent to compare a gateway's bills with the ledger, day after day.

    day: the next to be compared (Beijing, ISO). row: where in its bill the comparing goes on.
    """

    merchant_id = UnicodeAttribute()
    method = UnicodeAttribute()
    day = UnicodeAttribute()
    row = IntAttribute(default=0)

    @classmethod
    def at(cls, merchant_id: str, method: str, **more: Any) -> "ReconcilingItem":
        return cls(
            f"{merchant_id}#P#{method}",
            "reconciling",
            merchant_id=merchant_id,
            method=method,
            **more,
        )


class ShareItem(TradeItem, discriminator="share"):
    """One invitation: who shared which group, by which channel; how many came."""

    merchant_id = UnicodeAttribute()
    share_id = UnicodeAttribute()
    group_id = UnicodeAttribute()
    activity_id = UnicodeAttribute()
    sharer_id = UnicodeAttribute()
    channel = UnicodeAttribute()
    visits = IntAttribute(default=0)

    @classmethod
    def at(cls, merchant_id: str, share_id: str, **more: Any) -> "ShareItem":
        return cls(
            f"{merchant_id}#X#{share_id}",
            "share",
            merchant_id=merchant_id,
            share_id=share_id,
            **more,
        )


class KeyItem(TradeItem, discriminator="key"):
    """An Idempotency-Key that placed an order: a repeat meets it and gets the same order."""

    order_no = UnicodeAttribute()
    body_hash = UnicodeAttribute()

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, key_id: str, **more: Any) -> "KeyItem":
        return cls(buyer_pk(merchant_id, buyer_id), f"key#{key_id}", **more)


class VisitItem(TradeItem, discriminator="visit"):
    """One visitor who came by a share; the first visit counts."""

    at_s = IntAttribute()

    @classmethod
    def at(cls, merchant_id: str, share_id: str, visitor_id: str, **more: Any) -> "VisitItem":
        return cls(f"{merchant_id}#X#{share_id}", f"visit#{visitor_id}", **more)


def buyer_pk(merchant_id: str, buyer_id: str) -> str:
    return f"{merchant_id}#B#{buyer_id}"


def orders_list(merchant_id: str, status: str) -> str:
    return f"{merchant_id}#orders#{status}"


def after_sales_list(merchant_id: str, status: str) -> str:
    return f"{merchant_id}#after_sales#{status}"


def groups_list(merchant_id: str, activity_id: str, status: str, shard: int = 0) -> str:
    """The list of an activity's groups in `status`; shard 0 has no suffix."""
    return f"{merchant_id}#{activity_id}#{status}" + (f"#{shard}" if shard else "")
