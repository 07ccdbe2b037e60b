"""Items of table `trade` that stand in a list of the merchant's until a person has dealt with them.

The one due marker of an item is for its jobs: what a person has to mend while jobs go on trying
has an item of its own, which costs nothing where there is no trouble. It leaves its list and
stays. Their keys stand in the map of chalicelib.tables.trade.
"""

import hashlib
from typing import Any

from pynamodb.attributes import BooleanAttribute, MapAttribute, UnicodeAttribute

from chalicelib.domain.ids import OrderId
from chalicelib.tables.base import IntAttribute, Writes
from chalicelib.tables.records import DifferenceItem
from chalicelib.tables.trade_item import TradeItem, buyer_pk, listed


class RefundReviewItem(TradeItem, discriminator="refund_trouble"):
    """A refund that only a person can mend; what is wrong, its order says.

    list_rank: since when, and which refund.
    """

    @classmethod
    def at(cls, merchant_id: str, order_id: OrderId, key: str, **more: Any) -> "RefundReviewItem":
        return cls(
            buyer_pk(merchant_id, order_id.buyer_id),
            f"refund_trouble#{order_id.order_no}#{key}",
            **more,
        )

    @property
    def order_no(self) -> str:
        return self.sk.split("#")[1]

    @property
    def key(self) -> str:
        return self.sk.split("#")[2]


class ReviewItem(TradeItem):
    """Something that staff have to look at: in its list until it is closed, by one of them with a
    note, or by itself."""

    merchant_id = UnicodeAttribute()
    at_s = IntAttribute()
    dealt_at_s = IntAttribute(null=True)  # when it was closed
    dealt_by = UnicodeAttribute(null=True)  # None: nobody had to
    note = UnicodeAttribute(null=True)  # what was done about it

    @property
    def review_id(self) -> str:
        return self.pk.split("#")[2]

    @property
    def closed_list(self) -> str | None:
        """Where it stands when it is closed; None: nowhere but in the audit log."""
        return None


class RejectedResultItem(ReviewItem, discriminator="rejected_result"):
    """What a gateway told of money, rightly signed, and the books do not take: somebody has to look
    at it, once, however often it is told. `records` keeps it, too.

    told: what it says (number, amount_fen, ...); details: why it was refused.
    """

    result_id = UnicodeAttribute()
    method = UnicodeAttribute()
    code = UnicodeAttribute()  # of the refusal
    details: MapAttribute[str, Any] = MapAttribute(default=dict)
    told: MapAttribute[str, Any] = MapAttribute(default=dict)

    @classmethod
    def at(cls, merchant_id: str, result_id: str, **more: Any) -> "RejectedResultItem":
        return cls(
            f"{merchant_id}#K#{result_id}",
            "rejected_result",
            merchant_id=merchant_id,
            result_id=result_id,
            **more,
        )


class DifferenceReviewItem(ReviewItem, discriminator="difference_review"):
    """A difference between a bill and the books, with what has become of it. What it was when it
    was found, `records` keeps.

    Its id is made of what it is about, so that the same one found again is the same case.
    """

    difference_id = UnicodeAttribute()
    day = UnicodeAttribute()
    method = UnicodeAttribute()
    account = UnicodeAttribute(null=True)  # None: the first one
    number = UnicodeAttribute()
    difference = UnicodeAttribute()  # domain.reconcile.Difference
    ours: MapAttribute[str, Any] = MapAttribute(default=dict)
    theirs: MapAttribute[str, Any] = MapAttribute(default=dict)
    repaired = BooleanAttribute()

    @classmethod
    def at(cls, merchant_id: str, difference_id: str, **more: Any) -> "DifferenceReviewItem":
        return cls(
            f"{merchant_id}#V#{difference_id}",
            "difference",
            merchant_id=merchant_id,
            difference_id=difference_id,
            **more,
        )

    @property
    def closed_list(self) -> str:
        return differences_list(self.merchant_id, is_open=False)

    @classmethod
    def of(cls, found: DifferenceItem) -> "DifferenceReviewItem":
        """The case of a difference that was just found: closed already where it was repaired."""
        names = ("at_s", "day", "method", "account", "number", "difference", "repaired")
        difference_id = hashlib.sha256(found.sk.encode()).hexdigest()[:32]
        case = cls.at(
            found.merchant_id,
            difference_id,
            **{name: getattr(found, name) for name in names},
            ours=found.ours.as_dict(),
            theirs=found.theirs.as_dict(),
            dealt_at_s=found.at_s if found.repaired else None,
        )
        case.list_key = differences_list(found.merchant_id, is_open=not found.repaired)
        case.list_rank = f"{found.at_s:010d}#{difference_id}"
        return case


def differences_list(merchant_id: str, *, is_open: bool) -> str:
    """The list of a shop's open differences by when they were found, or of its closed ones by when
    they were closed."""
    return f"{merchant_id}#differences#{'open' if is_open else 'closed'}"


def rejected_results(merchant_id: str) -> str:
    """The list of a shop's refused statements that nobody has dealt with, the oldest first."""
    return f"{merchant_id}#rejected_results"


def list_refund_review(
    writes: Writes, merchant_id: str, order_id: OrderId, key: str, since_s: int
) -> None:
    """List a refund as one that a person has to mend, with the write that says so of its order;
    since_s 0: take it out of the list."""
    item = RefundReviewItem.at(merchant_id, order_id, key)
    rank = f"{since_s:010d}#{order_id}{key}"
    place = listed(refund_reviews(merchant_id), rank) if since_s else listed(None)
    writes.add(item, [*place, RefundReviewItem.kind.set(RefundReviewItem)])


def refund_reviews(merchant_id: str) -> str:
    """The list of a shop's refunds that only a person can mend, the longest waiting first."""
    return f"{merchant_id}#refund_troubles"
