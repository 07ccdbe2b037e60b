"""What can happen to an order, and what becomes of it then: the one place where its state changes.

Each public function is one event. It takes the order as it is and returns the Transition that the
event makes; services.orders.state_changes writes it, with the list that the order then stands in
and the work that is due next. Where an event cannot happen, it is refused in words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from chalicelib.domain import pickup
from chalicelib.domain.after_sale import AfterSaleRefused, check_units_back
from chalicelib.domain.coupon import LEAST_PAID_FEN
from chalicelib.domain.ledger import Entry, Movement
from chalicelib.domain.levels import growth_of
from chalicelib.domain.order import (
    Order,
    OrderStatus,
    Payment,
    Refund,
    RefundReason,
    RefundStatus,
)
from chalicelib.domain.points import PointsMove, move_of
from chalicelib.errors import Changed


class Event(StrEnum):
    """What moves an order from one state to another."""

    SEAT_PAID = "seat_paid"
    PAID_ALONE = "paid_alone"  # it has no group to wait for
    RELEASED = "released"  # unpaid: at its pay-by time, cancelled, or with its group
    GROUP_FORMED = "group_formed"
    GROUP_FAILED = "group_failed"
    FREE_GROUP_FAILED = "free_group_failed"  # nothing was paid, so nothing goes back
    ALL_SENT = "all_sent"  # the last units were shipped, or will not be
    MADE_READY = "made_ready"
    HANDED_OVER = "handed_over"
    RECEIVED = "received"
    GIVEN_BACK = "given_back"  # all of its money, or all of its units, after-sale
    REFUNDED = "refunded"  # the gateway confirmed all that was to go back


# What is not here cannot happen.
MOVES: Mapping[Event, Mapping[OrderStatus, OrderStatus]] = {
    Event.SEAT_PAID: {OrderStatus.PENDING: OrderStatus.PAID},
    Event.PAID_ALONE: {OrderStatus.PENDING: OrderStatus.FULFILLING},
    Event.RELEASED: {OrderStatus.PENDING: OrderStatus.CLOSED},
    Event.GROUP_FORMED: {OrderStatus.PAID: OrderStatus.FULFILLING},
    Event.GROUP_FAILED: {OrderStatus.PAID: OrderStatus.REFUNDING},
    Event.FREE_GROUP_FAILED: {OrderStatus.PAID: OrderStatus.REFUNDED},
    Event.ALL_SENT: {OrderStatus.FULFILLING: OrderStatus.SHIPPED},
    Event.MADE_READY: {OrderStatus.FULFILLING: OrderStatus.READY_FOR_PICKUP},
    Event.HANDED_OVER: {OrderStatus.READY_FOR_PICKUP: OrderStatus.COMPLETED},
    Event.RECEIVED: {OrderStatus.SHIPPED: OrderStatus.COMPLETED},
    Event.GIVEN_BACK: {
        OrderStatus.FULFILLING: OrderStatus.REFUNDING,
        OrderStatus.SHIPPED: OrderStatus.REFUNDING,
        OrderStatus.READY_FOR_PICKUP: OrderStatus.REFUNDING,
        OrderStatus.COMPLETED: OrderStatus.REFUNDING,
        OrderStatus.REFUNDING: OrderStatus.REFUNDING,
        OrderStatus.REFUNDED: OrderStatus.REFUNDING,  # more of what was kept goes back
    },
    Event.REFUNDED: {OrderStatus.REFUNDING: OrderStatus.REFUNDED},
}

# The published edges: the checker of laws holds every observed change to them.
STATUS_EDGES: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    before: frozenset(
        moves[before] for moves in MOVES.values() if moves.get(before, before) is not before
    )
    for before in OrderStatus
}


@dataclass(frozen=True)
class Transition:
    """An order before and after an event. Times are seconds since the epoch."""

    before: Order
    after: Order
    entries: tuple[Entry, ...] = ()  # of its ledger
    at_s: int = 0  # its rank in the list of its first paid state
    happened_at_s: int = 0  # when; of events with which something of its buyer's may move
    # Whether the due work is set to what follows from `after`. Where not, the order keeps its
    # marker, and whoever drives it (services.work.due) sets the next one.
    marks_due: bool = True

    @property
    def moves(self) -> bool:
        return self.before.status is not self.after.status

    @property
    def completes(self) -> bool:
        """Whether the order is completed by it, or, once completed, goes back."""
        completed = OrderStatus.COMPLETED
        return (self.before.status is completed) != (self.after.status is completed)

    @property
    def gives_coupon_back(self) -> bool:
        return self.before.holds_coupon and not self.after.holds_coupon

    @property
    def points(self) -> PointsMove:
        """What the order gives back of the points that it was bought with, and has earned."""
        return move_of(self.before, self.after)

    @property
    def growth(self) -> int:
        """What the order adds to its buyer's growth; below zero: takes back."""
        return growth_of(self.after) - growth_of(self.before)

    @property
    def moves_of_buyer(self) -> bool:
        """Whether something of its buyer's changes with it: their coupon, points or growth."""
        return self.gives_coupon_back or bool(self.points) or self.growth != 0


def attempt_stored(order: Order, attempt: str, payment: Payment) -> Transition:
    """An attempt to pay was begun, or its gateway has spoken of it; nothing was captured."""
    return Transition(order, _with_payments(order, {attempt: payment}))


def seat_paid(order: Order, attempt: str, payment: Payment, *, now_s: int) -> Transition:
    """The capture takes the seat that the order holds."""
    paid = _moved(_with_payments(order, {attempt: payment}), Event.SEAT_PAID)
    return Transition(order, paid, (_captured(attempt, payment),), now_s, marks_due=False)


def paid_alone(order: Order, attempt: str, payment: Payment, *, now_s: int) -> Transition:
    """The capture pays an order that has no group: it is to be fulfilled."""
    paid = _moved(_with_payments(order, {attempt: payment}), Event.PAID_ALONE)
    earned = Entry(attempt, Movement.EARNED, payment.amount_fen, now_s)
    return Transition(order, paid, (_captured(attempt, payment), earned), now_s, marks_due=False)


def captured_late(order: Order, attempt: str, payment: Payment, *, now_s: int) -> Transition:
    """The capture found no seat: its refund is requested, the order's state stays as it is."""
    key = attempt + RefundReason.LATE_PAYMENT
    late = _with_payments(order, {attempt: payment})
    late, owed = _refund_requested(late, key, payment.amount_fen, now_s, starts_s=now_s)
    return Transition(order, late, (_captured(attempt, payment), owed))


def released(
    order: Order, closed: Mapping[str, Payment] | None = None, *, now_s: int
) -> Transition:
    """The unpaid order is closed, with those of its attempts that the gateway has `closed`.

    An attempt that was recorded as paid meanwhile is not overwritten.
    """
    after = _with_payments(order, _still_created(order, closed or {}))
    return Transition(order, _moved(after, Event.RELEASED), happened_at_s=now_s)


def price_lowered(order: Order, total_fen: int, closed: Mapping[str, Payment]) -> Transition:
    """The unpaid order costs `total_fen`; attempts at the old price are `closed`."""
    after = _with_payments(order, _still_created(order, closed))
    return Transition(order, replace(after, total_fen=total_fen))


def group_formed(
    order: Order, *, rebate_fen: int = 0, goods_fen: int = 0, now_s: int
) -> Transition:
    """The order's group has formed: it is to be fulfilled, its money is earned.

    rebate_fen: what goes back of it by the terms of the group. One fen stays paid, so that
    after-sale has something to give back. goods_fen: what the goods cost: as much as goes back
    where they are free.
    """
    paid = order.seat_payment
    earned = [Entry(paid[0], Movement.EARNED, paid[1].amount_fen, now_s)] if paid else []
    formed = _moved(order, Event.GROUP_FORMED)
    back_fen = min(rebate_fen, paid[1].amount_fen - LEAST_PAID_FEN) if paid else 0
    if paid is None or back_fen <= 0:
        return Transition(order, formed, tuple(earned), marks_due=False)
    key, whole = paid[0] + RefundReason.REBATE, rebate_fen == goods_fen
    formed, owed = _refund_requested(formed, key, back_fen, now_s, starts_s=now_s, whole=whole)
    return Transition(order, formed, (*earned, owed))


def rebated(order: Order, letter: str, amount_fen: int, *, starts_s: int, now_s: int) -> Transition:
    """What the people of an activity give back of the order is requested; the order goes on.

    letter: of the tier that they reach. starts_s: when the gateway may be asked.
    """
    paid = order.seat_payment
    if paid is None:
        raise Changed("订单刚刚有了变化，请刷新后再试。", state=order.status.value)
    after, owed = _refund_requested(order, paid[0] + letter, amount_fen, now_s, starts_s=starts_s)
    return Transition(order, after, (owed,), happened_at_s=now_s)


def group_failed(order: Order, *, now_s: int) -> Transition:
    """The order's group failed: the payment that took its seat is refunded."""
    paid = order.seat_payment
    if paid is None or not paid[1].amount_fen:
        free = _moved(order, Event.FREE_GROUP_FAILED)
        return Transition(order, free, happened_at_s=now_s)
    key = paid[0] + RefundReason.FAILED_GROUP
    after = _moved(order, Event.GROUP_FAILED)
    after, owed = _refund_requested(after, key, paid[1].amount_fen, now_s, starts_s=now_s)
    return Transition(order, after, (owed,), happened_at_s=now_s)


def refund_requested(
    order: Order,
    letter: str,
    amount_fen: int,
    units_back: int,
    *,
    came_back: int = 0,
    starts_s: int,
    receive_by_s: int,
    now_s: int,
) -> Transition:
    """After-sale gives `amount_fen` back; `units_back` of the order's units are on sale again.

    came_back: units that the buyer has sent back in a return; `units_back` are of them then, else
    of all that have not gone back. starts_s: when the gateway may be asked. receive_by_s: when the
    rest counts as received, if this leaves nothing to send. Raises AfterSaleRefused, or
    InvalidRequest for the units.
    """
    seat = order.seat_payment
    if seat is None:
        raise AfterSaleRefused
    check_units_back(order, units_back, came_back=came_back)
    units = order.units
    units = units.sent_back(came_back, units_back) if came_back else units.given_back(units_back)
    after = replace(order, units=units, return_by_s=0, after_sale="")
    after, owed = _refund_requested(after, seat[0] + letter, amount_fen, now_s, starts_s=starts_s)
    if after.is_given_back:
        after = _moved(after, Event.GIVEN_BACK)
    elif after.status is OrderStatus.FULFILLING and after.units.to_deliver == 0:
        after = _all_sent(after, receive_by_s)  # the rest will not be sent
    return Transition(order, after, (owed,), happened_at_s=now_s)


def refund_stored(order: Order, key: str, refund: Refund, *, at_s: int) -> Transition:
    """A refund's gateway, or a member of staff, has spoken; what is done was done at `at_s`."""
    after = replace(order, refunds={**order.refunds, key: refund})
    if after.status is OrderStatus.REFUNDING and after.is_refunded:
        after = _moved(after, Event.REFUNDED)
    if not refund.is_done:
        return Transition(order, after)
    outside = refund.status is RefundStatus.OUTSIDE
    movement = Movement.REFUNDED_OUTSIDE if outside else Movement.REFUNDED
    return Transition(order, after, (Entry(key, movement, refund.amount_fen, at_s),))


def shipped(order: Order, units: int, *, receive_by_s: int) -> Transition:
    """A parcel with `units` was sent; with the last ones the order waits for its receipt."""
    sent = replace(order.units, shipped=order.units.shipped + units)
    after = replace(order, units=sent)
    return Transition(order, _all_sent(after, receive_by_s) if not sent.to_deliver else after)


def made_ready(order: Order) -> Transition:
    """The order lies in its store. Raises PickupRefused."""
    pickup.check_readiness(order)
    return Transition(order, _moved(order, Event.MADE_READY))


def handed_over(order: Order, *, now_s: int) -> Transition:
    """All that is left of the order was handed over in its store. Raises PickupRefused."""
    pickup.check_hand_over(order)
    units = replace(order.units, handed_over=order.units.to_deliver)
    after = _moved(replace(order, units=units, received_at_s=now_s), Event.HANDED_OVER)
    return Transition(order, after, happened_at_s=now_s)


def received(order: Order, *, now_s: int) -> Transition:
    """The shipped order has reached its buyer."""
    after = _moved(replace(order, received_at_s=now_s), Event.RECEIVED)
    return Transition(order, after, happened_at_s=now_s)


def after_sale_requested(order: Order, letter: str) -> Transition:
    """Its buyer asks for after-sale: the order names the request as long as it is open."""
    if order.after_sale:
        raise Changed("这个订单已有一个售后申请在处理，请刷新后再看。")
    return Transition(order, replace(order, after_sale=letter))


def after_sale_ended(order: Order) -> Transition:
    """The open request ended without a refund: the order goes on as it was."""
    return Transition(order, replace(order, after_sale="", return_by_s=0))


def return_awaited(order: Order, by_s: int) -> Transition:
    """About its open request, the order waits for its buyer until `by_s`; 0: no more."""
    return Transition(order, replace(order, return_by_s=by_s))


def _moved(order: Order, event: Event) -> Order:
    """The order in the state that the event brings it to. Raises Changed where it cannot happen."""
    status = MOVES[event].get(order.status)
    if status is None:
        raise Changed("订单刚刚有了变化，请刷新后再试。", state=order.status.value)
    return replace(order, status=status)


def _all_sent(order: Order, receive_by_s: int) -> Order:
    return _moved(replace(order, receive_by_s=receive_by_s), Event.ALL_SENT)


def _with_payments(order: Order, payments: Mapping[str, Payment]) -> Order:
    return replace(order, payments={**order.payments, **payments})


def _still_created(order: Order, closed: Mapping[str, Payment]) -> dict[str, Payment]:
    return {attempt: closed[attempt] for attempt in order.created_attempts if attempt in closed}


def _refund_requested(
    order: Order, key: str, amount_fen: int, now_s: int, *, starts_s: int, whole: bool = False
) -> tuple[Order, Entry]:
    requested = RefundStatus.REQUESTED
    refund = Refund(requested, amount_fen, at_s=now_s, next_at_s=starts_s, whole=whole)
    owed = Entry(key, Movement.REFUND_REQUESTED, amount_fen, now_s)
    return replace(order, refunds={**order.refunds, key: refund}), owed


def _captured(attempt: str, payment: Payment) -> Entry:
    return Entry(attempt, Movement.CAPTURED, payment.amount_fen, payment.paid_at_s)
