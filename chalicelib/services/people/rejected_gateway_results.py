"""What gateways told, rightly signed, and the books do not take: kept until somebody deals with it.

Each fact is kept once, however often a gateway repeats it: it repeats what was refused.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.beijing import day_of
from chalicelib.domain.ids import new_id
from chalicelib.errors import NotFound
from chalicelib.gateways.payment import Refund, Trade
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, PageKey, retried, transaction
from chalicelib.tables.records import RefusedCallbackItem
from chalicelib.tables.review_queue import RejectedResultItem, rejected_results
from chalicelib.tables.trade_item import TradeItem, listed


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
    page = TradeItem.by_list.query(
        rejected_results(merchant_id), limit=limit, last_evaluated_key=after
    )
    keys = [(item.pk, item.sk) for item in page]
    found = TradeItem.batch_get(keys, consistent_read=True)
    items = [item for item in found if isinstance(item, RejectedResultItem)]
    left = [item for item in items if item.dealt_at_s is None]
    return sorted(left, key=lambda item: item.list_rank or ""), page.last_evaluated_key


def resolve(merchant_id: str, result_id: str, *, note: str, staff: str, now_s: int) -> None:
    """Take one out of the list, with a note of what was done about it; audited. A repeat changes
    nothing. Raises NotFound."""

    def step() -> None:
        item = _find(merchant_id, result_id)
        if item.dealt_at_s is not None:
            return
        with transaction() as writes:
            writes.update(
                item,
                [
                    RejectedResultItem.dealt_at_s.set(now_s),
                    RejectedResultItem.dealt_by.set(staff),
                    RejectedResultItem.note.set(note),
                    *listed(None),
                ],
                condition=RejectedResultItem.pk.exists()
                & RejectedResultItem.dealt_at_s.does_not_exist(),
                refuse=LostRace,
            )
            after = {"code": item.code, **item.told.as_dict(), "note": note}
            subject = f"rejected_result#{result_id}"
            audit(writes, merchant_id, staff, "statement_dealt_with", subject, {}, after, now_s)

    retried(step)


def _find(merchant_id: str, result_id: str) -> RejectedResultItem:
    key = RejectedResultItem.at(merchant_id, result_id)
    try:
        return RejectedResultItem.get(key.pk, key.sk, consistent_read=True)
    except RejectedResultItem.DoesNotExist:
        raise NotFound("没有找到这条记录。") from None
