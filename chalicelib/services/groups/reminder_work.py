"""Reminders that are due: the buyer is told what is true now, or it is looked at again later.

The message and the end of the reminder are one transaction, conditional on the reminder as it was
read: a buyer is told once, however often this runs, and of nothing that they took back. A person
who was merged is told once of one thing, under whichever ids they asked.
"""

from collections.abc import Sequence

from chalicelib.domain.activity import state_of
from chalicelib.domain.reminder import Awaited
from chalicelib.domain.texts import TextKey
from chalicelib.services.catalogue import availability, catalogue_cache
from chalicelib.services.groups import reminders
from chalicelib.services.orders import notifications, orders
from chalicelib.services.people import buyers, identities
from chalicelib.tables.base import LostRace, retried, transaction, update_one
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.reminders import ReminderItem
from chalicelib.tables.trade_item import TradeItem


def process(merchant_id: str, buyer_id: str, sk: str, *, now_s: int) -> None:
    """Carry out a reminder that is due. Safe to run twice and in parallel. Raises Busy."""
    awaited, item_id = sk.split("#")[1:]

    def step() -> None:
        person = identities.root(merchant_id, buyer_id)
        keys = reminders.keys(merchant_id, person.ids, Awaited(awaited), item_id)
        read = TradeItem.batch_get(keys, consistent_read=True)
        found = [item for item in read if isinstance(item, ReminderItem)]
        if not any(item.due_at_s is not None and item.due_at_s <= now_s for item in found):
            return
        if Awaited(awaited) is Awaited.ACTIVITY:
            _of_activity(person, found, now_s)
        else:
            _of_group(person, found, now_s)

    retried(step)


def _of_activity(person: BuyerItem, found: Sequence[ReminderItem], now_s: int) -> None:
    merchant_id = person.merchant_id
    activity = catalogue_cache.activity(merchant_id, found[0].activity_id, now_s)
    state = state_of(
        activity.status,
        activity.starts_at_s,
        activity.ends_at_s,
        now_s=now_s,
        sold_out=bool(availability.sold_out_among([activity], now_s=now_s)),
    )
    told = reminders.next_of_activity(state, activity.starts_at_s, now_s=now_s)
    at_s = activity.starts_at_s if told is TextKey.ACTIVITY_BEGUN else now_s
    _end_or_wait(person, found, told, activity.title, at_s=at_s, now_s=now_s)


def _of_group(person: BuyerItem, found: Sequence[ReminderItem], now_s: int) -> None:
    """Who has a seat in it by now is told as its member, and nothing here."""
    merchant_id = person.merchant_id
    group = orders.find_group(merchant_id, found[0].group_id or "")
    if group is None or set(person.ids) & set(group.everybody):
        _end_or_wait(person, found, None, "", at_s=now_s, now_s=now_s)
        return
    told = reminders.next_of_group(group, now_s=now_s)
    title = catalogue_cache.version(merchant_id, group.activity_id, group.version).title
    _end_or_wait(person, found, told, title, at_s=now_s, now_s=now_s)


def _end_or_wait(
    person: BuyerItem,
    found: Sequence[ReminderItem],
    told: TextKey | int | None,
    title: str,
    *,
    at_s: int,
    now_s: int,
) -> None:
    """Tell it and end what waits for it, all under one person; or look again then. None: there is
    nothing to tell. Raises LostRace."""
    if isinstance(told, int):
        for item in found:
            again = [TradeItem.due_at_s.set(told)]
            update_one(item, again, condition=item.marker_as_read(), refuse=LostRace)
        return
    with transaction() as writes:
        buyers.check_as_read(writes, person)  # who is merged meanwhile may wait for it twice
        for item in found:
            same = item.marker_as_read() & (ReminderItem.asked_at_s == item.asked_at_s)
            writes.delete(item, condition=same)
        if told is not None:
            last = max(found, key=lambda item: item.asked_at_s)
            notifications.put_reminded(
                writes, person, last, told, title=title, at_s=at_s, now_s=now_s
            )
