"""A group as the one who asks for it sees it: its seats, what they are in it, what they can do."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.activity import Terms
from chalicelib.domain.group import GroupRole, GroupStatus, has_free_seat, is_joinable
from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.reminder import Awaited
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.groups import joinable_groups, reminders, similar_groups
from chalicelib.services.groups.joinable_groups import JoinableGroups
from chalicelib.services.orders import compensation, orders
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.growth import CouponGrantItem, PointsGrantItem
from chalicelib.tables.reminders import ReminderItem
from chalicelib.tables.trade import GroupItem, OrderItem
from chalicelib.tables.trade_item import TradeItem

NOT_PAID = (OrderStatus.PENDING, OrderStatus.CLOSED)
MEMBERS = (GroupRole.LEADER, GroupRole.MEMBER)


@dataclass(frozen=True)
class Seat:
    """face: None for a buyer who is not known any more."""

    face: BuyerItem | None
    is_leader: bool
    is_paid: bool
    is_mine: bool


@dataclass(frozen=True)
class GroupPage:
    """order: the asker's in this group, that of a paid seat first. own: another group of the
    activity that waits for members, and the asker's order in it. others: those to join instead,
    where this one is full or over for the asker. similar: of a failed group, those that buy
    something like it. compensated: the asker was given the coupon that its terms promise to members
    of a failed group. compensated_points: that they were given for the same. reminded: the asker
    will be told of a free seat; None: there is nothing to wait for. moved: the asker's order that
    went on in another group."""

    group: GroupItem
    terms: Terms
    seats: list[Seat]
    role: GroupRole
    order: OrderItem | None
    own: tuple[GroupItem, OrderItem] | None
    others: JoinableGroups | None
    similar: list[GroupItem]
    compensated: bool
    compensated_points: int
    reminded: bool | None
    moved: OrderItem | None


def look(group: GroupItem, buyer_ids: Sequence[str], *, now_s: int) -> GroupPage:
    """What a buyer (no ids: a visitor) sees of a group that has been read; who has closed their
    account is a visitor.

    One read of its members; a buyer's orders of the activity, and the list of other groups where
    that is wanted, are one call more each.
    """
    merchant_id, activity_id = group.merchant_id, group.activity_id
    terms = catalogue_cache.version(merchant_id, activity_id, group.version)
    own = orders.of_buyer_since(merchant_id, buyer_ids, terms.starts_at_s, activity_id=activity_id)
    mine = _own_order(group, own)
    role = _role(group, mine)
    listed: list[str] | None = None
    if _wants_others(group, role, now_s):
        open_now = joinable_groups.listed(merchant_id, activity_id, terms, now_s=now_s)
        listed = joinable_groups.ids(open_now)
    has_failed = group.status == GroupStatus.FAILED
    like_it = similar_groups.ids(merchant_id, terms, now_s=now_s) if has_failed else []
    waiting = joinable_groups.waiting_in(own) - {group.group_id}
    wanted = waiting | {*(listed or ()), *like_it} - {group.group_id}
    asking = [(BuyerItem.at(merchant_id, one).pk, "buyer") for one in buyer_ids[:1]]
    keys = {*_keys_of_members(group), *asking}
    others_keys = joinable_groups.keys(merchant_id, sorted(wanted))
    grants = compensation.grant_keys(group, terms, buyer_ids) if role in MEMBERS else []
    waits = role is GroupRole.STRANGER and _is_held(group, now_s)
    asked = reminders.keys(merchant_id, buyer_ids, Awaited.GROUP, group.group_id) if waits else []
    found = list(TradeItem.batch_get([*sorted(keys), *others_keys, *grants, *asked]))
    closed = {item.buyer_id for item in found if isinstance(item, BuyerItem) and item.erased_at_s}
    if closed & set(buyer_ids):
        return look(group, (), now_s=now_s)
    groups = [item for item in found if isinstance(item, GroupItem)]
    others = None
    if listed is not None:
        others = joinable_groups.choose(listed, groups, buyer_ids, now_s=now_s)
    return GroupPage(
        group=group,
        terms=terms,
        seats=_seats(group, found, buyer_ids),
        role=role,
        order=mine,
        own=next(iter(joinable_groups.own_groups(own, groups, now_s=now_s)), None),
        others=others,
        similar=_similar(like_it, groups, buyer_ids, now_s),
        compensated=any(isinstance(item, CouponGrantItem) for item in found),
        compensated_points=sum(it.points for it in found if isinstance(it, PointsGrantItem)),
        reminded=any(isinstance(item, ReminderItem) for item in found) if waits else None,
        moved=next((order for order in own if _has_moved(group, order)), None),
    )


def _own_order(group: GroupItem, own: Sequence[OrderItem]) -> OrderItem | None:
    """The order that says what the asker is in the group: who has several ids may have a seat under
    one, and have let go of another. Of equal ones, the newest."""
    here = [order for order in own if order.group_id == group.group_id]
    return min(here, key=lambda order: list(GroupRole).index(_role(group, order)), default=None)


def _has_moved(group: GroupItem, order: OrderItem) -> bool:
    """Whether an order took its seat in the group, and went on in another one."""
    return group.moved.get(order.buyer_id) == order.order_no


def _role(group: GroupItem, order: OrderItem | None) -> GroupRole:
    if order is None or group.members.as_dict().get(order.buyer_id) != order.order_no:
        return GroupRole.STRANGER  # a seat that was let go of makes no member
    if order.status in NOT_PAID:
        held = order.status == OrderStatus.PENDING
        return GroupRole.HOLDER if held else GroupRole.STRANGER
    return GroupRole.LEADER if order.buyer_id == group.leader_id else GroupRole.MEMBER


def _wants_others(group: GroupItem, role: GroupRole, now_s: int) -> bool:
    if role is GroupRole.STRANGER:
        return not has_free_seat(group.view(), now_s=now_s)
    return group.status == GroupStatus.FAILED


def _similar(
    like_it: Sequence[str], groups: Sequence[GroupItem], buyer_ids: Sequence[str], now_s: int
) -> list[GroupItem]:
    """Those that the asker can join, in the order in which they are listed."""
    free = joinable_groups.choose(like_it, groups, buyer_ids, now_s=now_s).items
    return sorted(free, key=lambda one: like_it.index(one.group_id))


def _is_held(group: GroupItem, now_s: int) -> bool:
    """Whether it takes members, and others hold all seats that are left."""
    known = group.view()
    return is_joinable(known, now_s=now_s) and not has_free_seat(known, now_s=now_s)


def _keys_of_members(group: GroupItem) -> list[tuple[str, str]]:
    """Names and pictures, and the orders where not every seat is paid."""
    members = sorted(group.members.as_dict().items())
    keys = [(BuyerItem.at(group.merchant_id, buyer_id).pk, "buyer") for buyer_id, _ in members]
    if len(members) > group.seats_paid:
        places = [OrderItem.at(group.merchant_id, OrderId(*member)) for member in members]
        keys += [(place.pk, place.sk) for place in places]
    return keys


def _seats(group: GroupItem, found: Sequence[TradeItem], buyer_ids: Sequence[str]) -> list[Seat]:
    """The leader's first, then as they came."""
    faces = {item.buyer_id: item for item in found if isinstance(item, BuyerItem)}
    held = {
        item.buyer_id for item in found if isinstance(item, OrderItem) and item.status in NOT_PAID
    }
    by_arrival = sorted(group.members.as_dict().items(), key=lambda seat: seat[1])
    members = sorted((b for b, _ in by_arrival), key=lambda b: b != group.leader_id)
    return [
        Seat(
            face=faces.get(buyer_id),
            is_leader=buyer_id == group.leader_id,
            is_paid=buyer_id not in held,
            is_mine=buyer_id in buyer_ids,
        )
        for buyer_id in members
    ]
