"""Items of table `trade` about invitations to groups, and who came by them.

Their keys stand in the map of chalicelib.tables.trade.
"""

import zlib
from dataclasses import asdict
from typing import Any, Self

from pynamodb.attributes import ListAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib.domain.touches import Touch
from chalicelib.tables.base import IntAttribute
from chalicelib.tables.trade_item import TradeItem, buyer_pk

VISITS_SHARDS = 16  # of one share: a hundred thousand may come by it in an hour


class ShareItem(TradeItem, discriminator="share"):
    """One invitation: who shared which group, by which channel. It never changes."""

    merchant_id = UnicodeAttribute()
    share_id = UnicodeAttribute()
    group_id = UnicodeAttribute()
    activity_id = UnicodeAttribute()
    sharer_id = UnicodeAttribute()
    channel = UnicodeAttribute()

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
    as a share has shards."""

    at_s = IntAttribute()
    last_at_s = IntAttribute(null=True)  # came again then

    @classmethod
    def at(cls, merchant_id: str, share_id: str, visitor_id: str, **more: Any) -> "VisitItem":
        shard = zlib.crc32(visitor_id.encode()) % VISITS_SHARDS
        return cls(f"{merchant_id}#X#{share_id}#{shard}", f"visit#{visitor_id}", **more)


class VisitsItem(TradeItem, discriminator="visits"):
    """How many visitors of one shard came by a share."""

    visits = IntAttribute(default=0)

    @classmethod
    def of(cls, visit: VisitItem) -> "VisitsItem":
        return cls(visit.pk, "visits")

    def one_more(self) -> tuple[Self, list[Action]]:
        """The item, and actions that count a visitor."""
        return self, [VisitsItem.visits.add(1), VisitsItem.kind.set(VisitsItem)]


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
