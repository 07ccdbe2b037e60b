"""/v1/merchant/products: what is sold, and its stock."""

from chalicelib import clock
from chalicelib.api import auth, pages
from chalicelib.api import merchant_schemas as schemas
from chalicelib.api.http import Api, Audience
from chalicelib.api.once import HEADERS, once
from chalicelib.domain.product import ProductDraft, SkuDraft
from chalicelib.errors import Changed, IdempotencyMismatch, InvalidRequest, NotFound, SoldOut
from chalicelib.services import adjustments, products
from chalicelib.services.products import Stocked
from chalicelib.tables.catalogue import ProductItem

api = Api(__name__)


@api.operation(
    "POST",
    "/merchant/products",
    audience=Audience.STAFF,
    roles=auth.MANAGERS,
    body=schemas.ProductInput,
    answer=schemas.Product,
    status=201,
    refusals=[InvalidRequest, IdempotencyMismatch],
    headers=HEADERS,
)
def create_product(who: auth.Staff, body: schemas.ProductInput) -> schemas.Product:
    """Create a product with its SKUs and their stock."""
    made = once(api.current_request, who, "product")
    stocked = products.create(
        who.merchant_id,
        _draft(body),
        staff=who.username,
        now_s=clock.now_s(),
        product_id=made.item_id,
        body_hash=made.body_hash,
    )
    return _product(stocked)


@api.operation(
    "GET",
    "/merchant/products",
    audience=Audience.STAFF,
    roles=auth.ANY_ROLE,
    query=schemas.CategoryPageQuery,
    answer=schemas.ProductPage,
)
def list_products(who: auth.Staff, query: schemas.CategoryPageQuery) -> schemas.ProductPage:
    """Products, the newest first."""
    scope = ("products", who.merchant_id, query.category or "")
    items, key = products.page(
        who.merchant_id,
        category_id=query.category,
        key=pages.key_of(query.next, *scope),
        limit=query.limit,
    )
    return schemas.ProductPage([_summary(item) for item in items], pages.token_of(key, *scope))


@api.operation(
    "GET",
    "/merchant/products/{product_id}",
    audience=Audience.STAFF,
    roles=auth.ANY_ROLE,
    answer=schemas.Product,
    refusals=[NotFound],
)
def read_product(product_id: str, who: auth.Staff) -> schemas.Product:
    """A product with the stock of its SKUs."""
    return _product(products.read(who.merchant_id, product_id))


@api.operation(
    "PUT",
    "/merchant/products/{product_id}",
    audience=Audience.STAFF,
    roles=auth.MANAGERS,
    body=schemas.ProductChange,
    answer=schemas.Product,
    refusals=[InvalidRequest, NotFound, Changed],
)
def change_product(
    product_id: str, who: auth.Staff, body: schemas.ProductChange
) -> schemas.Product:
    """Save a product; SKUs that it names by id keep their stock."""
    stocked = products.change(
        who.merchant_id,
        product_id,
        _draft(body),
        revision=body.revision,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _product(stocked)


@api.operation(
    "POST",
    "/merchant/products/{product_id}/stock-adjustments",
    audience=Audience.STAFF,
    roles=auth.MANAGERS,
    body=schemas.StockAdjustment,
    answer=schemas.SkuStock,
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


def _draft(body: schemas.ProductInput) -> ProductDraft:
    return ProductDraft(
        title=body.title,
        category_id=body.category_id,
        description=body.description,
        images=tuple(body.images),
        on_sale=body.on_sale,
        skus=tuple(
            SkuDraft(
                specs=sku.specs,
                list_price_fen=sku.list_price_fen,
                solo_price_fen=sku.solo_price_fen,
                stock=sku.stock,
                image=sku.image,
                sku_id=sku.sku_id,
            )
            for sku in body.skus
        ),
    )


def _summary(item: ProductItem) -> schemas.ProductSummary:
    return schemas.ProductSummary(
        product_id=item.product_id,
        category_id=item.category_id,
        title=item.title,
        image=item.images[0] if item.images else "",
        on_sale=item.on_sale,
        skus=[schemas.Sku(**sku) for sku in item.skus],
        created_at_s=item.created_at_s,
        revision=item.revision,
    )


def _product(stocked: Stocked) -> schemas.Product:
    item = stocked.product
    return schemas.Product(
        product_id=item.product_id,
        category_id=item.category_id,
        title=item.title,
        description=item.description,
        images=list(item.images),
        on_sale=item.on_sale,
        skus=[
            schemas.StockedSku(
                **sku, available=stock.available, activities=sorted(stock.activities.as_dict())
            )
            for sku in item.skus
            for stock in [stocked.stocks[sku["sku_id"]]]
        ],
        created_at_s=item.created_at_s,
        revision=item.revision,
    )
