"""Products between what staff send or read and what the services take or give.

What the shop paid for a SKU is told to those who may see what the shop takes in: sees_cost.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.api.merchant import catalogue_schemas as schemas
from chalicelib.domain.activity import state_of
from chalicelib.domain.product import ProductDraft, SkuDraft
from chalicelib.errors import InvalidRequest
from chalicelib.services.catalogue.product_lists import Row
from chalicelib.services.catalogue.products import Stocked
from chalicelib.tables.catalogue import ActivityItem


def draft(body: schemas.ProductInput, *, sees_cost: bool) -> ProductDraft:
    """Return the draft. Raises InvalidRequest for a cost from somebody who may not see costs."""
    for i, sku in enumerate(body.skus):
        if sku.cost_fen is not None and not sees_cost:
            words = "成本价只有能看经营数据的人可以填写，请留空。"
            raise InvalidRequest(words, field=f"skus[{i}].cost_fen")
    return ProductDraft(
        title=body.title,
        category_id=body.category_id,
        description=body.description,
        images=tuple(body.images),
        on_sale=body.on_sale,
        selling_point=body.selling_point,
        unit=body.unit,
        warn_below=body.warn_below,
        freight_template_id=body.freight_template_id,
        skus=tuple(
            SkuDraft(
                specs=sku.specs,
                list_price_fen=sku.list_price_fen,
                solo_price_fen=sku.solo_price_fen,
                stock=sku.stock,
                image=sku.image,
                sku_id=sku.sku_id,
                code=sku.code,
                cost_fen=sku.cost_fen,
                weight_g=sku.weight_g,
            )
            for sku in body.skus
        ),
    )


def row(found: Row, *, sees_cost: bool) -> schemas.ProductSummary:
    item = found.product
    return schemas.ProductSummary(
        product_id=item.product_id,
        category_id=item.category_id,
        title=item.title,
        image=item.images[0] if item.images else "",
        on_sale=item.on_sale,
        skus=[schemas.Sku(**_told(sku, sees_cost)) for sku in item.skus],
        available=found.available,
        activities=list(found.activities),
        held=found.held,
        warn_below=item.warn_below,
        created_at_s=item.created_at_s,
        revision=item.revision,
    )


def product(
    stocked: Stocked, selling: Sequence[ActivityItem], *, sees_cost: bool, now_s: int
) -> schemas.Product:
    """selling: the activities that sell it."""
    item = stocked.product
    return schemas.Product(
        product_id=item.product_id,
        category_id=item.category_id,
        title=item.title,
        description=item.description,
        images=list(item.images),
        on_sale=item.on_sale,
        selling_point=item.selling_point,
        unit=item.unit,
        warn_below=item.warn_below,
        skus=[
            schemas.StockedSku(
                **_told(sku, sees_cost),
                available=stock.available,
                activities=sorted(stock.activities.as_dict()),
            )
            for sku in item.skus
            for stock in [stocked.stocks[sku["sku_id"]]]
        ],
        activities=[_selling(activity, now_s) for activity in selling],
        freight_template_id=item.freight_template_id,
        created_at_s=item.created_at_s,
        revision=item.revision,
    )


def _told(sku: Mapping[str, Any], sees_cost: bool) -> dict[str, Any]:
    return dict(sku) if sees_cost else {**sku, "cost_fen": None}


def _selling(item: ActivityItem, now_s: int) -> schemas.SellingActivity:
    return schemas.SellingActivity(
        activity_id=item.activity_id,
        title=item.title,
        state=state_of(item.status, item.starts_at_s, item.ends_at_s, now_s=now_s),
        starts_at_s=item.starts_at_s,
        ends_at_s=item.ends_at_s,
    )
