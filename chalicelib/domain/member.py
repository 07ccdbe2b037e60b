"""Members: who has paid in the shop, what they keep of it, and the tags that staff sort them by.

A tag is given by hand, or by a rule over a member's figures; what a rule says of whom is computed
whenever it is asked, so that a changed rule and a day that has gone by act at once.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.ids import OrderId
from chalicelib.domain.ledger import Entry, moved
from chalicelib.domain.levels import LevelsRule
from chalicelib.errors import InvalidRequest

TAGS_MAX = 50  # of a shop
TAG_NAME_MAX = 12
TAGS_OF_MEMBER_MAX = 20  # by hand
NOTES_MAX = 50  # of a member; the oldest makes room
NOTE_MAX = 500


class MemberSort(StrEnum):
    """By what members are listed; the greatest first."""

    LAST = "last"  # when they placed their last paid order
    SPENT = "spent"
    SINCE = "since"  # when they came


@dataclass(frozen=True)
class Figures:
    """orders: those of which some of the payment is kept. spent_fen: what is kept of all.
    last_at_s: when the last order that was paid was placed, whatever became of it; last_order_id:
    that one. growth: domain.levels."""

    orders: int = 0
    spent_fen: int = 0
    last_at_s: int = 0
    last_order_id: str = ""
    growth: int = 0


@dataclass(frozen=True)
class TagRule:
    """Whom a tag is of; what is 0 asks nothing. The days count back from now to the last order."""

    orders_least: int = 0
    spent_least_fen: int = 0
    within_days: int = 0  # so many at most
    longer_ago_days: int = 0  # more than so many

    def fits(self, figures: Figures, now_s: int) -> bool:
        ago_s = now_s - figures.last_at_s
        return (
            figures.orders >= self.orders_least
            and figures.spent_fen >= self.spent_least_fen
            and (not self.within_days or ago_s <= self.within_days * DAY_S)
            and (not self.longer_ago_days or ago_s > self.longer_ago_days * DAY_S)
        )

    def stored(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True)
class MemberTag:
    """rule: None where it is given by hand."""

    tag_id: str
    name: str
    rule: TagRule | None = None
    revision: int = 1

    def stored(self) -> dict[str, Any]:
        rule = self.rule.stored() if self.rule else None
        return {"name": self.name, "revision": self.revision} | ({"rule": rule} if rule else {})


@dataclass(frozen=True)
class MemberWish:
    """Which members staff want to see. tag: None: of any. level: the number of one of `levels`,
    which whoever is sought has now; 0: any or none."""

    sort: MemberSort = MemberSort.LAST
    tag: MemberTag | None = None
    q: str = ""
    level: int = 0
    levels: LevelsRule = field(default_factory=LevelsRule)

    @property
    def narrows(self) -> bool:
        return self.tag is not None or self.level > 0

    def fits(self, figures: Figures, by_hand: Collection[str], now_s: int) -> bool:
        reached = self.levels.reached(figures.growth) if self.level else None
        has_level = not self.level or (reached is not None and reached.no == self.level)
        return has_level and (self.tag is None or has_tag(self.tag, figures, by_hand, now_s))


@dataclass(frozen=True)
class Note:
    """What one of the staff wrote about a member, for the others."""

    note_id: str
    at_s: int
    staff: str
    text: str = field(repr=False)


def figures_of(orders: Iterable[tuple[OrderId, Sequence[Entry]]], *, growth: int = 0) -> Figures:
    """What a person's orders come to, by the entries of their ledgers. growth: of their
    accounts."""
    count = spent_fen = 0
    last = ""
    for order_id, entries in orders:
        captured_fen, refunded_fen = moved(entries)
        if not captured_fen:
            continue
        count += captured_fen > refunded_fen
        spent_fen += captured_fen - refunded_fen
        last = max(last, str(order_id), key=_rank)
    parsed = OrderId.parse(last)
    return Figures(count, spent_fen, parsed.placed_at_s if parsed else 0, last, growth)


def _rank(order_id: str) -> tuple[str, str]:
    """By when it was placed, which its number begins with."""
    parsed = OrderId.parse(order_id)
    return (parsed.order_no, order_id) if parsed else ("", "")


def tag_of(tag_id: str, stored: Mapping[str, Any]) -> MemberTag:
    rule = stored.get("rule")
    return MemberTag(
        tag_id, stored["name"], TagRule(**rule) if rule is not None else None, stored["revision"]
    )


def has_tag(tag: MemberTag, figures: Figures, by_hand: Collection[str], now_s: int) -> bool:
    return tag.rule.fits(figures, now_s) if tag.rule else tag.tag_id in by_hand


def check_rule(rule: TagRule) -> None:
    """Return only for a rule that says something, and that somebody can fit. Raises
    InvalidRequest."""
    if rule == TagRule():
        raise InvalidRequest("请至少填写一个条件。", field="rule")
    if rule.within_days and rule.longer_ago_days >= rule.within_days:
        words = "“超过多少天没下单”要少于“最近下单在多少天内”，不然没有会员符合。"
        raise InvalidRequest(words, field="rule.longer_ago_days")
