"""Items of table `trade` about who has paid in the shop, as its staff see them.

Their keys stand in the map of chalicelib.tables.trade.
"""

from dataclasses import asdict
from typing import Any

from pynamodb.attributes import ListAttribute, MapAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib.domain.member import Figures, MemberSort, MemberTag, Note, tag_of
from chalicelib.domain.order import Intent
from chalicelib.tables.base import IntAttribute
from chalicelib.tables.trade_item import TradeItem, buyer_pk


class _MemberFigures(TradeItem):
    """domain.member.Figures, and what else members are sorted and chosen by. since_s: when the
    buyer came. tags: those given by hand; one that the shop has removed may still be here."""

    orders = IntAttribute(default=0)
    spent_fen = IntAttribute(default=0)
    last_at_s = IntAttribute(default=0)
    last_order_id = UnicodeAttribute(default="")
    growth = IntAttribute(default=0)
    since_s = IntAttribute(default=0)
    tags: ListAttribute[Any] = ListAttribute(default=list)

    @property
    def figures(self) -> Figures:
        return Figures(self.orders, self.spent_fen, self.last_at_s, self.last_order_id, self.growth)


class MemberItem(_MemberFigures, discriminator="member"):
    """A person who has paid, under the first of their ids; under another one only until it is
    folded into that. What their orders come to, as of the last time that it was reckoned: the due
    marker says that something has moved since. Whoever changes it conditions on its revision.
    """

    revision = IntAttribute(default=0)

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, **more: Any) -> "MemberItem":
        return cls(buyer_pk(merchant_id, buyer_id), "member", **more)

    @property
    def buyer_id(self) -> str:
        return str(self.pk.rpartition("#")[2])

    @property
    def is_listed(self) -> bool:
        return bool(self.last_order_id)

    def moved(self, now_s: int) -> list[Action]:
        """Actions that have the figures reckoned anew, of a stored item or a new one."""
        due = self.due(Intent.MEMBER, now_s)
        return [*due, MemberItem.revision.add(1), MemberItem.kind.set(MemberItem)]

    def rank(self, sort: MemberSort) -> int:
        ranks = {
            MemberSort.LAST: self.last_at_s,
            MemberSort.SPENT: self.spent_fen,
            MemberSort.SINCE: self.since_s,
        }
        return ranks[sort]

    def rows(self) -> list["MemberRowItem"]:
        """Its place in every list."""
        if not self.is_listed:
            return []
        merchant_id = self.pk.partition("#")[0]
        return [
            MemberRowItem(
                members_list(merchant_id, sort),
                f"{self.rank(sort):012d}#{self.buyer_id}",
                since_s=self.since_s,
                tags=list(self.tags),
                **asdict(self.figures),
            )
            for sort in MemberSort
        ]


class MemberRowItem(_MemberFigures, discriminator="member_row"):
    """A member in one of the shop's lists, with what staff choose by, so that reading a list shows
    who fits. Written with the member, and nowhere else."""

    @property
    def buyer_id(self) -> str:
        return str(self.sk.partition("#")[2])


class MemberTagsItem(TradeItem, discriminator="member_tags"):
    """A shop's tags: {tag_id: domain.member.MemberTag.stored}. One item, so that there are only so
    many, and no name twice."""

    tags: MapAttribute[str, Any] = MapAttribute(default=dict)
    revision = IntAttribute(default=0)  # counts changes; each is conditional on the one it read

    @classmethod
    def of(cls, merchant_id: str, **more: Any) -> "MemberTagsItem":
        return cls(f"{merchant_id}#members", "member_tags", **more)

    def view(self) -> list[MemberTag]:
        return [tag_of(tag_id, stored) for tag_id, stored in self.tags.as_dict().items()]


class MemberNotesItem(TradeItem, discriminator="member_notes"):
    """What staff noted about a buyer: the latest, [{note_id, at_s, staff, text}]. Apart from the
    member, who is written with every order; those of an id that was merged stay under it."""

    notes: ListAttribute[Any] = ListAttribute(default=list)
    revision = IntAttribute(default=0)  # counts changes; each is conditional on the one it read

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, **more: Any) -> "MemberNotesItem":
        return cls(buyer_pk(merchant_id, buyer_id), "member_notes", **more)

    @property
    def buyer_id(self) -> str:
        return str(self.pk.rpartition("#")[2])

    def view(self) -> list[Note]:
        return [Note(**note) for note in self.notes]


def members_list(merchant_id: str, sort: MemberSort) -> str:
    """The partition of a shop's members in one order."""
    return f"{merchant_id}#members#{sort}"
