"""What a shop counts: what happened in a day, by the hour, and what became of an activity's groups.

Each thing is counted once, in the write that makes it final, under the day (Beijing) of its event.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

HOURS = 24


class Counted(StrEnum):
    PAID_FEN = "paid_fen"  # captured, late payments included: their refunds count, too
    ORDERS_PAID = "orders_paid"
    REFUNDED_FEN = "refunded_fen"  # confirmed by the gateway
    REBATED_FEN = "rebated_fen"  # of it, by the terms of groups that have formed
    GROUPS_OPENED = "groups_opened"  # their leader has paid
    GROUPS_FORMED = "groups_formed"
    GROUPS_FAILED = "groups_failed"  # for any reason, once opened


OF_GROUPS = (Counted.GROUPS_OPENED, Counted.GROUPS_FORMED, Counted.GROUPS_FAILED)


@dataclass(frozen=True)
class Sums:
    """Sums over some time; amounts in whole fen."""

    paid_fen: int = 0
    orders_paid: int = 0
    refunded_fen: int = 0
    rebated_fen: int = 0
    groups_opened: int = 0
    groups_formed: int = 0
    groups_failed: int = 0
    seats_formed: int = 0  # that were paid, of the groups that formed

    @property
    def formed_permille(self) -> int | None:
        """Formed of those that were decided, in thousandths; None when none was."""
        decided = self.groups_formed + self.groups_failed
        return round(1000 * self.groups_formed / decided) if decided else None

    @property
    def groups_open(self) -> int:
        """Opened and not decided yet. The three are counted one after the other: never below 0."""
        return max(0, self.groups_opened - self.groups_formed - self.groups_failed)


def sums_of(counts: Iterable[Mapping[str, int]]) -> Sums:
    """What many counters say together, each a part of what `Sums` has."""
    total: Counter[str] = Counter()
    for part in counts:
        total.update(part)
    return Sums(**total)
