"""Invitations of buyers: the shop's rule, who has invited whom, and when that is looked at.

A payment of a seat marks its buyer, as does an order that is completed or goes back
(`mark`); services.orders.invitation_grants decides.
"""

from collections.abc import Sequence

from chalicelib.domain.beijing import day_of
from chalicelib.domain.invitations import InvitationsRule
from chalicelib.domain.order_transitions import Transition
from chalicelib.services.people import merchants, shop_cache
from chalicelib.tables.base import Writes
from chalicelib.tables.invitations import InvitationItem, InviteeItem, InviterItem
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem, buyer_pk

SHOWN_MAX = 100  # of those that one buyer has invited, the newest


def rule(merchant_id: str, now_s: int) -> InvitationsRule:
    """The shop's rule, as old as its other settings."""
    return merchants.invitations_of_shop(shop_cache.merchant(merchant_id, now_s))


def present_rule(merchant_id: str) -> InvitationsRule:
    """The rule as it is now, for who takes off the mark, as growth.rewards has it."""
    return merchants.invitations_of_shop(merchants.read(merchant_id))


def concern(order: OrderItem, change: Transition) -> bool:
    """Whether the change of an order may grant an invitation, or take it back. A shop that has
    switched them off keeps what it has promised, and still takes back."""
    if not change.completes or order.group_id is None:
        return False
    known = rule(order.merchant_id, change.happened_at_s)
    return known.on or known.since_s > 0


def paid(writes: Writes, order: OrderItem, *, now_s: int) -> None:
    """Have it looked at whether who paid for a seat was invited, with the write that posts the
    payment."""
    if order.group_id is not None and rule(order.merchant_id, now_s).on:
        mark(writes, order.merchant_id, order.buyer_id, now_s=now_s)


def mark(writes: Writes, merchant_id: str, buyer_id: str, *, now_s: int) -> None:
    """Have a buyer's invitation looked at anew, with a write that may change it."""
    item = InvitationItem.at(merchant_id, buyer_id)
    if not writes.has_added(item):
        writes.add(item, item.moved(now_s))


def items_of(merchant_id: str, ids: Sequence[str]) -> dict[str, InvitationItem]:
    """By whom a person was invited under any of their ids, as it is now, in one call."""
    keys = [(buyer_pk(merchant_id, one), "invitation") for one in ids]
    found = TradeItem.batch_get(keys, consistent_read=True)
    return {item.buyer_id: item for item in found if isinstance(item, InvitationItem)}


def by_inviter(merchant_id: str, ids: Sequence[str]) -> list[InvitationItem]:
    """Whom a person has invited, the newest first: one query per id, and one call."""
    rows: list[InviteeItem] = []
    for one in ids:
        rows += InviteeItem.query(
            buyer_pk(merchant_id, one),
            InviteeItem.sk.startswith("invitee#"),
            scan_index_forward=False,
            limit=SHOWN_MAX,
        )
    found = items_of(merchant_id, sorted({row.buyer_id for row in rows}))
    mine = [item for item in found.values() if item.inviter_id in ids]
    return sorted(mine, key=lambda item: -(item.made_at_s or 0))[:SHOWN_MAX]


def months_of(merchant_id: str, ids: Sequence[str], *, now_s: int) -> dict[str, InviterItem]:
    """How many invitations of a person's were granted this month, by their ids, as it is now."""
    month = f"{day_of(now_s):%Y%m}"
    there = {one: InviterItem.at(merchant_id, one, month) for one in ids}
    keys = [(item.pk, item.sk) for item in there.values()]
    for item in TradeItem.batch_get(keys, consistent_read=True):
        if isinstance(item, InviterItem):
            there[item.pk.rpartition("#")[2]] = item
    return there
