"""Differences between bills and books: found once, open until staff have dealt with them.

A difference is closed without anybody when it was repaired, and when bill and books agree later.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib import observability
from chalicelib.domain.reconcile import DifferenceStatus
from chalicelib.services.money import review_queue
from chalicelib.services.money.comparing import Found
from chalicelib.tables.base import PageKey, retried, transaction
from chalicelib.tables.records import DifferenceItem
from chalicelib.tables.review_queue import DifferenceReviewItem, differences_list
from chalicelib.tables.trade import ReconcilingItem


class _Known(Exception):
    """It was found before."""


def keep(item: ReconcilingItem, found: Found, *, repaired: bool, now_s: int) -> None:
    """Keep a difference on record, and open a case of it unless it was repaired.

    The same one found again changes nothing, but that it is closed when it was repaired now.
    Raises Busy.
    """
    record = DifferenceItem.at(
        item.merchant_id,
        item.day,
        item.method,
        item.account or "",
        found.number,
        found.difference.value,
        at_s=now_s,
        ours=found.ours,
        theirs=found.theirs,
        repaired=repaired,
    )

    case = DifferenceReviewItem.of(record)

    def step() -> None:
        with transaction() as writes:
            writes.put(record, refuse=lambda old: _Known())
            writes.put(case, refuse=lambda old: _Known())

    try:
        retried(step)
    except _Known:
        if repaired:
            close_case(case, now_s=now_s)
        return
    observability.count("DifferencesRepaired" if repaired else "DifferencesFound")


def page(
    merchant_id: str, *, is_open: bool, after: PageKey | None, limit: int
) -> tuple[list[DifferenceReviewItem], PageKey | None]:
    """(open differences, the longest waiting first, or closed ones, the last closed first; the key
    that the next page starts after)."""
    return review_queue.page(
        DifferenceReviewItem,
        differences_list(merchant_id, is_open=is_open),
        after=after,
        limit=limit,
        is_newest_first=not is_open,
    )


def newest_open(merchant_id: str, *, limit: int) -> list[DifferenceReviewItem]:
    """Open differences, the last found first."""
    key = differences_list(merchant_id, is_open=True)
    found, _ = review_queue.page(
        DifferenceReviewItem, key, after=None, limit=limit, is_newest_first=True
    )
    return found


def status_of(item: DifferenceReviewItem) -> DifferenceStatus:
    if item.dealt_at_s is None:
        return DifferenceStatus.OPEN
    if item.dealt_by is not None:
        return DifferenceStatus.DEALT_WITH
    return DifferenceStatus.REPAIRED if item.repaired else DifferenceStatus.AGREED


def resolve(merchant_id: str, difference_id: str, *, note: str, staff: str, now_s: int) -> None:
    """Close a difference with a note of what was done about it; audited. A repeat changes nothing.
    Raises NotFound, AlreadyDealtWith, Busy."""
    review_queue.resolve_audited(
        DifferenceReviewItem.at(merchant_id, difference_id),
        subject=f"difference#{difference_id}",
        action="difference_dealt_with",
        audited=_audited,
        note=note,
        staff=staff,
        now_s=now_s,
    )


def close_case(case: DifferenceReviewItem, *, now_s: int) -> None:
    """Close a difference about which there is nothing to do any more, if it is open."""
    if retried(lambda: review_queue.close_case(case, now_s=now_s)):
        observability.count("DifferencesAgreed")


def _audited(item: DifferenceReviewItem) -> Mapping[str, Any]:
    return {"day": item.day, "number": item.number, "difference": item.difference}
