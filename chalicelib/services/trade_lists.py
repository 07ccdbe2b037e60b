"""Lists of the trade for staff, from the list index: what it projects, and no more."""

from chalicelib.tables.base import PageKey
from chalicelib.tables.trade import GroupItem, OrderItem, groups_list, orders_list
from chalicelib.tables.trade_item import TradeItem


def groups_of(
    merchant_id: str, activity_id: str, status: str, *, after: PageKey | None, limit: int
) -> tuple[list[GroupItem], PageKey | None]:
    """(an activity's groups in one status by their deadline, the key the next page starts after).

    Open groups of an activity with several list shards are those of the first.
    """
    key = groups_list(merchant_id, activity_id, status)
    page = TradeItem.by_list.query(key, limit=limit, last_evaluated_key=after)
    return [item for item in page if isinstance(item, GroupItem)], page.last_evaluated_key


def orders_in(
    merchant_id: str, status: str, *, after: PageKey | None, limit: int
) -> tuple[list[OrderItem], PageKey | None]:
    """(orders in one status, the longest paid first; the key the next page starts after)."""
    key = orders_list(merchant_id, status)
    page = TradeItem.by_list.query(key, limit=limit, last_evaluated_key=after)
    return [item for item in page if isinstance(item, OrderItem)], page.last_evaluated_key
