"""One group as staff look at it: its members with their orders, and what happened when."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from chalicelib.domain.activity import Terms
from chalicelib.domain.group import GroupStatus
from chalicelib.domain.ids import OrderId
from chalicelib.domain.ledger import Movement
from chalicelib.domain.order import PaymentStatus, RefundReason, reason_of
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.groups import group_controls
from chalicelib.services.orders import compensation, orders
from chalicelib.services.people import identities
from chalicelib.tables.base import StoredItem
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.growth import CouponGrantItem, PointsGrantItem
from chalicelib.tables.shares import ShareItem
from chalicelib.tables.trade import GroupItem, OrderDetailItem, OrderItem
from chalicelib.tables.trade_item import TradeItem

_Item = TypeVar("_Item", bound=StoredItem)


class Happened(StrEnum):
    """What a group's timeline tells; at one and the same second, in this order."""

    OPENED = "opened"  # its leader paid
    PAID = "paid"
    COMBINED_FROM = "combined_from"  # members of a group that was due have come into it
    FORMED = "formed"
    COMBINED_INTO = "combined_into"  # members have gone on in another group
    FAILED = "failed"
    COMPENSATED = "compensated"  # some of who paid were given coupons, as its terms promise
    COMPENSATED_POINTS = "compensated_points"  # likewise
    REFUND_REQUESTED = "refund_requested"
    REFUNDED = "refunded"
    REBATE_REQUESTED = "rebate_requested"
    REBATED = "rebated"


@dataclass(frozen=True)
class Event:
    at_s: int
    what: Happened
    order_id: str = ""  # whose payment or refund it is
    name: str = ""  # of the buyer
    amount_fen: int = 0
    people: int = 0  # who were moved


@dataclass(frozen=True)
class Member:
    """A seat: its order, and who sits there; or sat, of one that went on in another group.
    invited_by: the name of whose share they followed."""

    order: OrderItem
    detail: OrderDetailItem | None
    name: str
    is_leader: bool
    invited_by: str
    is_gone: bool


@dataclass(frozen=True)
class GroupView:
    group: GroupItem
    terms: Terms
    members: list[Member]  # the leader first, then as they came; who has gone is last
    events: list[Event]


def look(merchant_id: str, group_id: str) -> GroupView:
    """The group with everything about it: one read, then a hundred items in each. Raises NotFound.

    A seat that was let go of is no longer there; a payment that came too late belongs to no seat.
    """
    group = group_controls.read(merchant_id, group_id)
    offer = catalogue_cache.version(merchant_id, group.activity_id, group.version)
    seats = orders.of_everybody(group)
    sharer_of = _sharers(seats)
    ids = {order.buyer_id for order in seats} | set(sharer_of.values())
    buyers = {b.buyer_id: b for b in _found(BuyerItem, _buyer_keys(merchant_id, ids))}
    faces = {buyer_id: buyer.name for buyer_id, buyer in buyers.items()}
    details = {d.sk.partition("#")[2] + d.pk: d for d in _found(OrderDetailItem, _details(seats))}
    members = [
        Member(
            order=order,
            detail=details.get(order.order_no + order.pk),
            name=faces.get(order.buyer_id, ""),
            is_leader=order.buyer_id == group.leader_id,
            invited_by=faces.get(sharer_of.get(order.share_id or "", ""), ""),
            is_gone=order.buyer_id in group.moved,
        )
        for order in seats
    ]
    members.sort(key=lambda one: (one.is_gone, not one.is_leader, one.order.order_no))
    seated = [buyers[order.buyer_id] for order in seats if order.buyer_id in buyers]
    grants = _grant_keys(group, offer, seated)
    compensated = [
        *([Happened.COMPENSATED] if _found(CouponGrantItem, grants) else []),
        *([Happened.COMPENSATED_POINTS] if _found(PointsGrantItem, grants) else []),
    ]
    came = orders.find_groups(merchant_id, group.combined_from or ())
    return GroupView(group, offer, members, _timeline(group, members, came, compensated))


def _sharers(seats: list[OrderItem]) -> dict[str, str]:
    """Who made the shares that the members came by: share_id -> buyer_id."""
    ids = sorted({str(order.share_id) for order in seats if order.share_id})
    merchant_id = seats[0].merchant_id if seats else ""
    keys = [(ShareItem.at(merchant_id, share_id).pk, "share") for share_id in ids]
    return {share.share_id: share.sharer_id for share in _found(ShareItem, keys)}


def _buyer_keys(merchant_id: str, buyer_ids: set[str]) -> list[tuple[str, str]]:
    return [(BuyerItem.at(merchant_id, b).pk, "buyer") for b in sorted(buyer_ids)]


def _details(seats: list[OrderItem]) -> list[tuple[str, str]]:
    items = (OrderDetailItem.at(o.merchant_id, OrderId(o.buyer_id, o.order_no)) for o in seats)
    return [(item.pk, item.sk) for item in items]


def _grant_keys(group: GroupItem, offer: Terms, seated: list[BuyerItem]) -> list[tuple[str, str]]:
    """Where it stands that members were given what their activity promises: under any id of the
    person, since it is given under the one that they buy with by then."""
    if not compensation.is_due(group, offer):
        return []
    merchant_id = group.merchant_id
    ids = {
        one
        for buyer in seated
        for one in (
            identities.ids_of(merchant_id, buyer.buyer_id) if buyer.merged_into else buyer.ids
        )
    }
    return compensation.grant_keys(group, offer, sorted(ids))


def _found(kind: type[_Item], keys: list[tuple[str, str]]) -> list[_Item]:
    stored = TradeItem.batch_get(keys) if keys else ()
    return [item for item in stored if isinstance(item, kind)]


def _timeline(
    group: GroupItem, members: list[Member], came: list[GroupItem], compensated: list[Happened]
) -> list[Event]:
    """Opened, each payment, who came from groups that were due, formed or failed, what was given
    for that, each refund."""
    events = [event for member in members for event in _of_member(member, group)]
    events += [
        Event(one.decided_at_s or 0, Happened.COMBINED_FROM, people=len(one.moved)) for one in came
    ]
    status = GroupStatus(group.status)
    if group.decided_at_s is not None:
        what = Happened.FORMED if status is GroupStatus.FORMED else Happened.FAILED
        events.append(Event(group.decided_at_s, what))
        if group.moved:
            away = Happened.COMBINED_INTO
            events.append(Event(group.decided_at_s, away, people=len(group.moved)))
        events += [Event(group.decided_at_s, what) for what in compensated]
    order = list(Happened)
    return sorted(events, key=lambda event: (event.at_s, order.index(event.what)))


def _of_member(member: Member, group: GroupItem) -> Iterator[Event]:
    """What a member paid and got back in this group: who came from another one has paid there, and
    gets back where they have gone."""
    item = member.order
    known, name, order_id = item.view(), member.name, str(item.order_id)
    paid_here = item.first_group_id in (None, group.group_id)
    for attempt, paid in known.payments.items() if paid_here else ():
        if paid.status is not PaymentStatus.SUCCEEDED:
            continue
        opened = member.is_leader and (attempt, paid) == known.seat_payment
        what = Happened.OPENED if opened else Happened.PAID
        yield Event(paid.paid_at_s, what, order_id, name, paid.amount_fen)
    told = {
        Movement.REFUND_REQUESTED: (Happened.REFUND_REQUESTED, Happened.REBATE_REQUESTED),
        Movement.REFUNDED: (Happened.REFUNDED, Happened.REBATED),
    }
    for entry in item.entries() if not member.is_gone else ():
        if entry.movement in told:
            what = told[entry.movement][reason_of(entry.of) is RefundReason.REBATE]
            yield Event(entry.at_s, what, order_id, name, entry.amount_fen)
