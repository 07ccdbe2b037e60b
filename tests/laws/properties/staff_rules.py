"""Rules of the shop machine: what staff do to the activity, its stock, and buyers' points."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule

from chalicelib.domain.activity import ActivityStatus, LevelSeats, Tier
from chalicelib.domain.activity_draft import DraftSku
from chalicelib.errors import Conflict
from chalicelib.services.catalogue import activities, adjustments
from tests.fixtures.caches import clear_caches
from tests.fixtures.shop import DAY_S, STAFF
from tests.laws.properties.machine import ANY, Machine

LEVEL_SEATS = (LevelSeats(2, 2),)  # of an activity for three


class StaffRules(Machine):
    """Rules for the staff, apart from what they do to single orders."""

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
        has_tiers = has_tiers and not self.activity.crowd_tiers
        smaller = self.activity.member_prices and seats > 2 and not has_tiers
        may_take_two = self.activity.limit_per_buyer != 1 and not self.activity.leader_free
        self.shop.edit(
            self.sold,
            skus=(DraftSku(self.sold.sku_id, price_fen),),
            seats_total=seats,
            seats_least=2 if fewer else 0,
            tiers=(Tier(seats, 100 * more_days),) if has_tiers else (),
            level_seats=LEVEL_SEATS if smaller else (),
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

    def staff(self, act: Callable[..., Any], expected: set[str]) -> None:
        who = {"staff": STAFF, "now_s": self.shop.now_s}
        self.answer(lambda: act(self.shop.merchant_id, self.sold.activity_id, **who), expected)
        clear_caches()
        self.settle_down(followed=False)
