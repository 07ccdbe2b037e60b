"""Points: what a shop's rule says they are worth, and what an order does to them.

An order is placed with points that its buyer has, and earns points once it is completed. What it
gives back of the ones and has earned of the others are functions of its state alone, so that what
an event moves is the difference of after and before, and nothing is counted twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chalicelib.domain.coupon import LEAST_PAID_FEN
from chalicelib.domain.money import round_yuan
from chalicelib.domain.order import Order, OrderStatus, RefundReason, reason_of
from chalicelib.text import Text

STEP_FEN = 100  # points take whole yuan off
PER_YUAN_MAX = 100
FOR_YUAN_MAX = 10_000
SHARE_MAX = 100
DAYS_MIN, DAYS_MAX = 30, 1095


class PointsExpiry(StrEnum):
    """When what is earned runs out."""

    NEVER = "never"
    YEAR = "year"  # with the year after the one of earning
    DAYS = "days"  # so many days after


@dataclass(frozen=True)
class PointsRule:
    """A shop's: per_yuan are earned for each whole yuan paid, for_yuan take ¥1 off. share_max: of
    what the goods cost, 满减 and coupon taken off, points pay so many percent at most."""

    on: bool = False
    per_yuan: int = 1
    for_yuan: int = 100
    share_max: int = 50
    expiry: PointsExpiry = PointsExpiry.YEAR
    days: int = 365

    @property
    def rate(self) -> int:
        """What an order that is placed now earns for each whole yuan."""
        return self.per_yuan if self.on else 0

    def stored(self) -> dict[str, Any]:
        """As a shop keeps it; read by `rule_of`."""
        return {
            "on": self.on,
            "per_yuan": self.per_yuan,
            "for_yuan": self.for_yuan,
            "share_max": self.share_max,
            "expiry": self.expiry.value,
            "days": self.days,
        }

    def most_of(self, goods_fen: int) -> int:
        """The points that goods of that price, 满减 and coupon taken off, may be paid with."""
        return _steps_of(self, goods_fen) * self.for_yuan

    def usable(self, balance: int, goods_fen: int) -> int:
        """The most of so many points that can be used for such goods: whole steps."""
        return max(0, min(self.most_of(goods_fen), balance // self.for_yuan * self.for_yuan))

    def off_fen(self, points: int) -> int:
        """What so many points take off: whole steps."""
        return points // self.for_yuan * STEP_FEN

    @property
    def words(self) -> list[str]:
        """The rule as buyers read it."""
        if not self.on:
            return [Text("店铺现在没有积分活动，已有的积分仍然保留。")]
        told: list[str] = []
        if self.per_yuan:
            told.append(Text("每实付 1 元得 {points} 积分，订单完成后到账。", points=self.per_yuan))
        told.append(
            Text(
                "每 {points} 积分抵 1 元，最多抵商品金额的 {share}%。",
                points=self.for_yuan,
                share=self.share_max,
            )
        )
        return [*told, self.expiry_words]

    @property
    def expiry_words(self) -> str:
        if self.expiry is PointsExpiry.NEVER:
            return Text("积分长期有效。")
        if self.expiry is PointsExpiry.YEAR:
            return Text("积分在得到后的次年年底到期。")
        return Text("积分在得到后 {days} 天到期。", days=self.days)


def rule_of(stored: Mapping[str, Any] | None) -> PointsRule:
    """The rule that a shop keeps; off where it has none."""
    if not stored:
        return PointsRule()
    return PointsRule(**{**stored, "expiry": PointsExpiry(stored["expiry"])})


def refusal_to_use(rule: PointsRule, goods_fen: int, *, taken: bool) -> str | None:
    """Why no points can be used for goods of that price, whoever buys them; None when some can.

    taken: whether the activity takes points.
    """
    if not rule.on:
        return "店铺现在不能用积分"
    if not taken:
        return "这个活动不能用积分"
    if not _steps_of(rule, goods_fen):
        least_fen = max(-(-STEP_FEN * 100 // rule.share_max), STEP_FEN + LEAST_PAID_FEN)
        return Text("商品金额满 {least} 元可用积分", least=round_yuan(least_fen))
    return None


def _steps_of(rule: PointsRule, goods_fen: int) -> int:
    return max(0, min(goods_fen * rule.share_max // 100, goods_fen - LEAST_PAID_FEN)) // STEP_FEN


def returned_of(order: Order) -> int:
    """How many of the points that it was bought with an order has given back: all once there is no
    sale, else the share that after-sale has given back of what was paid. Of a points offer they are
    the price of its units, too: those that went back give back theirs, if that is more."""
    used = order.points.total
    if not used:
        return 0
    if order.status in (OrderStatus.CLOSED, OrderStatus.REFUNDING, OrderStatus.REFUNDED):
        return used
    units_back = order.units.bought - order.units.may_go_back
    return max(_by_money(order, used), order.points.each * units_back)


def _by_money(order: Order, used: int) -> int:
    seat = order.seat_payment
    if seat is None or not seat[1].amount_fen:
        return 0
    back_fen = sum(
        refund.amount_fen
        for key, refund in order.refunds.items()
        if key[:2] == seat[0] and reason_of(key) is RefundReason.AFTER_SALE
    )
    return used * back_fen // seat[1].amount_fen


def earned_of(order: Order) -> int:
    """How many points an order has earned: nothing before it is completed, and nothing for what
    was given back of the payment since, or before. Its bonus stays as long as it does."""
    if order.status is not OrderStatus.COMPLETED:
        return 0
    return order.points.earned(order.refundable_fen)


def to_come_of(order: Order) -> int:
    """How many points an order that lives will have earned when it is completed, as it is now."""
    over = (
        OrderStatus.COMPLETED,
        OrderStatus.CLOSED,
        OrderStatus.REFUNDING,
        OrderStatus.REFUNDED,
    )
    if order.status in over:
        return 0
    paid_fen = order.refundable_fen if order.seat_payment else order.total_fen
    return order.points.earned(paid_fen)


@dataclass(frozen=True)
class PointsMove:
    """What an event of an order moves: returned of what it was bought with, the lots of these; and
    earned, less than nothing for what is taken back."""

    returned: Mapping[str, int]
    earned: int

    def __bool__(self) -> bool:
        return bool(self.returned) or self.earned != 0


def move_of(before: Order, after: Order) -> PointsMove:
    """What moves between two states of an order."""
    returned = slice_of(after.points.used, returned_of(before), returned_of(after))
    return PointsMove(returned, earned_of(after) - earned_of(before))


def slice_of(lots: Mapping[str, int], start: int, stop: int) -> dict[str, int]:
    """The points from `start` until before `stop` of lots that are laid out by how long they last,
    the longest first: what comes back first is what was good longest."""
    found, at = {}, 0
    for lot, points in sorted(lots.items(), reverse=True):
        share = min(stop, at + points) - max(start, at)
        if share > 0:
            found[lot] = share
        at += points
    return found
