"""Records that stay: what staff do, each in its own transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.ids import new_id
from chalicelib.tables.base import LostRace, Writes, put_new, retried
from chalicelib.tables.buyers import AfterSaleItem
from chalicelib.tables.records import AuditItem
from chalicelib.tables.trade import OrderItem


def audit(
    writes: Writes,
    merchant_id: str,
    staff: str,
    action: str,
    subject: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    now_s: int,
) -> None:
    """Record that `staff` changed `subject` ("product#…") from `before` to `after`.

    Only the fields that differ are kept; `before` is empty for what is new, and for a look.
    """
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    row = AuditItem.at(
        merchant_id,
        now_s,
        new_id(),
        staff=staff,
        action=action,
        subject=subject,
        before={name: value for name, value in before.items() if name in changed},
        after={name: value for name, value in after.items() if name in changed},
    )
    writes.put(row, refuse=LostRace)


def audit_item(
    writes: Writes,
    item: OrderItem | AfterSaleItem,
    staff: str,
    action: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    now_s: int,
) -> None:
    """As `audit`, of an order or a request for after-sale."""
    audit(writes, item.merchant_id, staff, action, item.audit_subject, before, after, now_s)


def audit_look(
    merchant_id: str,
    staff: str,
    action: str,
    order_ids: Sequence[str],
    purpose: str,
    now_s: int,
) -> None:
    """Record in one row that `staff` looked at something of these orders, and what for.

    The subject is the order, or "order" when there are several, which `after` names then.
    Raises Busy.
    """
    [subject, *rest] = [f"order#{order_id}" for order_id in order_ids]
    row = AuditItem.at(
        merchant_id,
        now_s,
        new_id(),
        staff=staff,
        action=action,
        subject="order" if rest else subject,
        before={},
        after={"purpose": purpose} | ({"order_ids": list(order_ids)} if rest else {}),
    )
    retried(lambda: put_new(row))  # under one id: a repeat after a lost answer meets its own row
