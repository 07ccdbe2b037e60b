"""Quotes: what a purchase would cost now. Nothing is written, and nothing is held."""

from collections.abc import Sequence

from chalicelib.errors import MembersOnly, NewBuyersOnly, NotFound
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.groups import seats
from chalicelib.services.growth import levels
from chalicelib.services.growth.levels import NOBODY, Standing
from chalicelib.services.orders import (
    deliveries,
    members_only,
    newness,
    ordering,
    orders,
    points_orders,
    solo_orders,
)
from chalicelib.services.orders.ordering import Purchase, Quote
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.trade import LimitItem


def to_open(
    merchant_id: str, activity_id: str, purchase: Purchase, buyer: Standing, *, now_s: int
) -> Quote:
    """For a new group of the activity. Raises as groups.open_group, limits and stock apart."""
    offer = seats.offer_to_open(merchant_id, activity_id, now_s)
    return deliveries.seat_quoted(
        merchant_id, offer, purchase, leads=True, buyer=buyer, now_s=now_s
    )


def to_join(
    merchant_id: str, group_id: str, purchase: Purchase, buyer: Standing, *, now_s: int
) -> Quote:
    """For a seat of the group, by its own terms. Raises NotFound, and as deliveries.quoted."""
    group = orders.find_group(merchant_id, group_id, consistent=False)
    if group is None or group.expires_at_s is None:  # nobody sees it before its leader has paid
        raise NotFound("没有找到这个团。")
    offer = catalogue_cache.version(merchant_id, group.activity_id, group.version)
    return deliveries.seat_quoted(
        merchant_id, offer, purchase, leads=False, buyer=buyer, now_s=now_s
    )


def alone(
    merchant_id: str, activity_id: str, purchase: Purchase, buyer: Standing, *, now_s: int
) -> Quote:
    """At the solo price. Raises as solo_orders.buy_alone, stock apart."""
    activity = catalogue_cache.activity(merchant_id, activity_id, now_s)
    ordering.check_quantity(purchase.quantity, limit_per_order=activity.limit_per_order)
    line = solo_orders.solo_line(merchant_id, activity, purchase.sku_id, buyer, now_s)
    return deliveries.quoted(merchant_id, line, purchase, now_s=now_s)


def seats_of(merchant_id: str, quote: Quote) -> int:
    """The seats of the group that a purchase would open. quote: as of `to_open`."""
    line = quote.line
    terms = catalogue_cache.version(merchant_id, line.activity_id, line.version)
    return terms.seats_for(line.buyer.rank)


def for_points(
    merchant_id: str, offer_id: str, purchase: Purchase, buyer: Standing, *, now_s: int
) -> Quote:
    """Of a points offer. Raises as points_orders.exchange, limits, balance and stock apart."""
    offer = points_orders.find(merchant_id, offer_id, now_s)
    return points_orders.quote(offer, purchase, buyer, now_s=now_s)


def check_eligible(
    merchant_id: str, buyer_ids: Sequence[str], quote: Quote, group_id: str | None, *, now_s: int
) -> None:
    """Raise NewBuyersOnly or MembersOnly when the person may not make the purchase; who has a seat
    in that very group would be told of it."""
    line = quote.line
    if line.points_each:
        offer = points_orders.find(merchant_id, line.activity_id, now_s)
        points_orders.check_level(offer, line.buyer, now_s=now_s)
    if not line.version:
        return
    terms = catalogue_cache.version(merchant_id, line.activity_id, line.version)
    try:
        members_only.check(merchant_id, terms, line.buyer, now_s=now_s)
        if line.wants_new:
            newness.check(merchant_id, buyer_ids, terms.new_buyers)
    except (MembersOnly, NewBuyersOnly):
        group = orders.find_group(merchant_id, group_id, consistent=False) if group_id else None
        if group is None or group.members.as_dict().keys().isdisjoint(buyer_ids):
            raise


def opens_seats(
    merchant_id: str, activity: ActivityItem, buyer_ids: Sequence[str], *, now_s: int
) -> int:
    """The seats of a group of the activity that the person (no ids: a visitor) opens now. Their
    level is read only where it can change them."""
    offer = catalogue_cache.terms_of(activity)
    buyer = NOBODY
    if buyer_ids and offer.level_seats and levels.rule(merchant_id, now_s).on:
        buyer = levels.standing(merchant_id, buyer_ids, now_s=now_s)
    return offer.seats_for(buyer.rank)


def limit_left(
    merchant_id: str, buyer_ids: Sequence[str], quote: Quote, *, now_s: int
) -> int | None:
    """Units of the activity that the buyer may yet buy in groups, or have of the points offer, the
    quoted ones included; None where there is no limit."""
    line = quote.line
    if not line.limited:
        return None
    if line.points_each:
        offer = points_orders.find(merchant_id, line.activity_id, now_s)
        return points_orders.limit_left(offer, buyer_ids)
    limit = catalogue_cache.version(merchant_id, line.activity_id, line.version).limit_per_buyer
    places = [LimitItem.at(merchant_id, one, line.activity_id) for one in buyer_ids]
    used = LimitItem.batch_get([(place.pk, place.sk) for place in places])
    return max(0, limit - sum(item.used for item in used))
