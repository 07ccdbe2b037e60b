"""Deciding who was invited by whom, and when that brings something.

Whatever may change it marks the item of who was invited (growth.invitations); a job decides from
the orders of both people, as they are then. So a merge of buyers, a refund or the end of an account
needs nothing to be put right. Each step is one transaction, conditional on the item and the ids of
the people as they were read.
"""

from collections.abc import Mapping, Sequence

from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.invitations import (
    FINAL,
    InvitationsRule,
    InvitationState,
    Verdict,
    decide,
)
from chalicelib.domain.order import Intent
from chalicelib.domain.touches import Touch
from chalicelib.errors import SessionSuperseded
from chalicelib.services.growth import invitations
from chalicelib.services.orders import invitation_cases, invitation_gifts
from chalicelib.services.orders.invitation_cases import Parties
from chalicelib.services.people import buyers, identities
from chalicelib.tables.base import LostRace, retried, transaction
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.invitations import InvitationItem, InviteeItem, invitations_list
from chalicelib.tables.trade import OrderItem

LOOK_S = DAY_S  # at an order that is not completed: its group may fail
GIVEN = (InvitationState.GRANTED, InvitationState.TAKEN_BACK)
OPEN = (InvitationState.PENDING, InvitationState.HELD)


def process(merchant_id: str, buyer_id: str, *, now_s: int) -> None:
    """Decide about the invitation of a buyer who is marked. Safe to run twice and at once."""

    def step() -> bool:
        person = identities.root(merchant_id, buyer_id)
        items = invitations.items_of(merchant_id, person.ids)
        item = items.get(buyer_id)
        if item is None or item.due_at_s is None or item.due_at_s > now_s:
            return False
        try:
            return _advance(person, item, items, now_s)
        except SessionSuperseded:  # merged, or closed, since they were read
            raise LostRace from None

    while retried(step):
        pass


def _advance(
    person: BuyerItem, item: InvitationItem, items: Mapping[str, InvitationItem], now_s: int
) -> bool:
    """One step with a marked item. True: there is another."""
    bought = invitation_cases.purchases_of(person)
    rule = invitations.present_rule(person.merchant_id)
    found = invitation_cases.found(person, bought, rule)
    if found is not None and _may_be_made(person, item, items, bought, found[0]):
        _make(person, item, found, rule, now_s)
        return True
    if item.order_id is None:
        with transaction() as writes:
            writes.delete(item, condition=InvitationItem.revision == item.revision)
        return False
    parties = invitation_cases.read(person, item, bought, now_s=now_s)
    verdict = decide(invitation_cases.case_of(person, item, parties, rule, now_s=now_s))
    if verdict.state is InvitationState.GRANTED and item.granted_at_s is None:
        if invitation_gifts.give_to_invited(person, item, parties.order, now_s=now_s):
            return True
        become(item, verdict, None, now_s)
        invitation_gifts.give_to_inviter(person, item, parties, now_s=now_s)
        return False
    _store(person, item, parties, verdict, now_s)
    return False


def _may_be_made(
    person: BuyerItem,
    item: InvitationItem,
    items: Mapping[str, InvitationItem],
    bought: Sequence[OrderItem],
    order: OrderItem,
) -> bool:
    """Whether an invitation of the person for an order is to be made: there is none, or the group
    of the order that it was for did not form, or this order was placed before that one and only
    paid since. A later order takes nothing from it, though the touch of the first be forgotten or
    the rule be newer. One invitation is made of a person, ever. bought: the earliest first."""
    if item.buyer_id != person.buyer_id or person.erased_at_s is not None:
        return False
    made = [it for it in items.values() if it.order_id is not None]
    if any(it.known_state in GIVEN for it in made):
        return False
    places = {str(one.order_id): place for place, one in enumerate(bought)}
    return all(
        it.order_id not in places
        or (places[str(order.order_id)] < places[it.order_id] and _is_open(it))
        for it in made
    )


def _is_open(item: InvitationItem) -> bool:
    """Whether nothing has come of an invitation, and staff and the month's limit leave it so."""
    return item.gift_coupon_id is None and item.known_why not in FINAL


def _make(
    person: BuyerItem,
    item: InvitationItem,
    found: tuple[OrderItem, Touch, int],
    rule: InvitationsRule,
    now_s: int,
) -> None:
    """Write down who invited the person, and what that may bring; it is still to be decided."""
    order, touch, touched_at_s = found
    made = InvitationItem.at(
        person.merchant_id,
        item.buyer_id,
        inviter_id=touch.sharer_id,
        share_id=touch.share_id,
        channel=touch.channel,
        touched_at_s=touched_at_s,
        order_id=str(order.order_id),
        made_at_s=now_s,
        coupon_template=rule.coupon_id,
        points=rule.points,
        gift_template=rule.gift_id,
        wait_days=rule.wait_days,
        revision=item.revision,
    )
    become(made, Verdict(InvitationState.PENDING), now_s, now_s)
    with transaction() as writes:
        buyers.check_ids(writes, person.merchant_id, person.ids)
        before, after = InviteeItem.of(item), InviteeItem.of(made)
        if item.order_id is not None and (before.pk, before.sk) != (after.pk, after.sk):
            writes.delete(before)
        writes.replace(after)
        invitation_gifts.put(writes, made)


def _store(
    person: BuyerItem, item: InvitationItem, parties: Parties, verdict: Verdict, now_s: int
) -> None:
    """Write what becomes of an invitation; what it had brought is taken back where it ends."""
    next_s = None
    if verdict.state in OPEN:
        ready_s = invitation_cases.ready_at_s(parties.order, item, now_s=now_s)
        next_s = ready_s if ready_s is not None and ready_s > now_s else now_s + LOOK_S
    ends = item.ended_at_s is None and verdict.state not in (*OPEN, InvitationState.GRANTED)
    with transaction() as writes:
        if person.erased_at_s is None:
            buyers.check_ids(writes, person.merchant_id, person.ids)
        if ends:
            invitation_gifts.take_back(writes, item, parties.order, now_s=now_s)
        become(item, verdict, next_s, now_s)
        invitation_gifts.put(writes, item)


def become(item: InvitationItem, verdict: Verdict, next_s: int | None, now_s: int) -> None:
    """Let an item, not yet stored, be what was decided; next_s: when it is looked at again."""
    if verdict.state != item.state:
        item.list_key = invitations_list(item.merchant_id, verdict.state)
        item.list_rank = f"{now_s:010d}#{item.buyer_id}"
        item.ended_at_s = None if verdict.state in OPEN or verdict.state in GIVEN[:1] else now_s
    item.state = verdict.state.value
    item.why = verdict.why.value if verdict.why is not None else None
    item.doubts = [doubt.value for doubt in verdict.doubts] or None
    item.due_shard = item.due_at_s = None
    if next_s is not None:
        item.marked(Intent.POINTS, next_s)
