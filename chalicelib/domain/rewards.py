"""Rewards (拼团奖励): what a shop gives a buyer for groups that formed with them, or by them.

A group counts for a buyer once their order in it is completed, and no longer once that order has
gone back. An order is in one reward at most, so what is owed follows from the orders that are in
none, whenever it is reckoned.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from chalicelib.domain.beijing import DAY_S
from chalicelib.errors import InvalidRequest
from chalicelib.text import Text

EVERY_MIN, EVERY_MAX = 2, 50
DAYS_MIN, DAYS_MAX = 7, 365
POINTS_MAX = 10_000


class RewardFor(StrEnum):
    GROUPS = "groups"  # so many groups that formed with its buyer
    LEADER = "leader"  # one that formed, and that its buyer opened


class RewardState(StrEnum):
    """What has become of a reward."""

    GIVEN = "given"
    NONE_LEFT = "none_left"  # its coupon could not be given, and there was nothing else to give
    TAKEN_BACK = "taken_back"  # an order that it was given for went back
    USED = "used"  # the same, when its coupon was used already: that stays its buyer's


@dataclass(frozen=True)
class RewardsRule:
    """A shop's: every so many groups bring a coupon, points, or both. days: within which they are
    completed; 0: whenever. coupon_id: template; empty: none. since_s: when it was switched on:
    orders that were completed before do not count."""

    on: bool = False
    every: int = 5
    days: int = 0
    coupon_id: str = ""
    points: int = 0
    since_s: int = 0

    def stored(self) -> dict[str, Any]:
        """As a shop keeps it; read by `rule_of`."""
        return asdict(self)

    def acting(self, *, has_points: bool) -> "RewardsRule":
        """The rule as it acts now: one that gives points alone rests while the shop has none, and
        groups wait for them."""
        rests = not has_points and not self.coupon_id
        return replace(self, on=False) if rests else self

    @property
    def words(self) -> list[str]:
        """What groups count and when, as buyers read it."""
        if not self.on:
            return [Text("店铺现在没有拼团奖励。")]
        told = Text("每拼成 {every} 个团，得一份奖励。", every=self.every)
        if self.days:
            words = "{days} 天内每拼成 {every} 个团，得一份奖励。"
            told = Text(words, days=self.days, every=self.every)
        return [
            told,
            Text("订单完成后计入；整单退款的不算，已发的奖励会收回。"),
        ]


def rule_of(stored: Mapping[str, Any] | None) -> RewardsRule:
    """The rule that a shop keeps; off where it has none."""
    return RewardsRule(**stored) if stored else RewardsRule()


def check(rule: RewardsRule, *, has_points: bool) -> None:
    """Return only when a shop may have such a rule. Raises InvalidRequest."""
    if rule.days and rule.days < DAYS_MIN:
        words = Text("请填写 {min} 到 {max} 天；不限时间就留空。", min=DAYS_MIN, max=DAYS_MAX)
        raise InvalidRequest(words, field="rewards.days")
    if rule.on and not rule.coupon_id and not rule.points:
        raise InvalidRequest("请选择奖励的优惠券，或填写积分。", field="rewards.coupon_id")
    if rule.on and rule.points and not has_points:
        raise InvalidRequest("请先打开积分，再奖励积分。", field="rewards.points")


@dataclass(frozen=True)
class Counted:
    """An order of a group that formed, once it is completed. leader_coupon: template of which its
    buyer is given one for having opened the group; empty: none."""

    order_id: str
    at_s: int
    leader_coupon: str = ""


@dataclass(frozen=True)
class Reward:
    """What was given: for which orders, and what has become of it."""

    why: RewardFor
    orders: tuple[str, ...]
    taken_back: bool = False


@dataclass(frozen=True)
class Reckoned:
    """owed: of each reward that its buyer has yet to get, the orders. waiting: when the groups were
    completed that count towards the next one, the oldest first. broken: the numbers of the rewards,
    in their order, whose orders do not all count any more."""

    owed: tuple[tuple[RewardFor, tuple[Counted, ...]], ...]
    waiting: tuple[int, ...]
    broken: tuple[int, ...]


def reckon(
    rule: RewardsRule, counted: Collection[Counted], given: Sequence[Reward], *, now_s: int
) -> Reckoned:
    """What a person is owed for the orders that count, by what they were given before."""
    there = {one.order_id for one in counted}
    broken = tuple(
        i
        for i, reward in enumerate(given)
        if not reward.taken_back and not there.issuperset(reward.orders)
    )
    stands = [it for i, it in enumerate(given) if i not in broken and not it.taken_back]
    in_groups = _orders_of(stands, RewardFor.GROUPS)
    led = _orders_of(given, RewardFor.LEADER)  # an order that went back never counts again
    in_order = sorted(counted, key=lambda one: (one.at_s, one.order_id))
    owed: list[tuple[RewardFor, tuple[Counted, ...]]] = [
        (RewardFor.LEADER, (one,))
        for one in in_order
        if one.leader_coupon and one.order_id not in led
    ]
    free = [it for it in in_order if it.order_id not in in_groups and it.at_s >= rule.since_s]
    sets, waiting = _sets_of(rule, free if rule.on else [], now_s)
    owed += [(RewardFor.GROUPS, orders) for orders in sets]
    return Reckoned(tuple(owed), waiting, broken)


def counting(rule: RewardsRule, waiting: Collection[int], *, now_s: int) -> list[int]:
    """Those of the groups that wait for a reward which still count towards it now."""
    if not rule.on:
        return []
    earliest_s = now_s - rule.days * DAY_S if rule.days else 0
    return [at_s for at_s in waiting if at_s >= max(earliest_s, rule.since_s)][: rule.every - 1]


def state_of(*, taken_back: bool, coupon_kept: bool, given: bool) -> RewardState:
    """coupon_kept: when it was taken back. given: whether there was anything to give."""
    if not given:
        return RewardState.NONE_LEFT
    if not taken_back:
        return RewardState.GIVEN
    return RewardState.USED if coupon_kept else RewardState.TAKEN_BACK


def _orders_of(rewards: Collection[Reward], why: RewardFor) -> set[str]:
    return {order_id for one in rewards if one.why is why for order_id in one.orders}


def _sets_of(
    rule: RewardsRule, free: Sequence[Counted], now_s: int
) -> tuple[list[tuple[Counted, ...]], tuple[int, ...]]:
    """(as many orders each as a reward takes, none in two of them; what is left over)."""
    found: list[tuple[Counted, ...]] = []
    open_set: list[Counted] = []
    for one in free:
        open_set = [it for it in open_set if _is_within(rule, it.at_s, one.at_s)] + [one]
        if len(open_set) == rule.every:
            found.append(tuple(open_set))
            open_set = []
    left = tuple(it.at_s for it in open_set if _is_within(rule, it.at_s, now_s))
    return found, left


def _is_within(rule: RewardsRule, at_s: int, later_s: int) -> bool:
    return not rule.days or later_s - at_s <= rule.days * DAY_S
