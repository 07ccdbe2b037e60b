"""Rules of the shop machine: buyers open groups, join them, and buy alone.

Each purchase is foretold by the model, and by what coupon, points, level, pace and the orders of
before say of it.
"""

from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule

from chalicelib.domain.activity import NewBuyers
from chalicelib.domain.coupon import CouponState
from chalicelib.gateways.directory import WECHAT_PAY
from chalicelib.services import timeouts
from chalicelib.services.groups import seats
from chalicelib.services.groups.seats import Hint
from chalicelib.tables.catalogue import ActivityItem, SeatMinuteItem, VersionItem
from chalicelib.tables.trade import OrderItem
from tests.fixtures.caches import clear_caches
from tests.fixtures.shop import GRACE_S, LIFE_S, OTHER_PAY, purchase
from tests.laws.properties.machine import ANY
from tests.laws.properties.payment_rules import PaymentRules

BUYERS = 4
QUANTITY = st.sampled_from([1, 1, 1, 2])
POINTS = st.sampled_from([0, 0, 100, 2000])
# With them a group takes nobody, whoever asks.
NO_SEAT = {"activity_closed", "not_found", "group_closed", "group_full"}


class PurchaseRules(PaymentRules):
    """Rules for who buys."""

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
        expected |= self.refusal_of_pace(self.activity, expected)
        expected = self.refusal_of_level(self.activity, who, expected)
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
        apart=st.booleans(),
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
        one all the same where groups are combined."""
        who, now_s, teams = buyer % BUYERS, self.shop.now_s, self.model.teams
        free = [
            number
            for number, team in enumerate(teams.values())
            if team.is_open(now_s)
            and len(team.members) < team.seats
            and self.buyers[who] not in team.members
        ]
        before = set(self.model.orders)
        if free and not (apart and self.activity.combines):
            self.join(free[0], who, quantity, "right", coupon, points, agrees)
        else:
            self.open(who, quantity, coupon, points, agrees)
        placed = [n for n, order in enumerate(self.model.orders) if order not in before]
        if placed and far:
            self.ask(order=placed[0], method=OTHER_PAY if other else WECHAT_PAY)
        if placed and far > 1 and self.payable():
            self.pay(which=-1, told=far > 2)

    @precondition(lambda self: self.activity.combines and not self.silent)
    @rule(buyer=ANY, agree=st.booleans())
    def let_groups_combine(self, buyer: int, agree: bool) -> None:
        """Two groups that lack somebody are due at once: seldom drawn step by step."""
        for number, agrees in enumerate((True, agree)):
            who = buyer + number
            self.come_in(buyer=who, quantity=1, other=False, far=3, agrees=agrees, apart=True)
        self.shop.now_s += LIFE_S + GRACE_S
        clear_caches()
        self.shop.run_jobs()
        self.settle_down(followed=True)

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
        expected |= self.refusal_of_pace(offer, expected)
        expected = self.refusal_of_level(offer, who, expected, group_id)
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

    def refusal_of_pace(self, offer: ActivityItem | VersionItem, expected: set[str]) -> set[str]:
        minute = self.shop.now_s // timeouts.PACE_S
        key = SeatMinuteItem.at(self.shop.merchant_id, offer.activity_id, minute)
        found = [item for item in self.snapshot.items if (item.pk, item.sk) == (key.pk, key.sk)]
        taken = sum(item.taken for item in found if isinstance(item, SeatMinuteItem))
        full = 0 < offer.per_minute <= taken
        return {"too_fast_now"} if full and not expected & NO_SEAT else set()

    def refusal_of_level(
        self,
        offer: ActivityItem | VersionItem,
        who: str,
        expected: set[str],
        group_id: str | None = None,
    ) -> set[str]:
        """What is expected once the level is known: it is asked for before anything but whether
        there is a group to buy in."""
        if self.rank_of(who) >= offer.members_from:
            return expected
        if group_id is not None:
            now_s = self.shop.now_s
            expected = self.model.refusals_to_join(group_id, offer, who, 1, self.snapshot, now_s)
        return expected & NO_SEAT or {"members_only"}

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
