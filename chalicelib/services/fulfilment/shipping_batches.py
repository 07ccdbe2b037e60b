"""The history of shipments from a table: who sent what, and which rows did not go through.

A table is sent in parts. Each leaves one record, whose key its sender makes: sent again, it is the
same part, and the first account of it stands.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from chalicelib.errors import InvalidRequest
from chalicelib.services.fulfilment.shipments import Outcome, Result, Row
from chalicelib.tables.base import PageKey, put_new, retried
from chalicelib.tables.records import ShippingBatchItem, shipping_batches

PARTS_MAX = 200  # of one batch: 10,000 rows
READ_MAX = PARTS_MAX + 50  # parts of one page, so that there is a whole batch among them
STARTED_BEFORE_S, STARTED_AFTER_S = 86_400, 300  # how far its sender's clock may be off
LEFT_OUT = "left_out"  # of the table, and not sent
SHIPPED = (Outcome.SHIPPED, Outcome.ALREADY_SHIPPED)


@dataclass(frozen=True)
class Part:
    """Which part of which table, by whoever sends it."""

    batch_id: str
    started_at_s: int
    number: int


@dataclass(frozen=True)
class Batch:
    """A table as far as it was sent. failures: as ShippingBatchItem has them."""

    batch_id: str
    started_at_s: int
    staff: str
    summary: Counter[str] = field(default_factory=Counter)
    failures: list[Any] = field(default_factory=list)


def check(part: Part, *, now_s: int) -> None:
    """Raises InvalidRequest for a beginning that is not about now: the history is by time."""
    if not now_s - STARTED_BEFORE_S <= part.started_at_s <= now_s + STARTED_AFTER_S:
        raise InvalidRequest(
            "电脑的时间不对，请校准后再发货。", field="batch.started_at_s", now_s=now_s
        )


def keep(
    merchant_id: str,
    part: Part,
    outcomes: Sequence[tuple[Row, Result]],
    left_out: Sequence[Mapping[str, str]],
    *,
    staff: str,
) -> None:
    """Keep what became of a part's rows, and which rows of the table the check refused (as
    ShippingBatchItem.failures has them), so that they were not sent. Raises Busy."""
    counted = Counter(result.outcome.value for _, result in outcomes)
    if left_out:
        counted[LEFT_OUT] = len(left_out)
    item = ShippingBatchItem.at(
        merchant_id,
        part.started_at_s,
        part.batch_id,
        part.number,
        staff=staff,
        summary=dict(counted),
        failures=[
            *(dict(row) for row in left_out),
            *(
                {
                    "order_id": row.order_id,
                    "carrier": row.carrier,
                    "number": row.number,
                    "words": result.words,
                }
                for row, result in outcomes
                if result.outcome not in SHIPPED
            ),
        ],
    )
    retried(lambda: put_new(item))


def page(
    merchant_id: str, *, after: PageKey | None, limit: int
) -> tuple[list[Batch], PageKey | None]:
    """(whole batches, the newest first; the key that the next page starts after)."""
    found = ShippingBatchItem.query(
        shipping_batches(merchant_id),
        scan_index_forward=False,
        limit=READ_MAX,
        last_evaluated_key=after,
    )
    parts = list(found)
    batches = [list(same) for _, same in groupby(parts, key=lambda item: item.batch_id)]
    if found.last_evaluated_key is not None:
        batches.pop()  # the rest of it may be on the next page
    elif len(batches) <= limit:
        return [_batch(same) for same in batches], None
    shown = batches[:limit]
    last = shown[-1][-1]
    return [_batch(same) for same in shown], {"pk": {"S": last.pk}, "sk": {"S": last.sk}}


def _batch(parts: Sequence[ShippingBatchItem]) -> Batch:
    first = parts[-1]
    batch = Batch(first.batch_id, first.at_s, first.staff)
    for part in reversed(parts):
        batch.summary.update(part.summary.as_dict())
        batch.failures.extend(dict(failure) for failure in part.failures)
    return batch
