"""What a purchase costs, line by line: of quotes, of orders, and of drafts of activities.

The rules come in this order, however a shop has written them down:

    unit price × units ─▶ 满减 of the activity ─▶ a coupon ─▶ points
        ─▶ freight ─▶ what staff took off an unpaid order

A unit is sold at the lowest price that its buyer is entitled to. Each line is an amount of whole
fen, and the lines add up to the total, which is never negative. A coupon's threshold and what is
sent for nothing are asked about after 满减 and before the coupon: what is free from ¥99 is so for
goods that cost ¥99 then, with any coupon.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from chalicelib.domain.coupon import CouponTerms
from chalicelib.domain.money import round_yuan
from chalicelib.domain.points import PointsRule
from chalicelib.text import Text


class PriceKind(StrEnum):
    """Whose price a unit is sold at."""

    SOLO = "solo"
    GROUP = "group"
    LEADER = "leader"  # of who opens a group
    MEMBER = "member"  # of the buyer's level
    EXCHANGE = "exchange"  # beside the points of a points offer


class PriceCode(StrEnum):
    GOODS = "goods"
    REDUCTION = "reduction"  # 满减
    COUPON = "coupon"
    POINTS = "points"  # that take something off
    EXCHANGE = "exchange"  # that a points offer costs: an amount of nothing, its words tell them
    FREIGHT = "freight"
    DISCOUNT = "discount"  # by staff, of one order


@dataclass(frozen=True)
class Reduction:
    """满减: goods of one order for `from_fen` or more cost `off_fen` less."""

    from_fen: int
    off_fen: int

    @property
    def words(self) -> str:
        least, off = round_yuan(self.from_fen), round_yuan(self.off_fen)
        return Text("满 {least} 减 {off}", least=least, off=off)


@dataclass(frozen=True)
class PriceLine:
    """amount_fen: negative where something is taken off."""

    code: PriceCode
    amount_fen: int
    words: str


@dataclass(frozen=True)
class Price:
    """What the units of one SKU cost. reduction: the one that their sum reaches. coupon_fen: what
    the coupon takes off that `coupon_name` calls. points: that are used, which take points_fen
    off; of a points offer, `points_each` for a unit, which take nothing off."""

    unit_price_fen: int
    quantity: int
    reduction: Reduction | None = None
    coupon_fen: int = 0
    coupon_name: str = ""
    freight_fen: int = 0
    discount_fen: int = 0
    points: int = 0
    points_fen: int = 0
    kind: PriceKind = PriceKind.GROUP
    points_each: int = 0

    @property
    def goods_fen(self) -> int:
        """What the goods cost, 满减, coupon and points taken off."""
        off_fen = (self.reduction.off_fen if self.reduction else 0) + self.coupon_fen
        return self.unit_price_fen * self.quantity - off_fen - self.points_fen

    @property
    def total_fen(self) -> int:
        return self.goods_fen + self.freight_fen - self.discount_fen

    @property
    def lines(self) -> list[PriceLine]:
        """They add up to the total; goods and freight are told though they cost nothing."""
        goods = Text("商品金额（会员价）" if self.kind is PriceKind.MEMBER else "商品金额")
        lines = [PriceLine(PriceCode.GOODS, self.unit_price_fen * self.quantity, goods)]
        if self.points_each:
            words = Text("{points} 积分", points=f"{self.points:,}")
            lines.insert(0, PriceLine(PriceCode.EXCHANGE, 0, words))
        if self.reduction is not None:
            off_fen = -self.reduction.off_fen
            lines.append(PriceLine(PriceCode.REDUCTION, off_fen, self.reduction.words))
        if self.coupon_fen:
            words = Text("优惠券（{name}）", name=self.coupon_name)
            lines.append(PriceLine(PriceCode.COUPON, -self.coupon_fen, words))
        if self.points_fen:
            words = Text("积分抵扣（{points} 积分）", points=f"{self.points:,}")
            lines.append(PriceLine(PriceCode.POINTS, -self.points_fen, words))
        lines.append(PriceLine(PriceCode.FREIGHT, self.freight_fen, Text("运费")))
        if self.discount_fen:
            lines.append(PriceLine(PriceCode.DISCOUNT, -self.discount_fen, Text("商家改价优惠")))
        return lines

    def stored(self) -> dict[str, int | str]:
        """As an order's detail keeps it; read by `price_of`."""
        kept: dict[str, int | str] = {
            "unit_price_fen": self.unit_price_fen,
            "quantity": self.quantity,
            "freight_fen": self.freight_fen,
            "total_fen": self.total_fen,
            "price_kind": self.kind.value,
        }
        if self.reduction is not None:
            kept["reduction_from_fen"] = self.reduction.from_fen
            kept["reduction_fen"] = self.reduction.off_fen
        if self.coupon_fen:
            kept |= {"coupon_fen": self.coupon_fen, "coupon_name": self.coupon_name}
        if self.points:
            kept |= {"points": self.points, "points_fen": self.points_fen}
        if self.points_each:
            kept["points_each"] = self.points_each
        return kept | {"discount_fen": self.discount_fen} if self.discount_fen else kept


def priced(
    unit_price_fen: int,
    quantity: int,
    reductions: Iterable[Reduction] = (),
    kind: PriceKind = PriceKind.GROUP,
) -> Price:
    """What the units cost, with the best of the reductions that they reach."""
    goods_fen = unit_price_fen * quantity
    reached = [one for one in reductions if one.from_fen <= goods_fen]
    best = max(reached, key=lambda one: (one.off_fen, -one.from_fen), default=None)
    return Price(unit_price_fen, quantity, best, kind=kind)


def price_of(stored: Mapping[str, Any]) -> Price:
    """The price that an order's detail keeps."""
    off_fen = stored.get("reduction_fen", 0)
    return Price(
        stored["unit_price_fen"],
        stored["quantity"],
        Reduction(stored["reduction_from_fen"], off_fen) if off_fen else None,
        stored.get("coupon_fen", 0),
        stored.get("coupon_name", ""),
        stored.get("freight_fen", 0),
        stored.get("discount_fen", 0),
        stored.get("points", 0),
        stored.get("points_fen", 0),
        PriceKind(stored.get("price_kind", PriceKind.GROUP)),
        stored.get("points_each", 0),
    )


def with_coupon(price: Price, name: str, terms: CouponTerms) -> Price:
    """The price with that coupon, whose threshold it reaches."""
    off_fen = terms.off_of(price.goods_fen)
    return replace(price, coupon_fen=off_fen, coupon_name=name if off_fen else "")


def with_points(price: Price, rule: PointsRule, points: int) -> Price:
    """The price, which has its coupon, with so many points used: whole steps, as the rule
    allows."""
    return replace(price, points=points, points_fen=rule.off_fen(points))


def exchanged(unit_price_fen: int, quantity: int, points_each: int) -> Price:
    """What units of a points offer cost: money, if any, beside points."""
    return Price(
        unit_price_fen,
        quantity,
        points=points_each * quantity,
        kind=PriceKind.EXCHANGE,
        points_each=points_each,
    )


def lowest(
    unit_price_fen: int,
    units_max: int,
    reductions: Iterable[Reduction],
    coupons: Iterable[tuple[str, CouponTerms]] = (),
) -> Price:
    """The price at which one unit costs least, of purchases of up to `units_max` units with one of
    these coupons (name, terms).

    That is where a reduction or a coupon is just reached, or a single unit; within one fen, since
    a percentage is taken off in whole fen.
    """
    known, offered = list(reductions), list(coupons)
    least_fen = {one.from_fen for one in known}
    offs = [0, *(one.off_fen for one in known)]
    least_fen |= {terms.from_fen + off_fen for _, terms in offered for off_fen in offs}
    units = {1} | {-(-fen // unit_price_fen) for fen in least_fen if unit_price_fen and fen}
    prices = []
    for n in sorted(units):
        if n <= units_max:
            price = priced(unit_price_fen, n, known)
            prices.append(price)
            reached = [one for one in offered if one[1].from_fen <= price.goods_fen]
            prices += [with_coupon(price, name, terms) for name, terms in reached]
    return min(prices, key=lambda price: price.goods_fen / price.quantity)
