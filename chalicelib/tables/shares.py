"""Items of table `trade` about shares, who came by them, and what they have brought.

Their keys stand in the map of chalicelib.tables.trade.
"""

import random
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from pynamodb.attributes import ListAttribute, MapAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib.domain.attribution import FIGURES, Brought, ShareSums
from chalicelib.domain.ids import OrderId
from chalicelib.domain.touches import Touch, VisitState
from chalicelib.tables.base import IntAttribute
from chalicelib.tables.trade_item import TradeItem, buyer_pk

VISITS_SHARDS = 16  # of one share: a hundred thousand may come by it in an hour
COUNTS_SHARDS = 16  # of one activity, for what all its shares have brought
FIRST_FIGURES = tuple(f"first_{name}" for name in FIGURES)
COUNTED = ("visits", *FIGURES, *FIRST_FIGURES)


class ShareItem(TradeItem, discriminator="share"):
    """One invitation: who shared which group, by which channel; or where the shop itself has spread
    an activity. It never changes."""

    merchant_id = UnicodeAttribute()
    share_id = UnicodeAttribute()
    group_id = UnicodeAttribute(default="")  # empty: it leads to the activity
    activity_id = UnicodeAttribute()
    sharer_id = UnicodeAttribute(default="")  # empty: the shop
    channel = UnicodeAttribute()
    name = UnicodeAttribute(null=True)  # the shop's, for its own

    @classmethod
    def at(cls, merchant_id: str, share_id: str, **more: Any) -> "ShareItem":
        return cls(
            f"{merchant_id}#X#{share_id}",
            "share",
            merchant_id=merchant_id,
            share_id=share_id,
            **more,
        )


class VisitItem(TradeItem, discriminator="visit"):
    """One visitor who came by a share, who counts once. Visitors are spread over as many partitions
    as a share has shards. state: domain.touches.VisitState."""

    at_s = IntAttribute()
    last_at_s = IntAttribute(null=True)  # came again then
    state = UnicodeAttribute(null=True)

    @classmethod
    def at(cls, merchant_id: str, share_id: str, visitor_id: str, **more: Any) -> "VisitItem":
        shard = zlib.crc32(visitor_id.encode()) % VISITS_SHARDS
        return cls(f"{merchant_id}#X#{share_id}#{shard}", f"visit#{visitor_id}", **more)

    @property
    def is_new(self) -> bool:
        return self.state == VisitState.NEW


def counts_shards(share_id: str) -> Iterator[int]:
    """In which shard to count what a share brings: always in the same, but elsewhere after somebody
    else was there at once. So most shares have one item, and one that many come by has more."""
    yield zlib.crc32(share_id.encode()) % COUNTS_SHARDS
    while True:
        yield random.randrange(COUNTS_SHARDS)


class ShareCountsItem(TradeItem, discriminator="share_counts"):
    """What one share has brought, or a part of it: visits, and for seats whose buyers came by it
    last what domain.attribution.Brought says; with first_ before it, for those who came by it
    first. It stands with what other shares of the activity have brought."""

    sharer_id = UnicodeAttribute(default="")
    channel = UnicodeAttribute(default="")
    visits = IntAttribute(default=0)
    taken = IntAttribute(default=0)
    paid = IntAttribute(default=0)
    paid_fen = IntAttribute(default=0)
    formed = IntAttribute(default=0)
    refunded = IntAttribute(default=0)
    refunded_fen = IntAttribute(default=0)
    first_taken = IntAttribute(default=0)
    first_paid = IntAttribute(default=0)
    first_paid_fen = IntAttribute(default=0)
    first_formed = IntAttribute(default=0)
    first_refunded = IntAttribute(default=0)
    first_refunded_fen = IntAttribute(default=0)

    @classmethod
    def of(
        cls, merchant_id: str, share: "ShareItem | Touch", shard: int, **more: Any
    ) -> "ShareCountsItem":
        return cls(
            counts_pk(merchant_id, share.activity_id, shard),
            f"share_counts#{share.share_id}",
            sharer_id=share.sharer_id,
            channel=share.channel,
            **more,
        )

    @property
    def share_id(self) -> str:
        return str(self.sk.rpartition("#")[2])

    def sums(self) -> ShareSums:
        last, first = (
            Brought(*(getattr(self, prefix + name) for name in FIGURES))
            for prefix in ("", "first_")
        )
        return ShareSums(self.visits, last, first)

    def adding(self, counts: Mapping[str, int]) -> list[Action]:
        """Actions that count, of a stored item or a new one."""
        return [
            *(getattr(ShareCountsItem, name).add(count) for name, count in counts.items()),
            ShareCountsItem.sharer_id.set(self.sharer_id),
            ShareCountsItem.channel.set(self.channel),
            ShareCountsItem.kind.set(ShareCountsItem),
        ]


def shop_shares_list(merchant_id: str, activity_id: str) -> str:
    """The shop's own shares of an activity, by when they were made."""
    return f"{merchant_id}#{activity_id}#shop_shares"


def counts_pk(merchant_id: str, activity_id: str, shard: int) -> str:
    return f"{merchant_id}#F#{activity_id}#{shard}"


class AttributionItem(TradeItem, discriminator="attribution"):
    """By which shares the buyer of a seat came, last and first (domain.touches.Touch), each with
    when; and what was counted of its order for them (domain.attribution.Brought). Whoever changes
    it conditions on its revision."""

    last: MapAttribute[str, Any] = MapAttribute()
    last_at_s = IntAttribute()
    first: MapAttribute[str, Any] = MapAttribute()
    first_at_s = IntAttribute()
    counted: MapAttribute[str, Any] = MapAttribute(default=dict)
    revision = IntAttribute(null=True)  # None: not yet stored

    @classmethod
    def at(cls, merchant_id: str, order_id: OrderId, **more: Any) -> "AttributionItem":
        pk = buyer_pk(merchant_id, order_id.buyer_id)
        return cls(pk, f"attribution#{order_id.order_no}", **more)

    @property
    def order_id(self) -> OrderId:
        return OrderId(str(self.pk.rpartition("#")[2]), str(self.sk.partition("#")[2]))

    @property
    def last_touch(self) -> Touch:
        return Touch(**self.last.as_dict())

    @property
    def first_touch(self) -> Touch:
        return Touch(**self.first.as_dict())

    @property
    def counted_view(self) -> Brought:
        return Brought(**self.counted.as_dict())


class TouchesItem(TradeItem, discriminator="touches"):
    """By whose shares a buyer came lately (domain.touches.Touch), under the id that was the
    person's first then. revision: counts changes; each is conditional on the one it read."""

    touches: ListAttribute[Any] = ListAttribute(default=list)
    revision = IntAttribute(default=0)

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, **more: Any) -> "TouchesItem":
        return cls(buyer_pk(merchant_id, buyer_id), "touches", **more)

    @property
    def buyer_id(self) -> str:
        return str(self.pk.rpartition("#")[2])

    @property
    def view(self) -> tuple[Touch, ...]:
        return tuple(Touch(**dict(one)) for one in self.touches)

    @classmethod
    def stored(cls, touches: tuple[Touch, ...]) -> list[dict[str, Any]]:
        """What `touches` keeps."""
        return [asdict(one) for one in touches]
