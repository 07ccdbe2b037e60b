"""Points outside of orders: given or taken by staff, warned of before they run out, taken off."""

from chalicelib.domain import points_account
from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.ids import OrderId
from chalicelib.domain.plain_text import within_sentence
from chalicelib.domain.points_account import (
    WARN_DAYS,
    PointsAccount,
    PointsEntry,
    PointsKind,
)
from chalicelib.domain.texts import TextKey
from chalicelib.errors import Conflict, InvalidRequest
from chalicelib.services.growth import points, points_grants
from chalicelib.services.orders import notifications, orders
from chalicelib.services.people.audit import audit_item
from chalicelib.tables.base import Writes, get_or_none, retried, transaction
from chalicelib.tables.growth import PointsItem

CHANGE_MAX = 1_000_000
CLOSED = "这位买家已注销账号，不能再增减积分。"


def change(
    merchant_id: str,
    order_id: OrderId,
    count: int,
    words: str,
    *,
    grant_id: str,
    body_hash: str = "",
    staff: str,
    now_s: int,
) -> None:
    """Give the buyer of an order points, or take some (count below zero), at staff's word; the same
    `grant_id` again changes nothing more.

    words: why; the buyer reads them. Raises InvalidRequest, NotFound, Conflict for a closed account
    or one that has fewer, IdempotencyMismatch for another `body_hash`, Busy.
    """
    order, reason = orders.get(merchant_id, order_id), within_sentence(words)
    if not reason:
        raise InvalidRequest("请写明为什么，买家会看到。", field="reason")
    if not count:
        raise InvalidRequest("请填写要增加或扣减的积分。", field="points")

    kind = PointsKind.GRANTED if count > 0 else PointsKind.DEDUCTED
    entry = PointsEntry(now_s, count, kind, str(order.order_id), reason)

    def also(writes: Writes, there: int) -> None:
        before, after = {"points": there}, {"points": there + count, "reason": words}
        audit_item(writes, order, staff, "points_changed", before, after, now_s)
        if count > 0:
            key, facts = TextKey.POINTS_GIVEN, {"points": count, "reason": reason}
            notifications.put(writes, order, key, grant_id, now_s=now_s, **facts)

    if not points_grants.grant(
        merchant_id, order.buyer_id, entry, grant_id, body_hash=body_hash, also=also
    ):
        raise Conflict(CLOSED)


def process_due(merchant_id: str, buyer_id: str, *, now_s: int) -> None:
    """Take off what has run out, and warn once of what does so next, in some days. Safe to run
    twice: the account's own marker decides."""

    def step() -> None:
        item = get_or_none(PointsItem.at(merchant_id, buyer_id))
        if item is None or item.due_at_s is None or item.due_at_s > now_s:
            return
        account = item.view().on(now_s)
        lot, warned = account.next_lot, item.warned
        with transaction() as writes:
            if lot is not None and lot != warned and _runs_out_soon(lot, now_s):
                warned = lot
                _warn(writes, item, account, lot, now_s)
            points.put(writes, item, account, warned=warned)

    retried(step)


def _runs_out_soon(lot: str, now_s: int) -> bool:
    return now_s >= points_account.end_s(lot) - WARN_DAYS * DAY_S


def _warn(writes: Writes, item: PointsItem, account: PointsAccount, lot: str, now_s: int) -> None:
    """Tell a buyer what runs out, about the order with which their points moved last."""
    order_id = OrderId.parse(item.order_id)
    assert order_id is not None
    notifications.put(
        writes,
        orders.get(item.merchant_id, order_id),
        TextKey.POINTS_EXPIRING,
        f"{lot}#{item.revision}",
        now_s=now_s,
        points=account.ending_with(lot),
        day=points_account.day_of_lot(lot).isoformat(),
    )
