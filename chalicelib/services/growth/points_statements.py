"""What is told of a person's points: what they have, what runs out next, and how it came so."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain import points_account
from chalicelib.domain.points_account import PointsEntry
from chalicelib.services.growth import points
from chalicelib.tables.growth import PointsPageItem, points_entries_of
from chalicelib.tables.trade_item import buyer_pk

FIRST = "points#~"  # behind all pages
PAGES_MAX = 3  # of one id in one call: the one that was read last, the next, and whether more come


@dataclass(frozen=True)
class Statement:
    """balance: below zero while more was taken back than is there. expiring: (lot, points) that
    runs out next. entries: the newest first. next_page: behind which earlier ones stand."""

    balance: int
    expiring: tuple[str, int] | None
    entries: list[PointsEntry]
    next_page: str | None


def read(
    merchant_id: str, ids: Sequence[str], *, before: str | None = None, now_s: int
) -> Statement:
    """The points of a person, with their latest entries, or with those of the page before which
    `before` stands."""
    items = points.read(merchant_id, ids)
    accounts = [item.view().on(now_s) for item in items.values()]
    if before is None:
        entries = [entry for account in accounts for entry in account.entries]
        next_page = FIRST if any(item.pages for item in items.values()) else None
    else:
        entries, next_page = _page(merchant_id, ids, before)
    balance = sum(account.balance for account in accounts)
    lot = min((it for it in (one.next_lot for one in accounts) if it), default=None)
    expiring = None
    if lot is not None and balance > 0:
        expiring = (lot, min(balance, sum(one.ending_with(lot) for one in accounts)))
    newest = sorted(entries, key=lambda entry: entry.at_s)[::-1]  # of one second, too
    return Statement(balance, expiring, newest, next_page)


def ends_on(lot: str) -> str:
    """The last day of a lot that runs out, ISO."""
    return points_account.day_of_lot(lot).isoformat()


def _page(
    merchant_id: str, ids: Sequence[str], before: str
) -> tuple[list[PointsEntry], str | None]:
    """The entries of the last page before `before`, of all of the person's; and its key, if others
    come before it."""
    found: list[PointsPageItem] = []
    for one in ids:
        earlier = PointsPageItem.sk.between("points#", before)
        found += PointsPageItem.query(
            buyer_pk(merchant_id, one), earlier, scan_index_forward=False, limit=PAGES_MAX
        )
    pages = sorted((it for it in found if it.sk < before), key=lambda it: it.sk, reverse=True)
    if not pages:
        return [], None
    entries = points_entries_of(pages[0].entries)
    return list(entries), pages[0].sk if len(pages) > 1 else None
