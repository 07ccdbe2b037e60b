"""What a purchase costs, line by line: of quotes, of orders, and of drafts of activities.

The rules come in this order, however a shop has written them down:

    unit price × units ─▶ 满减 of the activity ─▶ freight ─▶ what staff took off an unpaid order

Each is an amount of whole fen, and the lines add up to the total, which is never negative. Freight
is asked about after 满减: what is free from ¥99 is so for goods that cost ¥99 then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chalicelib.domain.money import round_yuan
from chalicelib.text import Text


class PriceCode(StrEnum):
    GOODS = "goods"
    REDUCTION = "reduction"  # 满减
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
    """What the units of one SKU cost. reduction: the one that their sum reaches."""

    unit_price_fen: int
    quantity: int
    reduction: Reduction | None = None
    freight_fen: int = 0
    discount_fen: int = 0

    @property
    def goods_fen(self) -> int:
        """What the goods cost, 满减 taken off."""
        off_fen = self.reduction.off_fen if self.reduction else 0
        return self.unit_price_fen * self.quantity - off_fen

    @property
    def total_fen(self) -> int:
        return self.goods_fen + self.freight_fen - self.discount_fen

    @property
    def lines(self) -> list[PriceLine]:
        """They add up to the total; goods and freight are told though they cost nothing."""
        lines = [PriceLine(PriceCode.GOODS, self.unit_price_fen * self.quantity, Text("商品金额"))]
        if self.reduction is not None:
            off_fen = -self.reduction.off_fen
            lines.append(PriceLine(PriceCode.REDUCTION, off_fen, self.reduction.words))
        lines.append(PriceLine(PriceCode.FREIGHT, self.freight_fen, Text("运费")))
        if self.discount_fen:
            lines.append(PriceLine(PriceCode.DISCOUNT, -self.discount_fen, Text("商家改价优惠")))
        return lines

    def stored(self) -> dict[str, int]:
        """As an order's detail keeps it; read by `price_of`."""
        kept = {
            "unit_price_fen": self.unit_price_fen,
            "quantity": self.quantity,
            "freight_fen": self.freight_fen,
            "total_fen": self.total_fen,
        }
        if self.reduction is not None:
            kept["reduction_from_fen"] = self.reduction.from_fen
            kept["reduction_fen"] = self.reduction.off_fen
        return kept | {"discount_fen": self.discount_fen} if self.discount_fen else kept


def priced(unit_price_fen: int, quantity: int, reductions: Iterable[Reduction] = ()) -> Price:
    """What the units cost, with the best of the reductions that they reach."""
    goods_fen = unit_price_fen * quantity
    reached = [one for one in reductions if one.from_fen <= goods_fen]
    best = max(reached, key=lambda one: (one.off_fen, -one.from_fen), default=None)
    return Price(unit_price_fen, quantity, best)


def price_of(stored: Mapping[str, Any]) -> Price:
    """The price that an order's detail keeps."""
    off_fen = stored.get("reduction_fen", 0)
    return Price(
        stored["unit_price_fen"],
        stored["quantity"],
        Reduction(stored["reduction_from_fen"], off_fen) if off_fen else None,
        stored.get("freight_fen", 0),
        stored.get("discount_fen", 0),
    )


def lowest(unit_price_fen: int, units_max: int, reductions: Iterable[Reduction]) -> Price:
    """The price at which one unit costs least, of purchases of up to `units_max` units.

    That is where a reduction is just reached, or a single unit.
    """
    known = list(reductions)
    units = {1} | {-(-one.from_fen // unit_price_fen) for one in known if unit_price_fen}
    prices = [priced(unit_price_fen, n, known) for n in sorted(units) if n <= units_max]
    return min(prices, key=lambda price: price.goods_fen / price.quantity)
