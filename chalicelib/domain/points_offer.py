"""A points offer (积分商品): units of one SKU that buyers get for points, and perhaps some money.

Its terms never change, so that what a buyer reads is what the order takes. Staff rename it, change
how many units it has, or end it; another price is another offer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.activity_draft import Offer
from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.money import yuan
from chalicelib.domain.product import STOCK_MAX, Problem, trouble
from chalicelib.text import Text

NAME_MAX = 28
POINTS_MAX = 1_000_000  # that a unit can cost
PER_BUYER_MAX = 999
PER_ORDER_MAX = 99  # where there is no limit per buyer
DAYS_MAX = 366


class OfferState(StrEnum):
    OFFERED = "offered"
    GONE = "gone"  # all units are taken; some may come back
    ENDED = "ended"  # its time is over


@dataclass(frozen=True)
class PointsOfferDraft:
    """As staff wrote it. points and price_fen: of a unit. total: units that are moved from the
    product. per_buyer: units, 0: no limit. level_from: of members from that level on, 0: of
    anybody. until_s: before when it can be had, 0: for ever."""

    name: str
    product_id: str
    sku_id: str
    points: int
    price_fen: int
    total: int
    per_buyer: int = 0
    level_from: int = 0
    until_s: int = 0


def per_order(per_buyer: int) -> int:
    """How many units one order may have."""
    return min(per_buyer, PER_ORDER_MAX) if per_buyer else PER_ORDER_MAX


def state_of(until_s: int, left: int, *, now_s: int) -> OfferState:
    """What becomes of who wants one now."""
    if until_s and now_s >= until_s:
        return OfferState.ENDED
    return OfferState.OFFERED if left > 0 else OfferState.GONE


def problems_of(draft: PointsOfferDraft, sold: Offer, *, now_s: int) -> list[Problem]:
    """Everything that keeps `draft` from being offered, each with its field; empty when nothing.

    sold: the SKU as its product has it now.
    """
    return [*_of_price(draft, sold), *_of_units(draft, sold), *_of_time(draft, now_s)]


def _of_price(draft: PointsOfferDraft, sold: Offer) -> Iterator[Problem]:
    if not 1 <= draft.points <= POINTS_MAX:
        yield trouble("points", Text("积分要在 1 到 {max} 之间，请修改。", max=POINTS_MAX))
    if not 0 <= draft.price_fen < sold.solo_price_fen:
        words = Text(
            "另付的金额要低于单买价 {solo}，请修改；只用积分就填 0。",
            solo=yuan(sold.solo_price_fen),
        )
        yield trouble("price_fen", words)


def _of_units(draft: PointsOfferDraft, sold: Offer) -> Iterator[Problem]:
    most = min(sold.available, STOCK_MAX)
    if not 1 <= draft.total <= most:
        words = Text(
            "可兑数量要在 1 到 {max} 之间（当前可售库存 {available}）。请修改，或先补充库存。",
            max=max(most, 1),
            available=sold.available,
        )
        yield trouble("total", words)
    if not 0 <= draft.per_buyer <= PER_BUYER_MAX:
        words = Text("每人限兑最多 {max} 件，填 0 表示不限，请修改。", max=PER_BUYER_MAX)
        yield trouble("per_buyer", words)


def _of_time(draft: PointsOfferDraft, now_s: int) -> Iterator[Problem]:
    if draft.until_s and not now_s < draft.until_s <= now_s + DAYS_MAX * DAY_S:
        yield trouble("until_s", "截止时间要在现在之后、一年之内，请修改；不限时间就清空。")
