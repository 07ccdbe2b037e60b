"""到时提醒我: a buyer asks to be told when an activity begins, or when a group has a free seat.

A reminder is an item of the buyer's with a due marker; services.groups.reminder_work carries it
out. Nothing of it is written by purchases. Asking is conditional on the buyer as they were read, so
that nobody has more than REMINDERS_MAX and a closed account has none.
"""

from collections.abc import Callable, Sequence

from chalicelib.domain import group as group_rules
from chalicelib.domain import reminder as rules
from chalicelib.domain.activity import ActivityState, refusal_to_open, state_of
from chalicelib.domain.order import Intent
from chalicelib.domain.reminder import REMINDERS_MAX, Awaited
from chalicelib.domain.texts import TextKey
from chalicelib.errors import Conflict, LimitReached, NotFound
from chalicelib.services import timeouts
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.orders import orders
from chalicelib.services.people import buyers, identities
from chalicelib.tables.base import LostRace, retried, transaction
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.reminders import ReminderItem
from chalicelib.tables.trade import GroupItem
from chalicelib.tables.trade_item import TradeItem, buyer_pk
from chalicelib.text import Text


def ask_for_activity(merchant_id: str, buyer_id: str, activity_id: str, *, now_s: int) -> None:
    """Let a buyer be told when an activity begins. A repeat changes nothing.

    Raises NotFound, Conflict for one that has begun, ActivityClosed, LimitReached,
    SessionSuperseded for a closed account, Busy.
    """

    def wanted(person: BuyerItem) -> ReminderItem:
        activity = catalogue_cache.activity(merchant_id, activity_id, now_s)
        times = activity.starts_at_s, activity.ends_at_s
        state = state_of(activity.status, *times, now_s=now_s)
        next_s = next_of_activity(state, activity.starts_at_s, now_s=now_s)
        if state is not ActivityState.SCHEDULED or isinstance(next_s, TextKey):
            begun = Conflict("活动已经开始了，现在就可以开团。")
            raise refusal_to_open(activity.status, *times, now_s) or begun
        more = {"activity_id": activity_id, "asked_at_s": now_s}
        kind = Awaited.ACTIVITY
        item = ReminderItem.at(merchant_id, person.buyer_id, kind, activity_id, **more)
        return item.marked(Intent.REMINDER, next_s)

    _ask(merchant_id, buyer_id, wanted)


def ask_for_group(merchant_id: str, buyer_id: str, group_id: str, *, now_s: int) -> None:
    """Let a buyer be told when a group, whose last seats are held, has a free one or is decided. A
    repeat changes nothing.

    Raises NotFound, Conflict where a seat is free or the buyer's own, GroupFull, GroupClosed,
    LimitReached, SessionSuperseded for a closed account, Busy.
    """

    def wanted(person: BuyerItem) -> ReminderItem:
        group = _visible(merchant_id, group_id)
        if set(person.ids) & set(group.members.as_dict()):
            raise Conflict("你已经在这个团里了，不用设提醒。")
        if not group_rules.is_joinable(group.view(), now_s=now_s):
            raise group_rules.refusal_to_join(group.view(), now_s=now_s)
        next_s = next_of_group(group, now_s=now_s)
        if isinstance(next_s, TextKey):  # it is joinable: so a seat is free
            raise Conflict("现在就有名额，可以直接参团。")
        more = {"activity_id": group.activity_id, "group_id": group_id, "asked_at_s": now_s}
        item = ReminderItem.at(merchant_id, person.buyer_id, Awaited.GROUP, group_id, **more)
        return item.marked(Intent.REMINDER, next_s)

    _ask(merchant_id, buyer_id, wanted)


def forget_activity(merchant_id: str, buyer_id: str, activity_id: str, *, now_s: int) -> None:
    """Let a buyer not be told of it. A repeat changes nothing.

    Raises NotFound, SessionSuperseded for a closed account, Busy.
    """
    catalogue_cache.activity(merchant_id, activity_id, now_s)
    _take_back(merchant_id, buyer_id, Awaited.ACTIVITY, activity_id)


def forget_group(merchant_id: str, buyer_id: str, group_id: str) -> None:
    """The same, of a group."""
    _visible(merchant_id, group_id)
    _take_back(merchant_id, buyer_id, Awaited.GROUP, group_id)


def next_of_activity(state: ActivityState, starts_at_s: int, *, now_s: int) -> TextKey | int:
    """What to tell of an activity now, or when to look again."""
    look_s = timeouts.REMINDER_LOOK_S
    return rules.of_activity(state, starts_at_s, now_s=now_s, look_s=look_s)


def next_of_group(group: GroupItem, *, now_s: int) -> TextKey | int:
    """What to tell of a group now, or when to look again."""
    look_s = timeouts.SEAT_LOOK_S
    return rules.of_group(group.view(), now_s=now_s, grace_s=timeouts.GRACE_S, look_s=look_s)


def keys(
    merchant_id: str, ids: Sequence[str], awaited: Awaited, item_id: str
) -> list[tuple[str, str]]:
    """Where the reminder of it is stored, under each of a person's ids."""
    places = [ReminderItem.at(merchant_id, one, awaited, item_id) for one in ids]
    return [(place.pk, place.sk) for place in places]


def is_set(merchant_id: str, ids: Sequence[str], awaited: Awaited, item_id: str) -> bool:
    """Whether a buyer (no ids: a visitor) will be told of it."""
    wanted = keys(merchant_id, ids, awaited, item_id)
    return bool(wanted) and any(TradeItem.batch_get(wanted))


def of_person(merchant_id: str, ids: Sequence[str]) -> list[ReminderItem]:
    """What a person waits to be told of: one consistent call per id."""
    mine = ReminderItem.sk.startswith("reminder#")
    pages = (
        ReminderItem.query(buyer_pk(merchant_id, one), mine, consistent_read=True) for one in ids
    )
    return [item for page in pages for item in page]


def _visible(merchant_id: str, group_id: str) -> GroupItem:
    group = orders.find_group(merchant_id, group_id)
    if group is None or group.expires_at_s is None:
        raise NotFound("没有找到这个团。")
    return group


def _ask(merchant_id: str, buyer_id: str, wanted: Callable[[BuyerItem], ReminderItem]) -> None:
    """Write the reminder that a person wants, under the id that they buy with now."""

    def step() -> None:
        person = identities.root(merchant_id, buyer_id)
        buyers.refuse_closed(person)
        item, own = wanted(person), of_person(merchant_id, person.ids)
        if any(one.sk == item.sk for one in own):
            return
        if len(own) >= REMINDERS_MAX:
            words = Text("最多同时设 {max} 个提醒，提醒过的会自动让出来。", max=REMINDERS_MAX)
            raise LimitReached(words, limit=REMINDERS_MAX)
        with transaction() as writes:
            writes.put(item, refuse=LostRace)
            writes.update(
                person,
                [BuyerItem.revision.add(1)],
                condition=BuyerItem.revision == person.revision,
                refuse=LostRace,
            )

    retried(step)


def _take_back(merchant_id: str, buyer_id: str, awaited: Awaited, item_id: str) -> None:
    """Delete the person's reminder of it, under whichever ids they asked."""

    def step() -> None:
        person = identities.root(merchant_id, buyer_id)
        buyers.refuse_closed(person)
        with transaction() as writes:
            for one in person.ids:
                writes.delete(ReminderItem.at(merchant_id, one, awaited, item_id))

    retried(step)
