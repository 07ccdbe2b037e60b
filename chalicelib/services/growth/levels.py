"""Levels of members: the shop's rule, how much a person has grown, and which level that is."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.levels import LevelsRule, MemberLevel
from chalicelib.services.growth import coupons, points
from chalicelib.services.people import merchants, shop_cache
from chalicelib.tables.growth import CouponItem, PointsItem
from chalicelib.tables.trade_item import TradeItem


@dataclass(frozen=True)
class Standing:
    """level: None where the person has none, or the shop has no levels. rank: as
    domain.levels.LevelsRule.rank."""

    growth: int = 0
    level: MemberLevel | None = None
    rank: int = 0


NOBODY = Standing()


def rule(merchant_id: str, now_s: int) -> LevelsRule:
    """The shop's rule, as old as its other settings."""
    return merchants.levels_of_shop(shop_cache.merchant(merchant_id, now_s))


def standing(merchant_id: str, ids: Sequence[str], *, now_s: int) -> Standing:
    """How much a person has grown, under all their ids, and their level; as it is now."""
    growth = sum(item.growth for item in points.read(merchant_id, ids).values())
    return _of(rule(merchant_id, now_s), growth)


def of_purchase(
    merchant_id: str, ids: Sequence[str], coupon_id: str, *, matters: bool, now_s: int
) -> tuple[CouponItem | None, Standing]:
    """The coupon that a purchase names, and the standing of who buys, in one call at most.

    matters: whether the standing can change anything but whether the coupon can be used. Raises
    CouponRefused.
    """
    known = rule(merchant_id, now_s)
    if not known.on or not (matters or coupon_id):
        return coupons.of_purchase(merchant_id, ids, coupon_id), NOBODY
    key = coupons.key_of(merchant_id, ids, coupon_id) if coupon_id else None
    places = [*(PointsItem.at(merchant_id, one) for one in ids), *([key] if key else [])]
    keys = [(place.pk, place.sk) for place in places]
    found = list(TradeItem.batch_get(keys, consistent_read=True))
    growth = sum(item.growth for item in found if isinstance(item, PointsItem))
    coupon = next((item for item in found if isinstance(item, CouponItem)), None)
    if coupon_id and coupon is None:
        raise coupons.not_found()
    return coupon, _of(known, growth)


def _of(known: LevelsRule, growth: int) -> Standing:
    level = known.reached(growth)
    return Standing(growth, level, known.rank(level))
