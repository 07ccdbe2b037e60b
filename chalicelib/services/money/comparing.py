"""One line of a gateway's bill beside our order: what differs, decided without any I/O."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from chalicelib.domain.beijing import day_of
from chalicelib.domain.ids import (
    ATTEMPT_LENGTH,
    OrderId,
    split_out_refund_no,
    split_out_trade_no,
)
from chalicelib.domain.order import Order, Payment, PaymentStatus, Refund, RefundStatus
from chalicelib.domain.reconcile import Difference
from chalicelib.gateways import payment as port
from chalicelib.gateways.payment import BillKind, BillRow
from chalicelib.tables.trade import OrderItem

Side = dict[str, str | int]
CLOCKS_APART_S = 3600  # a bill's times may be a little off those of queries and callbacks
NOT_MADE = (port.RefundStatus.CLOSED, port.RefundStatus.ABNORMAL)


@dataclass(frozen=True)
class Found:
    """A difference, with both sides as they are."""

    number: str
    difference: Difference
    ours: Side = field(default_factory=dict)
    theirs: Side = field(default_factory=dict)


def number_of(row: BillRow) -> str:
    """The number of ours that a line is about."""
    return row.out_refund_no if row.kind is BillKind.REFUND else row.out_trade_no


def order_of(row: BillRow) -> OrderId | None:
    """Whose line it is, by its own number or else the payment's; None when neither is ours."""
    refund = split_out_refund_no(row.out_refund_no)
    payment = split_out_trade_no(row.out_trade_no)
    return refund[0] if refund else payment[0] if payment else None


def of_ledger(row: BillRow, order: OrderItem) -> str:
    """What in the ledger of `order` a line is about: an attempt, or a refund's key."""
    if row.kind is BillKind.PAYMENT:
        return row.out_trade_no[-ATTEMPT_LENGTH:]
    return refund_of_line(row, order) or ""


def refund_of_line(row: BillRow, order: OrderItem) -> str | None:
    """The key of the refund that a line is about; None when it was not ours to begin with."""
    parts = split_out_refund_no(row.out_refund_no)
    if parts is not None:
        return parts[1]
    known = order.view().refunds.items()
    return next((key for key, refund in known if refund.number == row.out_refund_no), None)


def account_of(row: BillRow, order: OrderItem | None) -> str:
    """The account that the attempt of a line was begun with; the first where there is none."""
    payment = order.view().payments.get(row.out_trade_no[-2:]) if order else None
    return payment.account if payment else ""


def differences(
    row: BillRow, order: OrderItem | None, method: str, *, is_here: bool = True
) -> list[Found]:
    """Everything in which the line differs from `order`, which is None when there is none.

    is_here: whether the bill is of the account that the attempt was begun with.
    """
    number = number_of(row)
    compare = _of_refund if row.kind is BillKind.REFUND else _of_payment
    ours, found = compare(row, order, method if is_here else "")
    if row.mismatch:
        found = [Difference.WRONG_ACCOUNT, *found]
    return [Found(number, difference, ours, theirs_of(row)) for difference in found]


def repeated(rows: Iterable[BillRow]) -> list[Found]:
    """Lines that the bill has more than once."""
    lines = {(row.kind, number_of(row)): row for row in rows}
    times = Counter((row.kind, number_of(row)) for row in rows)
    return [
        Found(key[1], Difference.REPEATED, {}, {**theirs_of(lines[key]), "times": count})
        for key, count in times.items()
        if count > 1
    ]


def theirs_of(row: BillRow) -> Side:
    side: Side = {
        "amount_fen": row.amount_fen,
        "transaction_id": row.transaction_id,
        "at_s": row.at_s,
    }
    if row.kind is BillKind.REFUND:
        side |= {"out_trade_no": row.out_trade_no, "status": row.refund_status.value}
    return side | ({"mismatch": row.mismatch} if row.mismatch else {})


def _of_payment(
    row: BillRow, order: OrderItem | None, method: str
) -> tuple[Side, list[Difference]]:
    payment = order.view().payments.get(row.out_trade_no[-2:]) if order else None
    if order is None or payment is None:
        return {}, [Difference.UNKNOWN_PAYMENT]
    ours: Side = {
        "status": payment.status.value,
        "amount_fen": payment.amount_fen,
        "transaction_id": payment.transaction_id,
        "at_s": payment.paid_at_s,
        "method": payment.method,
    }
    if payment.method != method:
        return ours, [Difference.WRONG_GATEWAY]
    if payment.amount_fen != row.amount_fen:
        return ours, [Difference.PAYMENT_AMOUNT]
    if payment.status is not PaymentStatus.SUCCEEDED:
        return ours, [Difference.PAYMENT_UNHEARD]
    return ours, _of_known_payment(row, payment)


def _of_known_payment(row: BillRow, payment: Payment) -> list[Difference]:
    found = []
    if payment.transaction_id != row.transaction_id:
        found.append(Difference.TRANSACTION)
    apart_s = abs(payment.paid_at_s - row.at_s)
    if day_of(payment.paid_at_s) != day_of(row.at_s) and apart_s > CLOCKS_APART_S:
        found.append(Difference.PAYMENT_DAY)
    return found


def _of_refund(row: BillRow, order: OrderItem | None, method: str) -> tuple[Side, list[Difference]]:
    key = refund_of_line(row, order) if order else None
    known = order.view() if order else None
    if known is None or key is None or key not in known.refunds:
        by_hand = known is not None and key is None and made_by_hand(row, known) is not None
        return {}, [Difference.REFUND_BY_HAND if by_hand else Difference.UNKNOWN_REFUND]
    refund, payment = known.refunds[key], known.payments[key[:ATTEMPT_LENGTH]]
    ours: Side = {
        "status": refund.status.value,
        "amount_fen": refund.amount_fen,
        "method": payment.method,
    }
    if payment.method != method:
        return ours, [Difference.WRONG_GATEWAY]
    if order and row.out_refund_no != order.refund_number(key):
        refunded = row.refund_status is port.RefundStatus.SUCCEEDED
        return ours, [Difference.REFUNDED_TWICE] if refunded else []
    if refund.amount_fen != row.amount_fen:
        return ours, [Difference.REFUND_AMOUNT]
    return ours, _of_known_refund(row, refund)


def made_by_hand(row: BillRow, order: Order) -> str | None:
    """The key of the one refund that needs a person and that a line under a number which is not
    ours could be; None when there is none, or more than one."""
    done = row.refund_status is port.RefundStatus.SUCCEEDED
    fitting = [
        key
        for key, refund in order.refunds.items()
        if refund.trouble_at_s
        and key[:ATTEMPT_LENGTH] == row.out_trade_no[-ATTEMPT_LENGTH:]
        and refund.amount_fen == row.amount_fen
    ]
    return fitting[0] if done and len(fitting) == 1 else None


def _of_known_refund(row: BillRow, refund: Refund) -> list[Difference]:
    if refund.status is RefundStatus.OUTSIDE:
        refunded = row.refund_status is port.RefundStatus.SUCCEEDED
        return [Difference.REFUNDED_TWICE] if refunded else []
    confirmed = refund.status is RefundStatus.SUCCEEDED
    if row.refund_status is port.RefundStatus.SUCCEEDED and not confirmed:
        return [Difference.REFUND_UNHEARD]
    if row.refund_status in NOT_MADE and confirmed:
        return [Difference.REFUND_NOT_MADE]
    return []  # what is under way is asked about by the jobs
