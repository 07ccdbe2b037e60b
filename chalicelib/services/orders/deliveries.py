"""How a purchase gets to its buyer, and what that adds to its price.

Quotes and purchases are counted here alike, from what the catalogue says at that moment; it is
read through the cache of `terms`, so that a purchase costs no further round trip.
"""

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.domain import freight
from chalicelib.domain import points as points_rules
from chalicelib.domain.activity import Terms
from chalicelib.domain.coupon import Bought, Coupon, Scope, refusal_to_use
from chalicelib.domain.money import yuan
from chalicelib.domain.order import Delivery
from chalicelib.domain.points import PointsRule
from chalicelib.domain.pricing import Price, exchanged, priced, with_coupon, with_points
from chalicelib.errors import CouponRefused, PointsRefused, PriceChanged
from chalicelib.services.catalogue import catalogue_cache, stores
from chalicelib.services.growth import coupons as growth_coupons
from chalicelib.services.growth import levels
from chalicelib.services.growth import points as growth_points
from chalicelib.services.growth.levels import NOBODY, Standing
from chalicelib.services.orders import ordering
from chalicelib.services.orders.ordering import Line, Purchase, Quote
from chalicelib.tables.growth import CouponItem
from chalicelib.text import Text


def seat_quoted(
    merchant_id: str,
    offer: Terms,
    purchase: Purchase,
    *,
    leads: bool,
    coupon: CouponItem | None = None,
    buyer: Standing = NOBODY,
    now_s: int,
) -> Quote:
    """What a seat under these terms costs who opens a group (leads), or joins it. Raises
    InvalidRequest, and as `quoted`."""
    ordering.check_quantity(purchase.quantity, limit_per_order=offer.limit_per_order)
    sku = offer.sku(purchase.sku_id)
    level = buyer.level if offer.member_prices else None
    price_fen, kind = sku.price_of(leads=leads, level=level)
    line = Line(
        activity_id=offer.activity_id,
        version=offer.version,
        product_id=offer.product_id,
        sku_id=sku.sku_id,
        title=offer.title,
        spec=sku.spec,
        image=offer.image,
        list_price_fen=sku.list_price_fen,
        unit_price_fen=price_fen,
        limited=offer.limit_per_buyer > 0,
        reductions=offer.reductions,
        takes_coupons=offer.coupons,
        takes_points=offer.points,
        wants_new=offer.wants_new(leads=leads),
        points_bonus=offer.leader_points if leads else 0,
        leader_coupon=offer.leader_coupon_id if leads else "",
        goods_free=offer.leader_free and leads,
        kind=kind,
        buyer=buyer,
        combines=offer.combines,
    )
    return quoted(merchant_id, line, purchase, coupon=coupon, now_s=now_s)


def quoted(
    merchant_id: str,
    line: Line,
    purchase: Purchase,
    *,
    coupon: CouponItem | None = None,
    now_s: int,
) -> Quote:
    """What the purchase costs now with that coupon, freight included.

    Raises CouponRefused, PointsRefused, NotDeliverable, StoreClosed, or PriceChanged when the buyer
    expected another total.
    """
    if line.points_each:
        price = exchanged(line.unit_price_fen, purchase.quantity, line.points_each)
    else:
        price = priced(line.unit_price_fen, purchase.quantity, line.reductions, line.kind)
    # Asked before the coupon: what the activity's page calls free is free with any coupon.
    before_coupon_fen = price.goods_fen
    if coupon is not None:
        views = growth_coupons.views(merchant_id, [coupon], now_s=now_s)
        refusal = coupon_refusals(merchant_id, line, views, price.goods_fen, now_s)[0]
        if refusal is not None:
            raise coupon_refused(coupon.coupon_id, refusal)
        price = with_coupon(price, coupon.name, views[0].terms)
    rule = growth_points.rule(merchant_id, now_s)
    if line.points_each:
        _check_exchange(price, rule, purchase.points)
    elif purchase.points:
        check_points(line, price, rule, purchase.points)
        price = with_points(price, rule, purchase.points)
    store = None
    if purchase.delivery is Delivery.PICKUP:
        store = stores.snapshot(catalogue_cache.store(merchant_id, purchase.store_id, now_s))
    else:
        freight_fen = _freight_fen(merchant_id, line, purchase, before_coupon_fen, now_s)
        price = replace(price, freight_fen=freight_fen)
    expected_fen = purchase.expected_total_fen
    if expected_fen is not None and expected_fen != price.total_fen:
        words = Text(
            "价格有变化：{before} → {after}。请确认后再提交。",
            before=yuan(expected_fen),
            after=yuan(price.total_fen),
        )
        raise PriceChanged(words, old_fen=expected_fen, new_fen=price.total_fen)
    growth = levels.rule(merchant_id, now_s).rates(in_group=line.version > 0)
    return Quote(
        line,
        purchase,
        price,
        store,
        coupon,
        points_rate=rule.rate,
        points_bonus=line.points_bonus if rule.on else 0,
        growth=growth,
    )


def level_matters(merchant_id: str, purchase: Purchase, *, prices: bool, now_s: int) -> bool:
    """Whether the level of who buys can change what the purchase costs or brings. prices: whether
    members' prices count for it."""
    return levels.rule(merchant_id, now_s).matters(
        prices=prices,
        sent=purchase.delivery is not Delivery.PICKUP,
        points=growth_points.rule(merchant_id, now_s).rate > 0,
    )


def check_points(line: Line, price: Price, rule: PointsRule, points: int) -> None:
    """Return only when a purchase of that price, which has its coupon, may use so many points,
    whoever has them. Raises PointsRefused."""
    refusal = points_refusal(line, price, rule)
    if refusal is not None:
        raise points_refused(refusal)
    most = rule.most_of(price.goods_fen)
    if points > most or points % rule.for_yuan:
        words = "这笔订单最多可用 {most} 积分，且要是 {step} 的整数倍，请重新选择。"
        raise PointsRefused(Text(words, most=most, step=rule.for_yuan), most=most)


def _check_exchange(price: Price, rule: PointsRule, told: int) -> None:
    """Return only when the shop has points, and the buyer was told how many this takes, if they
    were told of any. Raises PointsRefused."""
    growth_points.check_on(rule)
    if told not in (0, price.points):
        words = Text(
            "兑换要用的积分有变化：{before} → {after}。请确认后再提交。",
            before=told,
            after=price.points,
        )
        raise PointsRefused(words)


def points_refused(refusal: str) -> PointsRefused:
    """The refusal of a purchase that can use no points."""
    return PointsRefused(Text("这笔订单不能用积分：{why}。", why=Text(refusal)))


def points_refusal(line: Line, price: Price, rule: PointsRule) -> str | None:
    """Why a purchase of that price, which has its coupon, may use no points; None when it may."""
    if line.goods_free:
        return "成团后货款返还，不用积分"
    if line.points_each:
        return "积分兑换的商品不再抵扣"
    return points_rules.refusal_to_use(rule, price.goods_fen, taken=line.takes_points)


def coupon_refusals(
    merchant_id: str,
    line: Line,
    coupons: Sequence[Coupon],
    goods_fen: int,
    now_s: int,
    *,
    is_new: bool = True,
) -> list[str | None]:
    """Of each of a buyer's coupons, why it cannot be used for this line; None: it can.

    goods_fen: what the goods cost, 满减 taken off. is_new: whether the buyer is new to the shop, as
    far as is known; a purchase looks itself (newness.check_of).
    """
    categories: tuple[str, ...] = ()
    if any(one.terms.scope is Scope.CATEGORIES for one in coupons):
        product = catalogue_cache.product(merchant_id, line.product_id, now_s)
        categories = catalogue_cache.with_parent(merchant_id, product.category_id, now_s)
    bought = Bought(
        activity_id=line.activity_id,
        product_id=line.product_id,
        categories=categories,
        in_group=line.version > 0,
        takes_coupons=line.takes_coupons,
        is_new=is_new,
        rank=line.buyer.rank,
    )
    return [refusal_to_use(one, bought, goods_fen, now_s=now_s) for one in coupons]


def coupon_refused(coupon_id: str, refusal: str) -> CouponRefused:
    """The refusal of a purchase whose coupon cannot be used."""
    words = Text("这张优惠券不能用：{why}。请重新选择。", why=Text(refusal))
    return CouponRefused(words, coupon_id=coupon_id)


def _freight_fen(
    merchant_id: str, line: Line, purchase: Purchase, goods_fen: int, now_s: int
) -> int:
    product = catalogue_cache.product(merchant_id, line.product_id, now_s)
    template = catalogue_cache.freight_of(merchant_id, product, now_s)
    if template is None:
        return 0
    weights_g = (s.get("weight_g", 0) for s in product.skus if s["sku_id"] == line.sku_id)
    fee_fen = freight.fee_fen(
        template,
        purchase.address.get("province", ""),
        units=purchase.quantity,
        weight_g=next(weights_g, 0) * purchase.quantity,
        goods_fen=goods_fen,
    )
    level = line.buyer.level
    free = level is not None and level.sends_free(goods_fen)
    return 0 if free else fee_fen
