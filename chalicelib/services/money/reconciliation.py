"""Reconciliation: every account's bill of every day is compared with the ledger.

What a lost callback would have told is taken over, by the same code that hears callbacks; every
other difference is kept with both sides for staff. A run that is cut off is repeated: rows are
compared by number, and a difference is kept once.
"""

import datetime as dt
import time
from collections.abc import Sequence

from chalicelib import deadline, observability
from chalicelib.domain.beijing import midnight_s
from chalicelib.domain.ids import OrderId
from chalicelib.domain.ledger import Entry, Movement
from chalicelib.domain.order import Intent
from chalicelib.domain.reconcile import REPAIRABLE, Difference
from chalicelib.errors import Conflict, GatewayFailed, NotFound
from chalicelib.gateways.directory import payment_gateway
from chalicelib.gateways.payment import (
    BillKind,
    BillRow,
    RefundStatus,
    TradeStatus,
)
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.services.money import (
    captures,
    comparing,
    difference_checks,
    differences,
    reconciled_accounts,
    refund_recovery,
    refunds,
)
from chalicelib.services.money.comparing import Found
from chalicelib.services.money.day_book import READY_AFTER_S
from chalicelib.tables.base import (
    LostRace,
    PageKey,
    chunks,
    get_or_none,
    put_new,
    retried,
    update_one,
)
from chalicelib.tables.records import (
    DayBookItem,
    ReconciliationItem,
    RecordItem,
)
from chalicelib.tables.trade import OrderItem, ReconcilingItem, entered
from chalicelib.tables.trade_item import TradeItem

ROWS_MAX = 1000  # of one run; the next goes on where it stopped
CHUNK = 50  # orders read in one call
RUN_S = 25.0
RUN_SHARE = 1 / 2  # of what the function has left
LATER_S = 1800  # until a bill that could not be had is asked for again
LATE_S = 24 * 3600  # then somebody should know
ONE_DAY = dt.timedelta(days=1)


def process(merchant_id: str, where: str, *, now_s: int) -> None:
    """Compare every bill that is ready, day by day, for RUN_S at most. where: the method, or
    method#account."""
    stop_s = time.monotonic() + min(RUN_S, deadline.left_s() * RUN_SHARE)
    method, _, account = where.partition("#")
    while time.monotonic() < stop_s:
        item = get_or_none(ReconcilingItem.at(merchant_id, method, account))
        if item is None or item.due_at_s is None or item.due_at_s > now_s:
            return
        try:
            if not reconciled_accounts.stop_when_over(item):
                _compare_next(item, now_s)
        except (GatewayFailed, NotConfigured) as error:
            _try_later(item, error, now_s)


def days(
    merchant_id: str, *, after: PageKey | None, limit: int
) -> tuple[list[ReconciliationItem], PageKey | None]:
    """(compared days, the newest first; the key that the next page starts after)."""
    page = RecordItem.query(
        f"{merchant_id}#reconciliations",
        scan_index_forward=False,
        limit=limit,
        last_evaluated_key=after,
    )
    return [i for i in page if isinstance(i, ReconciliationItem)], page.last_evaluated_key


def _compare_next(item: ReconcilingItem, now_s: int) -> None:
    """Compare the next part of the bill of the item's day; with the last, close the day."""
    day = dt.date.fromisoformat(item.day)
    gateway = payment_gateway(item.merchant_id, item.method, item.account or "")
    billed = list(gateway.bill(day))
    # Another system on the same account is not ours to compare.
    rows = [row for row in billed if comparing.order_of(row) is not None]
    part = rows[item.row : item.row + ROWS_MAX]
    for chunk in chunks(part, CHUNK):
        _compare(item, chunk, now_s)
    if item.row + ROWS_MAX < len(rows):
        _advance(item, day, item.row + ROWS_MAX, now_s)
        return
    for found in comparing.repeated(rows):
        differences.keep(item, found, repaired=False, now_s=now_s)
    posted = reconciled_accounts.day_book_rows(item, day)
    _look_for_missing(item, rows, posted, now_s)
    difference_checks.close_agreed(item, rows, now_s)
    if billed or posted:
        retried(lambda: put_new(_report(item, rows, len(billed) - len(rows), now_s)))
    _advance(item, day + ONE_DAY, 0, midnight_s(day + 2 * ONE_DAY) + READY_AFTER_S)


def _advance(item: ReconcilingItem, day: dt.date, row: int, due_at_s: int) -> None:
    try:
        update_one(
            item,
            [
                ReconcilingItem.day.set(day.isoformat()),
                ReconcilingItem.row.set(row),
                *item.due(Intent.RECONCILE, due_at_s),
            ],
            condition=(ReconcilingItem.day == item.day)
            & (ReconcilingItem.row == item.row)
            & item.marker_as_read(),
            refuse=LostRace,
        )
    except LostRace:
        return  # another run has done it


def _try_later(item: ReconcilingItem, error: Exception, now_s: int) -> None:
    ready_s = midnight_s(dt.date.fromisoformat(item.day) + ONE_DAY) + READY_AFTER_S
    details = {"merchant": item.merchant_id, "day": item.day, "why": str(error)}
    observability.logger.warning("no bill yet", extra=details)
    day = dt.date.fromisoformat(item.day)
    if now_s - ready_s >= LATE_S:
        if reconciled_accounts.is_earlier_account(item) and not reconciled_accounts.day_book_rows(
            item, day
        ):
            # An account that may be closed by now, and a day that we have nothing of.
            _advance(item, day + ONE_DAY, 0, midnight_s(day + 2 * ONE_DAY) + READY_AFTER_S)
            return
        observability.count("BillsMissing")
    _advance(item, day, item.row, now_s + LATER_S)


def _compare(item: ReconcilingItem, rows: Sequence[BillRow], now_s: int) -> None:
    known = _orders(item.merchant_id, [comparing.order_of(row) for row in rows])
    for row in rows:
        order = known.get(str(comparing.order_of(row)))
        gateway, account, row = difference_checks.placed(item, row, order)
        for found in difference_checks.of_line(item, row, order, gateway):
            if found.difference is Difference.REFUND_BY_HAND:
                repaired = order is not None and _take_over(order, row, now_s)
            else:
                repairable = gateway is not None and found.difference in REPAIRABLE
                repaired = repairable and _repair(item, account, found, now_s)
            differences.keep(item, found, repaired=repaired, now_s=now_s)
        if order is not None and not row.mismatch:
            _enter_fee(order, row)


def _orders(merchant_id: str, ids: Sequence[OrderId | None]) -> dict[str, OrderItem]:
    wanted = {str(i): OrderItem.at(merchant_id, i) for i in ids if i}
    found = TradeItem.batch_get(
        [(order.pk, order.sk) for order in wanted.values()], consistent_read=True
    )
    return {str(order.order_id): order for order in found if isinstance(order, OrderItem)}


def _repair(item: ReconcilingItem, account: str, found: Found, now_s: int) -> bool:
    """Take over what the gateway itself confirms, when it is asked about it."""
    gateway = payment_gateway(item.merchant_id, item.method, account)
    try:
        if found.difference is Difference.PAYMENT_UNHEARD:
            trade = gateway.query(found.number)
            if trade.status is not TradeStatus.SUCCEEDED:
                return False
            captures.record(item.merchant_id, trade, item.method, account=account, now_s=now_s)
        else:
            said = gateway.query_refund(found.number)
            if said.status is not RefundStatus.SUCCEEDED:
                return False
            refunds.apply_result(item.merchant_id, said, now_s=now_s)
    except (Conflict, NotFound) as refusal:
        observability.logger.warning("not repaired", extra={"why": str(refusal)})
        return False
    return True


def _take_over(order: OrderItem, row: BillRow, now_s: int) -> bool:
    """Record a refund that staff made in the gateway's back office."""
    key = comparing.made_by_hand(row, order.view())
    return key is not None and refund_recovery.adopt_gateway_refund(
        order.merchant_id, order.order_id, key, row.out_refund_no, now_s=now_s
    )


def _enter_fee(order: OrderItem, row: BillRow) -> None:
    """Enter what the gateway took for it, once."""
    entry = Entry(comparing.of_ledger(row, order), Movement.FEE, row.fee_fen, row.at_s)
    if not row.fee_fen or not entry.of or entry.key in order.ledger.as_dict():
        return
    try:
        update_one(
            order,
            entered(entry),
            condition=OrderItem.pk.exists() & OrderItem.ledger[entry.key].does_not_exist(),
            refuse=LostRace,
        )
    except LostRace:
        return  # another run has entered it


def _look_for_missing(
    item: ReconcilingItem,
    rows: Sequence[BillRow],
    posted: Sequence[DayBookItem],
    now_s: int,
) -> None:
    """What we have and the bill has not: a difference, unless the gateway confirms it."""
    billed = {comparing.number_of(row) for row in rows}
    for known in posted:
        if known.number in billed:
            continue
        is_there, said = difference_checks.at_gateway(known)
        if not is_there:
            is_refund = known.movement == Movement.REFUNDED
            kind = Difference.REFUND_MISSING if is_refund else Difference.PAYMENT_MISSING
            ours: comparing.Side = {"amount_fen": known.amount_fen, "at_s": known.at_s}
            found = Found(known.number, kind, ours, {"status": said})
            differences.keep(item, found, repaired=False, now_s=now_s)


def _report(
    item: ReconcilingItem, rows: Sequence[BillRow], foreign: int, now_s: int
) -> ReconciliationItem:
    paid = [row.amount_fen for row in rows if row.kind is BillKind.PAYMENT]
    back = [row.amount_fen for row in rows if row.kind is BillKind.REFUND]
    return ReconciliationItem.at(
        item.merchant_id,
        item.day,
        item.method,
        item.account or "",
        at_s=now_s,
        payments=len(paid),
        paid_fen=sum(paid),
        refunds=len(back),
        refunded_fen=sum(back),
        fee_fen=sum(row.fee_fen for row in rows),
        foreign=foreign,
    )
