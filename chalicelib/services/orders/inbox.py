"""What a buyer has been told, the latest first, and up to when they have read it.

One mark for each buyer: a message that was told later than the mark is unread. Reading costs one
write however many messages there are. `ids` are the buyer's, the one that has the mark first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.errors import SessionSuperseded
from chalicelib.services.people import buyers
from chalicelib.tables.base import get_or_none, retried, update_one
from chalicelib.tables.buyers import BuyerItem, MessageItem, messages_list
from chalicelib.tables.trade_item import TradeItem, listed_count

UNREAD_MAX = 100  # "99+"


@dataclass(frozen=True)
class Page:
    """next_rank: what the next page starts after; None: there is none."""

    messages: list[MessageItem]
    read_up_to_s: int
    next_rank: str | None


class _AlreadyRead(Exception):
    """The mark is there already, or further."""


def read(merchant_id: str, ids: Sequence[str], *, after: str | None, limit: int) -> Page:
    """Return a page of messages, of those told before the rank `after`.

    The index tells which they are, one read of items what they say, and the mark. Raises
    SessionSuperseded for a closed account.
    """
    places = sorted(
        (place for one in ids for place in _places(merchant_id, one, after, limit + 1)),
        key=lambda place: place.list_rank or "",
        reverse=True,
    )
    shown, me = places[:limit], BuyerItem.at(merchant_id, ids[0])
    keys = [(item.pk, item.sk) for item in (me, *shown)]
    found = {(item.pk, item.sk): item for item in TradeItem.batch_get(keys, consistent_read=True)}
    buyer, *messages = (found.get(key) for key in keys)
    buyers.refuse_closed(buyer)
    return Page(
        messages=[message for message in messages if isinstance(message, MessageItem)],
        read_up_to_s=buyer.read_up_to_s if isinstance(buyer, BuyerItem) else 0,
        next_rank=shown[-1].list_rank if len(places) > limit else None,
    )


def unread(buyer: BuyerItem, ids: Sequence[str]) -> int:
    """Return how many messages the buyer has not read, UNREAD_MAX when there are more."""
    later = TradeItem.list_rank > f"{buyer.read_up_to_s:010d}~"
    lists = (messages_list(buyer.merchant_id, one) for one in ids)
    return min(sum(listed_count(key, most=UNREAD_MAX, within=later) for key in lists), UNREAD_MAX)


def unread_of(merchant_id: str, ids: Sequence[str]) -> int:
    """Return the same for a buyer who has not been read; 0 for one who is not known any more."""
    buyer = get_or_none(BuyerItem.at(merchant_id, ids[0]))
    return 0 if buyer is None or buyer.erased_at_s is not None else unread(buyer, ids)


def mark_read(merchant_id: str, ids: Sequence[str], up_to_s: int, *, now_s: int) -> int:
    """Mark what was told until then as read; return how many messages are unread.

    The mark only moves forward: a late request of a slow phone unreads nothing. Raises
    SessionSuperseded for an account that is closed or was merged, Busy.
    """
    up_to_s = min(up_to_s, now_s)
    buyer = BuyerItem.at(merchant_id, ids[0])
    before = BuyerItem.read_up_to_s.does_not_exist() | (BuyerItem.read_up_to_s < up_to_s)
    try:
        retried(
            lambda: update_one(
                buyer,
                [BuyerItem.read_up_to_s.set(up_to_s)],
                condition=buyers.IS_OPEN & BuyerItem.merged_into.does_not_exist() & before,
                refuse=_AlreadyRead,
            )
        )
    except _AlreadyRead:
        buyer = buyers.read_open(merchant_id, ids[0])
        if buyer.merged_into is not None:
            raise SessionSuperseded from None  # the mark is the other's
    return unread(buyer, ids)


def _places(merchant_id: str, buyer_id: str, after: str | None, most: int) -> list[TradeItem]:
    return list(
        TradeItem.by_list.query(
            messages_list(merchant_id, buyer_id),
            TradeItem.list_rank < after if after else None,
            scan_index_forward=False,
            limit=most,
        )
    )
