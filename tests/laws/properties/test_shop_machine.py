"""A state machine of one shop on the real engine; every law is checked after each step.

Hypothesis lets buyers, gateways, staff, jobs and time act in any order. A small model predicts
each answer and justifies each change that jobs make; at the end, three job runs leave no due work.
`make torture` runs more and longer sequences.
"""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from chalicelib.domain.activity import ActivityStatus, NewBuyers, Tier
from chalicelib.domain.activity_draft import DraftSku
from chalicelib.domain.coupon import CouponState
from chalicelib.domain.manual_refund import ManualRefundMethod
from chalicelib.domain.order import Intent, RefundStatus
from chalicelib.domain.pricing import Reduction
from chalicelib.errors import Conflict, GatewayFailed, InvalidRequest, ServiceError
from chalicelib.gateways import payment as port
from chalicelib.gateways.directory import WECHAT_PAY
from chalicelib.gateways.payment import Channel
from chalicelib.services.catalogue import activities, adjustments
from chalicelib.services.groups import seats, settlement
from chalicelib.services.groups.seats import Hint
from chalicelib.services.money import payments, refund_recovery, refunds
from chalicelib.services.money.payers import Payer
from chalicelib.services.money.refund_recovery import ManualPayment
from chalicelib.services.work import due
from chalicelib.tables.base import get_or_none
from chalicelib.tables.catalogue import ActivityItem, VersionItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.caches import clear_caches
from tests.fixtures.shop import (
    DAY_S,
    GRACE_S,
    JOBS,
    LIFE_S,
    OTHER_PAY,
    PAY_BY_S,
    STAFF,
    TIME_TO_PAY_S,
    ActivityIds,
    Shop,
    new_shop,
    purchase,
)
from tests.fixtures.table_snapshot import TableSnapshot
from tests.laws import run_statistics
from tests.laws.checkers.state_edges import StateHistory
from tests.laws.faults.workflows.delivery import charge_freight
from tests.laws.properties.after_sale_rules import AfterSaleRules
from tests.laws.properties.fulfilment_rules import FulfilmentRules
from tests.laws.properties.shop_model import Model, Placed, Team

BUYERS = 4
ACCOUNTS_MAX = 5  # of both methods together
SILENT = {"prepay", "query", "close", "refund", "query_refund"}
WAITS_S = (
    *(1, 1, 60, 61, 61, 91, 91, 300, PAY_BY_S - TIME_TO_PAY_S, PAY_BY_S, 3600),
    *(LIFE_S - 300, LIFE_S, LIFE_S + GRACE_S),
)
ANY = st.integers(0, 1000)  # picks one of what there is
QUANTITY = st.sampled_from([1, 1, 1, 2])
POINTS = st.sampled_from([0, 0, 100, 2000])


class ShopMachine(AfterSaleRules, FulfilmentRules, RuleBasedStateMachine):
    """Rules draw numbers, and take the thing of that number among those that there are."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.shop: Shop = self.stack.enter_context(new_shop())
        self.model, self.history = Model(), StateHistory()
        self.requests = {}
        # Every opening, to repeat it.
        self.opened: list[tuple[ActivityIds, str, dict[str, Any], str]] = []
        self.silent = self.was_silent = self.sound = False

    @initialize(
        seats=st.integers(2, 3),
        stock=st.integers(3, 12),
        limit=st.sampled_from([0, 0, 1, 2, 3]),
        price_fen=st.sampled_from([5900, 5900, 5900, 0]),
        reduced=st.booleans(),
        freight=st.booleans(),
        guests=st.integers(0, 3),
        new_buyers=st.sampled_from([NewBuyers.NOBODY, NewBuyers.NOBODY, *NewBuyers]),
        leader_price=st.booleans(),
        fewer=st.booleans(),
        leader_free=st.booleans(),
        off_fen=st.sampled_from([0, 400, 4800]),
        points=st.booleans(),
        combines=st.booleans(),
    )
    def publish(
        self,
        seats: int,
        stock: int,
        limit: int,
        price_fen: int,
        reduced: bool,
        freight: bool,
        guests: int,
        new_buyers: NewBuyers = NewBuyers.NOBODY,
        leader_price: bool = False,
        fewer: bool = False,
        leader_free: bool = False,
        off_fen: int = 0,
        points: bool = False,
        combines: bool = False,
    ) -> None:
        per_order = 1 if leader_free else min(limit, 2) or 2
        lower = leader_price and price_fen and not leader_free
        has_tiers = fewer and seats > 2 and price_fen and not leader_free
        self.sold = self.shop.activity(
            seats=seats,
            stock=stock,
            product_stock=stock + 3,
            price_fen=price_fen,
            limit_per_buyer=limit,
            limit_per_order=per_order,
            reductions=(Reduction(price_fen * per_order, 900),) if reduced and price_fen else (),
            new_buyers=new_buyers,
            leader_price_fen=4900 if lower else None,
            leader_free=leader_free,
            seats_least=2 if fewer and seats > 2 else 0,
            tiers=(Tier(seats, off_fen),) if off_fen and has_tiers else (),
            points=points,
            combines=combines and not leader_free and new_buyers is not NewBuyers.JOINERS,
        )
        self.takes_points = points
        if points:
            self.shop.take_points()
        self.buyers = [self.shop.buyer() for _ in range(BUYERS)]
        template_id = self.shop.coupons(total=BUYERS, grace_days=0)
        self.coupons = {who: self.shop.claim(template_id, who) for who in self.buyers}
        self.take_returns()
        if freight:
            charge_freight(self.shop, self.sold)
        self.price_fen = price_fen
        self.settle_down(followed=False)
        for guest in range(guests):
            self.come_in(buyer=guest, quantity=1, other=False, far=3, apart=combines)

    # Buyers.

    def open(
        self,
        buyer: int,
        quantity: int,
        coupon: bool = False,
        points: int = 0,
        agrees: bool = False,
    ) -> None:
        who, key = self.buyers[buyer % BUYERS], f"key{len(self.opened)}"
        coupon_id = self.coupons[who] if coupon else ""
        expected = self.model.refusals_to_open(
            self.activity, who, quantity, self.snapshot, self.shop.now_s
        )
        expected |= self.refusal_of_coupon(coupon_id, self.price_fen, expected)
        paid_fen = 0 if self.activity.leader_free else self.price_fen
        expected |= self.refusal_of_points(points, who, paid_fen)
        expected |= self.refusal_of_newness(self.activity, who, expected, leads=True)
        again: dict[str, Any] = {"quantity": quantity, "coupon_id": coupon_id, "key": key}
        again |= {"points": points, "agrees": agrees}
        answer = self.answer(lambda: self.shop.open(self.sold, who, **again), expected)
        if isinstance(answer, OrderItem):
            self.place(answer, self.activity)
            self.opened.append((self.sold, who, again, str(answer.order_id)))
        self.settle_down(followed=False)

    @rule(buyer=ANY)
    def come_in_and_pay(self, buyer: int) -> None:
        self.come_in(buyer=buyer, quantity=1, other=False, far=3)

    @rule(
        buyer=ANY,
        quantity=QUANTITY,
        other=st.booleans(),
        far=st.integers(0, 6),
        coupon=st.booleans(),
        points=POINTS,
        agrees=st.booleans(),
        apart=st.sampled_from([False, False, True]),
    )
    def come_in(
        self,
        buyer: int,
        quantity: int,
        other: bool,
        far: int,
        coupon: bool = False,
        points: int = 0,
        agrees: bool = True,
        apart: bool = False,
    ) -> None:
        """What most buyers do: join a group that takes them, or open one; ask; pay. apart: open
        one all the same."""
        who, now_s, teams = buyer % BUYERS, self.shop.now_s, self.model.teams
        free = [
            number
            for number, team in enumerate(teams.values())
            if team.is_open(now_s)
            and len(team.members) < team.seats
            and self.buyers[who] not in team.members
        ]
        before = set(self.model.orders)
        if free and not apart:
            self.join(free[0], who, quantity, "right", coupon, points, agrees)
        else:
            self.open(who, quantity, coupon, points, agrees)
        placed = [n for n, order in enumerate(self.model.orders) if order not in before]
        if placed and far:
            self.ask(order=placed[0], method=OTHER_PAY if other else WECHAT_PAY)
        if placed and far > 1 and self.payable():
            self.pay(which=-1, told=far > 2)

    @precondition(lambda self: self.opened)
    @rule(which=ANY)
    def open_again(self, which: int) -> None:
        sold, who, again, order_id = self.opened[which % len(self.opened)]
        team = self.model.teams[str(self.model.orders[order_id].group_id)]
        expected = set() if who in team.members else {"order_closed"}
        answer = self.answer(lambda: self.shop.open(sold, who, **again), expected)
        assert expected or str(answer.order_id) == order_id
        self.settle_down(followed=False)

    @precondition(lambda self: self.model.teams)
    @rule(
        group=ANY,
        buyer=ANY,
        quantity=QUANTITY,
        hint=st.sampled_from(["right", "old", None]),
        coupon=st.booleans(),
        points=POINTS,
        agrees=st.booleans(),
    )
    def join(
        self,
        group: int,
        buyer: int,
        quantity: int,
        hint: str | None,
        coupon: bool = False,
        points: int = 0,
        agrees: bool = False,
    ) -> None:
        group_id = list(self.model.teams)[group % len(self.model.teams)]
        who, team = self.buyers[buyer % BUYERS], self.model.teams[group_id]
        item = self.snapshot.groups[group_id]
        offer = self.snapshot.versions[item.activity_id, item.version]
        hints = {
            "right": Hint(item.activity_id, item.version),
            "old": Hint(item.activity_id, item.version % 3 + 1),
        }
        seat = team.members.get(who) or team.moved.get(who)
        expected = self.model.refusals_to_join(
            group_id, offer, who, quantity, self.snapshot, self.shop.now_s
        )
        coupon_id = self.coupons[who] if coupon else ""
        sku_price_fen = offer.skus[0]["group_price_fen"]
        expected |= self.refusal_of_coupon(coupon_id, sku_price_fen, expected)
        expected |= self.refusal_of_points(points, who, sku_price_fen)
        expected |= self.refusal_of_newness(offer, who, expected, leads=False)
        if seat is not None:
            expected &= {"invalid_request"}
        answer = self.answer(
            lambda: seats.join(
                self.shop.merchant_id,
                who,
                group_id,
                purchase(self.sold, quantity, coupon_id, points, agrees),
                hint=hints.get(hint or ""),
                now_s=self.shop.now_s,
            ),
            expected,
        )
        if isinstance(answer, OrderItem):
            assert seat is None or str(answer.order_id) == seat
            self.place(answer, offer)
        self.settle_down(followed=False)

    @rule(buyer=ANY, quantity=QUANTITY, coupon=st.booleans(), points=POINTS)
    def buy_alone(self, buyer: int, quantity: int, coupon: bool = False, points: int = 0) -> None:
        who = self.buyers[buyer % BUYERS]
        coupon_id = self.coupons[who] if coupon else ""
        expected = self.model.refusals_to_buy_alone(self.activity, who, quantity, self.snapshot)
        expected |= self.refusal_of_coupon(coupon_id, 9900, expected)
        expected |= self.refusal_of_points(points, who, 9900)
        what: dict[str, Any] = {"quantity": quantity, "coupon_id": coupon_id, "points": points}
        answer = self.answer(lambda: self.shop.buy_alone(self.sold, who, **what), expected)
        if isinstance(answer, OrderItem):
            self.place(answer, self.activity)
        self.settle_down(followed=False)

    @precondition(lambda self: self.model.orders)
    @rule(
        order=ANY,
        method=st.sampled_from([WECHAT_PAY, WECHAT_PAY, OTHER_PAY]),
        channel=st.sampled_from([Channel.MINI_PROGRAM, Channel.MINI_PROGRAM, Channel.BROWSER]),
    )
    def ask(self, order: int, method: str, channel: Channel = Channel.MINI_PROGRAM) -> None:
        item = self.an_order(order)
        order_id, free = str(item.order_id), item.total_fen == 0
        now_s = self.shop.now_s
        open_attempts = item.view().created_attempts.items()
        present = (method, self.shop.gateways_by_method[method][-1].place.account)
        here = [p.channel for _, p in open_attempts if (p.method, p.account) == present]
        begun = ("" if channel is Channel.MINI_PROGRAM else channel.value) in here
        elsewhere = len(set(here)) > begun
        short = self.model.is_short(order_id, now_s) and not begun
        numbers = [order_id + a for a, p in open_attempts if short or p.method == method]
        captured = [n for n in numbers if n in self.shop.record.captured]
        expected = self.model.refusals_to_ask(order_id, now_s, unheard=bool(captured), begun=begun)
        if self.silent and not free and expected <= {"already_paid", "too_little_time"}:
            known = self.model.orders[order_id].status == "pending"
            unsure = {"payment_unsettled"} if numbers else {"too_little_time"}
            unanswered = {"payment_unsettled"} if elsewhere else {"gateway_failed"}
            expected = (unsure if short else unanswered) if known else expected
        elif captured and expected == {"already_paid"}:
            self.model.notify(order_id, self.trade(captured[0]), now_s)
        answer = self.answer(
            lambda: payments.ask(
                self.shop.merchant_id, item.order_id, method, Payer(channel), now_s=now_s
            ),
            expected,
        )
        if free and not expected:
            assert answer.paid
            self.model.notify(order_id, port.Trade(f"{order_id}00", port.TradeStatus.SUCCEEDED,
                                                 paid_at_s=now_s), now_s)  # fmt: skip
        self.settle_down(followed=False)

    @precondition(lambda self: self.payable())
    @rule(which=ANY, told=st.booleans())
    def pay(self, which: int, told: bool) -> None:
        numbers = self.payable()
        number = numbers[which % len(numbers)]
        gateway = self.gateway_of(number)
        gateway.pay(number, at_s=self.shop.now_s)
        if told:
            self.notify(number)
        self.settle_down(followed=False)

    @precondition(lambda self: self.shop.record.captured)
    @rule(which=ANY)
    def call_back(self, which: int) -> None:
        numbers = list(self.shop.record.captured)
        self.notify(numbers[which % len(numbers)])
        self.settle_down(followed=False)

    @precondition(lambda self: self.model.orders)
    @rule(order=ANY)
    def cancel(self, order: int) -> None:
        item = self.an_order(order)
        order_id, known = str(item.order_id), item.view()
        pending = known.status == "pending"
        if pending and self.silent and known.created_attempts:
            expected = {"payment_unsettled"}
        else:
            for attempt in known.created_attempts if pending else ():
                if order_id + attempt in self.shop.record.captured:
                    self.model.notify(order_id, self.trade(order_id + attempt), self.shop.now_s)
            if pending and self.model.orders[order_id].status != "pending":
                refusal: str | None = "already_paid"  # a payment unheard of until now
            else:
                refusal = self.model.cancel(order_id, self.shop.now_s)
            expected = {refusal} if refusal else set()
        self.answer(lambda: self.shop.cancel(item), expected)
        # What a cancellation finds paid may be the last payment: then it settles the group at once.
        self.settle_down(followed=expected == {"already_paid"})

    # Time, jobs, the stream.

    @rule(seconds=st.sampled_from(WAITS_S))
    def wait(self, seconds: int) -> None:
        self.shop.now_s += seconds
        clear_caches()
        self.settle_down(followed=False)

    @rule(what=st.sampled_from([*JOBS, "all", "all", "stream", "stream", "decide"]), which=ANY)
    def work(self, what: str, which: int) -> None:
        """Jobs run in any order; the stream brings any item at any time."""
        teams = [self.snapshot.groups[group_id] for group_id in self.model.teams]
        items = [*teams, *(self.snapshot.orders[order_id] for order_id in self.model.orders)]
        if what in JOBS:
            due.run(Intent(what), now_s=self.shop.now_s)
        elif what == "all":
            self.shop.run_jobs()
        elif items and what == "stream":
            item = items[which % len(items)]
            due.process_item(item.pk, item.sk, now_s=self.shop.now_s)
        elif teams and what == "decide":
            # A job that decides a group and is cut off before it settles it.
            with suppress(ServiceError):
                settlement.decide_if_due(teams[which % len(teams)], now_s=self.shop.now_s)
        self.settle_down(followed=True)

    # Gateways.

    @precondition(lambda self: len(self.shop.gateways) < ACCOUNTS_MAX)
    @rule()
    def change_account(self) -> None:
        """The owner saves another account, whatever is under way at the present one."""
        self.shop.change_account()
        self.settle_down(followed=False)

    @rule(silent=st.sampled_from([False, False, False, True]))
    def fall_silent(self, silent: bool) -> None:
        self.silent, self.was_silent = silent, self.was_silent or silent
        for gateway in self.shop.gateways:
            gateway.silent = set(SILENT) if silent else set()
        self.settle_down(followed=False)

    @precondition(lambda self: self.shop.record.refunds)
    @rule(
        which=ANY,
        told=st.integers(0, 2),
        status=st.sampled_from(
            [
                port.RefundStatus.SUCCEEDED,
                port.RefundStatus.SUCCEEDED,
                port.RefundStatus.CLOSED,
                port.RefundStatus.ABNORMAL,
            ]
        ),
    )
    def refund(self, which: int, told: int, status: port.RefundStatus) -> None:
        numbers = list(self.shop.record.refunds)
        number = numbers[which % len(numbers)]
        gateway = self.gateway_of(number[:32])
        if self.is_paid_outside(number):
            return  # staff have seen to it there before they put it on record
        gateway.settle(number, status)
        for _ in range(told):
            said = gateway.refund_state(number)
            refunds.apply_result(self.shop.merchant_id, said, now_s=self.shop.now_s)
        self.settle_down(followed=True)

    # Staff.

    @precondition(lambda self: self.failed_refunds())
    @rule(which=ANY)
    def send_again(self, which: int) -> None:
        numbers = self.failed_refunds()
        self.remedy(refund_recovery.resend, numbers[which % len(numbers)])

    @precondition(lambda self: self.failed_refunds())
    @rule(which=ANY, by_hand=st.booleans())
    def pay_outside(self, which: int, by_hand: bool) -> None:
        """Staff pay a refund in another way, some of them in the gateway's back office."""
        numbers = self.failed_refunds()
        number = numbers[which % len(numbers)]
        mine = self.snapshot.refund_of(number)
        assert mine is not None
        amount_fen = mine[0].view().refunds[mine[1]].amount_fen
        gateway = self.gateway_of(number[:32])
        hand = f"hand-{number}"
        paid = ManualPayment(
            ManualRefundMethod.GATEWAY if by_hand else ManualRefundMethod.CASH, amount_fen, hand
        )
        closed = gateway.refund_state(number).status is port.RefundStatus.CLOSED
        if by_hand and closed and not self.silent:
            gateway.refund_by_hand(number[:32], hand, amount_fen)
        self.remedy(refund_recovery.record_manual_refund, number, paid)

    def remedy(self, act: Callable[..., None], number: str, *what: Any) -> None:
        """What staff do about a refund; a gateway that is silent or stuck refuses it."""
        state = self.gateway_of(number[:32]).refund_state(number).status
        unsure = self.silent or state is not port.RefundStatus.CLOSED
        try:
            act(self.shop.merchant_id, number, *what, staff=STAFF, now_s=self.shop.now_s)
        except (Conflict, GatewayFailed, InvalidRequest):
            assert unsure, f"refund {number} is {state} at the gateway"
        self.settle_down(followed=True)

    @precondition(lambda self: self.model.orders and self.takes_points)
    @rule(order=ANY, count=st.sampled_from([3000, 3000, 500, -300]))
    def give_points(self, order: int, count: int) -> None:
        item = self.an_order(order)
        short = self.points_of(item.buyer_id) < -count
        self.answer(lambda: self.shop.give_points(item, count), {"conflict"} if short else set())
        self.settle_down(followed=False)

    @rule(
        what=st.sampled_from(["pause", "resume", "resume", "edit", "edit", "stock", "end"]),
        number=st.integers(-2, 2),
    )
    def manage(self, what: str, number: int) -> None:
        """Staff change the activity, or its stock."""
        over = self.activity.status == ActivityStatus.ENDED
        over = over or self.shop.now_s >= self.activity.ends_at_s
        expected = {"activity_closed"} if over else set()
        if what == "pause":
            self.staff(activities.pause, expected)
        elif what == "resume":
            self.staff(activities.resume, expected)
        elif what == "end" and number == 0:
            self.staff(activities.end, set())
        elif what == "edit" and not over:
            self.edit(seats=2 + number % 2, more_days=number % 3, cheaper_fen=10 * abs(number))
        elif what == "stock" and number:
            self.adjust(number, of_activity=number > 0)

    def edit(self, *, seats: int, more_days: int, cheaper_fen: int) -> None:
        price_fen = max(0, self.price_fen - cheaper_fen)
        fewer = seats > 2 and more_days > 0
        has_tiers = fewer and price_fen and not self.activity.leader_free
        may_take_two = self.activity.limit_per_buyer != 1 and not self.activity.leader_free
        self.shop.edit(
            self.sold,
            skus=(DraftSku(self.sold.sku_id, price_fen),),
            seats_total=seats,
            seats_least=2 if fewer else 0,
            tiers=(Tier(seats, 100 * more_days),) if has_tiers else (),
            life_h=24 - more_days,
            ends_at_s=self.activity.ends_at_s + more_days * DAY_S,
            limit_per_order=1 + (cheaper_fen == 0 and may_take_two),
            **({"reductions": ()} if cheaper_fen else {}),
        )
        self.settle_down(followed=False)

    def adjust(self, delta: int, *, of_activity: bool) -> None:
        merchant_id, sku_id = self.shop.merchant_id, self.sold.sku_id
        who: dict[str, Any] = {"staff": STAFF, "now_s": self.shop.now_s}
        with suppress(Conflict):
            if of_activity:
                adjustments.add_stock(
                    merchant_id, self.sold.activity_id, sku_id, quantity=delta, **who
                )
            else:
                adjustments.adjust_stock(
                    merchant_id, self.sold.product_id, sku_id, delta=delta, reason="盘点", **who
                )
        self.settle_down(followed=False)

    # How it is judged.

    def settle_down(self, *, followed: bool) -> None:
        """Hold the shop to every law, and to the model."""
        self.sound = False
        run_statistics.count("steps of the machine")
        self.snapshot: TableSnapshot = self.shop.check()
        self.history.check(self.snapshot)
        if followed:
            trades = {number: self.trade(number) for number in self.shop.record.captured}
            self.model.follow(self.snapshot, self.shop.now_s, trades, lenient=self.was_silent)
        self.model.agree(self.snapshot)
        self.follow_requests()
        item = get_or_none(ActivityItem.at(self.shop.merchant_id, self.sold.activity_id))
        assert item is not None
        self.activity, self.sound = item, True

    def teardown(self) -> None:
        """When all is over: every group has ended, the gateways answer, the jobs run."""
        try:
            if self.sound:
                for gateway in self.shop.gateways:
                    gateway.silent, gateway.confirms_at_once = set(), True
                for forward_s in (25 * 3600, 11 * DAY_S, 7200):
                    self.shop.run_jobs(forward_s=forward_s)
                snapshot = self.shop.check(quiescent=True)
                for order in snapshot.orders.values():
                    hypothesis.event(f"order {order.status} at the end")
                for group in snapshot.groups.values():
                    hypothesis.event(f"group {group.status} at the end")
                    hypothesis.event(f"group combined: {group.combined_into is not None}")
        finally:
            self.stack.close()

    def answer(self, act: Callable[[], Any], expected: set[str]) -> Any:
        """What `act` answers; it is refused exactly when that was foretold."""
        self.sound = False
        code, answer = "", None
        try:
            answer = act()
        except ServiceError as refusal:
            code = refusal.code
        assert code in (expected or {""}), f"{code or 'done'}, foretold: {expected or 'done'}"
        hypothesis.event(f"{code or 'done'}")
        return answer

    def staff(self, act: Callable[..., Any], expected: set[str]) -> None:
        who = {"staff": STAFF, "now_s": self.shop.now_s}
        self.answer(lambda: act(self.shop.merchant_id, self.sold.activity_id, **who), expected)
        clear_caches()
        self.settle_down(followed=False)

    def notify(self, number: str) -> None:
        trade, order_id = self.trade(number), number[:30]
        expected = self.model.notify(order_id, trade, self.shop.now_s)
        method = self.gateway_of(number).method
        assert self.shop.notify(trade, method) is expected

    def refusal_of_coupon(self, coupon_id: str, price_fen: int, expected: set[str]) -> set[str]:
        """What is refused because of the coupon, where its price is known before all else."""
        if not coupon_id or expected == {"invalid_request"}:
            return set()
        coupon = self.snapshot.coupons[coupon_id]
        usable = coupon.view().state(self.shop.now_s) is CouponState.USABLE
        return set() if usable and price_fen else {"coupon_refused"}

    def refusal_of_points(self, count: int, who: str, price_fen: int) -> set[str]:
        """What is refused because of the points; the rule is asked before what the buyer has."""
        usable = self.takes_points and price_fen and self.points_of(who) >= count
        return set() if usable or not count else {"points_refused"}

    def points_of(self, who: str) -> int:
        account = self.snapshot.points.get(who)
        return account.balance if account is not None else 0

    def refusal_of_newness(
        self, offer: ActivityItem | VersionItem, who: str, expected: set[str], *, leads: bool
    ) -> set[str]:
        wanted = {NewBuyers.ALL: True, NewBuyers.JOINERS: not leads}.get(
            NewBuyers(offer.new_buyers), False
        )
        own = [order for order in self.snapshot.orders.values() if order.buyer_id == who]
        bought = any(order.view().is_purchase for order in own)
        over = expected & {"invalid_request", "activity_closed", "not_found"}
        return {"new_buyers_only"} if wanted and bought and not over else set()

    def place(self, order: OrderItem, offer: Any) -> None:
        """An order was answered: remember it, and its group, if they are new."""
        order_id = str(order.order_id)
        if order_id in self.model.orders:
            return
        self.model.orders[order_id] = Placed(
            order.buyer_id,
            order.group_id,
            order.total_fen,
            order.pay_by_s,
            agrees=bool(order.combinable),
        )
        if order.group_id is None:
            return
        team = self.model.teams.setdefault(
            order.group_id,
            Team(
                order.buyer_id,
                offer.seats_total,
                offer.life_s,
                offer.ends_at_s,
                offer.seats_least,
            ),
        )
        team.members[order.buyer_id] = order_id

    def an_order(self, which: int) -> OrderItem:
        return self.snapshot.orders[list(self.model.orders)[which % len(self.model.orders)]]

    def gateway_of(self, number: str) -> Any:
        return self.shop.gateway_of(number)

    def trade(self, number: str) -> port.Trade:
        trade: port.Trade = self.gateway_of(number).trade(number)
        return trade

    def payable(self) -> list[str]:
        """Numbers of attempts that can still be paid on the phone."""
        gateways = self.shop.gateways
        return [number for gateway in gateways for number in gateway.payable(self.shop.now_s)]

    def failed_refunds(self) -> list[str]:
        return [
            order.refund_number(key)
            for order in (self.snapshot.orders[order_id] for order_id in self.model.orders)
            for key, refund in sorted(order.view().refunds.items())
            if refund.status is RefundStatus.FAILED
        ]

    def is_paid_outside(self, number: str) -> bool:
        mine = self.snapshot.refund_of(number)
        outside = RefundStatus.OUTSIDE
        return mine is not None and mine[0].view().refunds[mine[1]].status is outside


ShopMachine.TestCase.settings = hypothesis.settings(
    max_examples=run_statistics.sized(100, 16),
    stateful_step_count=run_statistics.sized(100, 50),
    suppress_health_check=list(hypothesis.HealthCheck),
)
TestShopLivesThroughAnything = ShopMachine.TestCase
pytestmark = pytest.mark.usefixtures("engine")
