"""The invitations of a shop, for its staff."""

from dataclasses import dataclass

from chalicelib.domain.invitations import InvitationState
from chalicelib.tables.base import PageKey
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.invitations import InvitationItem, invitations_list
from chalicelib.tables.trade_item import TradeItem, buyer_pk


@dataclass(frozen=True)
class Listed:
    """An invitation, and what both people go by; empty: by no name, or the account is closed."""

    invitation: InvitationItem
    name: str
    inviter_name: str


def page(
    merchant_id: str, state: InvitationState, *, after: PageKey | None, limit: int
) -> tuple[list[Listed], PageKey | None]:
    """(those of one state, the latest first; the key that the next page starts after), in three
    calls."""
    listed = TradeItem.by_list.query(
        invitations_list(merchant_id, state),
        scan_index_forward=False,
        limit=limit,
        last_evaluated_key=after,
    )
    keys = [(item.pk, item.sk) for item in listed]
    found = {item.pk: item for item in TradeItem.batch_get(keys, consistent_read=True)}
    items = [item for pk, _ in keys if isinstance(item := found.get(pk), InvitationItem)]
    return with_names(merchant_id, items), listed.last_evaluated_key


def with_names(merchant_id: str, items: list[InvitationItem]) -> list[Listed]:
    """Invitations with the names of their people, in one call."""
    ids = {one for item in items for one in (item.buyer_id, item.inviter_id or "")}
    keys = [(buyer_pk(merchant_id, one), "buyer") for one in sorted(ids)]
    found = TradeItem.batch_get(keys, consistent_read=True) if keys else ()
    names = {item.buyer_id: item.name for item in found if isinstance(item, BuyerItem)}
    return [
        Listed(item, names.get(item.buyer_id, ""), names.get(item.inviter_id or "", ""))
        for item in items
    ]
