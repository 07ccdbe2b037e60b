"""/v1/merchant/products: what is sold, and its stock."""

from functools import partial

from chalicelib import clock
from chalicelib.api import auth, pages
from chalicelib.api.http import Api
from chalicelib.api.merchant import catalogue_schemas as schemas
from chalicelib.api.merchant import product_shapes
from chalicelib.api.once import HEADERS, once
from chalicelib.api.schemas import PageQuery, from_attributes
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import Changed, IdempotencyMismatch, InvalidRequest, NotFound, SoldOut
from chalicelib.services.catalogue import (
    adjustments,
    product_activities,
    product_lists,
    product_shelf,
    products,
)
from chalicelib.services.catalogue.product_lists import State
from chalicelib.services.catalogue.products import Stocked

api = Api(__name__)
SEES_COST = view(Area.STATISTICS)


@api.operation(
    "POST",
    "/merchant/products",
    right=act(Area.GOODS),
    status=201,
    refusals=[InvalidRequest, IdempotencyMismatch],
    headers=HEADERS,
)
def create_product(who: auth.Staff, body: schemas.ProductInput) -> schemas.Product:
    """Create a product with its SKUs and their stock."""
    made = once(api.current_request, who, "product")
    stocked = products.create(
        who.merchant_id,
        product_shapes.draft(body, sees_cost=who.may(SEES_COST)),
        staff=who.username,
        now_s=clock.now_s(),
        product_id=made.item_id,
        body_hash=made.body_hash,
    )
    return _shown(who, stocked)


@api.operation("GET", "/merchant/products", right=view(Area.GOODS))
def list_products(who: auth.Staff, query: schemas.ProductPageQuery) -> schemas.ProductPage:
    """Products by state, category and words, the newest first, each with its stock."""
    scope = ("products", who.merchant_id, query.category or "", query.state or "", query.q)
    rows, key = product_lists.page(
        who.merchant_id,
        state=State(query.state) if query.state else None,
        category_id=query.category,
        q=query.q,
        key=pages.key_of(query.next, *scope),
        limit=query.limit,
    )
    items = [product_shapes.row(found, sees_cost=who.may(SEES_COST)) for found in rows]
    return schemas.ProductPage(items, pages.token_of(key, *scope))


@api.operation(
    "GET", "/merchant/products/{product_id}", right=view(Area.GOODS), refusals=[NotFound]
)
def read_product(product_id: str, who: auth.Staff) -> schemas.Product:
    """A product with the stock of its SKUs."""
    return _shown(who, products.read(who.merchant_id, product_id))


@api.operation(
    "PUT",
    "/merchant/products/{product_id}",
    right=act(Area.GOODS),
    refusals=[InvalidRequest, NotFound, Changed],
)
def change_product(
    product_id: str, who: auth.Staff, body: schemas.ProductChange
) -> schemas.Product:
    """Save a product; SKUs that it names by id keep their stock."""
    stocked = products.change(
        who.merchant_id,
        product_id,
        product_shapes.draft(body, sees_cost=who.may(SEES_COST)),
        keeps_cost=not who.may(SEES_COST),
        revision=body.revision,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _shown(who, stocked)


@api.operation(
    "PUT",
    "/merchant/products/{product_id}/shelf",
    right=act(Area.GOODS),
    refusals=[NotFound, Changed],
)
def shelve_product(product_id: str, who: auth.Staff, body: schemas.ShelfChange) -> schemas.Product:
    """Put a product on sale, or take it off. The answer names the activities that sell it: they
    go on, until they are paused or ended."""
    stocked = product_shelf.put(
        who.merchant_id,
        product_id,
        on_sale=body.on_sale,
        revision=body.revision,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _shown(who, stocked)


@api.operation(
    "POST",
    "/merchant/products/{product_id}/copy",
    right=act(Area.GOODS),
    status=201,
    refusals=[InvalidRequest, NotFound, IdempotencyMismatch],
    headers=HEADERS,
)
def copy_product(product_id: str, who: auth.Staff) -> schemas.Product:
    """Make another product like this one, not on sale and with nothing in stock."""
    made = once(api.current_request, who, f"copy {product_id}")
    stocked = product_shelf.copy(
        who.merchant_id,
        product_id,
        copy_id=made.item_id,
        body_hash=made.body_hash,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _shown(who, stocked)


@api.operation(
    "POST",
    "/merchant/products/{product_id}/stock-adjustments",
    right=act(Area.GOODS),
    status=201,
    refusals=[InvalidRequest, NotFound, SoldOut, IdempotencyMismatch],
    headers=HEADERS,
)
def adjust_stock(
    product_id: str, who: auth.Staff, body: schemas.StockAdjustment
) -> schemas.SkuStock:
    """Add units to a SKU's stock, or take them away, with the reason."""
    stock = adjustments.adjust_stock(
        who.merchant_id,
        product_id,
        body.sku_id,
        delta=body.delta,
        reason=body.reason,
        staff=who.username,
        now_s=clock.now_s(),
        adjustment_id=once(api.current_request, who, "adjustment").item_id,
    )
    return schemas.SkuStock(stock.sku_id, stock.available)


@api.operation(
    "GET",
    "/merchant/products/{product_id}/stock-adjustments",
    right=view(Area.GOODS),
    refusals=[NotFound],
)
def list_stock_adjustments(
    product_id: str, who: auth.Staff, query: PageQuery
) -> schemas.StockHistory:
    """What staff changed of a product's stock by hand, the newest first."""
    scope = ("stock-adjustments", who.merchant_id, product_id)
    read = partial(adjustments.history, who.merchant_id, product_id)
    show = partial(from_attributes, schemas.StockChange)
    return pages.page(schemas.StockHistory, query, scope, read, show)


def _shown(who: auth.Staff, stocked: Stocked) -> schemas.Product:
    now_s = clock.now_s()
    activities = product_activities.activities_of(stocked, now_s=now_s)
    return product_shapes.product(stocked, activities, sees_cost=who.may(SEES_COST), now_s=now_s)
