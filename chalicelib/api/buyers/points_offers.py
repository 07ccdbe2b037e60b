"""What a shop offers for points (积分兑换), and ordering it."""

from collections.abc import Mapping
from typing import Any

from chalicelib import clock
from chalicelib.api import group_shapes, limits, schemas, shapes
from chalicelib.api.auth import Buyer
from chalicelib.api.buyers import points_offer_schemas as shown
from chalicelib.api.buyers.buyer import KEY_HEADER, idempotency_key, purchase_of
from chalicelib.api.http import Api, Audience
from chalicelib.domain.points_offer import OfferState, per_order
from chalicelib.domain.product import spec_text
from chalicelib.errors import (
    ActivityClosed,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    NotFound,
    SessionSuperseded,
    SoldOut,
    UnpaidOrdersLimit,
)
from chalicelib.services.catalogue import catalogue_cache, points_offers
from chalicelib.services.growth import levels, points
from chalicelib.services.orders import points_orders, solo_orders
from chalicelib.services.orders.ordering import CHANGED_SINCE
from chalicelib.services.people import shop_cache
from chalicelib.tables.catalogue import ProductItem
from chalicelib.tables.shop import PointsOfferItem

api = Api(__name__)


@api.operation(
    "GET", "/merchants/{merchant_id}/points-offers", audience=Audience.PUBLIC, refusals=[NotFound]
)
def list_points_offers(merchant_id: str, who: Buyer | None) -> shown.PointsOfferList:
    """What a shop offers for points; with a session, how many the asker can spend."""
    now_s = clock.now_s()
    shop_cache.merchant(merchant_id, now_s)
    offers = catalogue_cache.points_offers_of(merchant_id, now_s)
    products = catalogue_cache.products(merchant_id, {it.product_id for it in offers}, now_s)
    left = points_offers.left(merchant_id, offers)
    found = [
        shown.PointsOfferShown(**fields)
        for it in offers
        for fields in [_fields(it, products.get(it.product_id), left.get(it.offer_id, 0), now_s)]
        if fields and fields["state"] is not OfferState.ENDED
    ]
    return shown.PointsOfferList(items=found, **_account(merchant_id, who, now_s))


@api.operation(
    "GET",
    "/merchants/{merchant_id}/points-offers/{offer_id}",
    audience=Audience.PUBLIC,
    refusals=[NotFound],
)
def read_points_offer(merchant_id: str, offer_id: str, who: Buyer | None) -> shown.PointsOfferPage:
    """One points offer, with what its product says of itself."""
    now_s = clock.now_s()
    offer = points_orders.find(merchant_id, offer_id, now_s)
    product, sku = solo_orders.sold_now(merchant_id, offer.product_id, offer.sku_id, now_s)
    left = points_offers.left(merchant_id, [offer]).get(offer_id, 0)
    return shown.PointsOfferPage(
        images=list(product.images),
        description=product.description,
        unit=product.unit,
        deliveries=catalogue_cache.deliveries(merchant_id, now_s),
        freight=group_shapes.freight_shown(
            catalogue_cache.freight_of(merchant_id, product, now_s),
            weight_g=sku.get("weight_g", 0),
            goods_fen=offer.price_fen,
        ),
        **_account(merchant_id, who, now_s),
        **_fields(offer, product, left, now_s),
    )


@api.operation(
    "POST",
    "/points-offers/{offer_id}/orders",
    audience=Audience.BUYER,
    status=201,
    headers=KEY_HEADER,
    refusals=[
        NotFound,
        ActivityClosed,
        InvalidRequest,
        LimitReached,
        SoldOut,
        UnpaidOrdersLimit,
        IdempotencyMismatch,
        SessionSuperseded,
        *CHANGED_SINCE,
    ],
    limited=[limits.PURCHASES],
)
def exchange_points(
    who: Buyer, offer_id: str, body: schemas.PurchaseRequest
) -> schemas.OrderPlaced:
    """Order units of a points offer: their points are taken now, their price is yet to be paid."""
    order = points_orders.exchange(
        who.merchant_id,
        who.buyer_id,
        offer_id,
        purchase_of(body),
        key=idempotency_key(api.current_request),
        other_ids=who.other_ids,
        now_s=clock.now_s(),
    )
    return shapes.placed(order)


def _account(merchant_id: str, who: Buyer | None, now_s: int) -> dict[str, Any]:
    rule = points.rule(merchant_id, now_s)
    balance = points.balance(merchant_id, who.ids, now_s=now_s) if who else None
    return {"on": rule.on, "balance": balance}


def _fields(
    offer: PointsOfferItem, product: ProductItem | None, left: int, now_s: int
) -> dict[str, Any]:
    """Every field that a row of the list and the page have in common; none where its product does
    not sell it now."""
    sku = _sku(product, offer.sku_id)
    if product is None or sku is None:
        return {}
    rule = levels.rule(offer.merchant_id, now_s)
    return {
        "offer_id": offer.offer_id,
        "title": product.title,
        "sku_id": offer.sku_id,
        "spec": shapes.spec(spec_text(dict(sku["specs"]))),
        "image": sku["image"] or (product.images[0] if product.images else ""),
        "points": offer.points,
        "price_fen": offer.price_fen,
        "solo_price_fen": sku["solo_price_fen"],
        "state": points_offers.state_of(offer, left, now_s=now_s),
        "per_buyer": offer.per_buyer,
        "per_order": per_order(offer.per_buyer),
        "level_from": shapes.level_from(offer.level_from, rule),
        "until_s": offer.until_s,
    }


def _sku(product: ProductItem | None, sku_id: str) -> Mapping[str, Any] | None:
    if product is None or not product.on_sale:
        return None
    return next((sku for sku in product.skus if sku["sku_id"] == sku_id), None)
