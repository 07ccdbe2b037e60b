"""Small things of a merchant's own that staff make, change and remove: one way for every kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pynamodb.attributes import MapAttribute
from pynamodb.expressions.condition import Condition

from chalicelib.errors import Changed, IdempotencyMismatch, LimitReached, NotFound
from chalicelib.services.people import list_revisions
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, Writes, get_or_none, retried, transaction
from chalicelib.tables.catalogue_item import CatalogueItem
from chalicelib.tables.shop import CrudItem
from chalicelib.text import Text

REMOVED_KEPT_S = 7 * 86_400  # a removal that is repeated finds what it did, for so long

_Item = TypeVar("_Item", bound=CrudItem)


@dataclass(frozen=True)
class Kind(Generic[_Item]):
    """noun: what people call it, with its measure word.

    A kind with rules of its own overrides `refuse`, `condition` and `write_linked`. In these,
    `before` and `after` are its fields; `before` is empty of what is new, `after` of a removal.
    """

    model: type[_Item]
    noun: str
    most: int
    kept_for_ever: bool = False  # once removed: what still names it goes on by it
    audited: tuple[str, ...] = ("name",)  # of one that is removed

    @property
    def name(self) -> str:
        return self.model.PREFIX

    def refuse(self, item: _Item, after: Mapping[str, Any], now_s: int) -> None:
        """Raise the refusal of a change or a removal that `item` as read does not allow."""

    def condition(self, item: _Item, after: Mapping[str, Any]) -> Condition:
        """The condition that a change or a removal is still allowed. A removal is a revision."""
        same: Condition = CrudItem.revision == item.revision
        return same

    def write_linked(
        self,
        writes: Writes,
        merchant_id: str,
        item_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> None:
        """Collect what is written of other items together with this one."""


def everything(kind: Kind[_Item], merchant_id: str) -> list[_Item]:
    """All of a kind that have not been removed, by name."""
    found = CatalogueItem.query(
        f"{merchant_id}#M",
        CatalogueItem.sk.startswith(f"{kind.name}#"),
        CrudItem.removed_at_s.does_not_exist(),
        consistent_read=True,
        limit=kind.most,
    )
    items = [item for item in found if isinstance(item, kind.model)]
    return sorted(items, key=lambda item: (item.name, item.sk))


def find(kind: Kind[_Item], merchant_id: str, item_id: str) -> _Item | None:
    """The item as it is now; None when there is none, or no more."""
    item = get_or_none(kind.model.at(merchant_id, item_id))
    return None if item is None or item.removed_at_s is not None else item


def read(kind: Kind[_Item], merchant_id: str, item_id: str) -> _Item:
    """As `find`. Raises NotFound."""
    item = find(kind, merchant_id, item_id)
    if item is None:
        raise missing(kind)
    return item


def create(
    kind: Kind[_Item],
    merchant_id: str,
    item_id: str,
    fields: Mapping[str, Any],
    *,
    body_hash: str,
    staff: str,
    now_s: int,
) -> _Item:
    """Create one, with its audit row; a repeat with the same id returns it.

    Raises IdempotencyMismatch for the same id with another `body_hash`, LimitReached beyond the
    most there may be, and Busy.
    """

    def step() -> _Item:
        first = get_or_none(kind.model.at(merchant_id, item_id))
        if first is not None:
            if first.body_hash != body_hash:
                raise IdempotencyMismatch
            return first
        before = list_revisions.seen(merchant_id, kind.name)
        if len(everything(kind, merchant_id)) >= kind.most:
            raise LimitReached(
                Text("{noun}最多 {max} 个，请先删除不用的。", noun=Text(kind.noun), max=kind.most),
                limit=kind.most,
            )
        item = kind.model.at(merchant_id, item_id, body_hash=body_hash, **fields)
        with transaction() as writes:
            writes.put(item, refuse=LostRace)
            list_revisions.add(writes, before)
            _link_and_audit(writes, kind, merchant_id, item_id, staff, "created", {}, fields, now_s)
        return item

    return retried(step)


def change(
    kind: Kind[_Item],
    merchant_id: str,
    item_id: str,
    fields: Mapping[str, Any],
    *,
    revision: int,
    staff: str,
    now_s: int,
) -> _Item:
    """Change the one that was read at `revision`; a repeat changes nothing more.

    Raises NotFound, Changed, Busy, or what the kind refuses.
    """

    def step() -> _Item:
        item = read(kind, merchant_id, item_id)
        before = {name: _plain(getattr(item, name)) for name in fields}
        if before == fields:
            return item
        if item.revision != revision:
            raise Changed
        kind.refuse(item, fields, now_s)
        actions = [CrudItem.revision.add(1)]
        for name, value in fields.items():  # only of what is absent can a condition tell
            attribute = getattr(kind.model, name)
            actions.append(attribute.remove() if value is None else attribute.set(value))
        with transaction() as writes:
            writes.update(item, actions, condition=kind.condition(item, fields), refuse=LostRace)
            _link_and_audit(
                writes, kind, merchant_id, item_id, staff, "changed", before, fields, now_s
            )
        return read(kind, merchant_id, item_id)

    return retried(step)


def remove(kind: Kind[_Item], merchant_id: str, item_id: str, *, staff: str, now_s: int) -> None:
    """Remove one, with its audit row; a repeat changes nothing. Raises NotFound or Busy."""

    def step() -> None:
        item = get_or_none(kind.model.at(merchant_id, item_id))
        if item is None:
            raise missing(kind)
        if item.removed_at_s is not None:
            return
        kind.refuse(item, {}, now_s)
        actions = [CrudItem.removed_at_s.set(now_s), CrudItem.revision.add(1)]
        if not kind.kept_for_ever:
            actions.append(CrudItem.ttl_s.set(now_s + REMOVED_KEPT_S))
        with transaction() as writes:
            writes.update(item, actions, condition=kind.condition(item, {}), refuse=LostRace)
            before = {name: getattr(item, name) for name in kind.audited}
            _link_and_audit(writes, kind, merchant_id, item_id, staff, "removed", before, {}, now_s)

    retried(step)


def _link_and_audit(
    writes: Writes,
    kind: Kind[Any],
    merchant_id: str,
    item_id: str,
    staff: str,
    what: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    now_s: int,
) -> None:
    kind.write_linked(writes, merchant_id, item_id, before, after)
    subject = f"{kind.name}#{item_id}"
    audit(writes, merchant_id, staff, f"{kind.name}_{what}", subject, before, after, now_s)


def missing(kind: Kind[Any]) -> NotFound:
    """The refusal of an item that there is not, or no more."""
    return NotFound(Text("没有找到这个{noun}。", noun=Text(kind.noun)))


def _plain(value: Any) -> Any:
    return value.as_dict() if isinstance(value, MapAttribute) else value
