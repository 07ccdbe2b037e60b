"""Products between what staff send or read and what the services take or give.

What the shop paid for a SKU is told to those who may see what the shop takes in: sees_cost.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.api.merchant import catalogue_schemas as schemas
from chalicelib.api.schemas import from_attributes
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
    skus = tuple(from_attributes(SkuDraft, sku) for sku in body.skus)
    return from_attributes(ProductDraft, body, images=tuple(body.images), skus=skus)


def row(found: Row, *, sees_cost: bool) -> schemas.ProductSummary:
    item = found.product
    return from_attributes(
        schemas.ProductSummary,
        item,
        image=item.images[0] if item.images else "",
        skus=[schemas.Sku(**_told(sku, sees_cost)) for sku in item.skus],
        available=found.available,
        activities=list(found.activities),
        held=found.held,
    )


def product(
    stocked: Stocked, selling: Sequence[ActivityItem], *, sees_cost: bool, now_s: int
) -> schemas.Product:
    """selling: the activities that sell it."""
    item = stocked.product
    return from_attributes(
        schemas.Product,
        item,
        images=list(item.images),
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
    )


def _told(sku: Mapping[str, Any], sees_cost: bool) -> dict[str, Any]:
    return dict(sku) if sees_cost else {**sku, "cost_fen": None}


def _selling(item: ActivityItem, now_s: int) -> schemas.SellingActivity:
    state = state_of(item.status, item.starts_at_s, item.ends_at_s, now_s=now_s)
    return from_attributes(schemas.SellingActivity, item, state=state)
