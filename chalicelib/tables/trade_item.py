"""What every item of table `trade` has: its kind, its due marker, its place in a list."""

import zlib
from typing import Any, Self, TypeVar

from pynamodb.attributes import DiscriminatorAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from chalicelib.domain.order import Intent
from chalicelib.settings import settings
from chalicelib.tables.base import IntAttribute, StoredItem

DUE_SHARDS = 8


class ByDue(GlobalSecondaryIndex["TradeItem"]):
    """Sparse: only items with work to do. One partition per kind and shard, across merchants."""

    class Meta:
        index_name = "by_due"
        projection = IncludeProjection(["kind"])  # reads filter by it: DynamoDB wants it there

    due_shard = UnicodeAttribute(hash_key=True)
    due_at_s = IntAttribute(range_key=True)


class ByList(GlobalSecondaryIndex["TradeItem"]):
    """Sparse: `m#orders#status`, `m#activity_id#status`, in `list_rank` order."""

    class Meta:
        index_name = "by_list"
        projection = IncludeProjection(
            [
                "kind",
                "title",
                "total_fen",
                "status",
                "seats_total",
                "seats_paid",
                "leader_name",
                "group_id",
                "activity_id",
            ]
        )

    list_key = UnicodeAttribute(hash_key=True)
    list_rank = UnicodeAttribute(range_key=True)


class TradeItem(StoredItem):
    """Any item of the table; reads give the class that `kind` names.

    `due_shard` and `due_at_s` are the item's one due marker: "something is to be done at or
    after". Whoever changes it conditions on the marker as read.
    """

    class Meta:
        table_name = settings.trade_table

    kind = DiscriminatorAttribute()
    due_shard = UnicodeAttribute(null=True)
    due_at_s = IntAttribute(null=True)
    list_key = UnicodeAttribute(null=True)
    list_rank = UnicodeAttribute(null=True)
    by_due = ByDue()
    by_list = ByList()

    @property
    def listed_at_s(self) -> int | None:
        """The time that ranks the item in its list; None while it stands in none."""
        return int(self.list_rank.partition("#")[0]) if self.list_rank else None

    def marked(self, intent: Intent, at_s: int) -> Self:
        """The item, not yet stored, with its due marker."""
        self.due_shard, self.due_at_s = due_shard(intent, self.pk), at_s
        return self

    def due(self, intent: Intent, at_s: int) -> list[Action]:
        """Actions that set the due marker of the stored item."""
        shard = due_shard(intent, self.pk)
        return [TradeItem.due_shard.set(shard), TradeItem.due_at_s.set(at_s)]

    def marker_as_read(self) -> Condition:
        """The condition of whoever changes the marker: it is still the one read."""
        if self.due_at_s is None:
            absent: Condition = TradeItem.due_at_s.does_not_exist()
            return absent
        same_time: Condition = TradeItem.due_at_s == self.due_at_s
        same_queue: Condition = TradeItem.due_shard == self.due_shard
        same: Condition = same_time & same_queue
        return same


_One = TypeVar("_One", bound=TradeItem)
_Other = TypeVar("_Other", bound=TradeItem)


def get_two(one: _One, other: _Other) -> tuple[_One | None, _Other | None]:
    """The stored items with the keys of these, read consistently in one call; None where there is
    none."""
    keys = [(one.pk, one.sk), (other.pk, other.sk)]
    found: dict[str, Any] = {i.sk: i for i in TradeItem.batch_get(keys, consistent_read=True)}
    return found.get(one.sk), found.get(other.sk)


def not_due() -> list[Action]:
    """Actions that take the due marker away."""
    return [TradeItem.due_shard.remove(), TradeItem.due_at_s.remove()]


def due_shard(intent: Intent, pk: str) -> str:
    """The queue of one intent that an item stands in."""
    return f"{intent}#{zlib.crc32(pk.encode()) % DUE_SHARDS}"


def due_shards(intent: Intent) -> list[str]:
    return [f"{intent}#{shard}" for shard in range(DUE_SHARDS)]


def listed(key: str | None, rank: str | None = None) -> list[Action]:
    """Actions that put an item under `key` of the list index, or take it out (None)."""
    if key is None:
        return [TradeItem.list_key.remove(), TradeItem.list_rank.remove()]
    actions: list[Action] = [TradeItem.list_key.set(key)]
    return actions + ([TradeItem.list_rank.set(rank)] if rank is not None else [])


def listed_count(key: str, *, most: int, within: Condition | None = None) -> int:
    """How many items stand under `key` of the list index; `most` when there are more.

    within: a condition of `list_rank`.
    """
    page = TradeItem._get_connection().query(
        key,
        range_key_condition=within,
        index_name=ByList.Meta.index_name,
        limit=most,
        select="COUNT",
    )
    return int(page["Count"])


def buyer_pk(merchant_id: str, buyer_id: str) -> str:
    return f"{merchant_id}#B#{buyer_id}"
