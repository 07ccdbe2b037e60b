"""The day book: what moved at the gateways, by day, so that a day can be compared with a bill.

What staff paid back outside a gateway stands there too, under a method of its own.

A capture gets there after its order is written: the order's due marker stays until it has. A
refund's confirmation is written with the order itself.
"""

import datetime as dt

from chalicelib.domain.beijing import day_of, midnight_s
from chalicelib.domain.ledger import Account, Entry, Movement
from chalicelib.domain.order import Intent
from chalicelib.services.money import reconciled_accounts
from chalicelib.tables.base import LostRace, Writes, get_or_none, put_new, retried, update_one
from chalicelib.tables.records import DayBookItem
from chalicelib.tables.trade import OrderItem, ReconcilingItem

READY_AFTER_S = 10 * 3600 + 1800  # gateways have a day's bill at 10:00 of the next, in Beijing
ONE_DAY = dt.timedelta(days=1)
STARTED_MAX = 1000
OUTSIDE = "outside"  # the method of what no gateway's bill has

_started: set[tuple[str, str, str]] = set()  # a hint: what this container knows to be under way


def post_captures(order: OrderItem) -> None:
    """Write what was captured for an order into the day of its capture, where it is not yet.

    With the first capture at an account, the reconciling of its bills begins.
    """
    for entry in order.entries():
        if entry.movement is Movement.CAPTURED:
            row = _row(order, entry, f"{order.order_id}{entry.of}")
            _begin_reconciling(row)
            retried(lambda row=row: put_new(row))  # type: ignore[misc]


def post_refunded(writes: Writes, order: OrderItem, entry: Entry, number: str = "") -> None:
    """Write a refund into its day, with the write that says it is done.

    number: under which the gateway has it; by default the order's present one.
    """
    writes.put(_row(order, entry, number or order.refund_number(entry.of)), refuse=LostRace)


def _begin_reconciling(row: DayBookItem) -> None:
    """Make the item that is due when the first bill is ready; nothing where there is one.

    Accounts that share a merchant number share a bill, which one of them stands for.
    """
    where = (row.merchant_id, row.method, row.account or "")
    if where in _started:
        return
    if len(_started) >= STARTED_MAX:
        _started.clear()
    day = day_of(row.at_s)
    due_at_s = midnight_s(day + ONE_DAY) + READY_AFTER_S
    bills = reconciled_accounts.billing_account(*where)
    item = ReconcilingItem.at(row.merchant_id, row.method, bills, day=day.isoformat())
    if not retried(lambda: put_new(item.marked(Intent.RECONCILE, due_at_s))):
        retried(lambda: _resume(item))
    _started.add(where)


def _resume(new: ReconcilingItem) -> None:
    """Go on with the bills of an account that was not used for so long that nobody read them."""
    item = get_or_none(new)
    if item is None or item.due_at_s is not None:
        return
    update_one(
        item,
        [
            ReconcilingItem.day.set(new.day),
            ReconcilingItem.row.set(0),
            ReconcilingItem.due_shard.set(new.due_shard),
            ReconcilingItem.due_at_s.set(new.due_at_s),
        ],
        condition=item.marker_as_read() & ReconcilingItem.pk.exists(),
        refuse=LostRace,
    )


def _row(order: OrderItem, entry: Entry, number: str) -> DayBookItem:
    debit, credit = entry.legs
    payment = order.view().payments[entry.of[:2]]
    outside = credit is Account.OUTSIDE
    assert outside or Account.GATEWAY in (debit, credit), entry
    return DayBookItem.at(
        order.merchant_id,
        entry.at_s,
        number,
        method=OUTSIDE if outside else payment.method,
        account=None if outside else payment.account or None,
        movement=entry.movement.value,
        debit=debit.value,
        credit=credit.value,
        amount_fen=entry.amount_fen,
    )
