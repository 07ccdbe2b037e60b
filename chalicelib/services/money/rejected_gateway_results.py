"""What gateways told, rightly signed, and the books do not take: kept until somebody deals with it.

Each fact is kept once, however often a gateway repeats it: it repeats what was refused.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.beijing import day_of
from chalicelib.domain.ids import new_id
from chalicelib.gateways.payment import Refund, Trade
from chalicelib.services.money import review_queue
from chalicelib.tables.base import LostRace, PageKey, retried, transaction
from chalicelib.tables.records import RefusedCallbackItem
from chalicelib.tables.review_queue import RejectedResultItem, rejected_results


class _AlreadyKept(Exception):
    """It was told, and kept, before."""


def keep(
    merchant_id: str,
    method: str,
    code: str,
    details: Mapping[str, Any],
    told: Mapping[str, Any],
    *,
    now_s: int,
) -> None:
    """Keep what a gateway told and why it was refused, once. Raises Busy."""
    fact = json.dumps([method, code, dict(details), dict(told)], sort_keys=True)
    result_id = hashlib.sha256(fact.encode()).hexdigest()[:32]
    what = {"code": code, "details": dict(details), "told": dict(told)}

    def step() -> None:
        item = RejectedResultItem.at(
            merchant_id,
            result_id,
            method=method,
            at_s=now_s,
            list_key=rejected_results(merchant_id),
            list_rank=f"{now_s:010d}#{result_id}",
            **what,
        )
        with transaction() as writes:
            writes.put(item, refuse=lambda old: _AlreadyKept())
            row = RefusedCallbackItem.at(merchant_id, now_s, new_id(), **what)
            writes.put(row, refuse=LostRace)

    try:
        retried(step)
    except _AlreadyKept:
        return


def describe(said: Trade | Refund | None, *, now_s: int) -> dict[str, str | int]:
    """What a statement says of which money; of one that could not be read, on which day it came."""
    if said is None:
        return {"day": day_of(now_s).isoformat()}
    if isinstance(said, Refund):
        told: dict[str, str | int] = {
            "number": said.out_refund_no,
            "status": said.status.value,
            "amount_fen": said.amount_fen,
        }
        return told | ({"at_s": said.succeeded_at_s} if said.succeeded_at_s else {})
    return {
        "number": said.out_trade_no,
        "status": said.status.value,
        "amount_fen": said.amount_fen,
        "transaction_id": said.transaction_id,
        "at_s": said.paid_at_s,
    }


def waiting(
    merchant_id: str, *, after: PageKey | None, limit: int
) -> tuple[list[RejectedResultItem], PageKey | None]:
    """(what nobody has dealt with, the oldest first; the key that the next page starts after)."""
    return review_queue.page(
        RejectedResultItem, rejected_results(merchant_id), after=after, limit=limit
    )


def resolve(merchant_id: str, result_id: str, *, note: str, staff: str, now_s: int) -> None:
    """Take one out of the list, with a note of what was done about it; audited. A repeat changes
    nothing. Raises NotFound, AlreadyDealtWith."""
    review_queue.resolve_audited(
        RejectedResultItem.at(merchant_id, result_id),
        subject=f"rejected_result#{result_id}",
        action="statement_dealt_with",
        audited=lambda item: {"code": item.code, **item.told.as_dict()},
        note=note,
        staff=staff,
        now_s=now_s,
    )
