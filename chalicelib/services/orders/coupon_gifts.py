"""Coupons given to the buyer of an order at staff's word, with the message that tells of them."""

from collections import Counter

from chalicelib.domain.coupon import terms_of
from chalicelib.domain.ids import OrderId
from chalicelib.domain.plain_text import within_sentence
from chalicelib.domain.texts import TextKey
from chalicelib.errors import (
    Conflict,
    CouponsGone,
    InvalidRequest,
    LimitReached,
    SessionSuperseded,
)
from chalicelib.services.growth import coupon_grants, coupons
from chalicelib.services.orders import notifications, orders
from chalicelib.services.people import identities
from chalicelib.services.people.audit import audit_item
from chalicelib.tables.base import Writes
from chalicelib.tables.growth import CouponItem
from chalicelib.text import Text

CLOSED = "这位买家已注销账号，不能再送优惠券。"


def give(
    merchant_id: str,
    order_id: OrderId,
    template_id: str,
    words: str,
    *,
    gift_id: str,
    body_hash: str = "",
    staff: str,
    now_s: int,
) -> CouponItem:
    """Give the buyer of an order a coupon at staff's word; the same `gift_id` again gives none.

    words: why; the buyer reads them. Raises InvalidRequest for words that say nothing, NotFound,
    CouponsGone, LimitReached, Conflict, IdempotencyMismatch for another `body_hash`, Busy.
    """
    order, reason = orders.get(merchant_id, order_id), within_sentence(words)
    if not reason:
        raise InvalidRequest("请写明为什么送，买家会看到。", field="reason")

    def also(writes: Writes, coupon: CouponItem) -> None:
        notifications.put(
            writes,
            order,
            TextKey.COUPON_GIVEN,
            coupon.coupon_id,
            now_s=now_s,
            reason=reason,
            **facts_of(coupon),
        )
        after = {"coupon": coupon.name, "template_id": template_id, "reason": words}
        audit_item(writes, order, staff, "coupon_given", {}, after, now_s)

    try:
        coupon = coupon_grants.grant(
            merchant_id,
            order.buyer_id,
            template_id,
            f"gift#{gift_id}",
            body_hash=body_hash,
            also=also,
            now_s=now_s,
        )
    except CouponsGone as refusal:
        raise CouponsGone("这张优惠券已停止发放或已发完，请换一张。") from refusal
    except LimitReached as refusal:
        limit = refusal.details["limit"]
        told = Text("这张优惠券每人限领 {max} 张，这位买家已经有了，请换一张。", max=limit)
        raise LimitReached(told, limit=limit) from None
    if coupon is None:
        raise Conflict(CLOSED)
    return coupon


def held(merchant_id: str, order_id: OrderId) -> Counter[str]:
    """How many coupons of each template the buyer of an order has, used ones too. Raises NotFound,
    or Conflict for a closed account."""
    order = orders.get(merchant_id, order_id)
    try:
        ids = identities.ids_of(merchant_id, order.buyer_id)
        return Counter(one.template_id for one in coupons.of_buyer(merchant_id, ids))
    except SessionSuperseded:
        raise Conflict(CLOSED) from None


def facts_of(coupon: CouponItem) -> dict[str, str]:
    """What a message says of a coupon."""
    terms = terms_of(coupon.terms.as_dict())
    return {"coupon": coupon.name, "worth": str(terms.words)}
