"""Coupons that run out in some days: their buyer is told once, of all of one day together."""

from collections.abc import Sequence

from chalicelib.domain.beijing import DAY_S, day_of, midnight_s
from chalicelib.domain.coupon import CouponState
from chalicelib.services.growth import coupons
from chalicelib.services.orders import notifications
from chalicelib.services.people import buyers, identities
from chalicelib.tables.base import LostRace, get_or_none, retried, transaction
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.growth import CouponItem
from chalicelib.tables.trade_item import buyer_pk, not_due

MOST = 50  # of one message, whose transaction writes each; the next one tells of the others


def process(merchant_id: str, buyer_id: str, sk: str, *, now_s: int) -> None:
    """Tell the buyer of a coupon that is due, and of all others that are due on the same day. Safe
    to run twice: a coupon that was told of, or that nobody needs to be told of, is not due again.
    """

    def step() -> None:
        item = get_or_none(CouponItem(buyer_pk(merchant_id, buyer_id), sk))
        if item is None or item.due_at_s is None or item.due_at_s > now_s:
            return
        person = identities.root(merchant_id, buyer_id)
        ending = _ending(person, item, now_s)
        with transaction() as writes:
            for one in ending or [item]:
                same = one.marker_as_read()
                if ending:
                    same &= CouponItem.order_id.does_not_exist()
                writes.update(one, not_due(), condition=same, refuse=LostRace)
            if ending:
                buyers.check_as_read(writes, person)
                notifications.put_expiring(writes, person, ending, now_s=now_s)

    retried(step)


def _ending(person: BuyerItem, item: CouponItem, now_s: int) -> Sequence[CouponItem]:
    """The coupon and others that are due today; empty when it was used, revoked or taken back, or
    its buyer has closed their account."""
    if person.erased_at_s is not None:
        return []
    tomorrow_s = midnight_s(day_of(now_s)) + DAY_S
    held = coupons.of_buyer(person.merchant_id, person.ids)
    due = [one for one in held if one.due_at_s is not None and one.due_at_s < tomorrow_s]
    views = coupons.views(person.merchant_id, due, now_s=now_s)
    good = [
        one
        for one, view in zip(due, views, strict=True)
        if view.state(now_s) in (CouponState.USABLE, CouponState.NOT_YET) and now_s < one.until_s
    ]
    if item.coupon_id not in [one.coupon_id for one in good]:
        return []
    others = [one for one in good if one.coupon_id != item.coupon_id]
    return [item, *others][:MOST]
