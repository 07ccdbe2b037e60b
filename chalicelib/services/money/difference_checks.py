"""Whether gateway and books agree about one payment or refund now, and the open differences that
are closed because they do."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from chalicelib import observability
from chalicelib.domain.ledger import Movement
from chalicelib.domain.reconcile import Difference
from chalicelib.errors import GatewayFailed
from chalicelib.gateways.directory import payment_gateway
from chalicelib.gateways.payment import (
    BillKind,
    BillRow,
    PaymentGateway,
    RefundStatus,
    TradeStatus,
)
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.services.money import comparing, differences, reconciled_accounts
from chalicelib.services.money.comparing import Found
from chalicelib.tables.base import get_or_none
from chalicelib.tables.records import DayBookItem, RecordItem, day_book
from chalicelib.tables.review_queue import DifferenceReviewItem
from chalicelib.tables.trade import OrderItem, ReconcilingItem

OPEN_MAX = 100  # differences looked at again with each bill, the newest ones
MISSING = {Difference.PAYMENT_MISSING, Difference.REFUND_MISSING}  # in the bill


def of_line(
    item: ReconcilingItem, row: BillRow, order: OrderItem | None, gateway: PaymentGateway | None
) -> list[Found]:
    """In what a line differs from the books. gateway: the account's that the line is of, where the
    item's bills are its. Raises GatewayFailed."""
    found = comparing.differences(row, order, item.method, is_here=gateway is not None)
    return [one for one in found if gateway is None or not _is_outdated(gateway, one)]


def placed(
    item: ReconcilingItem, row: BillRow, order: OrderItem | None
) -> tuple[PaymentGateway | None, str, BillRow]:
    """(the gateway of the account that the attempt of a line was begun with, None where the bill is
    of another; that account; the line, without what is right for that account)."""
    account = comparing.account_of(row, order)
    gateway = reconciled_accounts.gateway_on_bill(item, account)
    if gateway is not None and account != (item.account or ""):
        row = replace(row, mismatch="")  # another app of ours with that merchant number
    return gateway, account, row


def at_gateway(known: DayBookItem) -> tuple[bool, str]:
    """(whether the gateway has what our day book has, by number and amount; its state there).
    Raises GatewayFailed."""
    gateway = payment_gateway(known.merchant_id, known.method, known.account or "")
    if known.movement == Movement.REFUNDED:
        refund = gateway.query_refund(known.number)
        there = refund.status is RefundStatus.SUCCEEDED
        return there and refund.amount_fen == known.amount_fen, refund.status.value
    trade = gateway.query(known.number)
    there = trade.status is TradeStatus.SUCCEEDED
    return there and trade.amount_fen == known.amount_fen, trade.status.value


def close_agreed(item: ReconcilingItem, rows: Sequence[BillRow], now_s: int) -> None:
    """Close open differences of the item's bills in which gateway and books agree by now: what was
    missing stands in this later bill, what nobody had heard of has been entered since."""
    billed = {comparing.number_of(row) for row in rows}
    for case in differences.newest_open(item.merchant_id, limit=OPEN_MAX):
        if (case.method, case.account, case.day < item.day) != (item.method, item.account, True):
            continue
        try:
            agreed = _agreed(item, case, billed)
        except (GatewayFailed, NotConfigured) as error:
            details = {"merchant": item.merchant_id, "number": case.number, "why": str(error)}
            observability.logger.warning("difference not looked at again", extra=details)
            continue
        if agreed:
            differences.close_case(case, now_s=now_s)


def _agreed(item: ReconcilingItem, case: DifferenceReviewItem, billed: set[str]) -> bool:
    kind = Difference(case.difference)
    if kind in MISSING:
        # What differs in a line of today's is a difference of its own.
        return case.number in billed or _is_at_gateway(case)
    if kind is Difference.REPEATED:
        return False
    row = _line_of(case)
    order_id = comparing.order_of(row)
    order = get_or_none(OrderItem.at(item.merchant_id, order_id)) if order_id else None
    gateway, _, row = placed(item, row, order)
    return not of_line(item, row, order, gateway)


def _is_at_gateway(case: DifferenceReviewItem) -> bool:
    """Whether the gateway has by now what was missing in the bill."""
    posted = RecordItem.query(
        day_book(case.merchant_id, date.fromisoformat(case.day)),
        RecordItem.sk == case.number,
        consistent_read=True,
    )
    return any(isinstance(row, DayBookItem) and at_gateway(row)[0] for row in posted)


def _line_of(case: DifferenceReviewItem) -> BillRow:
    """The line that a difference was found in."""
    theirs = case.theirs.as_dict()
    is_refund = "out_trade_no" in theirs
    return BillRow(
        kind=BillKind.REFUND if is_refund else BillKind.PAYMENT,
        out_trade_no=theirs["out_trade_no"] if is_refund else case.number,
        transaction_id=theirs["transaction_id"],
        amount_fen=int(theirs["amount_fen"]),
        fee_fen=0,
        at_s=int(theirs["at_s"]),
        out_refund_no=case.number if is_refund else "",
        refund_status=RefundStatus(theirs.get("status", RefundStatus.UNKNOWN)),
        mismatch=theirs.get("mismatch", ""),
    )


def _is_outdated(gateway: PaymentGateway, found: Found) -> bool:
    """A bill keeps the state that a refund had when it was made; the gateway knows the present."""
    if found.difference is not Difference.REFUND_NOT_MADE:
        return False
    return gateway.query_refund(found.number).status is RefundStatus.SUCCEEDED
