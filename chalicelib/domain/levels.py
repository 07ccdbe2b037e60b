"""Member levels (会员等级): what a shop's rule gives to whom, and what an order adds to growth.

A buyer grows by what they keep of their completed orders. What an order has added is a function of
its state alone, as of points (domain.points), so that what an event moves is the difference of
after and before. A buyer's level follows from their growth whenever it is read.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib.domain.money import round_yuan
from chalicelib.domain.order import GrowthRates, Order, OrderStatus
from chalicelib.errors import InvalidRequest
from chalicelib.text import Text

LEVELS_MAX = 6
NAME_MAX = 12
PER_YUAN_MAX = 100
PER_GROUP_MAX = 1000
FROM_GROWTH_MAX = 100_000_000
PERCENT_MIN, PERCENT_MAX = 10, 100  # of the solo price
POINTS_PERCENT_MIN, POINTS_PERCENT_MAX = 100, 500
FREE_FROM_FEN_MAX = 10_000_000


@dataclass(frozen=True)
class MemberLevel:
    """no: 1 is the lowest. price_percent: of the solo price that a unit costs. member_prices:
    whether the SKUs' own count. points_percent: of the points that others earn. free_from_fen:
    goods from that amount are sent for nothing; None: as everybody's. birthday_coupon_id: template
    of which who has the level is given one a year; empty: none."""

    no: int
    name: str
    from_growth: int
    price_percent: int = PERCENT_MAX
    member_prices: bool = False
    points_percent: int = POINTS_PERCENT_MIN
    free_from_fen: int | None = None
    birthday_coupon_id: str = ""

    @property
    def lowers_prices(self) -> bool:
        return self.member_prices or self.price_percent < PERCENT_MAX

    def price_fen(self, solo_price_fen: int, member_price_fen: int | None) -> int:
        """What a unit costs a member of the level at most: never nothing, never more than alone.

        member_price_fen: the SKU's own; None: it has none.
        """
        percent_fen = max(solo_price_fen * self.price_percent // 100, min(solo_price_fen, 1))
        if self.member_prices and member_price_fen is not None:
            return min(percent_fen, member_price_fen)
        return percent_fen

    def sends_free(self, goods_fen: int) -> bool:
        """Whether goods that cost so much are sent to a member of the level for nothing."""
        return self.free_from_fen is not None and goods_fen >= self.free_from_fen

    @property
    def benefits(self) -> list[str]:
        """What it gives, as buyers read it; its birthday coupon apart."""
        told: list[str] = []
        if self.price_percent < PERCENT_MAX:
            told.append(Text("单买价 {tenths} 折", tenths=f"{self.price_percent / 10:g}"))
        if self.member_prices:
            told.append(Text("会员价商品按会员价买"))
        if self.points_percent > POINTS_PERCENT_MIN:
            told.append(Text("积分 {times} 倍", times=f"{self.points_percent / 100:g}"))
        if self.free_from_fen is not None:
            free = Text("包邮")
            if self.free_from_fen:
                free = Text("满 {least} 元包邮", least=round_yuan(self.free_from_fen))
            told.append(free)
        return told


@dataclass(frozen=True)
class LevelsRule:
    """A shop's. per_yuan: growth for each whole yuan kept, per_group: for a seat of a formed group.
    levels: the lowest first."""

    on: bool = False
    per_yuan: int = 1
    per_group: int = 0
    levels: tuple[MemberLevel, ...] = ()

    def stored(self) -> dict[str, Any]:
        """As a shop keeps it; read by `rule_of`."""
        return asdict(self) | {"levels": [asdict(level) for level in self.levels]}

    def rates(self, *, in_group: bool) -> GrowthRates:
        """What an order that is placed now adds to its buyer's growth."""
        if not self.on:
            return GrowthRates()
        return GrowthRates(self.per_yuan, self.per_group if in_group else 0)

    def reached(self, growth: int) -> MemberLevel | None:
        """The level of who has grown so much; None: none yet, or the shop has none."""
        there = [level for level in self.levels if self.on and level.from_growth <= growth]
        return there[-1] if there else None

    def rank(self, level: MemberLevel | None) -> int:
        """What a level is compared with that was written down earlier: who has the highest has all
        that there ever were."""
        if level is None:
            return 0
        return LEVELS_MAX if level is self.levels[-1] else level.no

    def matters(self, *, prices: bool, sent: bool, points: bool) -> bool:
        """Whether the level of who buys can change what a purchase costs or brings. prices: whether
        member prices count for it. sent: whether freight does. points: whether it earns any."""
        return self.on and any(
            (prices and level.lowers_prices)
            or (sent and level.free_from_fen is not None)
            or (points and level.points_percent > POINTS_PERCENT_MIN)
            for level in self.levels
        )

    def after(self, growth: int) -> MemberLevel | None:
        """The next level of who has grown so much; None: there is none."""
        return next((it for it in self.levels if self.on and it.from_growth > growth), None)

    def wanted(self, no: int) -> MemberLevel | None:
        """The level that is meant by a number that was written down earlier: the highest, where
        there are fewer now. None: nobody has any level."""
        return self.levels[min(no, len(self.levels)) - 1] if self.on and self.levels else None

    def missing_words(self, growth: int, level: MemberLevel) -> str:
        """What is missing from a level, as buyers read it."""
        missing = level.from_growth - growth
        if self.per_yuan:
            return Text("还差 ¥{yuan}", yuan=-(-missing // self.per_yuan))
        if self.per_group:
            return Text("还差拼成 {times} 单", times=-(-missing // self.per_group))
        return Text("还差 {growth} 成长值", growth=missing)

    @property
    def words(self) -> list[str]:
        """How one grows, as buyers read it."""
        if not self.on:
            return [Text("店铺现在没有会员等级。")]
        told: list[str] = []
        if self.per_yuan:
            told.append(Text("每实付 1 元得 {growth} 成长值。", growth=self.per_yuan))
        if self.per_group:
            told.append(Text("每拼成 1 单再得 {growth} 成长值。", growth=self.per_group))
        told.append(Text("订单完成后计入，退款后相应减少。"))
        told.append(Text("成长值达到后立即升级，不会到期。"))
        return told


def rule_of(stored: Mapping[str, Any] | None) -> LevelsRule:
    """The rule that a shop keeps; off where it has none."""
    if not stored:
        return LevelsRule()
    levels = tuple(MemberLevel(**level) for level in stored["levels"])
    return LevelsRule(**{**stored, "levels": levels})


def check(rule: LevelsRule) -> None:
    """Return only when a shop may have such a rule. Raises InvalidRequest."""
    if rule.on and not rule.levels:
        raise InvalidRequest("请先添加一个等级，再打开会员等级。", field="levels.levels")
    names: set[str] = set()
    before = 0
    for i, level in enumerate(rule.levels):
        if not level.name:
            raise InvalidRequest("请填写等级名称。", field=f"levels.levels[{i}].name")
        if level.name in names:
            words = Text("「{name}」重复了，请换一个名称。", name=level.name)
            raise InvalidRequest(words, field=f"levels.levels[{i}].name")
        if level.from_growth <= before:
            words = Text("每一级的成长值都要比上一级的 {before} 多，请修改。", before=before)
            raise InvalidRequest(words, field=f"levels.levels[{i}].from_growth")
        names.add(level.name)
        before = level.from_growth


def growth_of(order: Order) -> int:
    """How much an order has added to its buyer's growth: nothing before it is completed, nor for
    what was given back of the payment."""
    if order.status is not OrderStatus.COMPLETED:
        return 0
    rates = order.growth
    return rates.per_yuan * (order.refundable_fen // 100) + rates.per_group
