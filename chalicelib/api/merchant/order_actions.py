"""What the shop does to an order by itself: gives money back, lowers a price, closes it unpaid."""

from chalicelib import clock
from chalicelib.api.auth import Staff
from chalicelib.api.buyers import levels, points
from chalicelib.api.buyers.level_schemas import BuyersAccountShown
from chalicelib.api.buyers.points_schemas import PointsQuery
from chalicelib.api.http import Api
from chalicelib.api.merchant import order_schemas as schemas
from chalicelib.api.merchant.orders import file_of, parsed
from chalicelib.api.once import HEADERS, once
from chalicelib.api.schemas import from_attributes
from chalicelib.domain.after_sale import AfterSaleRefused
from chalicelib.domain.ids import OrderId
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import (
    AlreadyPaid,
    Conflict,
    CouponsGone,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    NotFound,
    OrderClosed,
    PaymentUnsettled,
)
from chalicelib.services.after_sale import shop_refunds
from chalicelib.services.groups import order_closing
from chalicelib.services.growth import levels as growth_levels
from chalicelib.services.money import price_changes
from chalicelib.services.orders import coupon_gifts, orders, points_changes
from chalicelib.services.people import identities

api = Api(__name__, prefix="/v1/merchant")


@api.operation(
    "POST",
    "/orders/{order_id}/refunds",
    right=act(Area.REFUNDS),
    status=201,
    refusals=[NotFound, AfterSaleRefused, InvalidRequest, IdempotencyMismatch],
    headers=HEADERS,
)
def refund_order(
    who: Staff, order_id: str, body: schemas.ShopRefundRequest
) -> schemas.OrderFileShown:
    """Give money back of the shop's own accord, all or part; it cannot be taken back."""
    of, made = parsed(order_id), once(api.current_request, who, f"refund {order_id}")
    shop_refunds.refund(
        who.merchant_id,
        of,
        amount_fen=body.amount_fen,
        units_back=body.units_back,
        reason=body.reason,
        key=made.item_id,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return file_of(who, of)


@api.operation(
    "PUT",
    "/orders/{order_id}/price",
    right=act(Area.REFUNDS),
    refusals=[NotFound, OrderClosed, AlreadyPaid, InvalidRequest, PaymentUnsettled],
)
def lower_order_price(
    who: Staff, order_id: str, body: schemas.PriceRequest
) -> schemas.OrderFileShown:
    """Let an unpaid order cost less; a payment under way at the old price is closed first."""
    of, now_s = parsed(order_id), clock.now_s()
    price_changes.lower(who.merchant_id, of, body.total_fen, staff=who.username, now_s=now_s)
    return file_of(who, of)


@api.operation(
    "POST",
    "/orders/{order_id}/closing",
    right=act(Area.REFUNDS),
    refusals=[NotFound, AlreadyPaid, PaymentUnsettled],
)
def close_order(
    who: Staff, order_id: str, body: schemas.OrderClosingRequest
) -> schemas.OrderFileShown:
    """Close an unpaid order; its buyer is told why, its seat and stock are free."""
    of, now_s = parsed(order_id), clock.now_s()
    order_closing.close_by_shop(who.merchant_id, of, body.reason, staff=who.username, now_s=now_s)
    return file_of(who, of)


@api.operation(
    "GET", "/orders/{order_id}/coupons", right=act(Area.REFUNDS), refusals=[NotFound, Conflict]
)
def count_buyers_coupons(who: Staff, order_id: str) -> schemas.BuyersCoupons:
    """How many coupons of each template the buyer of an order has."""
    found = coupon_gifts.held(who.merchant_id, parsed(order_id))
    return schemas.BuyersCoupons([schemas.HeldCoupons(*one) for one in sorted(found.items())])


@api.operation(
    "POST",
    "/orders/{order_id}/coupons",
    right=act(Area.REFUNDS),
    status=201,
    refusals=[
        NotFound,
        InvalidRequest,
        Conflict,
        CouponsGone,
        LimitReached,
        IdempotencyMismatch,
    ],
    headers=HEADERS,
)
def give_coupon(
    who: Staff, order_id: str, body: schemas.CouponGiftRequest
) -> schemas.OrderFileShown:
    """Give the buyer of an order a coupon; they are told, with the reason."""
    of, made = parsed(order_id), once(api.current_request, who, f"coupon {order_id}")
    coupon_gifts.give(
        who.merchant_id,
        of,
        body.template_id,
        body.reason,
        gift_id=made.item_id,
        body_hash=made.body_hash,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return file_of(who, of)


@api.operation("GET", "/orders/{order_id}/points", right=view(Area.REFUNDS), refusals=[NotFound])
def read_buyer_points(who: Staff, order_id: str, query: PointsQuery) -> BuyersAccountShown:
    """The points and the level of the buyer of an order."""
    return _points_of(who, parsed(order_id), query.next)


@api.operation(
    "POST",
    "/orders/{order_id}/points",
    right=act(Area.REFUNDS),
    status=201,
    refusals=[NotFound, InvalidRequest, Conflict, IdempotencyMismatch],
    headers=HEADERS,
)
def change_buyer_points(
    who: Staff, order_id: str, body: schemas.PointsChange
) -> BuyersAccountShown:
    """Give the buyer of an order points, or take some; they read why."""
    of, made = parsed(order_id), once(api.current_request, who, f"points {order_id}")
    points_changes.change(
        who.merchant_id,
        of,
        body.points,
        body.reason,
        grant_id=made.item_id,
        body_hash=made.body_hash,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _points_of(who, of)


def _points_of(who: Staff, of: OrderId, token: str | None = None) -> BuyersAccountShown:
    order, now_s = orders.get(who.merchant_id, of), clock.now_s()
    ids = identities.ids_of(who.merchant_id, order.buyer_id)
    scope = ("points", who.merchant_id, who.username, str(of))
    account = points.account(who.merchant_id, ids, token, scope, now_s=now_s)
    found = growth_levels.standing(who.merchant_id, ids, now_s=now_s)
    return from_attributes(
        BuyersAccountShown, account, growth=found.growth, level=levels.shown(found.level)
    )
