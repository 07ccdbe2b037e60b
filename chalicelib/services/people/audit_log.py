"""The audit log as it is read: the newest change first, a month at a time."""

from chalicelib.tables.base import PageKey
from chalicelib.tables.records import AuditItem, RecordItem, audited

QUERIES_MAX = 5  # of one page, while looking for somebody's or something's rows
ROWS_LOOKED_THROUGH = 200  # by each of them


def page(
    merchant_id: str,
    month: str,
    *,
    staff: str | None,
    subject: str | None,
    after: PageKey | None,
    limit: int,
) -> tuple[list[AuditItem], PageKey | None]:
    """(rows of a month in Beijing (YYYYMM), the key the next page starts after).

    staff: only what this person did. subject: only what was done to it; a kind alone ("product")
    means all of that kind, and an order's are also the looks at several that name it. A page that
    looks for something may hold few rows, or none, and go on.
    """
    if staff is None and subject is None:
        return _rows(merchant_id, month, after, limit)
    found: list[AuditItem] = []
    for _ in range(QUERIES_MAX):
        rows, after = _rows(merchant_id, month, after, ROWS_LOOKED_THROUGH)
        for row in rows:
            if _fits(row, staff, subject):
                found.append(row)
            if len(found) == limit:
                rest = after is not None or row is not rows[-1]
                return found, _key_of(row) if rest else None
        if after is None:
            break
    return found, after


def _rows(
    merchant_id: str, month: str, after: PageKey | None, limit: int
) -> tuple[list[AuditItem], PageKey | None]:
    rows = RecordItem.query(
        audited(merchant_id, month),
        limit=limit,
        last_evaluated_key=after,
        scan_index_forward=False,
    )
    return [row for row in rows if isinstance(row, AuditItem)], rows.last_evaluated_key


def _fits(row: AuditItem, staff: str | None, subject: str | None) -> bool:
    right_staff = staff is None or row.staff == staff
    if subject is None:
        return right_staff
    kind = row.subject.partition("#")[0]
    looked_at = (f"order#{order_id}" for order_id in row.after.as_dict().get("order_ids", ()))
    return right_staff and subject in (row.subject, kind, *looked_at)


def _key_of(row: AuditItem) -> PageKey:
    return {"pk": {"S": row.pk}, "sk": {"S": row.sk}}
