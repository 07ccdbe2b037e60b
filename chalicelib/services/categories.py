"""The categories of a merchant's products and activities, in the order staff gave them."""

from typing import Any

from chalicelib.domain.ids import new_id
from chalicelib.errors import Changed, IdempotencyMismatch, InvalidRequest, LimitReached, NotFound
from chalicelib.services.audit import audit
from chalicelib.tables.base import LostRace, retried, transaction
from chalicelib.tables.catalogue import CatalogueItem, CategoryItem, stored

CATEGORIES_MAX = 100
NAME_MAX = 20
POSITION_MAX = 9_999


def everything(merchant_id: str) -> list[CategoryItem]:
    """All categories, the smallest position first."""
    found = CatalogueItem.query(
        f"{merchant_id}#M",
        CatalogueItem.sk.startswith("category#"),
        consistent_read=True,
        limit=CATEGORIES_MAX,
    )
    items = [item for item in found if isinstance(item, CategoryItem)]
    return sorted(items, key=lambda item: (item.position, item.name, item.category_id))


def create(
    merchant_id: str,
    *,
    name: str,
    position: int,
    staff: str,
    now_s: int,
    category_id: str | None = None,
    body_hash: str = "",
) -> CategoryItem:
    """Create a category, with its audit row; a repeat with the same id returns it.

    Raises IdempotencyMismatch for the same id with another `body_hash`, and LimitReached beyond
    CATEGORIES_MAX, as far as can be seen before the write.
    """
    key = category_id or new_id()
    after = {"name": name, "position": position}

    def step() -> CategoryItem:
        existing = {item.category_id: item for item in everything(merchant_id)}
        if key in existing:
            if existing[key].body_hash != body_hash:
                raise IdempotencyMismatch
            return existing[key]
        if len(existing) >= CATEGORIES_MAX:
            words = f"分类最多 {CATEGORIES_MAX} 个。请修改已有的分类。"
            raise LimitReached(words, limit=CATEGORIES_MAX)
        item = CategoryItem.at(merchant_id, key, body_hash=body_hash, **after)
        with transaction() as writes:
            writes.put(item, refuse=LostRace)
            subject = f"category#{key}"
            audit(writes, merchant_id, staff, "category_created", subject, {}, after, now_s)
        return item

    return retried(step)


def change(
    merchant_id: str,
    category_id: str,
    *,
    name: str,
    position: int,
    revision: int,
    staff: str,
    now_s: int,
) -> CategoryItem:
    """Rename or move the category that was read at `revision`; a repeat changes nothing more.

    Raises NotFound, Changed or Busy.
    """
    after: dict[str, Any] = {"name": name, "position": position}

    def step() -> CategoryItem:
        item = read(merchant_id, category_id)
        before = {"name": item.name, "position": item.position}
        if before == after:
            return item
        if item.revision != revision:
            raise Changed
        with transaction() as writes:
            writes.update(
                item,
                [
                    CategoryItem.revision.add(1),
                    CategoryItem.name.set(name),
                    CategoryItem.position.set(position),
                ],
                condition=CategoryItem.revision == revision,
                refuse=LostRace,
            )
            subject = f"category#{category_id}"
            audit(writes, merchant_id, staff, "category_changed", subject, before, after, now_s)
        return read(merchant_id, category_id)

    return retried(step)


def read(merchant_id: str, category_id: str) -> CategoryItem:
    """The category as it is now. Raises NotFound."""
    item = stored(CategoryItem.at(merchant_id, category_id))
    if item is None:
        raise NotFound("没有找到这个分类。")
    return item


def require(merchant_id: str, category_id: str) -> None:
    """Raises InvalidRequest when a product names a category that the merchant does not have."""
    if stored(CategoryItem.at(merchant_id, category_id)) is None:
        raise InvalidRequest("没有这个分类，请重新选择。", field="category_id")
