"""Opening a group, joining it: one transaction takes a seat, or says why not."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_

from pynamodb.expressions.condition import size

from chalicelib.domain.activity import Terms, refusal_to_open
from chalicelib.domain.group import GroupStatus, has_free_seat, refusal_to_join
from chalicelib.domain.ids import OrderId, derived_id, new_order_no
from chalicelib.errors import (
    ActivityClosed,
    Changed,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    NotFound,
    OrderClosed,
    ServiceError,
    SessionSuperseded,
    SoldOut,
)
from chalicelib.gateways import secrets
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.orders import ordering, orders, seat_orders
from chalicelib.services.orders.ordering import Purchase
from chalicelib.services.orders.seat_orders import SeatClaim
from chalicelib.tables.base import transaction
from chalicelib.tables.trade import GroupItem, OrderItem
from chalicelib.text import Text

LEADER_NAME_MAX = 20


@dataclass(frozen=True)
class Hint:
    """The group's terms as the client knows them; conditions check it, so a join reads nothing."""

    activity_id: str
    version: int


class _Repeat(Exception):
    """The group is there already: this very request made it before."""

    def __init__(self, old: GroupItem) -> None:
        super().__init__("repeat")
        self.old = old


class _SeatRefused(Exception):
    """The group's conditions failed; `old` is the group as it was, None when there is none."""

    def __init__(self, old: GroupItem | None) -> None:
        super().__init__("seat refused")
        self.old = old


class _OtherTerms(Exception):
    """The client's hint was wrong: the group has other terms."""


def open_group(
    merchant_id: str,
    buyer_id: str,
    buyer_name: str,
    activity_id: str,
    purchase: Purchase,
    *,
    key: str,
    other_ids: Sequence[str] = (),
    now_s: int,
) -> OrderItem:
    """Open a group with its leader's seat: order, detail, group, limit, hold, stock, all or none.

    key: the request's Idempotency-Key; a repeat gets the first answer, another body under the
    same key IdempotencyMismatch. other_ids: of the same person. Raises NotFound, ActivityClosed,
    InvalidRequest, LimitReached, UnpaidOrdersLimit, SoldOut, SessionSuperseded, Changed where the
    buyer was told another size, Busy, and as deliveries.quoted. Nobody else sees the group before
    the leader has paid.
    """
    group_id = _group_id(merchant_id, buyer_id, key)
    body_hash = purchase.fingerprint(activity_id)

    def attempt(claim: SeatClaim) -> OrderItem:
        order_id = OrderId(buyer_id, new_order_no(now_s))
        seats_total = offer.seats_for(claim.quote.line.buyer.rank)
        _check_seats(purchase, seats_total)
        group = _new_group(
            merchant_id, group_id, buyer_name, order_id, offer, seats_total, body_hash
        )
        with transaction() as writes:
            writes.put(group, refuse=_Repeat)
            return seat_orders.place(writes, merchant_id, order_id, group_id, offer, claim, now_s)

    for other in other_ids:
        before_merge = orders.find_group(merchant_id, _group_id(merchant_id, other, key))
        if before_merge is not None:
            return _first_answer(before_merge, other, body_hash)
    try:
        offer = offer_to_open(merchant_id, activity_id, now_s)
        return seat_orders.claim_seat(
            merchant_id,
            buyer_id,
            offer,
            purchase,
            attempt,
            leads=True,
            other_ids=other_ids,
            now_s=now_s,
        )
    except _Repeat as repeat:
        return _first_answer(repeat.old, buyer_id, body_hash)
    except (
        ActivityClosed,
        Changed,
        InvalidRequest,
        LimitReached,
        SessionSuperseded,
        SoldOut,
        *ordering.CHANGED_SINCE,
    ):
        # Was it me? A repeat may meet its own limit, the last unit that it took itself, or
        # terms that have changed since.
        first = orders.find_group(merchant_id, group_id)
        if first is None:
            raise
        return _first_answer(first, buyer_id, body_hash)


def join(
    merchant_id: str,
    buyer_id: str,
    group_id: str,
    purchase: Purchase,
    *,
    hint: Hint | None,
    other_ids: Sequence[str] = (),
    now_s: int,
) -> OrderItem:
    """Take a seat of an open group: order, detail, seat, limit, hold and stock, all or none.

    Whoever has a seat, under one of their ids, gets the order of that seat. Raises NotFound,
    GroupFull, GroupClosed, InvalidRequest, LimitReached, UnpaidOrdersLimit, SoldOut,
    SessionSuperseded, Busy, and as deliveries.quoted.
    """
    ids = (buyer_id, *other_ids)
    try:
        if hint is not None:
            return _join_under(hint, merchant_id, ids, group_id, purchase, now_s)
    except (_OtherTerms, NotFound, InvalidRequest):
        pass  # the hint may be wrong, and what it refused be right; the group knows better
    group = orders.find_group(merchant_id, group_id)
    if group is None:
        raise NotFound("没有找到这个团。")
    true_hint = Hint(group.activity_id, group.version)
    return _join_under(true_hint, merchant_id, ids, group_id, purchase, now_s)


def _join_under(
    hint: Hint,
    merchant_id: str,
    ids: Sequence[str],
    group_id: str,
    purchase: Purchase,
    now_s: int,
) -> OrderItem:
    """ids: of the person, the first of which takes the seat."""
    offer = catalogue_cache.version(merchant_id, hint.activity_id, hint.version)
    no_seat = reduce(and_, (GroupItem.members[one].does_not_exist() for one in ids))

    def attempt(claim: SeatClaim) -> OrderItem:
        order_id = OrderId(ids[0], new_order_no(now_s))
        with transaction() as writes:
            writes.update(
                GroupItem.at(merchant_id, group_id),
                [GroupItem.members[ids[0]].set(order_id.order_no)],
                condition=(GroupItem.status == GroupStatus.OPEN.value)
                & (GroupItem.expires_at_s > now_s)
                & (size(GroupItem.members) < GroupItem.seats_total)
                & no_seat
                & (GroupItem.activity_id == hint.activity_id)
                & (GroupItem.version == hint.version),
                refuse=_SeatRefused,
            )
            return seat_orders.place(writes, merchant_id, order_id, group_id, offer, claim, now_s)

    try:
        return seat_orders.claim_seat(
            merchant_id,
            ids[0],
            offer,
            purchase,
            attempt,
            leads=False,
            other_ids=ids[1:],
            now_s=now_s,
        )
    except _SeatRefused as refused:
        return _seat_held(refused.old, ids, hint, now_s)
    except (LimitReached, SessionSuperseded, SoldOut, *ordering.CHANGED_SINCE) as refusal:
        # Was it me? And a group that is over says so before stock and limits do.
        return _seat_held(orders.find_group(merchant_id, group_id), ids, hint, now_s, refusal)


def _seat_held(
    old: GroupItem | None,
    ids: Sequence[str],
    hint: Hint,
    now_s: int,
    otherwise: ServiceError | None = None,
) -> OrderItem:
    """The seat that the buyer has already, perhaps in the group that this one was combined with;
    else the refusal of highest rank, `otherwise` last."""
    if old is not None:
        members = old.everybody
        for one in ids:
            if one in members:
                return orders.get(old.merchant_id, OrderId(one, members[one]))
        if (old.activity_id, old.version) != (hint.activity_id, hint.version):
            raise _OtherTerms
    group = old.view() if old is not None else None
    if otherwise is not None and group is not None and has_free_seat(group, now_s=now_s):
        raise otherwise
    raise refusal_to_join(group, now_s=now_s)


def offer_to_open(merchant_id: str, activity_id: str, now_s: int) -> Terms:
    """The present terms of an activity in which groups can be opened now."""
    activity = catalogue_cache.activity(merchant_id, activity_id, now_s)
    refusal = refusal_to_open(activity.status, activity.starts_at_s, activity.ends_at_s, now_s)
    if refusal is not None:
        raise refusal
    return catalogue_cache.terms_of(activity)


def _check_seats(purchase: Purchase, seats_total: int) -> None:
    """Raise Changed where the group has another size than its buyer was told: the terms or their
    level are others by now."""
    told = purchase.expected_seats
    if told is not None and told != seats_total:
        words = "成团人数有变化：{before} 人 → {after} 人。请确认后再提交。"
        raise Changed(Text(words, before=told, after=seats_total), seats_total=seats_total)


def _group_id(merchant_id: str, buyer_id: str, key: str) -> str:
    return derived_id(secrets.secret("id-key").encode(), "open", merchant_id, buyer_id, key)


def _new_group(
    merchant_id: str,
    group_id: str,
    leader_name: str,
    order_id: OrderId,
    offer: Terms,
    seats_total: int,
    body_hash: str,
) -> GroupItem:
    """A group with its leader's seat held; the leader's order releases it if unpaid."""
    return GroupItem.at(
        merchant_id,
        group_id,
        activity_id=offer.activity_id,
        version=offer.version,
        status=GroupStatus.PENDING.value,
        members={order_id.buyer_id: order_id.order_no},
        seats_total=seats_total,
        seats_paid=0,
        leader_id=order_id.buyer_id,
        leader_name=leader_name[:LEADER_NAME_MAX],
        body_hash=body_hash,
        list_shard=random.randrange(offer.list_shards),
        life_s=offer.life_s,
        ends_at_s=offer.ends_at_s,
        seats_least=offer.least_of(seats_total),
        combines=True if offer.combines else None,
    )


def _first_answer(old: GroupItem, buyer_id: str, body_hash: str) -> OrderItem:
    """What the first request with this key was answered."""
    if old.body_hash != body_hash:
        raise IdempotencyMismatch
    order_no = old.everybody.get(buyer_id)
    if order_no is None:  # not paid in time, and released since
        raise OrderClosed("上次开团没有在时间内付款，名额已释放。请重新开团。")
    return orders.get(old.merchant_id, OrderId(buyer_id, order_no))
