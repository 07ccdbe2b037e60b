"""Items of table `trade` that bring buyers in: coupons, how many are left, what they did;
points and growth.

Their keys stand in the map of chalicelib.tables.trade.
"""

from collections.abc import Iterable
from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    UnicodeAttribute,
)
from pynamodb.expressions.update import Action

from chalicelib.domain.birthday import Birthday
from chalicelib.domain.coupon import Coupon, CouponId, terms_of
from chalicelib.domain.points_account import PointsAccount, PointsEntry, PointsKind
from chalicelib.tables.base import IntAttribute
from chalicelib.tables.trade_item import TradeItem, buyer_pk

TALLY_SHARDS = 4


class CouponItem(TradeItem, discriminator="coupon"):
    """A coupon that a buyer claimed, with the terms of its template as they were then. While no
    order uses it, it stands in the list of its template. Its due marker says when its buyer is told
    that it runs out."""

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
    points = IntAttribute(null=True)  # that it was claimed for
    taken_back_at_s = IntAttribute(null=True)  # unused, with the reward that it was

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
            revoked=revoked or self.taken_back_at_s is not None,
        )


class CouponStockItem(TradeItem, discriminator="coupon_stock"):
    """How many coupons of a template may yet be claimed, or written as codes."""

    left = IntAttribute()
    batches = IntAttribute(null=True)  # of codes
    withdrawn = BooleanAttribute(null=True)  # nobody gets one any more

    @classmethod
    def at(cls, merchant_id: str, template_id: str, **more: Any) -> "CouponStockItem":
        return cls(f"{merchant_id}#C#{template_id}", "coupon_stock", **more)


class CouponBatchItem(TradeItem, discriminator="coupon_batch"):
    """Codes of a template that were written at once: so many, numbered from 0. They follow from
    `key`, which nobody is shown. used: how many coupons were claimed with them."""

    merchant_id = UnicodeAttribute()
    template_id = UnicodeAttribute()
    batch = UnicodeAttribute()  # what its codes begin with
    batch_id = UnicodeAttribute()  # of the request, so that a repeat finds what it did
    codes = IntAttribute()
    key = UnicodeAttribute()
    used = IntAttribute(default=0)
    made_at_s = IntAttribute()
    made_by = UnicodeAttribute()

    @classmethod
    def at(cls, merchant_id: str, batch: str, **more: Any) -> "CouponBatchItem":
        pk = _batch_pk(merchant_id, batch)
        return cls(pk, "coupon_batch", merchant_id=merchant_id, batch=batch, **more)


class CouponCodeItem(TradeItem, discriminator="coupon_code"):
    """A code that was used; those that were not have no item."""

    coupon_id = UnicodeAttribute()  # that was claimed with it
    used_at_s = IntAttribute()

    @classmethod
    def at(cls, merchant_id: str, batch: str, number: int, **more: Any) -> "CouponCodeItem":
        return cls(_batch_pk(merchant_id, batch), f"code#{number:05d}", **more)

    @property
    def number(self) -> int:
        return int(self.sk.removeprefix("code#"))


class CouponGrantItem(TradeItem, discriminator="coupon_grant"):
    """A coupon that the shop gave to a buyer; its reason is its key, so that it is given once."""

    merchant_id = UnicodeAttribute()
    coupon_id = UnicodeAttribute()
    at_s = IntAttribute()
    body_hash = UnicodeAttribute(default="")  # of the request that gave it

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, reason: str, **more: Any) -> "CouponGrantItem":
        pk = buyer_pk(merchant_id, buyer_id)
        return cls(pk, f"grant#{reason}", merchant_id=merchant_id, **more)


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


class PointsItem(TradeItem, discriminator="points"):
    """What a buyer has of points, and how much they have grown: one item, so that nothing is spent
    twice. A person with several ids has several. Each change is conditional on the revision that
    it read.

    entries: the latest, as domain.points_account.PointsEntry.stored; earlier ones stand in pages.
    warned: the lot of whose end its buyer was told. closed_at_s: with the buyer's account.
    """

    merchant_id = UnicodeAttribute()
    buyer_id = UnicodeAttribute()
    balance = IntAttribute(default=0)
    lots: MapAttribute[str, Any] = MapAttribute(default=dict)
    entries: ListAttribute[Any] = ListAttribute(default=list)
    pages = IntAttribute(default=0)
    revision = IntAttribute(default=0)
    order_id = UnicodeAttribute(default="")  # that its points or growth moved with last
    warned = UnicodeAttribute(null=True)
    closed_at_s = IntAttribute(null=True)
    growth = IntAttribute(default=0)

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, **more: Any) -> "PointsItem":
        pk = buyer_pk(merchant_id, buyer_id)
        return cls(pk, "points", merchant_id=merchant_id, buyer_id=buyer_id, **more)

    def view(self) -> PointsAccount:
        return PointsAccount(self.balance, self.lots.as_dict(), points_entries_of(self.entries))


class BirthdayItem(TradeItem, discriminator="birthday"):
    """The birthday of a buyer, due on its day of each year. told_at_s: when they told it."""

    merchant_id = UnicodeAttribute()
    buyer_id = UnicodeAttribute()
    month = IntAttribute()
    day = IntAttribute()
    told_at_s = IntAttribute()

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, **more: Any) -> "BirthdayItem":
        pk = buyer_pk(merchant_id, buyer_id)
        return cls(pk, "birthday", merchant_id=merchant_id, buyer_id=buyer_id, **more)

    @property
    def birthday(self) -> Birthday:
        return Birthday(self.month, self.day)


class PointsPageItem(TradeItem, discriminator="points_page"):
    """Entries of a buyer's points that the account itself has no room for."""

    entries: ListAttribute[Any] = ListAttribute()

    @classmethod
    def at(
        cls, merchant_id: str, buyer_id: str, number: int, at_s: int, **more: Any
    ) -> "PointsPageItem":
        """number: of all pages of the buyer. at_s: of its last entry."""
        return cls(buyer_pk(merchant_id, buyer_id), f"points#{at_s:010d}#{number:06d}", **more)


class PointsGrantItem(TradeItem, discriminator="points_grant"):
    """Points that the shop gave or took outside of orders; the reason is the key: once."""

    merchant_id = UnicodeAttribute()
    points = IntAttribute()
    body_hash = UnicodeAttribute()  # of the request, if any

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, grant_id: str, **more: Any) -> "PointsGrantItem":
        pk = buyer_pk(merchant_id, buyer_id)
        return cls(pk, f"points_grant#{grant_id}", merchant_id=merchant_id, **more)


def points_entries_of(stored: Iterable[Any]) -> tuple[PointsEntry, ...]:
    return tuple(
        PointsEntry(at_s, points, PointsKind(kind), order_id, *reason)
        for at_s, points, kind, order_id, *reason in stored
    )


def batches_list(merchant_id: str, template_id: str) -> str:
    """The list of a template's batches of codes, by when they were made."""
    return f"{merchant_id}#coupon_batches#{template_id}"


def unused_list(merchant_id: str, template_id: str) -> str:
    """The list of a template's coupons that no order uses, by when they came into it."""
    return f"{merchant_id}#coupons#{template_id}"


def _batch_pk(merchant_id: str, batch: str) -> str:
    return f"{merchant_id}#Q#{batch}"
