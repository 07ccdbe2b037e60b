"""Products: what is sold, at which prices, and how much of it no activity holds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from chalicelib.domain.ids import derived_id, new_id
from chalicelib.domain.product import (
    ProductDraft,
    SkuDraft,
    found_by,
    spec_text,
)
from chalicelib.errors import Changed, IdempotencyMismatch, InvalidRequest, NotFound
from chalicelib.services.catalogue.product_drafts import normalised, refuse_problems
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, Writes, chunks, get_or_none, retried, transaction
from chalicelib.tables.catalogue import (
    ProductCardItem,
    ProductItem,
    ProductStockItem,
    products_list,
    rank,
)
from chalicelib.tables.catalogue_item import CatalogueItem
from chalicelib.text import Text

# A save is one transaction: the product, its card, the audit row, new stocks and removed ones.
# Stocks of new SKUs beyond that are written before it; nothing leads to them until the product
# does.
NEW_STOCKS_MAX = 48
REMOVED_MAX = 48
_STOCKS_MAX = 90  # per transaction of stocks alone


@dataclass(frozen=True)
class Stocked:
    """A product with the stock of its SKUs, each by its id; removed SKUs are among them."""

    product: ProductItem
    stocks: Mapping[str, ProductStockItem]


def find(merchant_id: str, product_id: str) -> Stocked | None:
    """The product and all its stocks, read consistently in one query; None when there is none."""
    key = ProductItem.at(merchant_id, product_id).pk
    product, stocks = None, {}
    for item in CatalogueItem.query(key, consistent_read=True):
        if isinstance(item, ProductItem):
            product = item
        elif isinstance(item, ProductStockItem):
            stocks[item.sku_id] = item
    return Stocked(product, stocks) if product else None


def read(merchant_id: str, product_id: str) -> Stocked:
    """As `find`. Raises NotFound."""
    found = find(merchant_id, product_id)
    if found is None:
        raise NotFound("没有找到这个商品。")
    return found


def create(
    merchant_id: str,
    draft: ProductDraft,
    *,
    staff: str,
    now_s: int,
    product_id: str | None = None,
    body_hash: str = "",
) -> Stocked:
    """Create a product with the stock of its SKUs, and the audit row.

    A repeat with the same `product_id` gets the first product; with another `body_hash`,
    IdempotencyMismatch. Raises InvalidRequest with all problems, or Busy.
    """
    product_id = product_id or new_id()
    draft = normalised(draft)
    refuse_problems(merchant_id, draft, known=())
    numbered = _numbered(draft.skus, product_id, revision=0)
    fields = _fields(draft, numbered)
    item = ProductItem.at(
        merchant_id,
        product_id,
        **fields,
        list_key=products_list(merchant_id),
        category_key=products_list(merchant_id, draft.category_id),
        list_rank=rank(now_s, product_id),
        created_at_s=now_s,
        body_hash=body_hash,
    )

    def step() -> Stocked:
        first = find(merchant_id, product_id)
        if first is not None:
            if first.product.body_hash != body_hash:
                raise IdempotencyMismatch
            return first
        new = _put_beforehand(_new_stocks(merchant_id, product_id, numbered))
        with transaction() as writes:
            writes.put(item, refuse=LostRace)
            writes.put(_card(item, draft, numbered), refuse=LostRace)
            _put_stocks(writes, new)
            subject = f"product#{product_id}"
            audit(writes, merchant_id, staff, "product_created", subject, {}, fields, now_s)
        return read(merchant_id, product_id)

    return retried(step)


def change(
    merchant_id: str,
    product_id: str,
    draft: ProductDraft,
    *,
    keeps_cost: bool = False,
    revision: int,
    staff: str,
    now_s: int,
) -> Stocked:
    """Save a product that was read at `revision`: new SKUs with their stock, and the audit row.

    Activities keep the prices they were published with. A SKU that an activity sells cannot be
    removed; the stock of a removed one is kept, for what may still come back to it. keeps_cost: by
    somebody who does not see what SKUs cost, which stays as it is.
    Raises NotFound, Changed, InvalidRequest with all problems, or Busy.
    """
    draft = normalised(draft)
    numbered = _numbered(draft.skus, product_id, revision=revision)
    wanted = _fields(draft, numbered)

    def step() -> Stocked:
        old = read(merchant_id, product_id)
        fields = _with_costs(wanted, old.product.skus) if keeps_cost else wanted
        before = {name: getattr(old.product, name) for name in fields}
        if before == fields:
            return old  # saved before: a repeat
        if old.product.revision != revision:
            raise Changed
        known = [sku["sku_id"] for sku in before["skus"]]
        refuse_problems(merchant_id, draft, known=known)
        kept = {sku.sku_id for sku in numbered}
        removed = [old.stocks[sku_id] for sku_id in known if sku_id not in kept]
        _refuse_removal(removed, before["skus"], now_s)
        brought = [sku for sku, given in zip(numbered, draft.skus, strict=True) if not given.sku_id]
        new = _put_beforehand(_new_stocks(merchant_id, product_id, brought))
        with transaction() as writes:
            _save(writes, old.product, fields, draft.category_id)
            card = _card(old.product, draft, numbered)
            writes.put(card, condition=ProductCardItem.pk.exists(), refuse=LostRace)
            _put_stocks(writes, new)
            for stock in removed:
                # A publication that read the SKU before this must not go through after it.
                writes.update(
                    stock,
                    [ProductStockItem.revision.add(1)],
                    condition=ProductStockItem.revision == stock.revision,
                    refuse=LostRace,
                )
            subject = f"product#{product_id}"
            audit(writes, merchant_id, staff, "product_changed", subject, before, fields, now_s)
        return read(merchant_id, product_id)

    return retried(step)


def _save(writes: Writes, old: ProductItem, fields: Mapping[str, Any], category_id: str) -> None:
    category_key = products_list(old.merchant_id, category_id)
    writes.update(
        old,
        [
            ProductItem.revision.add(1),
            ProductItem.category_key.set(category_key),
            *(getattr(ProductItem, name).set(value) for name, value in fields.items()),
        ],
        condition=ProductItem.revision == old.revision,
        refuse=LostRace,
    )


def _refuse_removal(
    removed: Sequence[ProductStockItem], skus: Sequence[Mapping[str, Any]], now_s: int
) -> None:
    specs = {sku["sku_id"]: spec_text(sku["specs"]) for sku in skus}
    for stock in removed:
        for claim in stock.activities.as_dict().values():
            words = Text(
                "「{spec}」正在「{name}」中使用，请先结束那个活动。",
                spec=specs[stock.sku_id],
                name=claim["name"],
            )
            if claim["ends_at_s"] <= now_s:  # over, and its stock not yet back
                words = Text(
                    "「{name}」刚结束，它的库存退回后才能删除「{spec}」。",
                    name=claim["name"],
                    spec=specs[stock.sku_id],
                )
            raise InvalidRequest(words, field="skus", sku_id=stock.sku_id)
        if stock.offers:
            words = Text("「{spec}」正在积分兑换，请先停止兑换。", spec=specs[stock.sku_id])
            raise InvalidRequest(words, field="skus", sku_id=stock.sku_id)
    if len(removed) > REMOVED_MAX:
        words = Text("一次最多删除 {max} 个规格，请分几次保存。", max=REMOVED_MAX)
        raise InvalidRequest(words, field="skus")


def _card(item: ProductItem, draft: ProductDraft, skus: Sequence[SkuDraft]) -> ProductCardItem:
    """What lists look for a product by, of a draft whose SKUs have ids."""
    return ProductCardItem.at(
        item.merchant_id,
        item.product_id,
        item.created_at_s,
        category_id=draft.category_id,
        on_sale=draft.on_sale,
        words=found_by(draft),
        sku_ids=[str(sku.sku_id) for sku in skus],
        warn_below=draft.warn_below,
    )


def _fields(draft: ProductDraft, skus: Sequence[SkuDraft]) -> dict[str, Any]:
    """What is stored of a draft whose SKUs have ids, as attributes of ProductItem."""
    kept = (
        "sku_id",
        "specs",
        "image",
        "code",
        "list_price_fen",
        "solo_price_fen",
        "cost_fen",
        "weight_g",
        "member_price_fen",
    )
    return {
        "title": draft.title,
        "selling_point": draft.selling_point,
        "unit": draft.unit,
        "description": draft.description,
        "category_id": draft.category_id,
        "images": list(draft.images),
        "on_sale": draft.on_sale,
        "warn_below": draft.warn_below,
        "freight_template_id": draft.freight_template_id,
        "skus": [{name: asdict(sku)[name] for name in kept} for sku in skus],
    }


def _with_costs(fields: Mapping[str, Any], kept: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The fields, each SKU with what it cost in `kept`."""
    costs = {sku["sku_id"]: sku["cost_fen"] for sku in kept}
    skus = [{**sku, "cost_fen": costs.get(sku["sku_id"])} for sku in fields["skus"]]
    return {**fields, "skus": skus}


def _numbered(skus: Sequence[SkuDraft], product_id: str, *, revision: int) -> list[SkuDraft]:
    """`skus` with ids for the new ones: derived, so that a repeat makes the same and no others."""
    return [
        sku
        if sku.sku_id
        else replace(sku, sku_id=derived_id(product_id.encode(), str(revision), str(number)))
        for number, sku in enumerate(skus)
    ]


def _new_stocks(
    merchant_id: str, product_id: str, skus: Sequence[SkuDraft]
) -> list[ProductStockItem]:
    return [
        ProductStockItem.at(merchant_id, product_id, str(sku.sku_id), available=sku.stock or 0)
        for sku in skus
    ]


def _put_beforehand(stocks: list[ProductStockItem]) -> list[ProductStockItem]:
    """Write the stocks that one transaction cannot hold, and return the others."""
    for chunk in chunks(stocks[NEW_STOCKS_MAX:], _STOCKS_MAX):
        if get_or_none(chunk[0]) is not None:
            continue  # by an earlier attempt: all of the chunk, or none
        with transaction() as writes:
            _put_stocks(writes, chunk)
    return stocks[:NEW_STOCKS_MAX]


def _put_stocks(writes: Writes, stocks: Sequence[ProductStockItem]) -> None:
    for stock in stocks:
        writes.put(stock, refuse=LostRace)
