"""Items of table `trade` that bring buyers in: coupons, how many are left, what they did.

Their keys stand in the map of chalicelib.tables.trade.
"""

from typing import Any

from pynamodb.attributes import BooleanAttribute, MapAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib.domain.coupon import Coupon, CouponId, terms_of
from chalicelib.tables.base import IntAttribute
from chalicelib.tables.trade_item import TradeItem, buyer_pk

TALLY_SHARDS = 4


class CouponItem(TradeItem, discriminator="coupon"):
    """A coupon that a buyer claimed, with the terms of its template as they were then. While no
    order uses it, it stands in the list of its template."""

    merchant_id = UnicodeAttribute()
    coupon_id = UnicodeAttribute()
    name = UnicodeAttribute()
    terms: MapAttribute[str, Any] = MapAttribute()  # domain.coupon.CouponTerms.stored
    from_s = IntAttribute()
    until_s = IntAttribute()
    grace_days = IntAttribute()
    claimed_at_s = IntAttribute()
    claim_key = UnicodeAttribute()  # of the request, so that a repeat finds what it did
    order_id = UnicodeAttribute(null=True)  # of the order that uses it
    back_at_s = IntAttribute(null=True)  # when an order last gave it back

    @classmethod
    def at(cls, merchant_id: str, coupon_id: CouponId, **more: Any) -> "CouponItem":
        return cls(
            buyer_pk(merchant_id, coupon_id.buyer_id),
            f"coupon#{str(coupon_id)[len(coupon_id.buyer_id) :]}",
            merchant_id=merchant_id,
            coupon_id=str(coupon_id),
            **more,
        )

    @property
    def template_id(self) -> str:
        return self.place.template_id

    @property
    def place(self) -> CouponId:
        found = CouponId.parse(self.coupon_id)
        assert found is not None
        return found

    def view(self, *, revoked: bool = False) -> Coupon:
        """revoked: whether its template was, with what had been given out."""
        return Coupon(
            terms=terms_of(self.terms.as_dict()),
            from_s=self.from_s,
            until_s=self.until_s,
            grace_days=self.grace_days,
            order_id=self.order_id or "",
            back_at_s=self.back_at_s or 0,
            revoked=revoked,
        )


class CouponStockItem(TradeItem, discriminator="coupon_stock"):
    """How many coupons of a template may yet be claimed."""

    left = IntAttribute()
    withdrawn = BooleanAttribute(null=True)  # nobody gets one any more

    @classmethod
    def at(cls, merchant_id: str, template_id: str, **more: Any) -> "CouponStockItem":
        return cls(f"{merchant_id}#C#{template_id}", "coupon_stock", **more)


class CouponTallyItem(TradeItem, discriminator="coupon_tally"):
    """One shard of the paid orders that used a coupon of a template. Only added to."""

    orders = IntAttribute(null=True)
    paid_fen = IntAttribute(null=True)
    off_fen = IntAttribute(null=True)  # what the coupons took off

    @classmethod
    def at(cls, merchant_id: str, template_id: str, shard: int, **more: Any) -> "CouponTallyItem":
        return cls(f"{merchant_id}#T#{template_id}#{shard}", "coupon_tally", **more)

    def adding(self, paid_fen: int, off_fen: int) -> list[Action]:
        """Actions that count one order, of a stored item or a new one."""
        return [
            CouponTallyItem.orders.add(1),
            CouponTallyItem.paid_fen.add(paid_fen),
            CouponTallyItem.off_fen.add(off_fen),
            CouponTallyItem.kind.set(CouponTallyItem),
        ]


def unused_list(merchant_id: str, template_id: str) -> str:
    """The list of a template's coupons that no order uses, by when they came into it."""
    return f"{merchant_id}#coupons#{template_id}"
