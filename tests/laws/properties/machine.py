"""The machine's shop, its books and the model of it, and how each step is judged."""

import random
from collections.abc import Callable
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import hypothesis
import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from chalicelib.domain import ids
from chalicelib.domain.after_sale import AfterSaleStatus
from chalicelib.domain.levels import LevelsRule
from chalicelib.errors import ServiceError
from chalicelib.gateways import payment as port
from chalicelib.services.catalogue import catalogue_cache, reservations
from chalicelib.services.work import due
from chalicelib.tables.base import get_or_none
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.caches import clear_caches
from tests.fixtures.shop import DAY_S, ActivityIds, Shop, new_shops
from tests.fixtures.table_snapshot import TableSnapshot
from tests.laws import run_statistics
from tests.laws.checkers.state_edges import StateHistory
from tests.laws.properties.shop_model import Model, Placed, Team

ANY = st.integers(0, 1000)  # picks one of what there is


class Machine(RuleBasedStateMachine):
    """What the rules of every topic share. A step answers as foretold, and settles down."""

    sold: ActivityIds
    activity: ActivityItem
    snapshot: TableSnapshot
    buyers: list[str]
    coupons: dict[str, str]  # by buyer
    levels: LevelsRule
    takes_points: bool
    price_fen: int
    follow_requests: Callable[[], None]
    check_invitations: Callable[[TableSnapshot], None]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        make = self.stack.enter_context(new_shops())
        # Jobs take what is due by its key: with other ids the same steps would end otherwise, and
        # Hypothesis could not repeat them.
        same_ids = SimpleNamespace(urandom=random.Random(0).randbytes)
        self.stack.enter_context(patch.object(ids, "os", same_ids))
        # Of two that meet at one item, the engine decides who is first.
        self.stack.enter_context(patch.object(due, "WORKERS", 1))
        # The shop before had the same id: forget what was remembered of it.
        clear_caches()
        reservations.clear_cache()
        self.shop: Shop = make()
        self.model, self.history = Model(), StateHistory()
        self.requests: dict[str, AfterSaleStatus] = {}  # by order and letter
        # Every opening, to repeat it.
        self.opened: list[tuple[ActivityIds, str, dict[str, Any], str]] = []
        self.silent = self.was_silent = self.sound = False

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
                self.check_invitations(snapshot)
                for order in snapshot.orders.values():
                    hypothesis.event(f"order {order.status} at the end")
                for group in snapshot.groups.values():
                    hypothesis.event(f"group {group.status} at the end")
                    hypothesis.event(f"group combined: {group.combined_into is not None}")
                for crowd in snapshot.crowds.values():
                    hypothesis.event(f"crowd reached {crowd.reached} tiers")
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
        terms = catalogue_cache.terms_of(offer)
        seats = terms.seats_for(self.rank_of(order.buyer_id))
        team = self.model.teams.setdefault(
            order.group_id,
            Team(
                order.buyer_id,
                seats,
                offer.life_s,
                offer.ends_at_s,
                terms.least_of(seats),
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

    def points_of(self, who: str) -> int:
        account = self.snapshot.points.get(who)
        return account.balance if account is not None else 0

    def rank_of(self, who: str) -> int:
        account = self.snapshot.points.get(who)
        growth = account.growth if account is not None else 0
        return self.levels.rank(self.levels.reached(growth))
