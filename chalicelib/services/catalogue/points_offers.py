"""Points offers: what a shop gives for points, how many units, and until when.

| step   | written together                                                           |
|--------|----------------------------------------------------------------------------|
| create | offer, its bucket of stock, the product's stock, which names it; audit row |
| change | offer, and units between bucket and product; audit row                     |
| remove | offer, bucket emptied into the product, which names it no more; audit row  |

The terms of an offer never change. An offer that is removed goes on for the orders that were placed
by it: what comes back of them goes to the product then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from chalicelib.domain import points_offer
from chalicelib.domain.points_offer import OfferState, PointsOfferDraft
from chalicelib.domain.product import raise_problems
from chalicelib.errors import Conflict, InvalidRequest, NotFound
from chalicelib.services.catalogue import crud, level_references, products_for_sale
from chalicelib.services.catalogue.crud import Kind
from chalicelib.services.catalogue.reservations import Shelf
from chalicelib.tables.base import LostRace, Writes, get_or_none
from chalicelib.tables.catalogue import ProductItem, ProductStockItem
from chalicelib.tables.shop import PointsOfferItem
from chalicelib.tables.trade import StockItem
from chalicelib.tables.trade_item import TradeItem
from chalicelib.text import Text

OFFERS_MAX = 50
NO_SKU = "商品没有这个规格，请刷新后重新选择。"
BUCKETS = 1  # whoever spends points waits for their own account, and not for others


class _OfferKind(Kind[PointsOfferItem]):
    def write_linked(
        self,
        writes: Writes,
        merchant_id: str,
        item_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> None:
        product_id, sku_id = _sku_of(merchant_id, item_id, after)
        bucket = StockItem.at(merchant_id, item_id, sku_id, 0)
        stock = ProductStockItem.at(merchant_id, product_id, sku_id)
        if not after:
            _empty(writes, item_id, bucket, stock)
            return
        more = after["total"] - before.get("total", 0)
        if not before:
            _require_sold(writes, merchant_id, product_id, sku_id)
            bucket.available = more
            writes.put(bucket, refuse=LostRace)
        else:
            writes.update(
                bucket,
                [StockItem.available.add(more)],
                condition=(StockItem.available >= -more) & StockItem.ended.does_not_exist(),
                refuse=_too_few(before["total"]),
            )
        writes.update(
            stock,
            [
                ProductStockItem.available.add(-more),
                ProductStockItem.offers.add({item_id}),
                ProductStockItem.revision.add(1),  # whoever takes the SKU out reads it again
            ],
            condition=ProductStockItem.available >= max(more, 0),
            refuse=_short,
        )


KIND = _OfferKind(PointsOfferItem, "积分商品", most=OFFERS_MAX, kept_for_ever=True)


def everything(merchant_id: str) -> list[PointsOfferItem]:
    """All offers, the newest first."""
    found = crud.everything(KIND, merchant_id)
    return sorted(found, key=lambda item: (-item.created_at_s, item.offer_id))


def read(merchant_id: str, offer_id: str) -> PointsOfferItem:
    """The offer as it is now. Raises NotFound."""
    return crud.read(KIND, merchant_id, offer_id)


def missing() -> NotFound:
    """The refusal of an offer that is not there for who asks."""
    return crud.missing(KIND)


def create(
    merchant_id: str,
    offer_id: str,
    draft: PointsOfferDraft,
    *,
    body_hash: str = "",
    staff: str,
    now_s: int,
) -> PointsOfferItem:
    """As crud.create. Raises InvalidRequest with all problems, too."""
    if get_or_none(PointsOfferItem.at(merchant_id, offer_id)) is None:
        _check(merchant_id, draft, now_s)
    fields = asdict(draft) | {"name": draft.name.strip(), "created_at_s": now_s}
    return crud.create(
        KIND, merchant_id, offer_id, fields, body_hash=body_hash, staff=staff, now_s=now_s
    )


def change(
    merchant_id: str,
    offer_id: str,
    name: str,
    total: int,
    *,
    revision: int,
    staff: str,
    now_s: int,
) -> PointsOfferItem:
    """Rename an offer, or change how many units it has: no fewer than were taken, no more than the
    product has left. As crud.change. Raises Conflict, too."""
    fields = {"name": name.strip(), "total": total}
    return crud.change(
        KIND, merchant_id, offer_id, fields, revision=revision, staff=staff, now_s=now_s
    )


def remove(merchant_id: str, offer_id: str, *, staff: str, now_s: int) -> None:
    """End an offer for good; its units are the product's again. A repeat changes nothing. Raises
    NotFound, Busy."""
    crud.remove(KIND, merchant_id, offer_id, staff=staff, now_s=now_s)


def left(merchant_id: str, items: Sequence[PointsOfferItem]) -> dict[str, int]:
    """How many units of each offer may yet be had."""
    keys = {_bucket(merchant_id, item).pk: item.offer_id for item in items}
    found = TradeItem.batch_get([(pk, "stock") for pk in keys]) if keys else ()
    return {keys[item.pk]: item.available for item in found if isinstance(item, StockItem)}


def state_of(item: PointsOfferItem, units_left: int, *, now_s: int) -> OfferState:
    """What becomes of who wants one now."""
    return points_offer.state_of(item.until_s, units_left, now_s=now_s)


def shelf_of(item: PointsOfferItem) -> Shelf:
    """Where its units are."""
    return Shelf(item.merchant_id, item.offer_id, item.product_id, item.sku_id, BUCKETS)


def _check(merchant_id: str, draft: PointsOfferDraft, now_s: int) -> None:
    """Raises InvalidRequest with everything that keeps the draft from being offered."""
    source = products_for_sale.source_of(merchant_id, draft.product_id)
    sold = products_for_sale.offers_of(source).get(draft.sku_id)
    if sold is None:
        raise InvalidRequest(NO_SKU, field="sku_id")
    raise_problems(points_offer.problems_of(draft, sold, now_s=now_s))
    level_references.name_of(merchant_id, draft.level_from)


def _bucket(merchant_id: str, item: PointsOfferItem) -> StockItem:
    return StockItem.at(merchant_id, item.offer_id, item.sku_id, 0)


def _sku_of(merchant_id: str, offer_id: str, fields: Mapping[str, Any]) -> tuple[str, str]:
    """(product, SKU) of an offer, which never change; fields: of one that is new they tell."""
    if "sku_id" in fields:
        return fields["product_id"], fields["sku_id"]
    item = get_or_none(PointsOfferItem.at(merchant_id, offer_id))
    if item is None:
        raise LostRace
    return item.product_id, item.sku_id


def _require_sold(writes: Writes, merchant_id: str, product_id: str, sku_id: str) -> None:
    """Require that the product sells the SKU: one that is taken out of it is offered no more.
    Raises InvalidRequest."""
    source = products_for_sale.source_of(merchant_id, product_id)
    if sku_id not in products_for_sale.offers_of(source):
        raise InvalidRequest(NO_SKU, field="sku_id")
    as_it_was = ProductItem.revision == source.product.revision
    writes.check(source.product, condition=as_it_was, refuse=LostRace)


def _empty(writes: Writes, offer_id: str, bucket: StockItem, stock: ProductStockItem) -> None:
    """Give the product what the bucket has, which takes nothing back from then on."""
    found = get_or_none(bucket)
    units = found.available if found is not None else 0
    writes.update(
        bucket,
        [StockItem.available.set(0), StockItem.ended.set(True)],
        condition=StockItem.available == units,
        refuse=LostRace,
    )
    writes.update(
        stock,
        [ProductStockItem.available.add(units), ProductStockItem.offers.delete({offer_id})],
        condition=ProductStockItem.available.exists(),
        refuse=LostRace,
    )


def _short(old: ProductStockItem | None) -> Conflict:
    available = old.available if old else 0
    words = "商品可售库存只有 {available} 件，不够再加。请减少，或先补充库存。"
    return Conflict(Text(words, available=available), field="total", available=available)


def _too_few(total: int) -> Any:
    def refuse(old: StockItem | None) -> Conflict:
        taken = total - (old.available if old else 0)
        return Conflict(
            Text("已兑换 {taken} 件，总数不能更少。", taken=taken), field="total", taken=taken
        )

    return refuse
