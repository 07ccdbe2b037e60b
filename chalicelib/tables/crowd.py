"""万人团, in table `trade`: what all groups of an activity have reached, and which of them have got
it. Their keys stand in the map of chalicelib.tables.trade."""

from typing import Any

from pynamodb.attributes import ListAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib.tables.base import IntAttribute
from chalicelib.tables.trade_item import TradeItem, listed


class CrowdItem(TradeItem, discriminator="crowd"):
    """Due whenever the count is to be looked at; not once it has ended.

    seats: as they were counted last. reached_at_s: of each tier that they reached, in turn.
    """

    merchant_id = UnicodeAttribute()
    activity_id = UnicodeAttribute()
    seats = IntAttribute(default=0)
    reached_at_s: ListAttribute[int] = ListAttribute(default=list)

    @classmethod
    def at(cls, merchant_id: str, activity_id: str, **more: Any) -> "CrowdItem":
        return cls(
            f"{merchant_id}#A#{activity_id}",
            "crowd",
            merchant_id=merchant_id,
            activity_id=activity_id,
            **more,
        )

    @property
    def reached(self) -> int:
        return len(self.reached_at_s)


class CrowdGroupItem(TradeItem, discriminator="crowd_group"):
    """A settled group of the activity, in the list of those that have got so many tiers."""

    group_id = UnicodeAttribute()
    activity_id = UnicodeAttribute()
    reached = IntAttribute()

    @classmethod
    def at(cls, merchant_id: str, group_id: str, **more: Any) -> "CrowdGroupItem":
        return cls(f"{merchant_id}#G#{group_id}", "crowd_group", group_id=group_id, **more)

    @classmethod
    def new(cls, merchant_id: str, group_id: str, activity_id: str) -> "CrowdGroupItem":
        """The group that has got nothing yet."""
        key = crowd_list(merchant_id, activity_id, 0)
        item = cls.at(merchant_id, group_id, activity_id=activity_id, reached=0)
        item.list_key, item.list_rank = key, group_id
        return item

    def now_at(self, merchant_id: str, reached: int) -> list[Action]:
        """Actions that move it to those that have got so many tiers."""
        key = crowd_list(merchant_id, self.activity_id, reached)
        return [CrowdGroupItem.reached.set(reached), *listed(key)]


def crowd_list(merchant_id: str, activity_id: str, reached: int) -> str:
    return f"{merchant_id}#{activity_id}#crowd#{reached}"
