"""The categories of a merchant's products and activities: two levels, in the order of staff.

A category counts those below it, so that every rule of the two levels is a condition of the write
itself: a parent is of the top level, and what has children is no child.
"""

from collections.abc import Mapping
from typing import Any

from pynamodb.expressions.condition import Condition

from chalicelib.domain.ids import new_id
from chalicelib.errors import (
    Conflict,
    InvalidRequest,
)
from chalicelib.services.catalogue import crud
from chalicelib.services.catalogue.crud import Kind
from chalicelib.tables.base import Writes
from chalicelib.tables.catalogue import activities_list, products_list, rank
from chalicelib.tables.catalogue_item import CatalogueItem
from chalicelib.tables.shop import CategoryItem
from chalicelib.text import Text

CATEGORIES_MAX = 100
NAME_MAX = 20
POSITION_MAX = 9_999
_CHILDLESS: Condition = CategoryItem.children.does_not_exist() | (CategoryItem.children == 0)


class _CategoryKind(Kind[CategoryItem]):
    def refuse(self, item: CategoryItem, after: Mapping[str, Any], now_s: int) -> None:
        if after:
            _refuse_level(item, after["parent_id"])
        else:
            _refuse_filled(item, now_s)

    def condition(self, item: CategoryItem, after: Mapping[str, Any]) -> Condition:
        same = super().condition(item, after)
        return same if after and after["parent_id"] is None else same & _CHILDLESS

    def write_linked(
        self,
        writes: Writes,
        merchant_id: str,
        item_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> None:
        old, new = before.get("parent_id"), after.get("parent_id")
        if old != new:
            _count_child(writes, merchant_id, old, -1)
            _count_child(writes, merchant_id, new, 1)


_FIELDS = ("name", "position", "parent_id")
KIND = _CategoryKind(CategoryItem, "分类", most=CATEGORIES_MAX, audited=_FIELDS)


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
    fields = {"name": name, "position": position, "parent_id": parent_id}
    return crud.create(
        KIND,
        merchant_id,
        category_id or new_id(),
        fields,
        body_hash=body_hash,
        staff=staff,
        now_s=now_s,
    )


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
    fields = {"name": name, "position": position, "parent_id": parent_id}
    return crud.change(
        KIND, merchant_id, category_id, fields, revision=revision, staff=staff, now_s=now_s
    )


def remove(merchant_id: str, category_id: str, *, staff: str, now_s: int) -> None:
    """Remove a category in which there is nothing; a repeat changes nothing.

    A product that is being saved into it at this moment may stay in a category that is no more:
    it is sold like any other, and its next change wants another category. Raises NotFound,
    Conflict while something is in it, or Busy.
    """
    crud.remove(KIND, merchant_id, category_id, staff=staff, now_s=now_s)


def read(merchant_id: str, category_id: str) -> CategoryItem:
    """The category as it is now. Raises NotFound."""
    return crud.read(KIND, merchant_id, category_id)


def require(merchant_id: str, category_id: str) -> None:
    """Raises InvalidRequest when a product names a category that the merchant does not have."""
    if crud.find(KIND, merchant_id, category_id) is None:
        raise InvalidRequest("没有这个分类，请重新选择。", field="category_id")


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
