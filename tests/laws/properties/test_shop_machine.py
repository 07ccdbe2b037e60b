"""A state machine of one shop on the real engine; every law is checked after each step.

Hypothesis lets buyers, gateways, staff, jobs and time act in any order. A small model predicts
each answer and justifies each change that jobs make; at the end, three job runs leave no due work.
`make torture` runs more and longer sequences. The rules stand beside this module, by topic.
"""

from contextlib import suppress

import hypothesis
import hypothesis.strategies as st
import pytest
from hypothesis.stateful import initialize, rule

from chalicelib.domain.activity import NewBuyers, Tier
from chalicelib.domain.levels import LevelsRule, MemberLevel
from chalicelib.domain.order import Intent
from chalicelib.domain.pricing import Reduction
from chalicelib.errors import ServiceError
from chalicelib.services.groups import settlement
from chalicelib.services.work import due
from tests.fixtures.caches import clear_caches
from tests.fixtures.shop import GRACE_S, JOBS, LEVELS, LIFE_S, PAY_BY_S, TIME_TO_PAY_S
from tests.laws import run_statistics
from tests.laws.faults.workflows.delivery import charge_freight
from tests.laws.properties.after_sale_rules import AfterSaleRules
from tests.laws.properties.invitation_rules import InvitationRules
from tests.laws.properties.machine import ANY
from tests.laws.properties.purchase_rules import BUYERS
from tests.laws.properties.staff_rules import LEVEL_SEATS, StaffRules

WAITS_S = (
    *(1, 1, 60, 61, 61, 91, 91, 300, PAY_BY_S - TIME_TO_PAY_S, PAY_BY_S, 3600),
    *(LIFE_S - 300, LIFE_S, LIFE_S + GRACE_S),
)
# What is bought alone once is enough for the first; twice, or in a group more, for the second.
MEMBER_LEVELS = LevelsRule(
    on=True,
    per_group=20,
    levels=(
        MemberLevel(1, "银卡会员", 60, member_prices=True),
        MemberLevel(2, "金卡会员", 150, price_percent=45, points_percent=200, free_from_fen=0),
    ),
)
CROWDS = ((), (), ((2, 300), (4, 700)), ((2, 400), (3, 4800)))


class ShopMachine(AfterSaleRules, StaffRules, InvitationRules):
    """Rules draw numbers, and take the thing of that number among those that there are."""

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
        leader_free=st.sampled_from([False, False, False, True]),
        off_fen=st.sampled_from([0, 400, 4800]),
        points=st.booleans(),
        combines=st.booleans(),
        levels=st.booleans(),
        members_only=st.booleans(),
        crowd=st.sampled_from(CROWDS),
        per_minute=st.sampled_from([0, 0, 0, 0, 3]),
        wait_days=st.sampled_from([None, None, 0, 0, 2]),
        made_up=st.booleans(),
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
        levels: bool = False,
        members_only: bool = False,
        crowd: tuple[tuple[int, int], ...] = (),
        per_minute: int = 0,
        wait_days: int | None = None,
        made_up: bool = False,
    ) -> None:
        """wait_days: of invitations; None: they bring nothing. made_up: for groups that fail."""
        self.takes_points, self.levels = points, LEVELS if points else LevelsRule()
        if levels:
            self.levels = MEMBER_LEVELS
        if wait_days is not None:
            self.invite(gives_points=points, wait_days=wait_days)
        if points or levels or self.invites:
            self.shop.take_points(on=points, levels=self.levels)
        per_order = 1 if leader_free else min(limit, 2) or 2
        lower = leader_price and price_fen and not leader_free
        has_crowd = crowd and price_fen and not leader_free
        has_tiers = fewer and seats > 2 and price_fen and not leader_free and not has_crowd
        tiers = (Tier(seats, off_fen),) if off_fen and has_tiers else ()
        members_from = 1 if levels and members_only and new_buyers is NewBuyers.NOBODY else 0
        self.sold = self.shop.activity(
            seats=seats,
            stock=stock,
            product_stock=stock + 6,
            price_fen=price_fen,
            limit_per_buyer=limit,
            limit_per_order=per_order,
            reductions=(Reduction(price_fen * per_order, 900),) if reduced and price_fen else (),
            new_buyers=new_buyers,
            leader_price_fen=4900 if lower else None,
            leader_free=leader_free,
            seats_least=2 if fewer and seats > 2 else 0,
            tiers=tiers,
            crowd_tiers=tuple(Tier(*tier) for tier in crowd) if has_crowd else (),
            points=points,
            combines=combines and not leader_free and new_buyers is not NewBuyers.JOINERS,
            member_price_fen=4800 if levels else None,
            member_prices=levels,
            members_from=members_from,
            level_seats=LEVEL_SEATS if levels and seats > 2 and not tiers else (),
            per_minute=per_minute,
            compensation_id=self.shop.coupons(per_buyer=20, grace_days=0) if made_up else "",
            compensation_points=30 if made_up and points else 0,
        )
        self.buyers = [self.shop.buyer() for _ in range(BUYERS)]
        template_id = self.shop.coupons(total=BUYERS, grace_days=0)
        self.coupons = {who: self.shop.claim(template_id, who) for who in self.buyers}
        self.take_returns()
        if freight:
            charge_freight(self.shop, self.sold)
        self.price_fen = price_fen
        if levels:
            self.receive_all(self.buyers[0], 1)
            self.receive_all(self.buyers[1], per_order)
        self.settle_down(followed=False)
        if self.invites:
            self.bring_buyers(seats, received=guests > 0)
            return
        for guest in range(guests):
            self.come_in(buyer=guest, quantity=1, other=False, far=3, apart=combines)

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


ShopMachine.TestCase.settings = hypothesis.settings(
    max_examples=run_statistics.sized(100, 16),
    stateful_step_count=run_statistics.sized(100, 50),
    suppress_health_check=list(hypothesis.HealthCheck),
)
TestShopLivesThroughAnything = ShopMachine.TestCase
pytestmark = pytest.mark.usefixtures("engine")
