"""Payments: asking a gateway for them, and deciding once what each capture means.

A capture takes its held seat, or it is late: then the money is recorded and its refund
requested in one write, and the order stays as it is. A closed order is never revived.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from pynamodb.expressions.update import Action

from chalicelib.domain import group as group_rules
from chalicelib.domain.group import Group, GroupStatus
from chalicelib.domain.ids import ATTEMPTS_MAX, OrderId, out_trade_no, split_out_trade_no
from chalicelib.domain.order import (
    Intent,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
    entry_of,
)
from chalicelib.errors import AlreadyPaid, Conflict, GroupClosed, NotFound, OrderClosed
from chalicelib.gateways import secrets
from chalicelib.gateways.directory import payment_gateway
from chalicelib.gateways.payment import GatewayRefused, PaymentGateway, Prepay, Trade, TradeStatus
from chalicelib.services import groups, orders, waits
from chalicelib.tables.base import LostRace, retried, transaction, update_one
from chalicelib.tables.trade import (
    GroupItem,
    OrderItem,
    groups_list,
    listed,
    orders_list,
)

FREE = "free"  # the method of an order of 0 fen: no gateway is asked
FREE_ATTEMPT = "00"
PREPAY_TRIES_MAX = 2


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


@dataclass(frozen=True)
class Asked:
    """What a client needs to ask its buyer for the money; nothing when the order is paid."""

    paid: bool
    parameters: dict[str, str]


def ask(merchant_id: str, order_id: OrderId, method: str, *, now_s: int) -> Asked:
    """Begin or go on with the payment of a pending order by `method`.

    The attempt is recorded before the gateway hears of it, so that a lost answer loses nothing.
    Raises NotFound, OrderClosed, GroupClosed, AlreadyPaid, GatewayFailed.
    """
    for _ in range(PREPAY_TRIES_MAX):
        order, buyer = orders.with_buyer(merchant_id, order_id)
        _check_payable(order.view(), now_s)
        expires_at_s = _payable_until(order, now_s)
        if order.total_fen == 0:
            free = _free_trade(order, now_s)
            if record(merchant_id, free, FREE, now_s=now_s) is Outcome.LATE:
                raise OrderClosed
            return Asked(paid=True, parameters={})
        gateway = payment_gateway(merchant_id, method)
        attempt = retried(lambda: _begin_attempt(merchant_id, order_id, method, now_s))
        try:
            prepay = _prepay_of(order, attempt, buyer.openid, expires_at_s)
            return Asked(paid=False, parameters=gateway.prepay(prepay, now_s=now_s))
        except GatewayRefused as refused:
            _after_refusal(order, attempt, gateway, refused, now_s)
    raise OrderClosed


def record(merchant_id: str, trade: Trade, method: str, *, now_s: int) -> Outcome:
    """Decide what a capture means, once: however often it is told, it has one effect.

    Raises NotFound for a number that is not ours, WrongAmount when it is not the order's amount.
    """
    parts = split_out_trade_no(trade.out_trade_no)
    if parts is None:
        raise NotFound
    order_id, attempt = parts
    payment = Payment(
        status=PaymentStatus.SUCCEEDED,
        method=method,
        amount_fen=trade.amount_fen,
        at_s=now_s,
        transaction_id=trade.transaction_id,
        paid_at_s=trade.paid_at_s,
    )

    def decide() -> Outcome:
        order, group = orders.with_group(merchant_id, order_id, trade.attach or None)
        known = order.view()
        if known.is_succeeded(attempt):
            return Outcome.DUPLICATE
        if order.total_fen != payment.amount_fen:
            raise WrongAmount(expected_fen=order.total_fen, captured_fen=payment.amount_fen)
        in_time = group is None or group_rules.payment_counts(
            group.view(), paid_at_s=payment.paid_at_s, grace_s=waits.GRACE_S
        )
        if known.status is not OrderStatus.PENDING or not in_time:
            return _record_late(order, attempt, payment, now_s)
        if group is None:
            return _pay_alone(order, attempt, payment, now_s)
        return _pay_seat(order, group, attempt, payment, now_s)

    return retried(decide)


def resolve(order: OrderItem, attempt: str, *, closing: bool, now_s: int) -> Payment:
    """Ask the gateway about one created attempt, and close it there when `closing`.

    A capture is recorded at once. Returns the attempt as it is now: succeeded, closed, or
    created with the time to ask again. Raises GatewayFailed when the gateway does not answer.
    """
    payment = order.view().payments[attempt]
    gateway = payment_gateway(order.merchant_id, payment.method)
    number = out_trade_no(order.order_id, attempt)
    trade = gateway.query(number)
    if trade.status is TradeStatus.SUCCEEDED:
        record(order.merchant_id, trade, payment.method, now_s=now_s)
        return replace(payment, status=PaymentStatus.SUCCEEDED, query_at_s=0)
    if closing and trade.status is TradeStatus.UNPAID:
        gateway.close(number)
    # What the gateway has never heard of can be paid only if it is asked for again.
    if closing or trade.status is TradeStatus.CLOSED:
        return replace(payment, status=PaymentStatus.CLOSED, query_at_s=0)
    return replace(payment, query_at_s=waits.next_query_s(payment.at_s, now_s=now_s))


def _check_payable(order: Order, now_s: int) -> None:
    if order.status is OrderStatus.CLOSED:
        raise OrderClosed
    if order.status is not OrderStatus.PENDING:
        raise AlreadyPaid("订单已付款，不用再付。")
    if now_s >= order.pay_by_s:
        raise OrderClosed("没有在时间内付款，名额已释放。请重新下单。")


def _begin_attempt(merchant_id: str, order_id: OrderId, method: str, now_s: int) -> str:
    """The attempt under way with `method`, or a new one, recorded with the time to ask about it."""
    order = orders.get(merchant_id, order_id)
    known = order.view()
    _check_payable(known, now_s)
    for attempt, payment in known.created_attempts.items():
        if payment.method == method:
            return attempt
    number = len(known.payments) + 1
    if number > ATTEMPTS_MAX:
        raise OrderClosed
    attempt = f"{number:02d}"
    payment = Payment(
        status=PaymentStatus.CREATED,
        method=method,
        amount_fen=order.total_fen,
        at_s=now_s,
        query_at_s=now_s + waits.QUERY_AFTER_S,
    )
    after = replace(known, payments={**known.payments, attempt: payment})
    update_one(
        order,
        [OrderItem.payments[attempt].set(entry_of(payment)), *order.due_next(after)],
        condition=(OrderItem.status == OrderStatus.PENDING.value)
        & OrderItem.payments[attempt].does_not_exist()
        & order.marker_as_read(),
        refuse=LostRace,
    )
    return attempt


def _payable_until(order: OrderItem, now_s: int) -> int:
    """Until when paying makes sense: while the seat is held and its group takes payments."""
    group = groups.find(order.merchant_id, order.group_id) if order.group_id else None
    if group is None:
        return order.pay_by_s
    view = group.view()
    if not group_rules.payment_counts(view, paid_at_s=now_s, grace_s=waits.GRACE_S):
        raise GroupClosed("这个团已结束，不用再付款。可以自己开一个团。")
    last_s = view.ends_at_s if view.expires_at_s is None else view.expires_at_s + waits.GRACE_S
    return min(order.pay_by_s, last_s)


def _prepay_of(order: OrderItem, attempt: str, openid: str, expires_at_s: int) -> Prepay:
    return Prepay(
        out_trade_no=out_trade_no(order.order_id, attempt),
        amount_fen=order.total_fen,
        description=order.title,
        payer=openid,
        attach=order.group_id or "",
        expires_at_s=expires_at_s,
        notify_url=callback_url(order.merchant_id, "payments"),
    )


def _free_trade(order: OrderItem, now_s: int) -> Trade:
    """What nothing costs is paid without a gateway, and decided by the same rules."""
    number = out_trade_no(order.order_id, FREE_ATTEMPT)
    attach = order.group_id or ""
    return Trade(number, TradeStatus.SUCCEEDED, paid_at_s=now_s, attach=attach)


def callback_url(merchant_id: str, what: str) -> str:
    """Where a gateway calls back: `what` is payments or refunds."""
    return f"{secrets.secret('public-api-url')}/v1/callbacks/wechat-pay/{merchant_id}/{what}"


def _after_refusal(
    order: OrderItem, attempt: str, gateway: PaymentGateway, refused: GatewayRefused, now_s: int
) -> None:
    """The gateway would not have the attempt: perhaps it is paid, or closed; it knows."""
    trade = gateway.query(out_trade_no(order.order_id, attempt))
    if trade.status is TradeStatus.SUCCEEDED:
        record(order.merchant_id, trade, gateway.method, now_s=now_s)
        raise AlreadyPaid("订单已付款，不用再付。") from refused
    if trade.status is not TradeStatus.CLOSED:
        raise refused
    payment = orders.get(order.merchant_id, order.order_id).view().payments[attempt]
    store_attempt(order, attempt, replace(payment, status=PaymentStatus.CLOSED, query_at_s=0))


def store_attempt(order: OrderItem, attempt: str, stored: Payment) -> None:
    """Store what the gateway said of a created attempt, with the marker that follows from it."""

    def step() -> None:
        current = orders.get(order.merchant_id, order.order_id)
        known = current.view()
        if known.payments[attempt].status is not PaymentStatus.CREATED:
            return
        after = replace(known, payments={**known.payments, attempt: stored})
        update_one(
            current,
            [OrderItem.payments[attempt].set(entry_of(stored)), *current.due_next(after)],
            condition=(OrderItem.payments[attempt]["status"] == PaymentStatus.CREATED.value)
            & (OrderItem.status == current.status)
            & current.marker_as_read(),
            refuse=LostRace,
        )

    retried(step)


def _pay_seat(
    order: OrderItem, group: GroupItem, attempt: str, payment: Payment, now_s: int
) -> Outcome:
    """The capture takes its held seat: order and group together.

    The order keeps its due marker until its buyer has been told; the driver of due work tells.
    """
    before = group.view()
    after = group_rules.after_payment(before, now_s=now_s)
    condition = GroupItem.status == before.status.value
    if after.status is GroupStatus.FORMED:
        condition &= GroupItem.seats_paid == before.seats_paid
    elif before.status is GroupStatus.OPEN:
        # An inequality: other members may pay meanwhile without failing this one.
        condition &= GroupItem.seats_paid < before.seats_total - 1
    paid = orders_list(order.merchant_id, OrderStatus.PAID)
    with transaction() as writes:
        writes.update(
            order,
            [
                OrderItem.status.set(OrderStatus.PAID.value),
                OrderItem.payments[attempt].set(entry_of(payment)),
                *listed(paid, f"{now_s:010d}#{order.order_no}"),
            ],
            condition=(OrderItem.status == OrderStatus.PENDING.value)
            & (OrderItem.group_id == group.group_id),
            refuse=LostRace,
        )
        writes.update(
            group, _group_actions(group, before, after, now_s), condition=condition, refuse=LostRace
        )
    return Outcome.FORMED if after.status is GroupStatus.FORMED else Outcome.PAID


def _group_actions(group: GroupItem, before: Group, after: Group, now_s: int) -> list[Action]:
    actions: list[Action] = [GroupItem.seats_paid.add(1)]
    if after.status is before.status:
        return actions
    actions.append(GroupItem.status.set(after.status.value))
    if after.status is GroupStatus.OPEN:
        expires_at_s = after.expires_at_s or now_s
        shard = group.list_shard
        key = groups_list(group.merchant_id, group.activity_id, after.status, shard)
        actions.append(GroupItem.expires_at_s.set(expires_at_s))
        actions += listed(key, f"{expires_at_s:010d}#{group.group_id}")
        return actions + group.due(Intent.GROUP, expires_at_s + waits.GRACE_S)
    # Formed: due now, to be settled.
    actions.append(GroupItem.decided_at_s.set(now_s))
    actions += listed(groups_list(group.merchant_id, group.activity_id, after.status))
    return actions + group.due(Intent.GROUP, now_s)


def _pay_alone(order: OrderItem, attempt: str, payment: Payment, now_s: int) -> Outcome:
    """The capture pays an order without a group: it is to be fulfilled at once."""
    to_fulfil = orders_list(order.merchant_id, OrderStatus.FULFILLING)
    known = order.view()
    after = replace(
        known,
        status=OrderStatus.FULFILLING,
        payments={**known.payments, attempt: payment},
    )
    update_one(
        order,
        [
            OrderItem.status.set(OrderStatus.FULFILLING.value),
            OrderItem.payments[attempt].set(entry_of(payment)),
            *order.due_next(after),
            *listed(to_fulfil, f"{now_s:010d}#{order.order_no}"),
        ],
        condition=(OrderItem.status == OrderStatus.PENDING.value) & order.marker_as_read(),
        refuse=LostRace,
    )
    return Outcome.PAID


def _record_late(order: OrderItem, attempt: str, payment: Payment, now_s: int) -> Outcome:
    """Money without a seat: record it and request its refund, in one item.

    The order's state stays as it is: settling or release still closes a pending order.
    """
    actions: list[Action] = [OrderItem.payments[attempt].set(entry_of(payment))]
    condition = (
        OrderItem.payments[attempt].does_not_exist()
        | (OrderItem.payments[attempt]["status"] != PaymentStatus.SUCCEEDED.value)
    ) & order.marker_as_read()
    if payment.amount_fen:
        refund = Refund(RefundStatus.REQUESTED, payment.amount_fen, at_s=now_s, next_at_s=now_s)
        key = attempt + RefundReason.LATE_PAYMENT
        actions += [OrderItem.refunds[key].set(entry_of(refund)), *order.due(Intent.REFUND, now_s)]
    update_one(order, actions, condition=condition, refuse=LostRace)
    return Outcome.LATE
