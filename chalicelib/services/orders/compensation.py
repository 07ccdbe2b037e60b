"""未成团补偿: the coupon and the points that are promised to who paid in a group that fails.

Each is given once a day for the same activity, with its message. What cannot be given, because no
coupon is left, the buyer has as many as one person may, or the shop has no points any more, is left
out: the refund does not wait for it.
"""

from collections.abc import Sequence

from chalicelib import observability
from chalicelib.domain.activity import Terms
from chalicelib.domain.beijing import day_of
from chalicelib.domain.group import FailedReason
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.points_account import PointsEntry, PointsKind
from chalicelib.domain.texts import TextKey
from chalicelib.errors import Conflict, NotFound
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.growth import coupon_grants, points, points_grants
from chalicelib.services.orders import coupon_gifts, notifications, orders
from chalicelib.tables.base import Writes
from chalicelib.tables.growth import CouponGrantItem, CouponItem, PointsGrantItem
from chalicelib.tables.trade import GroupItem, OrderItem


def give(group: GroupItem, *, now_s: int) -> None:
    """Give the members who paid in a group that failed what its terms promise.

    It runs before the group is settled, while its due marker is set: cut off, it runs again.
    """
    terms = catalogue_cache.version(group.merchant_id, group.activity_id, group.version)
    reason = _reason(group, terms)
    if reason is None:
        return
    for order in orders.of_group(group):
        paid = order.view().seat_payment
        if order.status == OrderStatus.PENDING or paid is None or not paid[1].amount_fen:
            continue
        if terms.compensation_id:
            _give_coupon(order, terms.compensation_id, reason, now_s)
        if terms.compensation_points and points.rule(group.merchant_id, now_s).on:
            _give_points(order, terms.compensation_points, reason, now_s)


def grant_keys(group: GroupItem, terms: Terms, buyer_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Where a CouponGrantItem and a PointsGrantItem stand for each of these ids if members of the
    group were given what its terms promise; empty where they are given nothing."""
    reason = _reason(group, terms)
    if reason is None:
        return []
    merchant_id = group.merchant_id
    places: list[CouponGrantItem | PointsGrantItem] = []
    if terms.compensation_id:
        places += [CouponGrantItem.at(merchant_id, one, reason) for one in buyer_ids]
    if terms.compensation_points:
        places += [PointsGrantItem.at(merchant_id, one, reason) for one in buyer_ids]
    return [(place.pk, place.sk) for place in places]


def is_due(group: GroupItem, terms: Terms) -> bool:
    """Whether members of a group are given something for its end."""
    return _reason(group, terms) is not None


def _reason(group: GroupItem, terms: Terms) -> str | None:
    """The reason for which members who paid are given something; None: they are given nothing."""
    deserved = group.failed_reason in (FailedReason.DUE, FailedReason.CLOSED_BY_MERCHANT)
    if not terms.compensates or not deserved or group.decided_at_s is None:
        return None
    return f"failed#{group.activity_id}#{day_of(group.decided_at_s):%Y%m%d}"


def _give_coupon(order: OrderItem, template_id: str, reason: str, now_s: int) -> None:
    def also(writes: Writes, coupon: CouponItem) -> None:
        facts = coupon_gifts.facts_of(coupon)
        notifications.put(
            writes, order, TextKey.COMPENSATED, coupon.coupon_id, now_s=now_s, **facts
        )

    try:
        coupon_grants.grant(
            order.merchant_id, order.buyer_id, template_id, reason, also=also, now_s=now_s
        )
    except (Conflict, NotFound) as refusal:
        observability.logger.info(
            "no compensation",
            extra={"details": {"order_id": str(order.order_id), "why": refusal.code}},
        )


def _give_points(order: OrderItem, count: int, reason: str, now_s: int) -> None:
    def also(writes: Writes, there: int) -> None:
        key = TextKey.COMPENSATED_POINTS
        notifications.put(writes, order, key, reason, now_s=now_s, points=count)

    entry = PointsEntry(now_s, count, PointsKind.COMPENSATED, str(order.order_id))
    points_grants.grant(order.merchant_id, order.buyer_id, entry, reason, also=also)
