"""How an order would get to its buyer: what that costs, and where it could be collected."""

from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib import clock
from chalicelib.api import limits, shapes
from chalicelib.api.auth import Buyer
from chalicelib.api.buyers.coupon_schemas import CouponChoice
from chalicelib.api.buyers.coupons import shown
from chalicelib.api.buyers.levels import shown as level_shown
from chalicelib.api.http import Api, Audience
from chalicelib.api.schemas import (
    CouponIdText,
    Fen,
    Id,
    LevelShown,
    PriceLineShown,
    RequestModel,
    ResponseModel,
    from_attributes,
)
from chalicelib.domain.order import Delivery
from chalicelib.domain.points import STEP_FEN
from chalicelib.domain.points_account import BALANCE_MAX
from chalicelib.domain.pricing import PriceKind
from chalicelib.errors import (
    ActivityClosed,
    CouponRefused,
    InvalidRequest,
    MembersOnly,
    NewBuyersOnly,
    NotDeliverable,
    NotFound,
    PointsRefused,
    StoreClosed,
)
from chalicelib.services.catalogue import stores
from chalicelib.services.groups import quoting
from chalicelib.services.growth import levels
from chalicelib.services.growth.levels import NOBODY, Standing
from chalicelib.services.orders import coupon_choices, points_choices
from chalicelib.services.orders.coupon_choices import Choice
from chalicelib.services.orders.ordering import Purchase, Quote
from chalicelib.services.orders.points_choices import PointsChoice
from chalicelib.services.people import shop_cache
from chalicelib.text import Text

api = Api(__name__)


class QuoteRequest(RequestModel, frozen=True, kw_only=True):
    """What would be bought: alone, for points, in the group of `group_id`, or else in a new one."""

    activity_id: Id
    sku_id: Id
    quantity: Annotated[int, Meta(ge=1, le=999)] = 1
    alone: bool = False
    for_points: Annotated[
        bool, Meta(description="of a points offer, whose id stands for the activity's")
    ] = False
    group_id: Id | None = None
    delivery: Delivery = Delivery.EXPRESS
    province: Annotated[str, Meta(max_length=20, description="for express")] = ""
    store_id: Annotated[Id | None, Meta(description="for pickup")] = None
    coupon_id: Annotated[
        CouponIdText | None, Meta(description="of the asker's own, to be used")
    ] = None
    best_coupon: Annotated[
        bool, Meta(description="use the asker's coupon with which they pay least, if any")
    ] = False
    points: Annotated[
        int, Meta(ge=0, le=BALANCE_MAX, description="of the asker, to be used: whole steps")
    ] = 0
    best_points: Annotated[
        bool, Meta(description="use as many of the asker's points as can be used")
    ] = False


class PointsChoiceShown(ResponseModel, frozen=True, kw_only=True):
    """What points can do for the purchase, with its coupon. `step` of them take `step_fen` off."""

    on: Annotated[bool, Meta(description="whether the shop has points; off: tell nothing of them")]
    balance: Annotated[int, Meta(description="that the asker can spend; 0 without a session")]
    step: int
    step_fen: Fen
    most: Annotated[int, Meta(description="that can be used; 0: none")]
    used: Annotated[
        int,
        Meta(description="send it along when ordering; for points: what it takes, had or not"),
    ]
    off_fen: Annotated[Fen, Meta(description="that these take off")]
    words: Annotated[str, Meta(description="why none can be used; empty: some can")]


class QuoteResponse(ResponseModel, frozen=True, kw_only=True):
    unit_price_fen: Fen
    unit_price_kind: Annotated[PriceKind, Meta(description="whose price that is")]
    level: Annotated[LevelShown | None, Meta(description="of the asker; null: none, or no session")]
    quantity: int
    goods_fen: Annotated[Fen, Meta(description="with 满减, coupon and points taken off")]
    freight_fen: Fen
    total_fen: Fen
    price_lines: list[PriceLineShown]
    coupon_id: Annotated[str | None, Meta(description="that is used; send it along when ordering")]
    coupons: Annotated[list[CouponChoice], Meta(description="of the asker; none without a session")]
    points: PointsChoiceShown
    limit_left: Annotated[
        int | None,
        Meta(description="units that the asker may yet buy; null: no limit, or no session"),
    ]
    opens_seats: Annotated[
        int | None, Meta(description="of the group that it would open; null: it opens none")
    ]


class ShopHours(msgspec.Struct, frozen=True):
    days: str
    hours: str


class ShopStore(msgspec.Struct, frozen=True):
    store_id: str
    name: str
    address: str
    phone: str
    hours: list[ShopHours]
    is_open: bool


class ShopStoreList(msgspec.Struct, frozen=True):
    items: list[ShopStore]


@api.operation(
    "GET", "/merchants/{merchant_id}/stores", audience=Audience.PUBLIC, refusals=[NotFound]
)
def list_shop_stores(merchant_id: str) -> ShopStoreList:
    """A shop's pickup stores; a closed one takes no new orders."""
    shop_cache.merchant(merchant_id, clock.now_s())
    return ShopStoreList(
        [
            ShopStore(
                store_id=item.store_id,
                name=item.name,
                address=item.address,
                phone=item.phone,
                hours=[ShopHours(**one) for one in item.hours],
                is_open=item.is_open,
            )
            for item in stores.everything(merchant_id)
        ]
    )


@api.operation(
    "POST",
    "/merchants/{merchant_id}/quotes",
    audience=Audience.PUBLIC,
    refusals=[
        InvalidRequest,
        NotFound,
        ActivityClosed,
        NotDeliverable,
        StoreClosed,
        CouponRefused,
        MembersOnly,
        NewBuyersOnly,
        PointsRefused,
    ],
    limited=[limits.QUOTES],
)
def quote_order(merchant_id: str, body: QuoteRequest, who: Buyer | None) -> QuoteResponse:
    """What a purchase would cost now, with freight; nothing is placed and nothing held."""
    now_s = clock.now_s()
    buyer = NOBODY
    if who and levels.rule(merchant_id, now_s).on:
        buyer = levels.standing(merchant_id, who.ids, now_s=now_s)
    plain = _quote(merchant_id, body, buyer, now_s)
    if who:
        quoting.check_eligible(merchant_id, who.ids, plain, body.group_id, now_s=now_s)
    choices = []
    if who and not body.for_points:
        choices = coupon_choices.of_buyer(merchant_id, who.ids, plain, now_s=now_s)
    best = body.best_coupon and not plain.line.goods_free
    quote = coupon_choices.chosen(choices, plain, body.coupon_id, best=best)
    points = points_choices.of_buyer(
        merchant_id,
        who.ids if who else (),
        quote,
        body.points,
        best=body.best_points,
        now_s=now_s,
    )
    quote, price = points.quote, points.quote.price
    opens = not (body.alone or body.for_points) and body.group_id is None
    return QuoteResponse(
        unit_price_fen=price.unit_price_fen,
        unit_price_kind=price.kind,
        level=level_shown(buyer.level),
        quantity=price.quantity,
        goods_fen=price.goods_fen,
        freight_fen=price.freight_fen,
        total_fen=price.total_fen,
        price_lines=shapes.price_lines(price),
        coupon_id=quote.coupon.coupon_id if quote.coupon is not None else None,
        coupons=[_choice(one, now_s) for one in choices],
        points=_points(points),
        limit_left=quoting.limit_left(merchant_id, who.ids, quote, now_s=now_s) if who else None,
        opens_seats=quoting.seats_of(merchant_id, quote) if opens else None,
    )


def _points(chosen: PointsChoice) -> PointsChoiceShown:
    return PointsChoiceShown(
        on=chosen.rule.on,
        balance=chosen.balance,
        step=chosen.rule.for_yuan,
        step_fen=STEP_FEN,
        most=chosen.most,
        used=chosen.quote.price.points,
        off_fen=chosen.quote.price.points_fen,
        words=Text(chosen.refusal) if chosen.refusal else "",
    )


def _choice(one: Choice, now_s: int) -> CouponChoice:
    off_fen = one.quote.price.coupon_fen if one.quote is not None else 0
    plain = shown(one.item, one.view, now_s)
    return from_attributes(
        CouponChoice, plain, off_fen=off_fen, refusal=Text(one.refusal) if one.refusal else ""
    )


def _quote(merchant_id: str, body: QuoteRequest, buyer: Standing, now_s: int) -> Quote:
    if body.delivery is Delivery.PICKUP and body.store_id is None:
        raise InvalidRequest("请选择自提门店。", field="store_id")
    purchase = Purchase(
        sku_id=body.sku_id,
        quantity=body.quantity,
        address={"province": body.province},
        delivery=body.delivery,
        store_id=body.store_id or "",
    )
    if body.for_points:
        return quoting.for_points(merchant_id, body.activity_id, purchase, buyer, now_s=now_s)
    if body.alone:
        return quoting.alone(merchant_id, body.activity_id, purchase, buyer, now_s=now_s)
    if body.group_id is not None:
        return quoting.to_join(merchant_id, body.group_id, purchase, buyer, now_s=now_s)
    return quoting.to_open(merchant_id, body.activity_id, purchase, buyer, now_s=now_s)
