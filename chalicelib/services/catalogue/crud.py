"""Small things of a merchant's own that staff make, change and remove: one way for every kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pynamodb.attributes import MapAttribute

from chalicelib.errors import Changed, IdempotencyMismatch, LimitReached, NotFound
from chalicelib.services.people import list_revisions
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, retried, transaction
from chalicelib.tables.catalogue_item import CatalogueItem, stored
from chalicelib.tables.shop import BelongingItem
from chalicelib.text import Text

REMOVED_KEPT_S = 7 * 86_400  # a removal that is repeated finds what it did, for so long

_Item = TypeVar("_Item", bound=BelongingItem)


@dataclass(frozen=True)
class Kind(Generic[_Item]):
    """name: in audit rows and in the key. noun: what people call it, with its measure word."""

    model: type[_Item]
    name: str
    noun: str
    most: int
    kept_for_ever: bool = False  # once removed: what still names it goes on by it

    def at(self, merchant_id: str, item_id: str, **more: Any) -> _Item:
        make: Any = self.model
        item: _Item = make.at(merchant_id, item_id, **more)
        return item


def everything(kind: Kind[_Item], merchant_id: str) -> list[_Item]:
    """All of a kind that have not been removed, by name."""
    found = CatalogueItem.query(
        f"{merchant_id}#M",
        CatalogueItem.sk.startswith(f"{kind.name}#"),
        BelongingItem.removed_at_s.does_not_exist(),
        consistent_read=True,
        limit=kind.most,
    )
    items = [item for item in found if isinstance(item, kind.model)]
    return sorted(items, key=lambda item: (item.name, item.sk))


def find(kind: Kind[_Item], merchant_id: str, item_id: str) -> _Item | None:
    """The item as it is now; None when there is none, or no more."""
    item = stored(kind.at(merchant_id, item_id))
    return None if item is None or item.removed_at_s is not None else item


def read(kind: Kind[_Item], merchant_id: str, item_id: str) -> _Item:
    """As `find`. Raises NotFound."""
    item = find(kind, merchant_id, item_id)
    if item is None:
        raise _missing(kind)
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
        first = stored(kind.at(merchant_id, item_id))
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
        item = kind.at(merchant_id, item_id, body_hash=body_hash, **fields)
        with transaction() as writes:
            writes.put(item, refuse=LostRace)
            list_revisions.add(writes, before)
            _audit(writes, kind, merchant_id, item_id, staff, "created", {}, fields, now_s)
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

    Raises NotFound, Changed or Busy.
    """

    def step() -> _Item:
        item = read(kind, merchant_id, item_id)
        before = {name: _plain(getattr(item, name)) for name in fields}
        if before == fields:
            return item
        if item.revision != revision:
            raise Changed
        with transaction() as writes:
            writes.update(
                item,
                [
                    BelongingItem.revision.add(1),
                    *(getattr(kind.model, name).set(value) for name, value in fields.items()),
                ],
                condition=BelongingItem.revision == revision,  # a removal is one more
                refuse=LostRace,
            )
            _audit(writes, kind, merchant_id, item_id, staff, "changed", before, fields, now_s)
        return read(kind, merchant_id, item_id)

    return retried(step)


def remove(kind: Kind[_Item], merchant_id: str, item_id: str, *, staff: str, now_s: int) -> None:
    """Remove one, with its audit row; a repeat changes nothing. Raises NotFound or Busy."""

    def step() -> None:
        item = stored(kind.at(merchant_id, item_id))
        if item is None:
            raise _missing(kind)
        if item.removed_at_s is not None:
            return
        actions = [BelongingItem.removed_at_s.set(now_s), BelongingItem.revision.add(1)]
        if not kind.kept_for_ever:
            actions.append(BelongingItem.ttl_s.set(now_s + REMOVED_KEPT_S))
        with transaction() as writes:
            writes.update(
                item,
                actions,
                condition=BelongingItem.revision == item.revision,
                refuse=LostRace,
            )
            before = {"name": item.name}
            _audit(writes, kind, merchant_id, item_id, staff, "removed", before, {}, now_s)

    retried(step)


def _audit(
    writes: Any,
    kind: Kind[Any],
    merchant_id: str,
    item_id: str,
    staff: str,
    what: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    now_s: int,
) -> None:
    subject = f"{kind.name}#{item_id}"
    audit(writes, merchant_id, staff, f"{kind.name}_{what}", subject, before, after, now_s)


def _missing(kind: Kind[Any]) -> NotFound:
    return NotFound(Text("没有找到这个{noun}。", noun=Text(kind.noun)))


def _plain(value: Any) -> Any:
    return value.as_dict() if isinstance(value, MapAttribute) else value
