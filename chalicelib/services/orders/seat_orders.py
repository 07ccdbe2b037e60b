"""What opening and joining share: the seat's price, its units, its order, in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.domain.activity import Terms
from chalicelib.domain.ids import OrderId
from chalicelib.services.catalogue import reservations
from chalicelib.services.catalogue.reservations import Plan, Shelf
from chalicelib.services.growth import entitlements
from chalicelib.services.orders import (
    deliveries,
    members_only,
    newness,
    ordering,
    unpaid_order_limit,
)
from chalicelib.services.orders.ordering import Purchase, Quote
from chalicelib.services.orders.unpaid_order_limit import Register
from chalicelib.services.people import shop_cache
from chalicelib.settings import settings
from chalicelib.tables.base import Writes, retried
from chalicelib.tables.trade import OrderItem


@dataclass(frozen=True)
class SeatClaim:
    """What one try to take a seat is made with. other_ids: of the same person. units_elsewhere: of
    the activity, that they have under these."""

    quote: Quote
    plan: Plan
    register: Register
    other_ids: Sequence[str]
    units_elsewhere: int


def claim_seat(
    merchant_id: str,
    buyer_id: str,
    offer: Terms,
    purchase: Purchase,
    attempt: Callable[[SeatClaim], OrderItem],
    *,
    leads: bool,
    other_ids: Sequence[str],
    now_s: int,
) -> OrderItem:
    """Run `attempt` until it finds its units and room among the buyer's unpaid orders.

    leads: whether the seat opens its group.
    """
    ids = (buyer_id, *other_ids)
    matters = members_only.asks_level(offer, leads=leads) or deliveries.level_matters(
        merchant_id, purchase, prices=offer.member_prices, now_s=now_s
    )
    coupon, buyer = entitlements.of_purchase(
        merchant_id, ids, purchase.coupon_id, matters=matters, now_s=now_s
    )
    members_only.check(merchant_id, offer, buyer, now_s=now_s)
    quote = deliveries.seat_quoted(
        merchant_id, offer, purchase, leads=leads, coupon=coupon, buyer=buyer, now_s=now_s
    )
    shelf = _shelf_of(merchant_id, offer, purchase.sku_id)
    limited = other_ids if offer.limit_per_buyer else ()
    elsewhere = reservations.limit_used(merchant_id, limited, offer.activity_id)

    def registered(register: Register) -> OrderItem:
        return reservations.taking(
            shelf,
            purchase.quantity,
            lambda plan: retried(
                lambda: attempt(SeatClaim(quote, plan, register, other_ids, elsewhere))
            ),
        )

    return unpaid_order_limit.within_limit(
        merchant_id,
        buyer_id,
        registered,
        check=newness.check_of(merchant_id, ids, quote, offer.new_buyers),
        other_ids=other_ids,
        now_s=now_s,
    )


def place(
    writes: Writes,
    merchant_id: str,
    order_id: OrderId,
    group_id: str,
    offer: Terms,
    claim: SeatClaim,
    now_s: int,
) -> OrderItem:
    """Write limit, pace, hold and stock, then the order and its detail at the group price."""
    purchase, shop = claim.quote.purchase, shop_cache.merchant(merchant_id, now_s)
    if offer.limit_per_buyer:
        reservations.count_limit(
            writes,
            merchant_id,
            order_id.buyer_id,
            offer.activity_id,
            purchase.quantity,
            limit=offer.limit_per_buyer,
            elsewhere=claim.units_elsewhere,
        )
    if offer.per_minute:
        reservations.keep_pace(
            writes, merchant_id, offer.activity_id, per_minute=offer.per_minute, now_s=now_s
        )
    unpaid_order_limit.register(
        writes, merchant_id, order_id, claim.register, limit=shop.unpaid_orders_max
    )
    reservations.take(writes, _shelf_of(merchant_id, offer, purchase.sku_id), claim.plan)
    return ordering.place(
        writes,
        merchant_id,
        order_id,
        claim.quote,
        group_id=group_id,
        pay_by_s=now_s + settings.shortened(shop.pay_by_s),
        other_ids=claim.other_ids,
        now_s=now_s,
    )


def _shelf_of(merchant_id: str, offer: Terms, sku_id: str) -> Shelf:
    offer.sku(sku_id)  # refuses a SKU that the activity does not sell
    return Shelf(merchant_id, offer.activity_id, offer.product_id, sku_id, offer.buckets)
