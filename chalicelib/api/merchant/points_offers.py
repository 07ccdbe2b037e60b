"""/v1/merchant/points-offers: what the shop offers for points."""

from collections.abc import Sequence

from chalicelib import clock
from chalicelib.api import auth, shapes
from chalicelib.api.http import Api
from chalicelib.api.merchant import points_offer_schemas as schemas
from chalicelib.api.once import HEADERS, once
from chalicelib.api.schemas import Done, from_attributes
from chalicelib.domain.points_offer import PointsOfferDraft
from chalicelib.domain.product import spec_text
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import (
    Changed,
    Conflict,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    NotFound,
)
from chalicelib.services.catalogue import catalogue_cache, points_offers
from chalicelib.services.growth import points
from chalicelib.tables.shop import PointsOfferItem

api = Api(__name__, prefix="/v1/merchant")


@api.operation("GET", "/points-offers", right=view(Area.ACTIVITIES))
def list_shop_points_offers(who: auth.Staff) -> schemas.PointsOffersOfShop:
    """All points offers, with how many units of each were exchanged."""
    on = points.rule(who.merchant_id, clock.now_s()).on
    return schemas.PointsOffersOfShop(
        on, _shown(who.merchant_id, points_offers.everything(who.merchant_id))
    )


@api.operation(
    "POST",
    "/points-offers",
    right=act(Area.ACTIVITIES),
    status=201,
    refusals=[InvalidRequest, Conflict, LimitReached, IdempotencyMismatch],
    headers=HEADERS,
)
def create_points_offer(who: auth.Staff, body: schemas.PointsOfferInput) -> schemas.PointsOffer:
    """Offer units of a SKU for points; they move from the product, and buyers can have them."""
    made = once(api.current_request, who, "points offer")
    item = points_offers.create(
        who.merchant_id,
        made.item_id,
        from_attributes(PointsOfferDraft, body),
        body_hash=made.body_hash,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _shown(who.merchant_id, [item])[0]


@api.operation(
    "PUT",
    "/points-offers/{offer_id}",
    right=act(Area.ACTIVITIES),
    refusals=[NotFound, Changed, Conflict],
)
def change_points_offer(
    offer_id: str, who: auth.Staff, body: schemas.PointsOfferChange
) -> schemas.PointsOffer:
    """Rename a points offer, or change how many units it has; its terms stay as they are."""
    item = points_offers.change(
        who.merchant_id,
        offer_id,
        body.name,
        body.total,
        revision=body.revision,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _shown(who.merchant_id, [item])[0]


@api.operation(
    "DELETE", "/points-offers/{offer_id}", right=act(Area.ACTIVITIES), refusals=[NotFound]
)
def remove_points_offer(offer_id: str, who: auth.Staff) -> Done:
    """End a points offer for good; its units are the product's again, orders go on."""
    points_offers.remove(who.merchant_id, offer_id, staff=who.username, now_s=clock.now_s())
    return Done()


def _shown(merchant_id: str, items: Sequence[PointsOfferItem]) -> list[schemas.PointsOffer]:
    now_s = clock.now_s()
    left = points_offers.left(merchant_id, items)
    products = catalogue_cache.products(merchant_id, {it.product_id for it in items}, now_s)
    found = []
    for item in items:
        product, units = products.get(item.product_id), left.get(item.offer_id, 0)
        skus = product.skus if product is not None else ()
        sku = next((sku for sku in skus if sku["sku_id"] == item.sku_id), None)
        images = product.images if product is not None else ()
        found.append(
            from_attributes(
                schemas.PointsOffer,
                item,
                product_title=product.title if product is not None else "",
                spec=shapes.spec(spec_text(dict(sku["specs"]))) if sku else "",
                image=(sku["image"] if sku else "") or next(iter(images), ""),
                on_sale=product is not None and product.on_sale and sku is not None,
                taken=item.total - units,
                points_taken=(item.total - units) * item.points,
                state=points_offers.state_of(item, units, now_s=now_s),
            )
        )
    return found
