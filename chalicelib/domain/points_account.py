"""A buyer's account of points: its balance, in lots by when they run out, and its entries.

The balance is the sum of all entries ever made, and of the lots while it is not below zero. It is
below zero only when points were spent that an order had earned and gave back later; what comes in
then pays that first. Days are those in Beijing.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from chalicelib.domain.beijing import DAY_S, day_of, midnight_s
from chalicelib.domain.points import PointsExpiry, PointsRule
from chalicelib.text import Text

FOR_EVER = "~"  # the lot of points that never run out; it sorts behind all days
GRACE_DAYS = 3  # for points that come back and have run out meanwhile, once
LATE = "+"  # ends the lots of these: "20271203+"
WARN_DAYS = 7
LOTS_MAX = 12
BALANCE_MAX = 100_000_000


class PointsKind(StrEnum):
    EARNED = "earned"  # by an order that was completed
    SPENT = "spent"  # by an order
    EXCHANGED = "exchanged"  # for a coupon; by an order, for goods
    RETURNED = "returned"  # of what an order was bought with
    TAKEN_BACK = "taken_back"  # of what an order earned, when money of it went back
    EXPIRED = "expired"
    GRANTED = "granted"  # by staff
    DEDUCTED = "deducted"  # by staff
    COMPENSATED = "compensated"  # for a group that failed, as its activity promised
    REWARDED = "rewarded"  # for groups that formed
    REWARD_TAKEN_BACK = "reward_taken_back"  # when an order of these went back
    INVITED = "invited"  # for a new buyer whom its buyer has invited
    INVITATION_TAKEN_BACK = "invitation_taken_back"  # when that came to nothing
    FORFEITED = "forfeited"  # with the end of the account


_WORDS: Mapping[PointsKind, Text] = {
    PointsKind.EARNED: Text("订单完成"),
    PointsKind.SPENT: Text("下单抵扣"),
    PointsKind.EXCHANGED: Text("兑换优惠券"),
    PointsKind.RETURNED: Text("订单退回"),
    PointsKind.TAKEN_BACK: Text("退款扣回"),
    PointsKind.EXPIRED: Text("积分到期"),
    PointsKind.GRANTED: Text("商家赠送"),
    PointsKind.DEDUCTED: Text("商家扣减"),
    PointsKind.COMPENSATED: Text("未成团补偿"),
    PointsKind.REWARDED: Text("拼团奖励"),
    PointsKind.REWARD_TAKEN_BACK: Text("拼团奖励收回"),
    PointsKind.INVITED: Text("邀请有礼"),
    PointsKind.INVITATION_TAKEN_BACK: Text("邀请奖励收回"),
    PointsKind.FORFEITED: Text("账号注销"),
}


@dataclass(frozen=True)
class PointsEntry:
    """points: more than nothing where they come in. order_id: that it is about, if any. reason: of
    the staff, or what was got for them."""

    at_s: int
    points: int
    kind: PointsKind
    order_id: str = ""
    reason: str = ""

    @property
    def words(self) -> str:
        """What it is, as its buyer reads it."""
        if self.kind is PointsKind.EXCHANGED and self.order_id:
            return Text("兑换商品")
        if self.reason:
            return Text("{what}：{reason}", what=_WORDS[self.kind], reason=self.reason)
        return _WORDS[self.kind]

    def stored(self) -> list[int | str]:
        kept: list[int | str] = [self.at_s, self.points, self.kind.value, self.order_id]
        return [*kept, self.reason] if self.reason else kept


@dataclass(frozen=True)
class PointsAccount:
    """lots: the last day on which points are good (YYYYMMDD; perhaps LATE), or FOR_EVER -> points.
    entries: the latest, the newest last."""

    balance: int = 0
    lots: Mapping[str, int] = field(default_factory=dict)
    entries: tuple[PointsEntry, ...] = ()

    def on(self, now_s: int) -> "PointsAccount":
        """The account without what has run out by now, which an entry takes off."""
        good = {lot: points for lot, points in self.lots.items() if is_good(lot, now_s)}
        gone = sum(self.lots.values()) - sum(good.values())
        if not gone:
            return self
        expired = PointsEntry(now_s, -gone, PointsKind.EXPIRED)
        return PointsAccount(self.balance - gone, good, (*self.entries, expired))

    def added(self, lots: Mapping[str, int], entry: PointsEntry) -> "PointsAccount":
        """The account with the points of these lots; a debt is paid first, by what runs out
        first."""
        balance = self.balance + entry.points
        debt = min(entry.points, max(0, -self.balance))
        coming = _without(lots, debt)
        both = {lot: self.lots.get(lot, 0) + coming.get(lot, 0) for lot in {*self.lots, *coming}}
        return PointsAccount(balance, _few(both), (*self.entries, entry))

    def taken(self, entry: PointsEntry) -> "PointsAccount":
        """The account without as many points as the entry takes, those that run out first."""
        lots = _without(self.lots, -entry.points)
        return PointsAccount(self.balance + entry.points, lots, (*self.entries, entry))

    @property
    def next_lot(self) -> str | None:
        """The lot that runs out first; None when none does."""
        return min((lot for lot in self.lots if lot != FOR_EVER), default=None)

    def ending_with(self, lot: str) -> int:
        """How many points run out on the day on which that lot does."""
        days = {other: other.removesuffix(LATE) for other in self.lots}
        return sum(self.lots[other] for other, day in days.items() if day == lot.removesuffix(LATE))


def is_good(lot: str, now_s: int) -> bool:
    return lot == FOR_EVER or now_s < end_s(lot)


def end_s(lot: str) -> int:
    """Before when a lot that runs out is good."""
    return midnight_s(day_of_lot(lot)) + DAY_S


def day_of_lot(lot: str) -> dt.date:
    """The last day on which a lot that runs out is good."""
    return dt.date.fromisoformat(lot.removesuffix(LATE))


def lot_of(rule: PointsRule, now_s: int) -> str:
    """The lot of what is earned or given now."""
    today = day_of(now_s)
    if rule.expiry is PointsExpiry.NEVER:
        return FOR_EVER
    if rule.expiry is PointsExpiry.YEAR:
        return f"{today.year + 1}1231"
    return _lot(today + dt.timedelta(days=rule.days))


def back(lots: Mapping[str, int], now_s: int) -> dict[str, int]:
    """Lots that come back now: what has run out meanwhile is good for some days more, unless it
    was given these before; else orders that nobody pays would keep points for ever."""
    found: dict[str, int] = {}
    grace = _lot(day_of(now_s) + dt.timedelta(days=GRACE_DAYS)) + LATE
    for lot, points in lots.items():
        there = lot if is_good(lot, now_s) or lot.endswith(LATE) else grace
        found[there] = found.get(there, 0) + points
    return found


def spread(accounts: Mapping[str, PointsAccount], points: int) -> dict[str, dict[str, int]]:
    """The lots that `points` are spent of, by account: those that run out first, wherever they
    are. The accounts have as many between them."""
    found: dict[str, dict[str, int]] = {}
    lots = sorted((lot, one) for one, account in accounts.items() for lot in account.lots)
    for lot, one in lots:
        share = min(points, accounts[one].lots[lot])
        if share:
            found.setdefault(one, {})[lot] = share
        points -= share
    return found


def spendable(accounts: Iterable[PointsAccount]) -> int:
    """What a person can spend: the sum of their accounts, of which one may be below zero."""
    return max(0, sum(account.balance for account in accounts))


def _lot(day: dt.date) -> str:
    return f"{day:%Y%m%d}"


def _without(lots: Mapping[str, int], points: int) -> dict[str, int]:
    """Lots without so many points, those that run out first."""
    left = {}
    for lot, count in sorted(lots.items()):
        share = min(points, count)
        points -= share
        if count > share:
            left[lot] = count - share
    return left


def _few(lots: Mapping[str, int]) -> dict[str, int]:
    """The lots, neighbours that lie closest together put into the later one while there are too
    many: the account stays small, and nobody loses a day."""
    found = dict(lots)
    while len(found) > LOTS_MAX:
        days = sorted(lot for lot in found if lot != FOR_EVER)
        _, earlier, later = min(
            (end_s(later) - end_s(earlier), earlier, later) for earlier, later in pairwise(days)
        )
        found[later] += found.pop(earlier)
    return found
