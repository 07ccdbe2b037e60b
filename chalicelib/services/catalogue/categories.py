"""The categories of a merchant's products and activities: two levels, in the order of staff.

A category counts those below it, so that every rule of the two levels is a condition of the write
itself: a parent is of the top level, and what has children is no child.
"""

from collections.abc import Mapping
from typing import Any

from pynamodb.expressions.condition import Condition

from chalicelib.domain.ids import new_id
from chalicelib.errors import (
    Changed,
    Conflict,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    NotFound,
)
from chalicelib.services.catalogue import crud
from chalicelib.services.catalogue.crud import Kind
from chalicelib.services.people import list_revisions
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, Writes, retried, transaction
from chalicelib.tables.catalogue import activities_list, products_list, rank
from chalicelib.tables.catalogue_item import CatalogueItem, stored
from chalicelib.tables.shop import CategoryItem
from chalicelib.text import Text

CATEGORIES_MAX = 100
NAME_MAX = 20
POSITION_MAX = 9_999
KIND = Kind(CategoryItem, "category", "分类", most=CATEGORIES_MAX)

_CHILDLESS: Condition = CategoryItem.children.does_not_exist() | (CategoryItem.children == 0)


def everything(merchant_id: str) -> list[CategoryItem]:
    """All categories of both levels, the smallest position first."""
    items = crud.everything(KIND, merchant_id)
    return sorted(items, key=lambda item: (item.position, item.name, item.category_id))


def create(
    merchant_id: str,
    *,
    name: str,
    position: int,
    parent_id: str | None = None,
    staff: str,
    now_s: int,
    category_id: str | None = None,
    body_hash: str = "",
) -> CategoryItem:
    """Create a category, with its audit row; a repeat with the same id returns it.

    Raises IdempotencyMismatch for the same id with another `body_hash`, InvalidRequest for a
    parent that cannot be one, LimitReached beyond CATEGORIES_MAX, and Busy.
    """
    key = category_id or new_id()
    after = {"name": name, "position": position, "parent_id": parent_id}

    def step() -> CategoryItem:
        first = stored(CategoryItem.at(merchant_id, key))
        if first is not None:
            if first.body_hash != body_hash:
                raise IdempotencyMismatch
            return first
        before = list_revisions.seen(merchant_id, KIND.name)
        if len(everything(merchant_id)) >= CATEGORIES_MAX:
            words = Text("分类最多 {max} 个。请修改已有的分类。", max=CATEGORIES_MAX)
            raise LimitReached(words, limit=CATEGORIES_MAX)
        item = CategoryItem.at(merchant_id, key, body_hash=body_hash, **after)
        with transaction() as writes:
            writes.put(item, refuse=LostRace)
            list_revisions.add(writes, before)
            _count_child(writes, merchant_id, parent_id, 1)
            _audit(writes, merchant_id, key, staff, "category_created", {}, after, now_s)
        return item

    return retried(step)


def change(
    merchant_id: str,
    category_id: str,
    *,
    name: str,
    position: int,
    parent_id: str | None = None,
    revision: int,
    staff: str,
    now_s: int,
) -> CategoryItem:
    """Rename or move the category that was read at `revision`; a repeat changes nothing more.

    Raises NotFound, Changed, Busy, or InvalidRequest for a parent that cannot be one.
    """
    after: dict[str, Any] = {"name": name, "position": position, "parent_id": parent_id}

    def step() -> CategoryItem:
        item = read(merchant_id, category_id)
        before = {field: getattr(item, field) for field in after}
        if before == after:
            return item
        if item.revision != revision:
            raise Changed
        _refuse_level(item, parent_id)
        with transaction() as writes:
            _write(writes, item, after)
            if item.parent_id != parent_id:
                _count_child(writes, merchant_id, item.parent_id, -1)
                _count_child(writes, merchant_id, parent_id, 1)
            _audit(
                writes, merchant_id, category_id, staff, "category_changed", before, after, now_s
            )
        return read(merchant_id, category_id)

    return retried(step)


def remove(merchant_id: str, category_id: str, *, staff: str, now_s: int) -> None:
    """Remove a category in which there is nothing; a repeat changes nothing.

    A product that is being saved into it at this moment may stay in a category that is no more:
    it is sold like any other, and its next change wants another category. Raises NotFound,
    Conflict while something is in it, or Busy.
    """

    def step() -> None:
        item = stored(CategoryItem.at(merchant_id, category_id))
        if item is None:
            raise NotFound("没有找到这个分类。")
        if item.removed_at_s is not None:
            return
        _refuse_filled(item, now_s)
        with transaction() as writes:
            writes.update(
                item,
                [
                    CategoryItem.removed_at_s.set(now_s),
                    CategoryItem.ttl_s.set(now_s + crud.REMOVED_KEPT_S),
                    CategoryItem.revision.add(1),
                ],
                condition=(CategoryItem.revision == item.revision) & _CHILDLESS,
                refuse=LostRace,
            )
            _count_child(writes, merchant_id, item.parent_id, -1)
            before = {"name": item.name, "position": item.position, "parent_id": item.parent_id}
            _audit(writes, merchant_id, category_id, staff, "category_removed", before, {}, now_s)

    retried(step)


def read(merchant_id: str, category_id: str) -> CategoryItem:
    """The category as it is now. Raises NotFound."""
    return crud.read(KIND, merchant_id, category_id)


def require(merchant_id: str, category_id: str) -> None:
    """Raises InvalidRequest when a product names a category that the merchant does not have."""
    if crud.find(KIND, merchant_id, category_id) is None:
        raise InvalidRequest("没有这个分类，请重新选择。", field="category_id")


def _write(writes: Writes, item: CategoryItem, after: Mapping[str, Any]) -> None:
    """A parent that is None is no attribute: only then can a condition tell the top level."""
    parent_id = after["parent_id"]
    condition: Condition = CategoryItem.revision == item.revision
    writes.update(
        item,
        [
            CategoryItem.revision.add(1),
            CategoryItem.name.set(after["name"]),
            CategoryItem.position.set(after["position"]),
            CategoryItem.parent_id.set(parent_id) if parent_id else CategoryItem.parent_id.remove(),
        ],
        condition=condition & _CHILDLESS if parent_id else condition,
        refuse=LostRace,
    )


def _count_child(writes: Writes, merchant_id: str, parent_id: str | None, delta: int) -> None:
    """Count a child more or less of its parent, which has to be of the top level to get one."""
    if parent_id is None:
        return
    condition: Condition = CategoryItem.pk.exists()
    if delta > 0:
        condition &= CategoryItem.parent_id.does_not_exist()
        condition &= CategoryItem.removed_at_s.does_not_exist()
    writes.update(
        CategoryItem.at(merchant_id, parent_id),
        [CategoryItem.children.add(delta)],
        condition=condition,
        refuse=lambda old: InvalidRequest(
            "上级分类要选一个已有的一级分类，请重新选择。", field="parent_id"
        ),
    )


def _refuse_level(item: CategoryItem, parent_id: str | None) -> None:
    if parent_id == item.category_id:
        raise InvalidRequest("上级分类不能是它自己，请重新选择。", field="parent_id")
    if parent_id is not None and item.children:
        words = Text(
            "「{name}」下有 {count} 个分类，不能放到其他分类下。请先移走它们。",
            name=item.name,
            count=item.children,
        )
        raise InvalidRequest(words, field="parent_id")


def _refuse_filled(item: CategoryItem, now_s: int) -> None:
    if item.children:
        raise Conflict(
            Text(
                "「{name}」下还有 {count} 个分类，请先移走或删除它们。",
                name=item.name,
                count=item.children,
            )
        )
    for key, since, refusal in (
        (
            products_list(item.merchant_id, item.category_id),
            None,
            "「{name}」里还有商品，请先把它们移到其他分类。",
        ),
        (
            activities_list(item.merchant_id, item.category_id),
            CatalogueItem.list_rank >= rank(now_s + 1),  # what is over shows nowhere
            "「{name}」里还有没有结束的活动，请先把它们移到其他分类。",
        ),
    ):
        if list(CatalogueItem.by_category.query(key, since, limit=1)):
            raise Conflict(Text(refusal, name=item.name))


def _audit(
    writes: Writes,
    merchant_id: str,
    category_id: str,
    staff: str,
    action: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    now_s: int,
) -> None:
    audit(writes, merchant_id, staff, action, f"category#{category_id}", before, after, now_s)
