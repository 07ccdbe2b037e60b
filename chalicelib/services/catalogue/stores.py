"""Pickup stores: where buyers collect what they bought."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib.errors import StoreClosed
from chalicelib.services.catalogue import crud
from chalicelib.services.catalogue.crud import Kind
from chalicelib.tables.shop import StoreItem

NAME_MAX = 30
ADDRESS_MAX = 100
HOURS_MAX = 7  # ranges of weekdays
HOURS_TEXT_MAX = 20
KIND = Kind(StoreItem, "自提门店", most=50)


@dataclass(frozen=True)
class Hours:
    """When a store is open, as its people write it: 周一至周五, 9:00–21:00."""

    days: str
    hours: str


@dataclass(frozen=True)
class StoreDraft:
    name: str
    address: str
    phone: str
    hours: Sequence[Hours] = ()
    is_open: bool = True

    def fields(self) -> dict[str, Any]:
        return asdict(self) | {"hours": [asdict(one) for one in self.hours]}


def everything(merchant_id: str) -> list[StoreItem]:
    """All stores, by name."""
    return crud.everything(KIND, merchant_id)


def read(merchant_id: str, store_id: str) -> StoreItem:
    """The store as it is now. Raises NotFound."""
    return crud.read(KIND, merchant_id, store_id)


def create(
    merchant_id: str,
    store_id: str,
    draft: StoreDraft,
    *,
    body_hash: str = "",
    staff: str,
    now_s: int,
) -> StoreItem:
    """As crud.create."""
    return crud.create(
        KIND, merchant_id, store_id, draft.fields(), body_hash=body_hash, staff=staff, now_s=now_s
    )


def change(
    merchant_id: str, store_id: str, draft: StoreDraft, *, revision: int, staff: str, now_s: int
) -> StoreItem:
    """As crud.change; orders placed before keep the store as it was."""
    return crud.change(
        KIND, merchant_id, store_id, draft.fields(), revision=revision, staff=staff, now_s=now_s
    )


def remove(merchant_id: str, store_id: str, *, staff: str, now_s: int) -> None:
    """Remove a store; what was bought for it is still collected there. Raises NotFound or Busy."""
    crud.remove(KIND, merchant_id, store_id, staff=staff, now_s=now_s)


def snapshot(item: StoreItem | None) -> dict[str, Any]:
    """What an order keeps of its store. Raises StoreClosed when it takes no new orders."""
    if item is None or item.removed_at_s is not None or not item.is_open:
        raise StoreClosed
    return {
        "store_id": item.store_id,
        "name": item.name,
        "address": item.address,
        "phone": item.phone,
        "hours": list(item.hours),
    }
