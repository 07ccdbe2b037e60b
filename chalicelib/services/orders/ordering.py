"""What every way of ordering shares: the purchase, its order, its detail."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import Delivery, GrowthRates, Intent, OrderPoints, OrderStatus
from chalicelib.domain.pricing import Price, PriceKind, Reduction
from chalicelib.errors import (
    CouponRefused,
    InvalidRequest,
    MembersOnly,
    NewBuyersOnly,
    NotDeliverable,
    PointsRefused,
    PriceChanged,
    StoreClosed,
)
from chalicelib.services.growth import coupons, points
from chalicelib.services.growth.levels import NOBODY, Standing
from chalicelib.tables.base import LostRace, Writes
from chalicelib.tables.growth import CouponItem
from chalicelib.tables.trade import OrderDetailItem, OrderItem
from chalicelib.text import Text

TITLE_MAX = 24  # characters of a title that an order carries; its detail has it whole

# What a repeat may be refused with although the first request was not: staff change these things,
# and the order that the first request placed has the coupon and the points, and makes its buyer no
# new one; a level may be lost since.
CHANGED_SINCE = (
    CouponRefused,
    MembersOnly,
    NewBuyersOnly,
    NotDeliverable,
    PointsRefused,
    PriceChanged,
    StoreClosed,
)


@dataclass(frozen=True)
class Purchase:
    """What a buyer asks for; no amount among it decides anything.

    address: where to send it; for pickup the name and phone of who collects it at `store_id`.
    expected_total_fen: what the buyer was quoted; with another price the purchase is refused.
    expected_seats: the same of the group that it opens.
    """

    sku_id: str
    quantity: int
    address: Mapping[str, str]
    remark: str = ""
    share_id: str | None = None
    delivery: Delivery = Delivery.EXPRESS
    store_id: str = ""
    coupon_id: str = ""
    points: int = 0
    agrees_to_combine: bool = False
    expected_total_fen: int | None = None
    expected_seats: int | None = None

    def fingerprint(self, *where: str) -> str:
        """Tells two requests under one Idempotency-Key apart."""
        to = (self.delivery, self.store_id) if self.delivery is Delivery.PICKUP else ()
        what = [self.sku_id, self.quantity, dict(self.address), self.remark]
        by = [one for one in (self.coupon_id, self.points, self.agrees_to_combine) if one]
        body = json.dumps([*where, *what, *to, *by])
        return hashlib.sha256(body.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Line:
    """What is bought, and at which price, as it stood at that moment."""

    activity_id: str
    version: int
    product_id: str
    sku_id: str
    title: str
    spec: str
    image: str
    list_price_fen: int
    unit_price_fen: int
    limited: bool = False
    reductions: tuple[Reduction, ...] = ()
    takes_coupons: bool = True
    takes_points: bool = True
    wants_new: bool = False  # whether its buyer has to be new to the shop
    points_bonus: int = 0  # that its order earns on top, while the shop has points
    leader_coupon: str = ""  # template of which its buyer is given one, once it is completed
    goods_free: bool = False  # once the group has formed: coupon and points would save nothing
    kind: PriceKind = PriceKind.GROUP
    buyer: Standing = NOBODY  # as far as it was looked at
    combines: bool = False  # whether its buyer may agree to be moved to another group
    points_each: int = 0  # that a unit takes of a points offer, beside its price


@dataclass(frozen=True)
class Quote:
    """What a purchase costs, to the fen, and how it gets to its buyer."""

    line: Line
    purchase: Purchase
    price: Price
    store: Mapping[str, Any] | None = None  # of a pickup, as orders keep it
    coupon: CouponItem | None = None
    points_rate: int = 0  # what it earns for each whole yuan, level apart
    points_bonus: int = 0  # and on top
    growth: GrowthRates = field(default_factory=GrowthRates)

    @property
    def points_percent(self) -> int:
        """Of that rate, by the level of who buys."""
        level = self.line.buyer.level
        return level.points_percent if level is not None else 100

    def stored(self) -> dict[str, Any]:
        """The price lines that an order's detail keeps, with its buyer's level where it counted."""
        level = self.line.buyer.level
        return {
            "title": self.line.title,
            "spec": self.line.spec,
            "image": self.line.image,
            "list_price_fen": self.line.list_price_fen,
            **self.price.stored(),
            **({"level": {"no": level.no, "name": level.name}} if level else {}),
        }


def check_quantity(quantity: int, *, limit_per_order: int) -> None:
    if not 1 <= quantity <= limit_per_order:
        raise InvalidRequest(
            Text("每单最多买 {max} 件。", max=limit_per_order),
            field="quantity",
            max=limit_per_order,
        )


def place(
    writes: Writes,
    merchant_id: str,
    order_id: OrderId,
    quote: Quote,
    *,
    group_id: str | None,
    pay_by_s: int,
    other_ids: Sequence[str],
    now_s: int,
) -> OrderItem:
    """Write the order and its detail; due for release at its pay-by time. Returns the order.

    other_ids: of the same person, whose points are theirs. Raises PointsRefused.

    Two orders of one buyer in one second meet by chance in one of 3,844 cases: a new number.
    """
    line, purchase = quote.line, quote.purchase
    used: Mapping[str, int] = {}
    if quote.price.points:
        ids = (order_id.buyer_id, *other_ids)
        take = points.exchange_by_order if line.points_each else points.spend
        used = take(writes, merchant_id, ids, order_id, quote.price.points, now_s=now_s)
    order = OrderItem.at(
        merchant_id,
        order_id,
        group_id=group_id,
        activity_id=line.activity_id,
        version=line.version,
        product_id=line.product_id,
        sku_id=line.sku_id,
        status=OrderStatus.PENDING.value,
        title=line.title[:TITLE_MAX],
        quantity=purchase.quantity,
        total_fen=quote.price.total_fen,
        pay_by_s=pay_by_s,
        limited=line.limited,
        share_id=purchase.share_id,
        coupon=quote.coupon.coupon_id if quote.coupon is not None else None,
        coupon_by_s=quote.coupon.view().back_by_s if quote.coupon is not None else None,
        points=OrderPoints(
            used, quote.points_rate, quote.points_percent, quote.points_bonus, line.points_each
        ).stored(),
        growth=quote.growth.stored(),
        leader_coupon=line.leader_coupon or None,
        pickup=True if purchase.delivery is Delivery.PICKUP else None,
        combinable=True if line.combines and purchase.agrees_to_combine else None,
    ).marked(Intent.RELEASE, pay_by_s)
    detail = OrderDetailItem.at(
        merchant_id,
        order_id,
        address=dict(purchase.address),
        lines=quote.stored(),
        remark=purchase.remark,
        placed_at_s=now_s,
        delivery=purchase.delivery.value,
        store=dict(quote.store) if quote.store is not None else None,
    )
    writes.put(order, refuse=LostRace)
    writes.put(detail, refuse=LostRace)
    if quote.coupon is not None:
        coupons.use(writes, quote.coupon, order_id)
    return order
