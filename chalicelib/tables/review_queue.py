"""Items of table `trade` that stand in a list of the merchant's until a person has dealt with them.

The one due marker of an item is for its jobs: what a person has to mend while jobs go on trying
has an item of its own, which costs nothing where there is no trouble. It leaves its list and
stays. Their keys stand in the map of chalicelib.tables.trade.
"""

from typing import Any

from pynamodb.attributes import MapAttribute, UnicodeAttribute

from chalicelib.domain.ids import OrderId
from chalicelib.tables.base import IntAttribute, Writes
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


class RejectedResultItem(TradeItem, discriminator="rejected_result"):
    """What a gateway told of money, rightly signed, and the books do not take: somebody has to look
    at it, once, however often it is told. `records` keeps it, too.

    told: what it says (number, amount_fen, ...); details: why it was refused.
    """

    merchant_id = UnicodeAttribute()
    result_id = UnicodeAttribute()
    method = UnicodeAttribute()
    code = UnicodeAttribute()  # of the refusal
    details: MapAttribute[str, Any] = MapAttribute(default=dict)
    told: MapAttribute[str, Any] = MapAttribute(default=dict)
    at_s = IntAttribute()
    dealt_at_s = IntAttribute(null=True)
    dealt_by = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)  # what was done about it

    @classmethod
    def at(cls, merchant_id: str, result_id: str, **more: Any) -> "RejectedResultItem":
        return cls(
            f"{merchant_id}#K#{result_id}",
            "rejected_result",
            merchant_id=merchant_id,
            result_id=result_id,
            **more,
        )


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
