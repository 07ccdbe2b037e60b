"""Ending an activity with its groups: those that are open are closed and refunded, in chunks.

The intent stands in the activity's closing item. A run closes what it finds and leaves the item
due, the stream carries it on at once, the job of every minute whatever was missed. Groups whose
leader's payment was on its way are closed by a last run, before the stock goes back.
"""

from contextlib import suppress
from dataclasses import dataclass

from chalicelib.domain.group import GroupStatus
from chalicelib.domain.order import Intent, OrderStatus
from chalicelib.errors import NotFound
from chalicelib.services import timeouts
from chalicelib.services.catalogue import activities
from chalicelib.services.groups import settlement
from chalicelib.services.orders import orders
from chalicelib.services.people import merchants
from chalicelib.services.people.audit import audit
from chalicelib.settings import settings
from chalicelib.tables.base import LostRace, get_or_none, retried, transaction, update_one
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.trade import ClosingItem, GroupItem, open_groups_list
from chalicelib.tables.trade_item import TradeItem

CLOSE_MAX = 100  # groups of one run, each one call; settling is the business of others
COUNT_MAX = 200  # groups that are looked at to say what closing them means


@dataclass(frozen=True)
class Concerned:
    """What closing an activity's open groups now would mean. complete: all of it was counted."""

    groups: int
    payments: int
    amount_fen: int
    complete: bool


def end(
    merchant_id: str, activity_id: str, *, close_groups: bool, staff: str, now_s: int
) -> ActivityItem:
    """End an activity; its open groups keep their deadlines, or are closed and refunded.

    They may be closed later too, of an activity that has ended. The two are written one after the
    other, each whole; a repeat does what is missing. Raises NotFound, Busy.
    """
    ended = activities.end(merchant_id, activity_id, staff=staff, now_s=now_s)
    if close_groups:
        retried(lambda: _intend(merchant_id, activity_id, staff, now_s))
    return ended


def concerned(merchant_id: str, activity_id: str) -> Concerned:
    """What is open of an activity: its groups, their payments, the amount. Raises NotFound."""
    activity = activities.read(merchant_id, activity_id)
    found = _open_groups(activity, limit=COUNT_MAX + 1)
    keys = [(group.pk, group.sk) for group in found[:COUNT_MAX]]
    groups = [
        group
        for group in TradeItem.batch_get(keys, consistent_read=True)
        if isinstance(group, GroupItem) and group.status == GroupStatus.OPEN
    ]
    paid = [
        order
        for order in orders.of_groups(groups)
        if order.status == OrderStatus.PAID and order.view().seat_payment
    ]
    return Concerned(
        groups=len(groups),
        payments=len(paid),
        amount_fen=sum(order.total_fen for order in paid),
        complete=len(found) <= COUNT_MAX,
    )


def groups_are_closed(merchant_id: str, activity_id: str, *, now_s: int) -> bool:
    """Close the open groups of an activity that was ended with them, CLOSE_MAX at a time.

    Returns whether nothing more is to be done, and its stock may go back when that is due. Any
    number of runs, at once or one after another, close each group once.
    """
    closing = get_or_none(ClosingItem.at(merchant_id, activity_id))
    if closing is None or closing.groups_until_s is None:
        return True
    if closing.due_at_s is None or closing.due_at_s > now_s:
        return False
    activity = activities.read(merchant_id, activity_id)
    found = _open_groups(activity, limit=CLOSE_MAX)
    for group in found:
        settlement.close_with_activity(group, now_s=now_s)
    if len(found) == CLOSE_MAX:
        _come_back(closing, now_s)
        return False
    if now_s < closing.groups_until_s:
        _come_back(closing, closing.groups_until_s)
        return False
    return True


def _intend(merchant_id: str, activity_id: str, staff: str, now_s: int) -> None:
    closing = get_or_none(ClosingItem.at(merchant_id, activity_id))
    if closing is None:
        raise NotFound("没有找到这个活动。")
    if closing.groups_until_s is not None or closing.due_at_s is None:
        return  # it was me; or the stock has gone back, and no group is open any more
    # Until then a leader may still pay; a silent gateway is waited for; then all is decided.
    last_pay_by_s = now_s + settings.shortened(merchants.PAY_BY_MAX_S)
    until_s = last_pay_by_s + timeouts.GATEWAY_PATIENCE_S + timeouts.CLOSING_AFTER_S
    with transaction() as writes:
        writes.update(
            closing,
            [ClosingItem.groups_until_s.set(until_s), *closing.due(Intent.CLOSING, now_s)],
            condition=closing.marker_as_read() & ClosingItem.groups_until_s.does_not_exist(),
            refuse=LostRace,
        )
        subject, after = f"activity#{activity_id}", {"groups": "close"}
        audit(writes, merchant_id, staff, "activity_groups_closed", subject, {}, after, now_s)


def _come_back(closing: ClosingItem, at_s: int) -> None:
    with suppress(LostRace):  # another run is at it, too
        update_one(
            closing,
            closing.due(Intent.CLOSING, at_s),
            condition=closing.marker_as_read(),
            refuse=LostRace,
        )


def _open_groups(activity: ActivityItem, *, limit: int) -> list[GroupItem]:
    """Open groups as the list index has them, which may be a little behind; the soonest due first
    of each list."""
    found: list[GroupItem] = []
    for shard in range(activity.list_shards):
        key = open_groups_list(activity.merchant_id, activity.activity_id, shard)
        rest = limit - len(found)
        page = TradeItem.by_list.query(key, limit=rest, page_size=rest) if rest else ()
        found += [item for item in page if isinstance(item, GroupItem)]
    return found
