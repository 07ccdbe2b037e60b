"""Items of table `trade` that count. They are only added to, and spread so that nobody waits.

Their keys stand in the map of chalicelib.tables.trade.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pynamodb.expressions.update import Action

from chalicelib.domain.counts import HOURS, OF_GROUPS, Counted
from chalicelib.tables.base import IntAttribute
from chalicelib.tables.trade_item import TradeItem

DAY_SHARDS = 8
TALLY_SHARDS = 4

# Names are short, because a busy day has all of them: p13 is what was paid from 13:00 to 14:00.
LETTERS: Mapping[Counted, str] = {
    Counted.PAID_FEN: "p",
    Counted.ORDERS_PAID: "n",
    Counted.REFUNDED_FEN: "r",
    Counted.REBATED_FEN: "b",
    Counted.GROUPS_OPENED: "o",
    Counted.GROUPS_FORMED: "f",
    Counted.GROUPS_FAILED: "x",
}


def _name(counted: Counted, hour: int) -> str:
    return f"{LETTERS[counted]}{hour:02d}"


_COUNTED: Mapping[str, tuple[Counted, int]] = {
    _name(counted, hour): (counted, hour) for counted in Counted for hour in range(HOURS)
}


class DayItem(TradeItem, discriminator="day"):
    """One shard of what happened in one day (Beijing): an attribute per hour and thing counted."""

    vars().update({name: IntAttribute(null=True) for name in _COUNTED})

    @classmethod
    def at(cls, merchant_id: str, day: dt.date, shard: int, **more: Any) -> "DayItem":
        return cls(f"{merchant_id}#D#{day:%Y%m%d}#{shard}", "day", **more)

    def adding(self, counts: Mapping[tuple[Counted, int], int]) -> list[Action]:
        """Actions that count (what, hour), of a stored item or a new one."""
        added = [getattr(DayItem, _name(*what)).add(count) for what, count in counts.items()]
        return [*added, DayItem.kind.set(DayItem)]

    def counts(self, hours: int = HOURS) -> dict[str, int]:
        """What was counted in the first `hours` of the day."""
        sums = dict.fromkeys((counted.value for counted in Counted), 0)
        for name, count in self.attribute_values.items():  # few of all are there
            counted, hour = _COUNTED.get(name, (None, HOURS))
            if counted is not None and hour < hours:
                sums[counted.value] += count
        return sums


class TallyItem(TradeItem, discriminator="tally"):
    """One shard of how many groups of an activity were opened, formed, failed, and with how many
    paid seats they formed."""

    groups_opened = IntAttribute(null=True)
    groups_formed = IntAttribute(null=True)
    groups_failed = IntAttribute(null=True)
    seats_formed = IntAttribute(null=True)

    @classmethod
    def at(cls, merchant_id: str, activity_id: str, shard: int, **more: Any) -> "TallyItem":
        return cls(f"{merchant_id}#T#{activity_id}#{shard}", "tally", **more)

    def adding(self, counted: Counted, seats: int = 0) -> list[Action]:
        """Actions that count one group, of a stored item or a new one. seats: it formed with."""
        added: list[Action] = [getattr(TallyItem, counted.value).add(1)]
        if seats:
            added.append(TallyItem.seats_formed.add(seats))
        return [*added, TallyItem.kind.set(TallyItem)]

    def counts(self) -> dict[str, int]:
        groups = {counted.value: getattr(self, counted.value) or 0 for counted in OF_GROUPS}
        return {**groups, "seats_formed": self.seats_formed or 0}
