"""Counting what happens, with the write that makes it final, and reading what was counted.

Every count is an addition in somebody's transaction: never refused, never twice. It falls upon
one of several shards at random, so that two writes seldom want the same item.
"""

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterable, Sequence

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.domain.beijing import BEIJING, day_of
from chalicelib.domain.counts import HOURS, Counted, Sums, sums_of
from chalicelib.domain.coupon import CouponId
from chalicelib.domain.group import GroupStatus
from chalicelib.domain.order import Order, RefundReason, reason_of
from chalicelib.services.growth import invitations, members
from chalicelib.tables.base import LostRace, Writes, get_or_none, transaction
from chalicelib.tables.counts import DAY_SHARDS, TALLY_SHARDS, DayItem, TallyItem
from chalicelib.tables.growth import TALLY_SHARDS as COUPON_SHARDS
from chalicelib.tables.growth import CouponTallyItem
from chalicelib.tables.trade import GroupItem, OrderDetailItem, OrderItem
from chalicelib.timed_cache import TimedCache

WRITES_OF_A_GROUP = 2  # what count_decided adds to a transaction
FORMED_KEPT_S = 60
FORMED_MAX = 1024  # activities
_formed: TimedCache[tuple[str, str], Sums] = TimedCache(FORMED_KEPT_S, FORMED_MAX)
_Count = tuple[Counted, int, int]  # what, how many, when


def count_refund(writes: Writes, order: OrderItem, key: str, amount_fen: int, at_s: int) -> None:
    """Count a refund with the write that confirms it; its buyer's figures have moved, too. key: of
    the refund."""
    counts: list[_Count] = [(Counted.REFUNDED_FEN, amount_fen, at_s)]
    if reason_of(key) is RefundReason.REBATE:
        counts.append((Counted.REBATED_FEN, amount_fen, at_s))
    _count(writes, order.merchant_id, counts)
    members.mark(writes, order.merchant_id, order.buyer_id, now_s=at_s)


def count_decided(writes: Writes, group: GroupItem, now_s: int) -> None:
    """Count a formed or failed group with the write that settles its last orders."""
    formed = group.status == GroupStatus.FORMED
    counted = Counted.GROUPS_FORMED if formed else Counted.GROUPS_FAILED
    _count(writes, group.merchant_id, [(counted, 1, group.decided_at_s or now_s)])
    _tally(writes, group, counted, seats=group.seats_paid if formed else 0)


def post(
    order: OrderItem,
    attempts: Sequence[str],
    actions: Sequence[Action],
    *,
    group: GroupItem | None,
    condition: Condition,
    now_s: int,
) -> None:
    """Say of paid attempts that they are in the day book and their buyer told, and count them.

    Written together: the order (also with `actions`, under `condition`), its day, when it is the
    leader's, its activity, the template of its coupon, and that its buyer's figures have moved.
    Raises LostRace when an attempt was posted meanwhile, or Busy.
    """
    known = order.view()
    for attempt in attempts:
        condition &= ~OrderItem.posted.contains(attempt)
    with transaction() as writes:
        writes.update(
            order,
            [OrderItem.posted.add(set(attempts)), *actions],
            condition=condition,
            refuse=LostRace,
        )
        counts = [count for attempt in attempts for count in _of_payment(known, attempt)]
        opened = _of_opening(order, attempts, group)
        _count(writes, order.merchant_id, counts + opened)
        if group is not None and opened:
            _tally(writes, group, Counted.GROUPS_OPENED)
        _tally_coupon(writes, order, attempts)
        invitations.paid(writes, order, now_s=now_s)
        members.mark(writes, order.merchant_id, order.buyer_id, now_s=now_s)


def _of_payment(order: Order, attempt: str) -> list[_Count]:
    paid = order.payments[attempt]
    counts: list[_Count] = [(Counted.PAID_FEN, paid.amount_fen, paid.paid_at_s)]
    if attempt + RefundReason.LATE_PAYMENT not in order.refunds:
        counts.append((Counted.ORDERS_PAID, 1, paid.paid_at_s))
    return counts


def _of_opening(order: OrderItem, attempts: Sequence[str], group: GroupItem | None) -> list[_Count]:
    """The opening of its group, when the order is the leader's and is posted with its seat."""
    seat = order.view().seat_payment
    if group is None or group.leader_id != order.buyer_id or seat is None:
        return []
    return [(Counted.GROUPS_OPENED, 1, seat[1].paid_at_s)] if seat[0] in attempts else []


def _tally_coupon(writes: Writes, order: OrderItem, attempts: Sequence[str]) -> None:
    """Count the order by the template of its coupon, when it is posted with its seat."""
    coupon, seat = CouponId.parse(order.coupon or ""), order.view().seat_payment
    if coupon is None or seat is None or seat[0] not in attempts:
        return
    detail = get_or_none(OrderDetailItem.at(order.merchant_id, order.order_id))
    off_fen = detail.lines.as_dict().get("coupon_fen", 0) if detail else 0
    shard = random.randrange(COUPON_SHARDS)
    tally = CouponTallyItem.at(order.merchant_id, coupon.template_id, shard)
    writes.add(tally, tally.adding(seat[1].amount_fen, off_fen))


def days(merchant_id: str, wanted: Iterable[dt.date]) -> dict[dt.date, list[DayItem]]:
    """The shards of these days: DAY_SHARDS keys each, a hundred in one call."""
    found: dict[dt.date, list[DayItem]] = {day: [] for day in wanted}
    day_of_key = {
        DayItem.at(merchant_id, day, shard).pk: day for day in found for shard in range(DAY_SHARDS)
    }
    for item in DayItem.batch_get([(pk, "day") for pk in day_of_key]):
        found[day_of_key[item.pk]].append(item)
    return found


def sums_until(shards: Iterable[DayItem], *, hours: int = HOURS) -> Sums:
    """What was counted in the first `hours` of the days of these shards."""
    return sums_of(item.counts(hours) for item in shards)


def tallies(
    merchant_id: str, activity_ids: Iterable[str], *, consistent: bool = False
) -> dict[str, Sums]:
    """How many groups of each activity were opened, formed, failed, and seats that were formed."""
    activity_of_key = {
        TallyItem.at(merchant_id, activity_id, shard).pk: activity_id
        for activity_id in activity_ids
        for shard in range(TALLY_SHARDS)
    }
    parts: dict[str, list[dict[str, int]]] = {key: [] for key in activity_of_key.values()}
    keys = [(pk, "tally") for pk in activity_of_key]
    for item in TallyItem.batch_get(keys, consistent_read=consistent) if keys else ():
        parts[activity_of_key[item.pk]].append(item.counts())
    return {activity_id: sums_of(counts) for activity_id, counts in parts.items()}


def formed(merchant_id: str, activity_ids: Iterable[str], now_s: int) -> dict[str, Sums]:
    """How many groups of each activity have formed, and of how many people, for the shop's pages:
    FORMED_KEPT_S old at most."""
    kept = {key: _formed.get((merchant_id, key), now_s) for key in activity_ids}
    known = {key: sums for key, sums in kept.items() if sums is not None}
    for key, sums in tallies(merchant_id, [key for key in kept if key not in known]).items():
        known[key] = sums
        _formed.put((merchant_id, key), sums, now_s)
    return known


def clear_cache() -> None:
    """Read everything anew."""
    _formed.clear_cache()


def _count(writes: Writes, merchant_id: str, counts: Iterable[_Count]) -> None:
    """Add all that a transaction counts: once to each day, since it may touch an item but once."""
    of_day: dict[dt.date, Counter[tuple[Counted, int]]] = {}
    for counted, count, at_s in counts:
        hour = dt.datetime.fromtimestamp(at_s, BEIJING).hour
        of_day.setdefault(day_of(at_s), Counter())[counted, hour] += count
    for day, sums in of_day.items():
        item = DayItem.at(merchant_id, day, random.randrange(DAY_SHARDS))
        writes.add(item, item.adding(sums))


def _tally(writes: Writes, group: GroupItem, counted: Counted, *, seats: int = 0) -> None:
    tally = TallyItem.at(group.merchant_id, group.activity_id, random.randrange(TALLY_SHARDS))
    writes.add(tally, tally.adding(counted, seats))
