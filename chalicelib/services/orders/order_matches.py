"""The orders of several places as one list, the newest first, each once."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.ids import OrderId
from chalicelib.domain.short_number import first_second_of, short_of
from chalicelib.services.orders import order_search
from chalicelib.services.orders.order_query import Lookup
from chalicelib.tables.base import PageKey
from chalicelib.tables.records import FoundOrderItem, RecordItem, ShortNumberItem, found_by

SCANNED_MAX = 200  # rows of one place looked at for a part of a name, by one look
OF_A_DAY_MAX = 3_000  # orders of a day, among which one is sought that has no row of its number


@dataclass(frozen=True)
class Match:
    """An order in the list: where it stands, and the places that it was found at."""

    rank: str
    order_id: OrderId
    group_id: str | None
    places: tuple[Lookup, ...]


def page(
    merchant_id: str,
    places: Sequence[Lookup],
    within_s: tuple[int, int],
    after: PageKey | None,
    limit: int,
) -> tuple[list[Match], PageKey | None]:
    """(up to `limit` orders, where the list goes on; None: nowhere).

    A rank is the same wherever an order stands, so one rank says where all places go on: the
    oldest that each of them has been read to.
    """
    from_s, to_s = within_s
    before = after["sk"]["S"] if after else f"{to_s:010d}~"
    rows: dict[str, Match] = {}
    read_to = ""  # what is older may be missing
    for place in places:
        found, last = _read(merchant_id, place, f"{from_s:010d}", before, limit)
        read_to = max(read_to, last)
        for item in found:
            order_id = OrderId.parse(item.order_id)
            if order_id is not None:
                known = rows[item.sk].places if item.sk in rows else ()
                rows[item.sk] = Match(item.sk, order_id, item.group_id, (*known, place))
    listed = sorted((rank for rank in rows if rank >= read_to), reverse=True)
    page = [rows[rank] for rank in listed[:limit]]
    if len(listed) > limit:
        return page, {"sk": {"S": page[-1].rank}}
    return page, {"sk": {"S": read_to}} if read_to else None


def with_short_number(merchant_id: str, number: str, serial: str) -> list[OrderId]:
    """The order of that number; of a number without its serial, all that share it.

    Orders from before numbers were kept are sought among those of the day.
    """
    word = found_by(merchant_id, f"short#{number}")
    rows = [row for row in RecordItem.query(word) if isinstance(row, ShortNumberItem)]
    ids = [row.order_id for row in rows if serial in ("", row.sk)]
    began_s = first_second_of(number)
    if not rows and began_s is not None:
        ids = _placed_that_day(merchant_id, number, began_s)
    return [parsed for order_id in ids if (parsed := OrderId.parse(order_id))]


def with_one_of(merchant_id: str, numbers: Sequence[str]) -> list[OrderId]:
    """The orders with one of these short numbers, in that order: a call for all, and one for each
    that there is."""
    keys = {found_by(merchant_id, f"short#{number}"): number for number in numbers}
    there = {row.pk for row in RecordItem.batch_get([(pk, "0") for pk in keys])} if keys else set()
    found = [number for pk, number in keys.items() if pk in there]
    return [one for number in found for one in with_short_number(merchant_id, number, "")]


def _placed_that_day(merchant_id: str, number: str, began_s: int) -> list[str]:
    rows = FoundOrderItem.query(
        found_by(merchant_id, order_search.PLACED),
        FoundOrderItem.sk.between(f"{began_s:010d}", f"{began_s + DAY_S - 1:010d}~"),
        limit=OF_A_DAY_MAX,
    )
    return [row.order_id for row in rows if short_of(row.order_id) == number]


def _read(
    merchant_id: str, place: Lookup, first: str, before: str, limit: int
) -> tuple[list[FoundOrderItem], str]:
    """(rows of a place that are older than `before`, how far it was read; empty: to its end)."""
    page = FoundOrderItem.query(
        found_by(merchant_id, place.word),
        FoundOrderItem.sk.between(first, before),
        scan_index_forward=False,
        limit=(SCANNED_MAX if place.text else limit) + 1,
    )
    rows = list(page)
    last = rows[-1].sk if rows and page.last_evaluated_key else ""
    fit = [row for row in rows if row.sk < before and place.text in (row.text or "")]
    return fit, last
