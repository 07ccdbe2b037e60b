"""What a purchase reads of its buyer before it is made: their coupon, and their level."""

from collections.abc import Sequence

from chalicelib.services.growth import coupons, levels
from chalicelib.services.growth.levels import NOBODY, Standing
from chalicelib.tables.growth import CouponItem, PointsItem
from chalicelib.tables.trade_item import TradeItem


def of_purchase(
    merchant_id: str, ids: Sequence[str], coupon_id: str, *, matters: bool, now_s: int
) -> tuple[CouponItem | None, Standing]:
    """The coupon that a purchase names, and the standing of who buys, in one call at most.

    matters: whether the standing can change anything but whether the coupon can be used. Raises
    CouponRefused.
    """
    known = levels.rule(merchant_id, now_s)
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
    return coupon, levels.of_growth(known, growth)
