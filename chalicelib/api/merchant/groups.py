"""/v1/merchant/groups: looking at groups, closing one with refund, giving one more time."""

from functools import partial
from typing import Any

from chalicelib import clock
from chalicelib.api import pages, shapes
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api
from chalicelib.api.merchant import group_schemas as schemas
from chalicelib.api.schemas import from_attributes
from chalicelib.domain import group as rules
from chalicelib.domain.group import FailedReason, GroupStatus
from chalicelib.domain.group_words import group_text
from chalicelib.domain.ids import OrderId, is_id
from chalicelib.domain.money import yuan
from chalicelib.domain.order_words import rebate_text, staff_text
from chalicelib.domain.recipient import masked_phone
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import (
    ActivityClosed,
    Changed,
    Conflict,
    GroupClosed,
    InvalidRequest,
    NotFound,
)
from chalicelib.services import timeouts
from chalicelib.services.catalogue import catalogue_cache, promised_coupons
from chalicelib.services.groups import group_controls, group_lists, group_view
from chalicelib.services.groups.group_lists import Tab
from chalicelib.services.groups.group_view import Event, GroupView, Happened, Member
from chalicelib.tables.trade import GroupItem
from chalicelib.text import Text

api = Api(__name__, prefix="/v1/merchant")

EVENT_WORDS = {
    Happened.OPENED: "{name}付款 {amount}，开团",
    Happened.PAID: "{name}付款 {amount}",
    Happened.COMPENSATED: "按约定补偿付了款的成员优惠券（{worth}），每人每天最多一张",
    Happened.COMPENSATED_POINTS: "按约定补偿付了款的成员 {points} 积分，每人每天最多一次",
    Happened.REFUND_REQUESTED: "发起退款 {amount} 给{name}",
    Happened.REFUNDED: "{name}的退款 {amount} 已到账",
    Happened.REBATE_REQUESTED: "成团返还 {amount} 给{name}",
    Happened.REBATED: "返还{name}的 {amount} 已到账",
    Happened.COMBINED_FROM: "同款的团到时未满，{people} 人并入这个团",
    Happened.COMBINED_INTO: "到时未满，同意合并的 {people} 人并入同款的另一个团",
}


@api.operation("GET", "/groups", right=view(Area.ACTIVITIES), refusals=[InvalidRequest, NotFound])
def list_shop_groups(who: Staff, query: schemas.GroupQuery) -> schemas.GroupRows:
    """Groups of the shop or of one activity: open ones by deadline, decided ones newest first."""
    now_s = clock.now_s()
    if is_id(query.q):
        found = group_lists.by_id(who.merchant_id, query.q)
        return schemas.GroupRows(items=[_row(group, now_s) for group in found], next=None)
    scope = ("groups", who.merchant_id, query.tab, query.activity_id or "", query.q)
    read = partial(
        group_lists.page,
        who.merchant_id,
        Tab(query.tab),
        activity_id=query.activity_id,
        leader=query.q,
        now_s=now_s,
    )
    return pages.page(schemas.GroupRows, query, scope, read, lambda group: _row(group, now_s))


@api.operation("GET", "/groups/{group_id}", right=view(Area.ACTIVITIES), refusals=[NotFound])
def read_shop_group(who: Staff, group_id: str) -> schemas.GroupShown:
    """A group with its terms, its members and their orders, and what happened when."""
    return _shown(group_view.look(who.merchant_id, group_id), clock.now_s())


@api.operation(
    "POST",
    "/groups/{group_id}/closing",
    right=act(Area.ACTIVITIES),
    refusals=[NotFound, GroupClosed],
)
def close_group(who: Staff, group_id: str, body: schemas.ClosingRequest) -> schemas.GroupShown:
    """Close an open group; its members are told why and get their money back."""
    now_s = clock.now_s()
    group_controls.close_group(
        who.merchant_id, group_id, reason=body.reason, staff=who.username, now_s=now_s
    )
    return _shown(group_view.look(who.merchant_id, group_id), now_s)


@api.operation(
    "POST",
    "/groups/{group_id}/extension",
    right=act(Area.ACTIVITIES),
    refusals=[NotFound, GroupClosed, Changed, Conflict, ActivityClosed],
)
def extend_group(who: Staff, group_id: str, body: schemas.ExtensionRequest) -> schemas.GroupShown:
    """Give an open group more time, until the end of its activity at most."""
    now_s = clock.now_s()
    group_controls.extend(
        who.merchant_id,
        group_id,
        hours=body.hours,
        expires_at_s=body.expires_at_s,
        staff=who.username,
        now_s=now_s,
    )
    return _shown(group_view.look(who.merchant_id, group_id), now_s)


def _row(item: GroupItem, now_s: int) -> schemas.GroupRow:
    return from_attributes(schemas.GroupRow, item, **_fields(item, now_s))


def _fields(item: GroupItem, now_s: int) -> dict[str, Any]:
    """What an answer about a group does not find among its attributes."""
    offer = catalogue_cache.version(item.merchant_id, item.activity_id, item.version)
    view = item.view()
    status = rules.shown_status(view, now_s=now_s, grace_s=timeouts.GRACE_S)
    overdue = status is GroupStatus.FAILED and item.failed_reason is None
    failed_reason = FailedReason.DUE.value if overdue else item.failed_reason
    leaders = item.everybody.get(item.leader_id)
    return {
        "title": offer.title,
        "image": offer.image,
        "status": status.value,
        "status_text": Text(group_text(status, failed_reason)),
        "failed_reason": failed_reason,
        "seats_taken": view.seats_taken,
        "moved": len(item.moved),
        "opened_at_s": OrderId(item.leader_id, leaders).placed_at_s if leaders else 0,
        "expires_at_s": view.expires_at_s,
    }


def _shown(view: GroupView, now_s: int) -> schemas.GroupShown:
    group, offer = view.group, view.terms
    more = rules.is_joinable(group.view(), now_s=now_s) and group.ends_at_s > group.expires_at_s
    return from_attributes(
        schemas.GroupShown,
        group,
        **_fields(group, now_s),
        extensible_until_s=group.ends_at_s if more else None,
        terms=from_attributes(
            schemas.GroupTerms,
            offer,
            group_price_fen=offer.cheapest.group_price_fen,
            compensation_words=_compensation(view, now_s),
            tiers=shapes.tiers(offer),
        ),
        members=[_member(member, group.group_id) for member in view.members],
        events=[_event(event, view, now_s) for event in view.events],
    )


def _compensation(view: GroupView, now_s: int) -> str:
    terms = view.terms
    return promised_coupons.words_of(
        view.group.merchant_id, terms.compensation_id, now_s, kept_words=terms.compensation_words
    )


def _member(member: Member, group_id: str) -> schemas.GroupMember:
    item, known = member.order, member.order.view()
    lines = member.detail.lines.as_dict() if member.detail else {}
    address = member.detail.address.as_dict() if member.detail else {}
    seat = known.seat_payment
    refunds = sorted(known.refunds.items(), key=lambda refund: refund[1].at_s)
    confirmed = (refund.amount_fen for _, refund in refunds if refund.is_done)
    return from_attributes(
        schemas.GroupMember,
        item,
        name=member.name,
        phone=masked_phone(address.get("phone", "")),
        is_leader=member.is_leader,
        spec=shapes.spec(lines.get("spec", "")),
        paid_fen=seat[1].amount_fen if seat else 0,
        order_id=str(item.order_id),
        status_text=Text(staff_text(known)),
        refund_status=refunds[-1][1].status.value if refunds else None,
        rebate_text=Text(rebate_text(refunds[-1][0]) if refunds else ""),
        refunded_fen=sum(confirmed),
        invited_by=member.invited_by,
        combinable=bool(item.combinable),
        is_gone=member.is_gone,
        came=item.first_group_id not in (None, group_id),
    )


def _event(event: Event, view: GroupView, now_s: int) -> schemas.GroupEvent:
    group = view.group
    words = EVENT_WORDS.get(event.what) or group_text(
        GroupStatus(group.status), group.failed_reason
    )
    amount, people = yuan(event.amount_fen), event.people
    facts = {"worth": _compensation(view, now_s), "points": view.terms.compensation_points}
    text = Text(words, name=event.name, amount=amount, people=people, **facts)
    return from_attributes(schemas.GroupEvent, event, text=text)
