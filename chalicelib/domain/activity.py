"""What an activity promises, and what it shows at which time."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.beijing import BEIJING, moment
from chalicelib.domain.levels import MemberLevel
from chalicelib.domain.pricing import PriceKind, Reduction
from chalicelib.errors import ActivityClosed, ActivityOverlaps, InvalidRequest
from chalicelib.text import Text

BUCKETS_MAX = 8

# A publication is one transaction of at most 100 writes: 4 for the activity, its version, its
# closing and the audit row; for each SKU its product stock and its buckets.
_WRITES_FOR_SKUS = 96


class ActivityStatus(StrEnum):
    """What staff decided."""

    PUBLISHED = "published"
    PAUSED = "paused"  # no new groups; those that are open go on
    ENDED = "ended"  # for good, before its time


class ActivityState(StrEnum):
    """What people see: the status and the clock together."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    SOLD_OUT = "sold_out"
    ENDED = "ended"


class NewBuyers(StrEnum):
    """Who has to be new to the shop: to have bought nothing in it yet."""

    NOBODY = "nobody"
    JOINERS = "joiners"  # 老带新: whoever opens a group invites new buyers
    ALL = "all"  # 新客团


@dataclass(frozen=True)
class TermsSku:
    sku_id: str
    spec: str  # in words
    list_price_fen: int
    solo_price_fen: int
    group_price_fen: int
    leader_price_fen: int | None = None  # 团长价: of who opens a group; None: as everybody
    member_price_fen: int | None = None  # 会员价: the product's; None: it has none

    def price_fen(self, *, leads: bool) -> int:
        """What a unit costs who opens a group, or who joins it, whatever their level."""
        lower_fen = self.leader_price_fen if leads else None
        return self.group_price_fen if lower_fen is None else lower_fen

    def price_of(self, *, leads: bool, level: MemberLevel | None) -> tuple[int, PriceKind]:
        """What a unit costs, the lowest that its buyer is entitled to, and whose price that is.

        level: of the buyer's, where its prices count.
        """
        kind = PriceKind.LEADER if leads and self.leader_price_fen is not None else PriceKind.GROUP
        price_fen = self.price_fen(leads=leads)
        if level is not None:
            member_fen = level.price_fen(self.solo_price_fen, self.member_price_fen)
            if member_fen < price_fen:
                return member_fen, PriceKind.MEMBER
        return price_fen, kind


@dataclass(frozen=True)
class Tier:
    """From `seats` paid seats on, `off_fen` of each unit go back: 阶梯价, of a group that formed;
    万人团, of all groups of an activity that did."""

    seats: int
    off_fen: int


@dataclass(frozen=True)
class LevelSeats:
    """Who has that level, or a higher one, opens groups of so many seats."""

    level: int
    seats: int


@dataclass(frozen=True)
class Terms:
    """One version of an activity's promises; it never changes. Times are epoch seconds, UTC."""

    activity_id: str
    version: int
    product_id: str
    category_id: str
    title: str
    image: str
    skus: tuple[TermsSku, ...]
    seats_total: int
    life_h: int  # as the merchant wrote it
    life_s: int  # as this stage waits it
    starts_at_s: int
    ends_at_s: int
    limit_per_buyer: int  # units over the activity; 0: no limit
    limit_per_order: int  # units of one seat
    buckets: int  # of stock, per SKU
    list_shards: int = 1  # of the list of open groups
    reductions: tuple[Reduction, ...] = ()  # of orders in groups
    coupons: bool = True  # whether they can be used for its groups
    points: bool = False  # whether they can
    new_buyers: NewBuyers = NewBuyers.NOBODY
    # Coupon template of which who paid is given one when the group fails; and what it takes off.
    compensation_id: str = ""
    compensation_words: str = ""
    compensation_points: int = 0  # that they are given as well
    seats_least: int = 0  # paid seats with which a group forms at its deadline; 0: all
    leader_free: bool = False  # 团长免单: what the goods cost who opened a group goes back
    tiers: tuple[Tier, ...] = ()  # ascending; the last one is of all seats
    leader_points: int = 0  # 团长奖励: that who opened a group earns with the order, once completed
    # Coupon template of which who opened a group is given one, once their order is completed.
    leader_coupon_id: str = ""
    member_prices: bool = False  # whether members' prices count in its groups
    members_from: int = 0  # 会员团: the level that buying in its groups takes; 0: none
    level_seats: tuple[LevelSeats, ...] = ()  # ascending by level
    combines: bool = False  # 拼团合并: a group that is due may be combined with another one
    # 万人团: the seats are those of all groups that have formed. The same in all versions.
    crowd_tiers: tuple[Tier, ...] = ()
    per_minute: int = 0  # 限时团: seats that are taken in one minute at most; 0: any number

    @property
    def compensates(self) -> bool:
        """Whether who paid in a group that fails is promised something."""
        return bool(self.compensation_id or self.compensation_points)

    def seats_for(self, rank: int) -> int:
        """The seats of a group that somebody of that rank opens (domain.levels.LevelsRule.rank)."""
        entitled = [one.seats for one in self.level_seats if one.level <= rank]
        return min([self.seats_total, *entitled])

    def least_of(self, seats: int) -> int:
        """With how many paid seats a group of so many forms at its deadline; 0: with all."""
        return self.seats_least if self.seats_least < seats else 0

    def wants_new(self, *, leads: bool) -> bool:
        """Whether who opens a group, or joins it, has to be new to the shop."""
        return self.new_buyers is NewBuyers.ALL or (
            self.new_buyers is NewBuyers.JOINERS and not leads
        )

    def off_fen(self, seats_paid: int) -> int:
        """What the highest tier that so many paid seats reach takes off each unit."""
        return max((tier.off_fen for tier in self.tiers if tier.seats <= seats_paid), default=0)

    def rebate_fen(self, seats_paid: int, sku_id: str, unit_price_fen: int, *, leads: bool) -> int:
        """What that tier gives back of a unit that was sold for so much."""
        return self.back_fen(self.off_fen(seats_paid), sku_id, unit_price_fen, leads=leads)

    def back_fen(self, off_fen: int, sku_id: str, unit_price_fen: int, *, leads: bool) -> int:
        """What a tier that takes so much off gives back of a unit that was sold for so much: who
        paid less than others, as a member, gets back what brings them to the tier's price, if they
        are not below it."""
        dearer_fen = self.sku(sku_id).price_fen(leads=leads)
        return max(unit_price_fen - (dearer_fen - off_fen), 0) if off_fen else 0

    @property
    def cheapest(self) -> TermsSku:
        """The SKU whose prices stand for the activity: the lowest group price."""
        return min(self.skus, key=lambda sku: sku.group_price_fen)

    @property
    def price_varies(self) -> bool:
        """Whether another SKU costs more than the cheapest: its price is a lowest one (起)."""
        return len({sku.group_price_fen for sku in self.skus}) > 1

    def sku(self, sku_id: str) -> TermsSku:
        """Raises InvalidRequest when the activity does not sell it."""
        for sku in self.skus:
            if sku.sku_id == sku_id:
                return sku
        raise InvalidRequest("这个活动没有这个规格，请重新选择。", field="sku_id")


@dataclass(frozen=True)
class StockClaim:
    """Another activity that sells the same SKU, from its start until its end."""

    activity_id: str
    name: str
    starts_at_s: int
    ends_at_s: int


def state_of(
    status: str, starts_at_s: int, ends_at_s: int, *, now_s: int, sold_out: bool = False
) -> ActivityState:
    """What an activity shows at `now_s`; at `ends_at_s` itself it has ended."""
    if status == ActivityStatus.ENDED or now_s >= ends_at_s:
        return ActivityState.ENDED
    if status == ActivityStatus.PAUSED:
        return ActivityState.PAUSED
    if now_s < starts_at_s:
        return ActivityState.SCHEDULED
    return ActivityState.SOLD_OUT if sold_out else ActivityState.RUNNING


def refusal_to_open(
    status: str, starts_at_s: int, ends_at_s: int, now_s: int
) -> ActivityClosed | None:
    """Why no group can be opened at `now_s`; None when one can."""
    state = state_of(status, starts_at_s, ends_at_s, now_s=now_s)
    if state is ActivityState.RUNNING:
        return None
    words = {
        ActivityState.SCHEDULED: Text(
            "活动 {start} 开始，点「提醒我」到时告诉你。", start=moment(starts_at_s)
        ),
        ActivityState.PAUSED: "活动暂不可拼，看看其他正在拼的好物。",
    }
    message = words.get(state, "活动已结束，看看其他正在拼的好物。")
    return ActivityClosed(message, state=state.value, starts_at_s=starts_at_s)


def buckets_for(stocks: list[int], *, writes: int = 0) -> int:
    """Buckets per SKU for these stocks: as many as one transaction holds and each SKU can fill.

    writes: what else the publication writes.
    """
    return max(1, min(BUCKETS_MAX, min(stocks), (_WRITES_FOR_SKUS - writes) // len(stocks) - 1))


def spread(units: int, buckets: int) -> list[int]:
    """`units` as evenly over `buckets` as whole numbers go; the sum is `units`."""
    each, rest = divmod(units, buckets)
    return [each + (1 if bucket < rest else 0) for bucket in range(buckets)]


def overlaps_of(
    claims: list[StockClaim], activity_id: str, starts_at_s: int, ends_at_s: int
) -> list[StockClaim]:
    """The other activities that sell the SKU in the same window."""
    return [
        claim
        for claim in claims
        if claim.activity_id != activity_id
        and starts_at_s < claim.ends_at_s
        and claim.starts_at_s < ends_at_s
    ]


def refuse_overlap(
    claims: list[StockClaim], activity_id: str, starts_at_s: int, ends_at_s: int
) -> None:
    """Raises ActivityOverlaps when another activity sells the SKU in the same window."""
    claim = next(iter(overlaps_of(claims, activity_id, starts_at_s, ends_at_s)), None)
    if claim is None:
        return
    raise ActivityOverlaps(
        Text(
            "这个商品 {start} 至 {end} 已在「{name}」中。请换时间，或先结束那个活动。",
            start=_day(claim.starts_at_s),
            end=_day(claim.ends_at_s),
            name=claim.name,
        ),
        activity_id=claim.activity_id,
        name=claim.name,
        starts_at_s=claim.starts_at_s,
        ends_at_s=claim.ends_at_s,
    )


def _day(at_s: int) -> str:
    return dt.datetime.fromtimestamp(at_s, BEIJING).strftime("%m-%d")
