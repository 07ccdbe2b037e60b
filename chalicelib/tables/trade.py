"""Table `trade`: everything that moves. Keys are made here and nowhere else.

| item          | pk                            | sk                      |
|---------------|-------------------------------|-------------------------|
| group         | m#G#group_id                  | group                   |
| order         | m#B#buyer_id                  | order#order_no          |
| order detail  | m#B#buyer_id                  | detail#order_no         |
| after-sale    | m#B#buyer_id                  | after_sale#order_no#letter |
| limit         | m#B#buyer_id                  | limit#activity_id       |
| buyer         | m#B#buyer_id                  | buyer                   |
| address book  | m#B#buyer_id                  | addresses               |
| consents      | m#B#buyer_id                  | consents                |
| identity      | m#I#identity_id               | identity                |
| subscriptions | m#I#identity_id               | subscriptions           |
| holds         | m#B#buyer_id                  | holds                   |
| key           | m#B#buyer_id                  | key#derived_id          |
| coupon        | m#B#buyer_id                  | coupon#template_idNN     |
| coupon stock  | m#C#template_id               | coupon_stock            |
| coupon tally  | m#T#template_id#n             | coupon_tally            |
| coupon batch  | m#Q#batch                     | coupon_batch            |
| coupon code   | m#Q#batch                     | code#number             |
| coupon grant  | m#B#buyer_id                  | grant#reason            |
| points        | m#B#buyer_id                  | points                  |
| points page   | m#B#buyer_id                  | points#at_s#n           |
| points grant  | m#B#buyer_id                  | points_grant#derived_id |
| birthday      | m#B#buyer_id                  | birthday                |
| rewards       | m#B#buyer_id                  | rewards                 |
| reward        | m#B#buyer_id                  | reward#number           |
| member        | m#B#buyer_id                  | member                  |
| member's notes | m#B#buyer_id                 | member_notes            |
| member in a list | m#members#sort             | rank#buyer_id           |
| members' tags | m#members                     | member_tags             |
| message       | m#B#buyer_id                  | message#order_no#stage, message#reminder#… |
| reminder      | m#B#buyer_id                  | reminder#awaited#id     |
| refund trouble | m#B#buyer_id                 | refund_trouble#order_no#key |
| rejected result | m#K#result_id               | rejected_result         |
| difference review | m#V#difference_id         | difference              |
| stock bucket  | m#S#activity_id#sku_id#nn     | stock                   |
| closing       | m#A#activity_id               | closing                 |
| crowd         | m#A#activity_id               | crowd                   |
| group of it   | m#G#group_id                  | crowd_group             |
| reconciling   | m#P#method(#account)          | reconciling             |
| export        | m#E#export_id                 | export                  |
| day           | m#D#YYYYMMDD (Beijing)#n      | day                     |
| tally         | m#T#activity_id#n             | tally                   |
| share         | m#X#share_id                  | share                   |
| visit         | m#X#share_id#n                | visit#visitor_id        |
| share's counts | m#F#activity_id#n            | share_counts#share_id   |
| touches       | m#B#buyer_id                  | touches                 |
| attribution   | m#B#buyer_id                  | attribution#order_no    |
| invitation    | m#B#buyer_id                  | invitation              |
| invitee       | m#B#inviter_id                | invitee#made_at_s#buyer_id |
| inviter       | m#B#inviter_id                | inviter#YYYYMM (Beijing) |

An order's key is its buyer's partition: "my orders, newest first" needs no index, and nobody
reads another's order. All money of an order is in its one item, and so is every intent about it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import and_
from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action

from chalicelib.domain.group import Group, GroupStatus
from chalicelib.domain.ids import OrderId, out_refund_no
from chalicelib.domain.ledger import Entry, entries_of
from chalicelib.domain.order import (
    GrowthRates,
    Order,
    OrderPoints,
    OrderStatus,
    PaymentStatus,
    next_intent,
    payment_of,
    refund_of,
)
from chalicelib.domain.order_units import Units
from chalicelib.domain.short_number import short_number
from chalicelib.tables.base import IntAttribute, as_read
from chalicelib.tables.trade_item import TradeItem, buyer_pk, due_shard, not_due


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
    closed_words = UnicodeAttribute(null=True)  # why staff closed it; its members read them
    decided_at_s = IntAttribute(null=True)  # once formed or failed
    seats_least = IntAttribute(default=0)  # paid seats that form it when it is due; 0: all
    combines = BooleanAttribute(null=True)  # whether it may be combined with another one then
    combined_into = UnicodeAttribute(null=True)  # the group in which members go on, since it failed
    combined: MapAttribute[str, Any] = MapAttribute(null=True)  # those: buyer_id -> order_no
    combined_from: ListAttribute[Any] = ListAttribute(null=True)  # the groups that came into it

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
            seats_least=self.seats_least,
            combines=bool(self.combines),
        )

    @property
    def moved(self) -> dict[str, str]:
        """Who went on in another group: buyer_id -> order_no."""
        return self.combined.as_dict() if self.combined else {}

    @property
    def everybody(self) -> dict[str, str]:
        """Its members, and who were until they were moved: buyer_id -> order_no."""
        return {**self.moved, **self.members.as_dict()}


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
    activity_id = UnicodeAttribute()  # or the points offer's
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
    coupon = UnicodeAttribute(null=True)  # domain.coupon.CouponId of the one it was bought with
    coupon_by_s = IntAttribute(null=True)  # its coupon's domain.coupon.Coupon.back_by_s
    coupon_late = BooleanAttribute(null=True)  # it came back, but had run out
    # domain.order.OrderPoints.stored: what it was bought with, and what it earns.
    points: MapAttribute[str, Any] = MapAttribute(null=True)
    growth: ListAttribute[Any] = ListAttribute(null=True)  # domain.order.GrowthRates.stored
    leader_coupon = UnicodeAttribute(
        null=True
    )  # template: for who opened its group, once completed
    payments: MapAttribute[str, Any] = MapAttribute(default=dict)
    refunds: MapAttribute[str, Any] = MapAttribute(default=dict)
    ledger: MapAttribute[str, Any] = MapAttribute(default=dict)
    # Attempts whose capture is in the day book and counted, and their buyer told.
    posted = UnicodeSetAttribute(null=True)
    after_sale = UnicodeAttribute(null=True)  # the letter of the request that staff has to decide
    # Units: domain.order_units.Units. returned: all that are on sale again.
    returned = IntAttribute(null=True)
    cancelled = IntAttribute(null=True)
    brought_back = IntAttribute(null=True)
    shipped = IntAttribute(null=True)  # in parcels
    handed_over = IntAttribute(null=True)  # in a store
    receive_by_s = IntAttribute(null=True)  # once all is shipped: received by itself then
    return_by_s = IntAttribute(null=True)  # while a return of goods waits for its buyer
    received_at_s = IntAttribute(null=True)  # by its buyer, or by itself
    pickup = BooleanAttribute(null=True)  # its buyer collects it; None: it is sent
    short_serial = IntAttribute(null=True)  # its short number's, where an earlier order has it
    combinable = BooleanAttribute(null=True)  # its buyer agrees to go on in another group
    first_group_id = UnicodeAttribute(null=True)  # in which it took its seat, since it was moved
    led = BooleanAttribute(null=True)  # it opened that one

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

    @property
    def audit_subject(self) -> str:
        return f"order#{self.order_id}"

    @property
    def short_no(self) -> str:
        return short_number(self.order_id, self.short_serial or 0)

    @property
    def for_points(self) -> bool:
        """Whether it is of a points offer, whose id stands for the activity's."""
        return self.points is not None and "each" in self.points.as_dict()

    @property
    def has_shelf(self) -> bool:
        """Whether its units are of stock that was moved from the product to be offered."""
        return self.group_id is not None or self.for_points

    def view(self) -> Order:
        return Order(
            status=OrderStatus(self.status),
            total_fen=self.total_fen,
            pay_by_s=self.pay_by_s,
            payments={key: payment_of(p) for key, p in self.payments.as_dict().items()},
            refunds={key: refund_of(r) for key, r in self.refunds.as_dict().items()},
            unposted=bool(self.unposted),
            units=self.units,
            receive_by_s=self.receive_by_s or 0,
            return_by_s=self.return_by_s or 0,
            received_at_s=self.received_at_s or 0,
            after_sale=self.after_sale or "",
            pickup=bool(self.pickup),
            coupon=self.coupon or "",
            points=OrderPoints(**self.points.as_dict()) if self.points else OrderPoints(),
            growth=GrowthRates(*self.growth or ()),
        )

    @property
    def units(self) -> Units:
        """Where its units are. Orders stored before that was written down tell it by their state:
        a completed pickup was handed over, and what went back was first what was not delivered."""
        handed_over = self.handed_over
        if handed_over is None and self.pickup and self.status == OrderStatus.COMPLETED:
            handed_over = self.quantity
        units = Units(
            bought=self.quantity,
            shipped=self.shipped or 0,
            handed_over=handed_over or 0,
            cancelled=self.cancelled or 0,
            brought_back=self.brought_back or 0,
        )
        if self.cancelled is None and self.brought_back is None:
            return units.given_back(self.returned or 0)
        return replace(units, returned=self.returned or 0)

    def units_as_read(self) -> Condition:
        """The condition that no unit was delivered or given back since the order was read."""
        names = ("returned", "cancelled", "brought_back", "shipped", "handed_over")
        same = [as_read(getattr(OrderItem, name), getattr(self, name)) for name in names]
        return reduce(and_, same)

    @property
    def unposted(self) -> list[str]:
        """Attempts that were paid and are not yet posted."""
        posted, succeeded = self.posted or set(), PaymentStatus.SUCCEEDED
        payments = self.payments.as_dict().items()
        return sorted(k for k, p in payments if p["status"] == succeeded and k not in posted)

    def refund_number(self, key: str) -> str:
        """The present number of a refund at the gateway."""
        refund = refund_of(self.refunds.as_dict()[key])
        return refund.number or out_refund_no(self.order_id, key, refund.serial)

    def entries(self) -> list[Entry]:
        """Its ledger, in the order in which it happened."""
        return entries_of(self.ledger.as_dict())

    def marker_as_read(self) -> Condition:
        """The marker, and what it was computed from: no attempt or refund has been added since,
        no after-sale request made or decided.

        The marker alone does not tell: an intent that is due later leaves it as it was.
        """
        same_payments: Condition = size(OrderItem.payments) == len(self.payments.as_dict())
        same_refunds: Condition = size(OrderItem.refunds) == len(self.refunds.as_dict())
        same_request = as_read(OrderItem.after_sale, self.after_sale)
        same: Condition = super().marker_as_read() & same_payments & same_refunds & same_request
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
    """What is seldom read and never changed by the trade: address, price lines, remark, parcels.

    Kept apart so that OrderItem stays under 1 KB, the unit in which every later touch is paid.
    """

    address: MapAttribute[str, Any] = MapAttribute()
    lines: MapAttribute[str, Any] = MapAttribute()
    remark = UnicodeAttribute(default="")
    placed_at_s = IntAttribute()
    delivery = UnicodeAttribute(default="express")  # domain.order.Delivery
    store: MapAttribute[str, Any] = MapAttribute(null=True)  # for pickup, as it was when placed
    pickup_code = UnicodeAttribute(null=True)  # once it is ready
    ready_at_s = IntAttribute(null=True)
    ready_by = UnicodeAttribute(null=True)
    parcels: ListAttribute[Any] = ListAttribute(null=True)  # domain.shipping.Parcel as maps
    urged_at_s = IntAttribute(null=True)  # when its buyer last asked the shop to hurry
    notes: ListAttribute[Any] = ListAttribute(null=True)  # [{note_id, at_s, staff, text}]
    address_changes = IntAttribute(null=True)  # by staff
    address_changed_at_s = IntAttribute(null=True)
    address_changed_by = UnicodeAttribute(null=True)
    price_changes = IntAttribute(null=True)  # by staff, before it was paid
    price_changed_at_s = IntAttribute(null=True)
    price_changed_by = UnicodeAttribute(null=True)
    closed_words = UnicodeAttribute(null=True)  # why staff closed it; its buyer reads them
    closed_at_s = IntAttribute(null=True)  # by staff
    closed_by = UnicodeAttribute(null=True)

    @classmethod
    def at(cls, merchant_id: str, order_id: OrderId, **more: Any) -> "OrderDetailItem":
        return cls(buyer_pk(merchant_id, order_id.buyer_id), f"detail#{order_id.order_no}", **more)

    @property
    def order_no(self) -> str:
        return self.sk.partition("#")[2]


def with_entry(
    attribute: ListAttribute[Any], earlier: Sequence[Any] | None, entry: Mapping[str, Any]
) -> tuple[list[Action], Condition]:
    """Actions that add `entry` to a list of an order's detail, and the condition that the list
    has grown by no other since it was read."""
    there: Condition = OrderDetailItem.pk.exists()
    if not earlier:
        return [attribute.set([entry])], there & attribute.does_not_exist()
    return [attribute.set(attribute.append([entry]))], size(attribute) == len(earlier)


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


class ClosingItem(TradeItem, discriminator="closing"):
    """The intent to give an activity's unsold stock back to the product, due when it is over.

    groups_until_s: staff ended the activity with its groups; those that open until then, when the
    last leader can have paid, are closed before the stock goes back.
    """

    merchant_id = UnicodeAttribute()
    activity_id = UnicodeAttribute()
    groups_until_s = IntAttribute(null=True)

    @classmethod
    def at(cls, merchant_id: str, activity_id: str, **more: Any) -> "ClosingItem":
        return cls(
            f"{merchant_id}#A#{activity_id}",
            "closing",
            merchant_id=merchant_id,
            activity_id=activity_id,
            **more,
        )


class ReconcilingItem(TradeItem, discriminator="reconciling"):
    """The intent to compare the bills of an account at a gateway with the ledger, day after day.

    day: the next to be compared (Beijing, ISO). row: where in its bill the comparing goes on.
    """

    merchant_id = UnicodeAttribute()
    method = UnicodeAttribute()
    account = UnicodeAttribute(null=True)  # None: the first one
    day = UnicodeAttribute()
    row = IntAttribute(default=0)

    @classmethod
    def at(cls, merchant_id: str, method: str, account: str = "", **more: Any) -> "ReconcilingItem":
        return cls(
            f"{merchant_id}#P#{method}" + (f"#{account}" if account else ""),
            "reconciling",
            merchant_id=merchant_id,
            method=method,
            account=account or None,
            **more,
        )


def orders_list(merchant_id: str, status: str) -> str:
    return f"{merchant_id}#orders#{status}"


def open_groups_list(merchant_id: str, activity_id: str, shard: int = 0) -> str:
    """The list of an activity's open groups by their deadline; shard 0 has no suffix."""
    return f"{merchant_id}#{activity_id}#open" + (f"#{shard}" if shard else "")


def decided_groups_list(merchant_id: str, status: str) -> str:
    """The list of a shop's formed or failed groups, by when that was decided."""
    return f"{merchant_id}#groups#{status}"
