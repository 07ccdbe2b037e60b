"""万人团: counting the people of an activity's groups, and giving back what they reach together.

Settling a group counts its seats, spread over the shards of the activity's tally, and lists it as
one that has got nothing (`register`); joins and payments write nothing of it. A job sums the shards
up every minute: a tier that is reached is written down once, conditional on those before. Then
every group that has got less is walked: its orders ask for what they are owed, each under the
number of the tier, and the group moves to the list of that tier when all of them have. So a run
that is cut off, or runs twice, goes on where the lists say; and a group that is settled meanwhile
is in a list that the next run reads.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from pynamodb.expressions.condition import size

from chalicelib import observability
from chalicelib.domain import crowd as rules
from chalicelib.domain.activity import Terms, Tier
from chalicelib.domain.after_sale import STARTED
from chalicelib.domain.order import Intent
from chalicelib.domain.order_transitions import rebated
from chalicelib.domain.pricing import price_of
from chalicelib.errors import Busy
from chalicelib.services import timeouts
from chalicelib.services.catalogue import activities, catalogue_cache
from chalicelib.services.groups import rebates
from chalicelib.services.orders import counting, orders, state_changes
from chalicelib.services.people import merchants
from chalicelib.settings import settings
from chalicelib.tables.base import LostRace, Writes, get_or_none, retried, update_one
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.crowd import CrowdGroupItem, CrowdItem, crowd_list
from chalicelib.tables.trade import GroupItem, OrderDetailItem, OrderItem
from chalicelib.tables.trade_item import TradeItem, not_due

WRITES_OF_A_GROUP = 2  # what register adds to a transaction
ORDERS_MAX = 400  # of one run; what is left stays due, and the stream carries it on at once


def register(writes: Writes, group: GroupItem, *, now_s: int) -> None:
    """List a formed group of a crowd with the write that settles its last orders and counts it.

    One that is late has it looked at once more, after this write: the count may have ended.
    """
    if not _terms(group).crowd_tiers:
        return
    fresh = CrowdGroupItem.new(group.merchant_id, group.group_id, group.activity_id)
    writes.put(fresh, refuse=LostRace)
    if now_s >= (group.expires_at_s or 0) + timeouts.CROWD_LATE_S:
        crowd = CrowdItem.at(group.merchant_id, group.activity_id)
        marker = crowd.due(Intent.CROWD, now_s + timeouts.CROWD_LOOK_S)
        writes.update(crowd, marker, condition=CrowdItem.pk.exists(), refuse=LostRace)


def give_at_once(group: GroupItem, *, now_s: int) -> None:
    """Give the orders of a group that was just settled what was reached before it. The job of the
    next minute does it where this is cut off."""
    if not _terms(group).crowd_tiers:
        return
    crowd = read(group.merchant_id, group.activity_id)
    if crowd is not None and crowd.reached:
        _give(group.merchant_id, group.group_id, crowd.reached, now_s=now_s)


def process(merchant_id: str, activity_id: str, *, now_s: int) -> None:
    """Count, write down what is reached, and give it. Safe to run twice and in parallel; does
    nothing before the crowd is due. Raises Busy."""
    activity = activities.read(merchant_id, activity_id)
    tiers = catalogue_cache.terms_of(activity).crowd_tiers
    crowd = retried(lambda: _count(merchant_id, activity_id, tiers, now_s=now_s))
    if crowd is None:
        return
    left = ORDERS_MAX
    for group_id in _behind(crowd):
        left -= _give_or_leave(merchant_id, group_id, crowd.reached, now_s=now_s)
        if left <= 0:
            break
    _come_back(crowd, activity, is_done=left > 0, now_s=now_s)


def read(merchant_id: str, activity_id: str) -> CrowdItem | None:
    """What the groups of an activity have reached together; None: it is no 万人团."""
    return get_or_none(CrowdItem.at(merchant_id, activity_id))


def counted_until_s(activity: ActivityItem) -> int:
    """When the last group of the activity has been counted, and nothing comes back any more."""
    return rules.counted_until_s(
        activity.ends_at_s,
        activity.ended_at_s,
        pay_by_s=settings.shortened(merchants.PAY_BY_MAX_S),
        life_max_s=activity.life_max_s,
        late_s=2 * timeouts.CROWD_LATE_S,
    )


def _terms(group: GroupItem) -> Terms:
    return catalogue_cache.version(group.merchant_id, group.activity_id, group.version)


def _count(
    merchant_id: str, activity_id: str, tiers: Sequence[Tier], *, now_s: int
) -> CrowdItem | None:
    """The crowd as it is now, with the tiers that it has reached written down; None: not due.
    Raises LostRace, Busy."""
    crowd = read(merchant_id, activity_id)
    if crowd is None or crowd.due_at_s is None or crowd.due_at_s > now_s:
        return None
    seats = counting.tallies(merchant_id, [activity_id], consistent=True)[activity_id].seats_formed
    if seats > crowd.seats:
        new = rules.reached_by(tiers, seats) - crowd.reached
        reached_at_s = [*crowd.reached_at_s, *[now_s] * new]
        update_one(
            crowd,
            [CrowdItem.seats.set(seats), CrowdItem.reached_at_s.set(reached_at_s)],
            # The marker stays, and with it that this is to be looked at.
            condition=(size(CrowdItem.reached_at_s) == crowd.reached)
            & (CrowdItem.seats == crowd.seats),
            refuse=LostRace,
        )
    return crowd


def _behind(crowd: CrowdItem) -> Iterator[str]:
    """The groups that have got less than was reached, those that have got least first."""
    for reached in range(crowd.reached):
        key = crowd_list(crowd.merchant_id, crowd.activity_id, reached)
        for item in list(TradeItem.by_list.query(key, limit=ORDERS_MAX, page_size=ORDERS_MAX)):
            if isinstance(item, CrowdGroupItem):
                yield item.group_id


def _give_or_leave(merchant_id: str, group_id: str, reached: int, *, now_s: int) -> int:
    """As `_give`; a group that goes wrong keeps its place in the list, so that the next run tries
    it again, and holds up no other."""
    try:
        return _give(merchant_id, group_id, reached, now_s=now_s)
    except Busy:
        raise  # no time is left, or the database has none: the others would fare no better
    except Exception:
        details = {"group_id": group_id, "reached": reached}
        observability.logger.exception("crowd not given", extra={"details": details})
        observability.count("DueWorkFailed")
        return 1


def _give(merchant_id: str, group_id: str, reached: int, *, now_s: int) -> int:
    """Request what each order of the group is owed by that tier, then say that it has got it.
    Returns how many orders were looked at."""
    group = orders.find_group(merchant_id, group_id)
    if group is None:
        return 0
    known = [order for order in orders.of_group(group) if order.status in STARTED]
    for order, detail in orders.with_details(known):
        _give_order(group, order, detail, reached, now_s=now_s)
    row = CrowdGroupItem.at(merchant_id, group_id, activity_id=group.activity_id)
    with suppress(LostRace):  # another run has given it as much, or more
        less = CrowdGroupItem.reached < reached
        update_one(row, row.now_at(merchant_id, reached), condition=less, refuse=LostRace)
    return len(known) or 1


def _give_order(
    group: GroupItem, order: OrderItem, detail: OrderDetailItem, reached: int, *, now_s: int
) -> None:
    terms, price = _terms(group), price_of(detail.lines.as_dict())
    each_fen = terms.back_fen(
        rules.off_fen(terms.crowd_tiers, reached),
        order.sku_id,
        price.unit_price_fen,
        leads=bool(order.led) or order.buyer_id == group.leader_id,
    )
    goods_fen, digit = rebates.goods_fen_of(order, price), rules.digit_of(reached)
    read = [order]

    def step() -> None:
        item = read.pop() if read else orders.get(order.merchant_id, order.order_id)
        known = item.view()
        owed_fen = rules.owed_fen(known, each_fen, goods_fen)
        if owed_fen:
            starts_s = timeouts.refund_may_start_s(known, now_s=now_s)
            change = rebated(known, digit, owed_fen, starts_s=starts_s, now_s=now_s)
            state_changes.write_alone(item, change)

    retried(step)


def _come_back(crowd: CrowdItem, activity: ActivityItem, *, is_done: bool, now_s: int) -> None:
    """Say when to look again: at once while something is left to give, every minute until the last
    group has been counted, never after that."""
    if not is_done:
        marker = crowd.due(Intent.CROWD, now_s)
    elif now_s >= counted_until_s(activity):
        marker = not_due()
    else:
        at_s = timeouts.next_look_at_crowd_s(activity.starts_at_s, now_s=now_s)
        marker = crowd.due(Intent.CROWD, at_s)
    with suppress(LostRace):  # another run is at it, too
        update_one(crowd, marker, condition=crowd.marker_as_read(), refuse=LostRace)
