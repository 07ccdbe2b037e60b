"""Coupons that the shop gives to a buyer: at staff's word, or because its activity promised one.

Every grant has a reason, which is the key of an item that is written with the coupon: a person is
given one coupon for one reason, however often it is asked for.
"""

from collections.abc import Callable, Sequence

from chalicelib.domain.coupon import CouponId
from chalicelib.domain.coupon_draft import CouponGiven
from chalicelib.errors import Conflict, IdempotencyMismatch, SessionSuperseded
from chalicelib.services.catalogue import coupon_templates
from chalicelib.services.growth import coupons
from chalicelib.services.people import identities
from chalicelib.tables.base import LostRace, Writes, retried, transaction
from chalicelib.tables.growth import CouponGrantItem, CouponItem
from chalicelib.tables.trade_item import TradeItem

Also = Callable[[Writes, CouponItem], None]


def grant(
    merchant_id: str,
    buyer_id: str,
    template_id: str,
    reason: str,
    *,
    body_hash: str = "",
    also: Also,
    now_s: int,
) -> CouponItem | None:
    """Give a coupon to the person whose buyer this is, under the id that they buy with now.

    also: adds what is written with it: a message, an audit row. Returns the coupon; that of before
    for a reason that it was given for already; None for a closed account. Raises NotFound,
    Conflict for a template of codes, IdempotencyMismatch for another `body_hash`, CouponsGone,
    LimitReached, Busy.
    """

    def step() -> CouponItem | None:
        person = identities.root(merchant_id, buyer_id)
        if person.erased_at_s is not None:
            return None
        given = _given(merchant_id, person.ids, reason)
        if given is not None:
            if given.body_hash != body_hash:
                raise IdempotencyMismatch
            return _coupon_of(given)
        template = coupon_templates.read(merchant_id, template_id)
        if template.given == CouponGiven.CODE:
            raise Conflict("这种优惠券只能用兑换码领取，请选另一种。")
        held = coupons.of_template(merchant_id, person.ids, template_id)
        coupon = coupons.next_of(template, person.ids, held, claim_key=reason, now_s=now_s)
        place = CouponGrantItem.at(
            merchant_id,
            person.buyer_id,
            reason,
            coupon_id=coupon.coupon_id,
            at_s=now_s,
            body_hash=body_hash,
        )
        try:
            with transaction() as writes:
                writes.put(place, refuse=LostRace)
                coupons.put(writes, coupon, person.ids)
                also(writes, coupon)
        except SessionSuperseded:  # merged, or closed, since the person was read
            raise LostRace from None
        return coupon

    return retried(step)


def _given(merchant_id: str, ids: Sequence[str], reason: str) -> CouponGrantItem | None:
    keys = [CouponGrantItem.at(merchant_id, one, reason) for one in ids]
    found = TradeItem.batch_get([(key.pk, key.sk) for key in keys], consistent_read=True)
    return next((item for item in found if isinstance(item, CouponGrantItem)), None)


def _coupon_of(grant: CouponGrantItem) -> CouponItem:
    place = CouponId.parse(grant.coupon_id)
    assert place is not None
    coupon = CouponItem.at(grant.merchant_id, place)
    return CouponItem.get(coupon.pk, coupon.sk, consistent_read=True)
