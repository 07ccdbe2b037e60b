"""Reminders of buyers, in table `trade`. Their key stands in the map of chalicelib.tables.trade."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.domain.reminder import Awaited
from chalicelib.tables.base import IntAttribute
from chalicelib.tables.trade_item import TradeItem, buyer_pk


class ReminderItem(TradeItem, discriminator="reminder"):
    """What a buyer wants to be told of. Its due marker says when that is looked at next; it is
    removed in the transaction of the message."""

    activity_id = UnicodeAttribute()
    group_id = UnicodeAttribute(null=True)  # None: it waits for the activity's start
    asked_at_s = IntAttribute()

    @classmethod
    def at(
        cls, merchant_id: str, buyer_id: str, awaited: Awaited, item_id: str, **more: Any
    ) -> "ReminderItem":
        return cls(buyer_pk(merchant_id, buyer_id), f"reminder#{awaited}#{item_id}", **more)
