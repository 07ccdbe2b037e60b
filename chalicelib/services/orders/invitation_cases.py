"""Who invited a buyer, and what has become of it: read of their orders, and of both people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.invitations import LIVE, Case, InvitationsRule, InvitationState, doubts_of
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.touches import Touch, first_before
from chalicelib.services.growth import invitations, touches
from chalicelib.services.people import identities
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.invitations import InvitationItem, InviterItem
from chalicelib.tables.trade import OrderDetailItem, OrderItem
from chalicelib.tables.trade_item import buyer_pk

RECIPIENTS_MAX = 20  # of the inviter's own orders, the latest under each id


@dataclass(frozen=True)
class Parties:
    """The people of an invitation as they were read: its order, the inviter, by whom the inviter
    was invited, and how many of theirs were granted this month."""

    order: OrderItem
    first: OrderItem | None  # the first purchase of who was invited
    inviter: BuyerItem
    by_whom: Mapping[str, InvitationItem]
    months: Mapping[str, InviterItem]

    @property
    def granted(self) -> int:
        return sum(item.granted for item in self.months.values())


def purchases_of(person: BuyerItem) -> list[OrderItem]:
    """All that a person has bought and paid for under any id, the earliest first; orders whose
    groups failed are none."""
    return sorted(
        (
            order
            for order in _orders(person)
            if order.view().is_purchase and order.status != OrderStatus.PENDING
        ),
        key=lambda order: (order.order_id.placed_at_s, str(order.order_id)),
    )


def found(
    person: BuyerItem, bought: Sequence[OrderItem], rule: InvitationsRule
) -> tuple[OrderItem, Touch, int] | None:
    """(the order that an invitation of the person's is for, by which touch, when); None: nobody
    invited them. It is their first purchase, or a later one, which then brings nothing."""
    if not rule.on:
        return None
    known = touches.of_person(person.merchant_id, person.ids)
    for order in bought:
        placed_at_s = order.order_id.placed_at_s
        if order.group_id is None or placed_at_s < rule.since_s:
            continue
        touch = first_before(known, placed_at_s)
        if touch is not None:
            return order, *touch
    return None


def read(
    person: BuyerItem, item: InvitationItem, bought: Sequence[OrderItem], *, now_s: int
) -> Parties:
    """What an invitation that has an order is decided by."""
    merchant_id = person.merchant_id
    inviter = identities.root(merchant_id, item.inviter_id or "")
    order = next((it for it in bought if str(it.order_id) == item.order_id), None)
    if order is None:
        order = next(it for it in _orders(person) if str(it.order_id) == item.order_id)
    return Parties(
        order,
        bought[0] if bought else None,
        inviter,
        invitations.items_of(merchant_id, inviter.ids),
        invitations.months_of(merchant_id, inviter.ids, now_s=now_s),
    )


def case_of(
    person: BuyerItem,
    item: InvitationItem,
    parties: Parties,
    rule: InvitationsRule,
    *,
    now_s: int,
) -> Case:
    """The invitation as the rules see it."""
    order, inviter = parties.order, parties.inviter
    known = order.view()
    ready_s = ready_at_s(order, item, now_s=now_s)
    facts: dict[str, Any] = {}
    if item.known_state in LIVE - {InvitationState.GRANTED} and item.allowed_by is None:
        facts["doubts"] = _doubts(person, inviter, order)
    return Case(
        item.known_state,
        item.known_why,
        same_person=inviter.buyer_id == person.buyer_id,
        bought_before=known.is_purchase
        and parties.first is not None
        and str(parties.first.order_id) != item.order_id,
        is_cycle=any(_precedes(it, item, person) for it in parties.by_whom.values()),
        group_failed=not known.is_purchase,
        went_back=known.is_purchase
        and order.status in (OrderStatus.REFUNDING, OrderStatus.REFUNDED),
        is_free=known.is_free,
        closed=person.erased_at_s is not None or inviter.erased_at_s is not None,
        due=ready_s is not None and ready_s <= now_s,
        limit=parties.granted >= rule.per_month,
        over=item.ended_at_s is not None and item.gift_coupon_id is not None,
        **facts,
    )


def ready_at_s(order: OrderItem, item: InvitationItem, *, now_s: int) -> int | None:
    """When the order has been completed for long enough; an open request is waited for. None: it
    is not completed."""
    if order.status != OrderStatus.COMPLETED:
        return None
    ready_s = (order.received_at_s or now_s) + item.wait_days * DAY_S
    return max(ready_s, now_s + DAY_S) if order.view().disputed else ready_s


def _precedes(other: InvitationItem, mine: InvitationItem, person: BuyerItem) -> bool:
    """Whether the inviter was invited by the person, and that stands before this one."""
    if other.inviter_id not in person.ids or other.known_state not in LIVE:
        return False
    if InvitationState.GRANTED in (other.known_state, mine.known_state):
        return other.known_state is InvitationState.GRANTED
    return (other.made_at_s or 0, other.buyer_id) < (mine.made_at_s or 0, mine.buyer_id)


def _doubts(person: BuyerItem, inviter: BuyerItem, order: OrderItem) -> Any:
    merchant_id = person.merchant_id
    detail = OrderDetailItem.at(merchant_id, order.order_id)
    recipient = OrderDetailItem.get(detail.pk, detail.sk, consistent_read=True).address.as_dict()
    known = [
        found.address.as_dict()
        for one in inviter.ids
        for found in OrderDetailItem.query(
            buyer_pk(merchant_id, one),
            OrderDetailItem.sk.startswith("detail#"),
            scan_index_forward=False,
            limit=RECIPIENTS_MAX,
        )
    ]
    payers = _payers(order)
    known_payers: set[str] = set()
    if payers:
        known_payers.update(*(_payers(one) for one in _latest(inviter)))
    return doubts_of(
        recipient, known, inviter.phone or "", payers=payers, known_payers=known_payers
    )


def _latest(person: BuyerItem) -> Iterable[OrderItem]:
    for one in person.ids:
        yield from OrderItem.query(
            buyer_pk(person.merchant_id, one),
            OrderItem.sk.startswith("order#"),
            scan_index_forward=False,
            limit=RECIPIENTS_MAX,
        )


def _payers(order: OrderItem) -> set[str]:
    """Digests of who paid for an order."""
    return {payment.payer for payment in order.view().payments.values()} - {""}


def _orders(person: BuyerItem) -> list[OrderItem]:
    return [
        order
        for one in person.ids
        for order in OrderItem.query(
            buyer_pk(person.merchant_id, one),
            OrderItem.sk.startswith("order#"),
            consistent_read=True,
        )
    ]
