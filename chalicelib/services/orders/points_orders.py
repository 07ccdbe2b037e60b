"""Exchanging points for goods (积分兑换): an order of a points offer, alone, from its own units."""

from collections.abc import Sequence

from chalicelib.domain import points_offer
from chalicelib.domain.pricing import PriceKind
from chalicelib.domain.product import spec_text
from chalicelib.errors import ActivityClosed, InvalidRequest
from chalicelib.services.catalogue import catalogue_cache, points_offers, reservations
from chalicelib.services.growth import levels
from chalicelib.services.growth.levels import NOBODY, Standing
from chalicelib.services.orders import deliveries, ordering, solo_orders
from chalicelib.services.orders.ordering import Line, Purchase, Quote
from chalicelib.tables.base import Writes
from chalicelib.tables.shop import PointsOfferItem
from chalicelib.tables.trade import OrderItem

MEMBERS_ONLY = "这个商品只有「{name}」可以兑换，你{missing}。看看其他积分商品。"
LIMIT_WORDS = "这个商品每人限兑 {max} 件，你已兑 {used} 件。看看其他积分商品。"


def exchange(
    merchant_id: str,
    buyer_id: str,
    offer_id: str,
    purchase: Purchase,
    *,
    key: str,
    other_ids: Sequence[str] = (),
    now_s: int,
) -> OrderItem:
    """Order units of a points offer: order, detail, hold, units, limit, points and key.

    Points go with the order, not with its payment: they are held as its units are, and come back
    if it is not paid. other_ids: of the same person. Raises NotFound, ActivityClosed,
    InvalidRequest, LimitReached, MembersOnly, UnpaidOrdersLimit, SoldOut, IdempotencyMismatch,
    SessionSuperseded, Busy, and as deliveries.quoted.
    """
    ids = (buyer_id, *other_ids)
    found: list[PointsOfferItem] = []

    def quoted() -> Quote:
        offer = find(merchant_id, offer_id, now_s)
        found.append(offer)
        matters = offer.level_from > 0 or deliveries.level_matters(
            merchant_id, purchase, prices=False, now_s=now_s
        )
        buyer = levels.standing(merchant_id, ids, now_s=now_s) if matters else NOBODY
        check_level(offer, buyer, now_s=now_s)
        return quote(offer, purchase, buyer, now_s=now_s)

    def reserve(writes: Writes, line: Line) -> None:
        offer = found[-1]
        if offer.per_buyer:
            reservations.count_limit(
                writes,
                merchant_id,
                buyer_id,
                offer_id,
                purchase.quantity,
                limit=offer.per_buyer,
                elsewhere=reservations.limit_used(merchant_id, other_ids, offer_id),
                words=LIMIT_WORDS,
            )
        shelf = points_offers.shelf_of(offer)
        reservations.take_from_only_bucket(writes, shelf, purchase.quantity)

    return solo_orders.ordered_once(
        merchant_id,
        buyer_id,
        quoted,
        reserve,
        key=key,
        body_hash=purchase.fingerprint("points offer", offer_id),
        other_ids=other_ids,
        now_s=now_s,
    )


def find(merchant_id: str, offer_id: str, now_s: int) -> PointsOfferItem:
    """An offer as buyers know it, a few seconds old. Raises NotFound."""
    offers = catalogue_cache.points_offers_of(merchant_id, now_s)
    found = next((item for item in offers if item.offer_id == offer_id), None)
    if found is None:
        raise points_offers.missing()
    return found


def quote(offer: PointsOfferItem, purchase: Purchase, buyer: Standing, *, now_s: int) -> Quote:
    """What units of an offer cost who has that level, whether they may have them or not. Raises
    NotFound, ActivityClosed, InvalidRequest, and as deliveries.quoted."""
    if offer.until_s and now_s >= offer.until_s:
        raise ActivityClosed("这个商品的兑换已结束，看看其他积分商品。")
    if purchase.coupon_id:
        raise deliveries.coupon_refused(purchase.coupon_id, "积分兑换的商品不能用优惠券")
    if purchase.sku_id != offer.sku_id:
        raise InvalidRequest("这个积分商品没有这个规格，请返回重新选择。", field="sku_id")
    limit_per_order = points_offer.per_order(offer.per_buyer)
    ordering.check_quantity(purchase.quantity, limit_per_order=limit_per_order)
    line = _line(offer, buyer, now_s)
    return deliveries.quoted(offer.merchant_id, line, purchase, now_s=now_s)


def check_level(offer: PointsOfferItem, buyer: Standing, *, now_s: int) -> None:
    """Raise MembersOnly when the offer is for members of a higher level."""
    levels.check(offer.merchant_id, buyer, offer.level_from, MEMBERS_ONLY, now_s=now_s)


def limit_left(offer: PointsOfferItem, ids: Sequence[str]) -> int:
    """Units that a person may yet have of an offer that has a limit."""
    used = reservations.limit_used(offer.merchant_id, ids, offer.offer_id)
    return max(0, offer.per_buyer - used)


def _line(offer: PointsOfferItem, buyer: Standing, now_s: int) -> Line:
    """What an offer sells, as its product is now."""
    product, sku = solo_orders.sold_now(offer.merchant_id, offer.product_id, offer.sku_id, now_s)
    return Line(
        activity_id=offer.offer_id,
        version=0,
        product_id=offer.product_id,
        sku_id=offer.sku_id,
        title=product.title,
        spec=spec_text(dict(sku["specs"])),
        image=sku["image"] or (product.images[0] if product.images else ""),
        list_price_fen=sku["list_price_fen"],
        unit_price_fen=offer.price_fen,
        limited=offer.per_buyer > 0,
        takes_coupons=False,
        takes_points=False,
        kind=PriceKind.EXCHANGE,
        buyer=buyer,
        points_each=offer.points,
    )
