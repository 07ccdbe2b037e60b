"""Which of a buyer's coupons can be used for a purchase, what each takes off, and which is best."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.coupon import Coupon, CouponState
from chalicelib.errors import CouponRefused
from chalicelib.services.growth import coupons
from chalicelib.services.orders import deliveries, newness
from chalicelib.services.orders.ordering import Quote
from chalicelib.tables.growth import CouponItem

OVER = (CouponState.USED, CouponState.EXPIRED, CouponState.REVOKED)


@dataclass(frozen=True)
class Choice:
    """A coupon, and the purchase quoted with it; None when it cannot be used, for `refusal`."""

    item: CouponItem
    view: Coupon
    quote: Quote | None
    refusal: str | None


def of_buyer(merchant_id: str, ids: Sequence[str], plain: Quote, *, now_s: int) -> list[Choice]:
    """The coupons of a person that are not over, for a purchase that was quoted without one: those
    that can be used first, by what is to be paid then, and by when they run out."""
    items = coupons.of_buyer(merchant_id, ids)
    views = coupons.views(merchant_id, items, now_s=now_s)
    alive = [
        (item, view)
        for item, view in zip(items, views, strict=True)
        if view.state(now_s) not in OVER
    ]
    goods_fen = plain.price.goods_fen
    coupons_alive = [view for _, view in alive]
    asks = any(view.terms.first_order for view in coupons_alive)
    is_new = not asks or newness.purchase_of(merchant_id, ids) is None
    of_each = deliveries.coupon_refusals(
        merchant_id, plain.line, coupons_alive, goods_fen, now_s, is_new=is_new
    )
    choices = []
    for (item, view), refusal in zip(alive, of_each, strict=True):
        quote = None
        if refusal is None:
            quote = deliveries.quoted(
                merchant_id, plain.line, plain.purchase, coupon=item, now_s=now_s
            )
        choices.append(Choice(item, view, quote, refusal))
    return sorted(choices, key=_rank)


def chosen(choices: Sequence[Choice], plain: Quote, coupon_id: str | None, *, best: bool) -> Quote:
    """The purchase with the coupon of that id, or else with the best one, where less is paid with
    it than without: it may cost more freight.

    Raises CouponRefused when the coupon cannot be used.
    """
    if coupon_id is None:
        found = choices[0].quote if best and choices else None
        saves = found is not None and found.price.total_fen < plain.price.total_fen
        return found if found is not None and saves else plain
    for one in choices:
        if one.item.coupon_id == coupon_id:
            if one.quote is None:
                raise deliveries.coupon_refused(coupon_id, one.refusal or "")
            return one.quote
    raise CouponRefused("没有找到这张优惠券，请重新选择。", coupon_id=coupon_id)


def _rank(one: Choice) -> tuple[bool, int, int, str]:
    total_fen = one.quote.price.total_fen if one.quote is not None else 0
    return one.quote is None, total_fen, one.view.good_until_s, one.item.coupon_id
