"""What a shop should be like: a small model that foretells answers and justifies changes.

It knows of each order and group where they stand. Whatever somebody asks for is foretold; what
the jobs change is followed, and each change has to be one that they may make at that time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.domain.activity import ActivityStatus
from chalicelib.domain.group import GroupStatus
from chalicelib.domain.order import OrderStatus, RefundReason
from chalicelib.gateways.payment import Trade
from chalicelib.services.money.captures import Outcome
from chalicelib.services.people import merchants
from chalicelib.tables.catalogue import ActivityItem, VersionItem
from chalicelib.tables.trade import GroupItem
from tests.fixtures.shop import GRACE_S, TIME_TO_PAY_S
from tests.fixtures.table_snapshot import GIVEN_BACK, KEPT, TableSnapshot

DECIDED = {GroupStatus.FORMED, GroupStatus.FAILED}


@dataclass
class Team:
    """A group."""

    leader: str
    seats: int
    life_s: int
    ends_at_s: int
    least: int = 0  # paid seats with which it forms at its deadline
    status: GroupStatus = GroupStatus.PENDING
    expires_at_s: int = 0
    members: dict[str, str] = field(default_factory=dict)  # buyer -> order_id
    moved: dict[str, str] = field(default_factory=dict)  # the same, of who went on in another

    def is_open(self, now_s: int) -> bool:
        return self.status is GroupStatus.OPEN and now_s < self.expires_at_s

    def counts(self, paid_at_s: int) -> bool:
        """Return whether a payment made then takes its held seat."""
        if self.status is GroupStatus.PENDING:
            return paid_at_s < self.ends_at_s
        in_time = paid_at_s <= self.expires_at_s + GRACE_S
        return self.status is GroupStatus.OPEN and in_time


@dataclass
class Placed:
    """An order."""

    buyer: str
    group_id: str | None
    total_fen: int
    pay_by_s: int
    agrees: bool = False
    status: OrderStatus = OrderStatus.PENDING
    heard: set[str] = field(default_factory=set)  # numbers of captures that are recorded


@dataclass
class Model:
    teams: dict[str, Team] = field(default_factory=dict)
    orders: dict[str, Placed] = field(default_factory=dict)

    # What is foretold. An empty set of refusals: it must be done.

    def refusals_to_open(
        self, activity: ActivityItem, buyer: str, quantity: int, snapshot: TableSnapshot, now_s: int
    ) -> set[str]:
        over = activity.status == ActivityStatus.ENDED or now_s >= activity.ends_at_s
        if over or activity.status == ActivityStatus.PAUSED:
            return {"activity_closed"}
        return self._refusals_to_place(activity, buyer, quantity, snapshot)

    def refusals_to_join(
        self,
        group_id: str,
        offer: ActivityItem | VersionItem,
        buyer: str,
        quantity: int,
        snapshot: TableSnapshot,
        now_s: int,
    ) -> set[str]:
        team = self.teams[group_id]
        if quantity > offer.limit_per_order:
            return {"invalid_request"}
        if team.status is GroupStatus.PENDING or not team.expires_at_s:
            return {"not_found", "group_closed"}
        if team.status is GroupStatus.FORMED:
            return {"group_full"}
        if not team.is_open(now_s):
            return {"group_closed"}
        if len(team.members) >= team.seats:
            return {"group_full"}
        return self._refusals_to_place(offer, buyer, quantity, snapshot)

    def refusals_to_buy_alone(
        self, activity: ActivityItem, buyer: str, quantity: int, snapshot: TableSnapshot
    ) -> set[str]:
        if quantity > activity.limit_per_order:
            return {"invalid_request"}
        left = sum(stock.available for stock in snapshot.product_stocks.values())
        refusals = {"sold_out"} if left < quantity else set()
        return refusals | ({"unpaid_orders_limit"} if self._has_held_enough(buyer) else set())

    def refusals_to_ask(self, order_id: str, now_s: int, *, unheard: bool, begun: bool) -> set[str]:
        """unheard: a capture that will be found; begun: an attempt can go on."""
        order = self.orders[order_id]
        if order.status is OrderStatus.CLOSED:
            return {"order_closed"}
        if order.status is not OrderStatus.PENDING:
            return {"already_paid"}
        if now_s >= order.pay_by_s:
            return {"order_closed"}
        team = self.teams.get(order.group_id or "")
        if team is not None and not team.counts(now_s):
            return {"group_closed", "order_closed"}
        if unheard:
            return {"already_paid"}
        return {"too_little_time"} if self.is_short(order_id, now_s) and not begun else set()

    def is_short(self, order_id: str, now_s: int) -> bool:
        """Return whether there is too little time left to pay."""
        order = self.orders[order_id]
        team = self.teams.get(order.group_id or "")
        last_s = order.pay_by_s
        if team is not None:
            ends_s = team.expires_at_s + GRACE_S if team.expires_at_s else team.ends_at_s
            last_s = min(last_s, ends_s)
        return order.total_fen > 0 and last_s - now_s < TIME_TO_PAY_S

    def notify(self, order_id: str, trade: Trade, now_s: int) -> Outcome:
        """Apply a capture; return its expected outcome."""
        order = self.orders[order_id]
        if trade.out_trade_no in order.heard:
            return Outcome.DUPLICATE
        order.heard.add(trade.out_trade_no)
        team = self.teams.get(order.group_id or "")
        if order.status is not OrderStatus.PENDING:
            return Outcome.LATE
        if team is None:
            order.status = OrderStatus.FULFILLING
            return Outcome.PAID
        if not team.counts(trade.paid_at_s):
            return Outcome.LATE
        order.status = OrderStatus.PAID
        if team.status is GroupStatus.PENDING:
            team.status = GroupStatus.OPEN
            team.expires_at_s = min(now_s + team.life_s, team.ends_at_s)
            return Outcome.PAID
        paid = sum(self.orders[held].status is OrderStatus.PAID for held in team.members.values())
        if paid < team.seats:
            return Outcome.PAID
        team.status = GroupStatus.FORMED
        return Outcome.FORMED

    def cancel(self, order_id: str, now_s: int) -> str | None:
        """The refusal, or None and its effect. Captures have been heard before."""
        order = self.orders[order_id]
        team = self.teams.get(order.group_id or "")
        if order.status is OrderStatus.PAID and team is not None:
            return self._cancel_alone(order, team, now_s)
        if order.status in GIVEN_BACK | {OrderStatus.CLOSED}:
            return None
        if order.status is not OrderStatus.PENDING:
            return "already_paid"
        self.close(order_id)
        return None

    def close(self, order_id: str) -> None:
        """Close an unpaid order: free its seat, and fail the group if it is the leader's."""
        order = self.orders[order_id]
        order.status = OrderStatus.CLOSED
        team = self.teams.get(order.group_id or "")
        if team is None or team.status in DECIDED:
            return
        del team.members[order.buyer]
        if team.status is GroupStatus.PENDING:
            team.status = GroupStatus.FAILED

    # What has become of it.

    def agree(self, snapshot: TableSnapshot) -> None:
        """Raise AssertionError where the tables differ from the model."""
        assert set(snapshot.orders) == set(self.orders)
        assert set(snapshot.groups) == set(self.teams)
        for group_id, group in snapshot.groups.items():
            team = self.teams[group_id]
            members = {b: b + number for b, number in group.members.as_dict().items()}
            seen = (group.status, group.expires_at_s or 0, members)
            assert seen == (team.status, team.expires_at_s, team.members), f"group {group_id}"
        for order_id, order in snapshot.orders.items():
            expected = self.orders[order_id].status
            assert order.status == expected, f"order {order_id}: {order.status}, not {expected}"

    def follow(
        self, snapshot: TableSnapshot, now_s: int, trades: Mapping[str, Trade], *, lenient: bool
    ) -> None:
        """Take over what the jobs have changed, each change if it is justified.

        lenient: gateways were silent, and a payment made in time may have been found too late.
        """
        for order_id, order in snapshot.orders.items():
            self._follow_move(order_id, order.group_id, snapshot, now_s)
        for group_id, group in snapshot.groups.items():
            team, now = self.teams[group_id], GroupStatus(group.status)
            if now is not team.status:
                self._justify_group(group_id, group, now_s)
            team.status, team.expires_at_s = now, group.expires_at_s or 0
            team.members = {b: b + number for b, number in group.members.as_dict().items()}
        for order_id, order in snapshot.orders.items():
            known, is_now = self.orders[order_id], OrderStatus(order.status)
            view = order.view()
            succeeded = {order_id + a for a in view.payments if view.is_succeeded(a)}
            if is_now is not known.status:
                self._justify_order(order_id, is_now, succeeded, now_s)
                received = is_now is OrderStatus.COMPLETED
                assert not received or now_s >= (order.receive_by_s or now_s + 1), order_id
            for number in succeeded - known.heard:
                assert number in trades or number.endswith("00"), f"{number} was never paid"
                late = number[30:] + RefundReason.LATE_PAYMENT in order.refunds.as_dict()
                justified = lenient or not late or self._may_be_late(known, trades[number])
                assert justified, f"{number} was paid in time"
            known.status, known.heard = is_now, known.heard | succeeded

    def _follow_move(
        self, order_id: str, now: str | None, snapshot: TableSnapshot, now_s: int
    ) -> None:
        """Take over that an order went on in another group, if it is justified; perhaps in several
        of them, one after the other."""
        order = self.orders[order_id]
        while order.group_id != now:
            due = self.teams[order.group_id or ""]
            group = snapshot.groups[order.group_id or ""]
            assert order.agrees, f"{order_id} went on, its buyer did not agree"
            assert due.status is GroupStatus.OPEN, f"{order_id} left a group that is {due.status}"
            assert now_s >= due.expires_at_s + GRACE_S, f"{order_id} went on too early"
            assert not 0 < due.least <= group.seats_paid, f"{order_id} left a group that forms"
            due.moved[order.buyer] = due.members.get(order.buyer, order_id)
            order.group_id = group.combined_into

    def _justify_group(self, group_id: str, group: GroupItem, now_s: int) -> None:
        team, now = self.teams[group_id], GroupStatus(group.status)
        if team.status is GroupStatus.OPEN:
            paid, is_due = group.seats_paid, now_s >= team.expires_at_s + GRACE_S
            enough = is_due and 0 < team.least <= paid
            full = paid == team.seats
            assert full or is_due, f"{group_id} {now} too early"
            assert (now is GroupStatus.FORMED) == (full or enough), f"{group_id} {now}, {paid} paid"
        if now is GroupStatus.FAILED and team.status is GroupStatus.PENDING:
            leader = self.orders[team.members[team.leader]]
            opened_late = now_s >= team.ends_at_s + GRACE_S  # opened and failed in one run
            assert now_s >= leader.pay_by_s or opened_late, f"{group_id} failed too early"

    def _justify_order(
        self, order_id: str, now: OrderStatus, succeeded: set[str], now_s: int
    ) -> None:
        order = self.orders[order_id]
        team = self.teams.get(order.group_id or "")
        if now is OrderStatus.CLOSED:
            decided = team is not None and team.status in DECIDED
            assert now_s >= order.pay_by_s or decided, f"{order_id} closed too early"
        if order.status is OrderStatus.PENDING and now in KEPT | GIVEN_BACK:
            assert succeeded, f"{order_id} is {now} without a payment"
        if now in GIVEN_BACK and order.status not in GIVEN_BACK:
            assert team is not None, f"{order_id} was bought alone and is {now}"
            assert team.status is GroupStatus.FAILED, f"{order_id} is {now}"

    def _may_be_late(self, order: Placed, trade: Trade) -> bool:
        """Whether a capture that a job met may have found no seat: the deadline was before it,
        or another attempt of the order was paid, too."""
        team = self.teams.get(order.group_id or "")
        overdue = team is not None and trade.paid_at_s > team.expires_at_s + GRACE_S > GRACE_S
        return overdue or order.status is not OrderStatus.PENDING or bool(order.heard)

    def _cancel_alone(self, order: Placed, team: Team, now_s: int) -> str | None:
        if not team.is_open(now_s):
            return "group_closed"
        if order.buyer != team.leader or len(team.members) > 1:
            return "conflict"
        team.status = GroupStatus.FAILED
        order.status = OrderStatus.REFUNDING if order.total_fen else OrderStatus.REFUNDED
        return None

    def _has_held_enough(self, buyer: str) -> bool:
        ours = [order for order in self.orders.values() if order.buyer == buyer]
        unpaid = sum(order.status is OrderStatus.PENDING for order in ours)
        return unpaid >= merchants.UNPAID_ORDERS

    def _refusals_to_place(
        self, offer: ActivityItem | VersionItem, buyer: str, quantity: int, snapshot: TableSnapshot
    ) -> set[str]:
        if quantity > offer.limit_per_order:
            return {"invalid_request"}
        refusals = set()
        counted = snapshot.limits.get((buyer, offer.activity_id))
        used = counted.used if counted else 0
        if offer.limit_per_buyer and used + quantity > offer.limit_per_buyer:
            refusals.add("limit_reached")
        if self._has_held_enough(buyer):
            refusals.add("unpaid_orders_limit")
        left = sum(
            b.available for pk, b in snapshot.buckets.items() if f"#{offer.activity_id}#" in pk
        )
        if left < quantity:
            refusals.add("sold_out")
        return refusals
