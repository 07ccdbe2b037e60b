"""What each capture means, decided once.

A capture takes its held seat, or it is late: then the money is recorded and its refund
requested in one write, and the order stays as it is. A closed order is never revived.
"""

from dataclasses import replace
from enum import StrEnum

from chalicelib.domain import group as group_rules
from chalicelib.domain import order_transitions
from chalicelib.domain.group import GroupStatus
from chalicelib.domain.ids import split_out_trade_no
from chalicelib.domain.order import Order, OrderStatus, Payment, PaymentStatus
from chalicelib.errors import Conflict, NotFound
from chalicelib.gateways.payment import Trade
from chalicelib.services import timeouts
from chalicelib.services.orders import orders, state_changes
from chalicelib.tables.base import LostRace, retried, transaction
from chalicelib.tables.trade import GroupItem, OrderItem


class Outcome(StrEnum):
    """What a capture turned out to mean."""

    PAID = "paid"  # it took its seat; or the whole order, when bought alone
    FORMED = "formed"  # and it was the last seat
    LATE = "late"  # it found no seat and is refunded
    DUPLICATE = "duplicate"  # it was known


class WrongAmount(Conflict):
    """A capture of another amount than the order's: nothing is changed, a person has to look."""

    code = "wrong_amount"
    default_message = "付款金额与订单不符。"


class WrongAccount(Conflict):
    """A statement by another account than that which the payment was begun with: nothing is
    changed, a person has to look."""

    code = "wrong_account"
    default_message = "这笔付款不是用这个收款账户发起的。"


def record(
    merchant_id: str, trade: Trade, method: str, *, account: str = "", now_s: int
) -> Outcome:
    """Decide what a capture means, once: however often it is told, it has one effect.

    account: of the merchant's, at which it was captured. Raises NotFound for a number that is not
    ours, WrongAmount when it is not the order's amount, WrongAccount when it is not the attempt's.
    """
    parts = split_out_trade_no(trade.out_trade_no)
    if parts is None:
        raise NotFound
    order_id, attempt = parts
    captured = Payment(
        status=PaymentStatus.SUCCEEDED,
        method=method,
        amount_fen=trade.amount_fen,
        at_s=now_s,
        transaction_id=trade.transaction_id,
        paid_at_s=trade.paid_at_s,
        account=account,
        payer=trade.payer,
    )

    def decide() -> Outcome:
        order, group = orders.with_group(merchant_id, order_id, trade.attach or None)
        known = order.view()
        check_account(known, attempt, method, account)
        if known.is_succeeded(attempt):
            return Outcome.DUPLICATE
        asked = known.payments.get(attempt)
        expected_fen = asked.amount_fen if asked else order.total_fen
        if expected_fen != captured.amount_fen:
            raise WrongAmount(expected_fen=expected_fen, captured_fen=captured.amount_fen)
        payment = replace(captured, channel=asked.channel) if asked else captured
        if payment.amount_fen != order.total_fen:  # it was made cheaper since: one too many
            return _record_late(order, attempt, payment, now_s)
        in_time = group is None or group_rules.payment_counts(
            group.view(), paid_at_s=payment.paid_at_s, grace_s=timeouts.GRACE_S
        )
        if known.status is not OrderStatus.PENDING or not in_time:
            return _record_late(order, attempt, payment, now_s)
        if group is None:
            return _pay_alone(order, attempt, payment, now_s)
        return _pay_seat(order, group, attempt, payment, now_s)

    return retried(decide)


def check_account(order: Order, attempt: str, method: str, account: str) -> None:
    """Raises WrongAccount when the attempt was begun with another account, or elsewhere."""
    begun = order.payments.get(attempt)
    if begun is not None and (begun.method, begun.account) != (method, account):
        raise WrongAccount(attempt=attempt, account=begun.account, heard_from=account)


def _pay_seat(
    order: OrderItem, group: GroupItem, attempt: str, payment: Payment, now_s: int
) -> Outcome:
    """The capture takes its held seat: order and group together.

    The order keeps its due marker until the capture is in the day book and its buyer has been
    told; the driver of due work does both.
    """
    before = group.view()
    change = group_rules.seat_paid(before, now_s=now_s)
    condition = GroupItem.status == change.was.value
    if change.status is GroupStatus.FORMED:
        condition &= GroupItem.seats_paid == before.seats_paid
    elif change.was is GroupStatus.OPEN:
        # An inequality: other members may pay meanwhile without failing this one.
        condition &= GroupItem.seats_paid < before.seats_total - 1
    paid = order_transitions.seat_paid(order.view(), attempt, payment, now_s=now_s)
    with transaction() as writes:
        state_changes.write(writes, order, paid, condition=OrderItem.group_id == group.group_id)
        actions = state_changes.group_actions(group, change)
        writes.update(group, actions, condition=condition, refuse=LostRace)
    return Outcome.FORMED if change.status is GroupStatus.FORMED else Outcome.PAID


def _pay_alone(order: OrderItem, attempt: str, payment: Payment, now_s: int) -> Outcome:
    """The capture pays an order without a group: it is to be fulfilled at once.

    It keeps its due marker until the capture is in the day book.
    """
    paid = order_transitions.paid_alone(order.view(), attempt, payment, now_s=now_s)
    state_changes.write_alone(order, paid)
    return Outcome.PAID


def _record_late(order: OrderItem, attempt: str, payment: Payment, now_s: int) -> Outcome:
    """Money without a seat: record it and request its refund, in one item.

    The order's state stays as it is: settling or release still closes a pending order. Where there
    is no money, nothing was paid: recorded, it would read as the payment that took the seat.
    """
    if payment.amount_fen:
        late = order_transitions.captured_late(order.view(), attempt, payment, now_s=now_s)
        state_changes.write_alone(order, late)
    return Outcome.LATE
