"""What a buyer reads of an order besides its state: in which tabs it stands, what they can do next,
which steps it has taken."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.after_sale import PERIOD_S, AfterSaleRefused, check_period
from chalicelib.domain.ledger import Entry, Movement
from chalicelib.domain.order import Order, OrderStatus, RefundReason, reason_of
from chalicelib.errors import Conflict
from chalicelib.text import Text


class Tab(StrEnum):
    """A part of a buyer's orders; one that is refunded in part stands in two."""

    TO_PAY = "to_pay"
    WAITING = "waiting"  # for its group
    TO_SHIP = "to_ship"
    TO_RECEIVE = "to_receive"  # on its way, or in the store
    AFTER_SALE = "after_sale"  # money goes back, or went; or a request is open


TAB_OF = {
    OrderStatus.PENDING: Tab.TO_PAY,
    OrderStatus.PAID: Tab.WAITING,
    OrderStatus.FULFILLING: Tab.TO_SHIP,
    OrderStatus.SHIPPED: Tab.TO_RECEIVE,
    OrderStatus.READY_FOR_PICKUP: Tab.TO_RECEIVE,
}


class NextAction(StrEnum):
    """What a buyer can do about an order, the next best one first."""

    PAY = "pay"
    INVITE = "invite"
    SEE_AFTER_SALE = "see_after_sale"  # that is open: what the order waits for
    RECEIVE = "receive"  # say that all has come
    TRACK = "track"
    PICK_UP = "pick_up"
    URGE = "urge"  # ask the shop to hurry
    SEE_REFUND = "see_refund"
    CANCEL = "cancel"
    ASK_AFTER_SALE = "ask_after_sale"
    BUY_AGAIN = "buy_again"


@dataclass(frozen=True)
class Surroundings:
    """What an order's actions depend on besides it. joinable: its group takes members; alone: its
    buyer leads it and nobody else is in it."""

    joinable: bool = False
    alone: bool = False
    urged_at_s: int = 0
    now_s: int = 0


URGE_EVERY_S = 86400
NOT_TO_URGE = {
    OrderStatus.PENDING: "订单还没有付款。",
    OrderStatus.PAID: "还没有成团，成团后商家才会发货。",
    OrderStatus.SHIPPED: "商品已全部发出，可以查看快递单号。",
    OrderStatus.READY_FOR_PICKUP: "商品已备好，请到门店出示取货码。",
}
_BY_STATUS = {
    OrderStatus.SHIPPED: (NextAction.RECEIVE, NextAction.TRACK),
    OrderStatus.READY_FOR_PICKUP: (NextAction.PICK_UP,),
}
_OVER = (
    OrderStatus.COMPLETED,
    OrderStatus.CLOSED,
    OrderStatus.REFUNDING,
    OrderStatus.REFUNDED,
)


def tabs_of(order: Order) -> set[Tab]:
    tabs = {TAB_OF[order.status]} if order.status in TAB_OF else set()
    refunded = any(_is_own(order, key) for key in order.refunds if not _is_rebate(key))
    return tabs | {Tab.AFTER_SALE} if refunded or order.disputed else tabs


def waiting_in(order: Order) -> set[Tab]:
    """The tabs in which an order waits for something: money that has arrived is nothing to wait
    for, though the order still stands among those of after-sale."""
    tabs = tabs_of(order)
    settled = all(refund.is_done for refund in order.refunds.values()) and not order.disputed
    return tabs - {Tab.AFTER_SALE} if settled else tabs


def actions_of(order: Order, around: Surroundings) -> list[NextAction]:
    """What its buyer can do, as the services would allow it now."""
    can = set(_BY_STATUS.get(order.status, ()))
    if order.status is OrderStatus.PENDING and around.now_s < order.pay_by_s:
        can |= {NextAction.PAY, NextAction.CANCEL}
    if order.status is OrderStatus.PAID and around.joinable:
        can |= {NextAction.INVITE, NextAction.CANCEL} if around.alone else {NextAction.INVITE}
    with suppress(Conflict):
        check_urge(order, around.urged_at_s, now_s=around.now_s)
        can.add(NextAction.URGE)
    if order.units.shipped:
        can.add(NextAction.TRACK)
    if order.disputed:  # the shop hands nothing over, and sends nothing, until it is decided
        can -= {NextAction.PICK_UP}
        can.add(NextAction.SEE_AFTER_SALE)
    else:
        with suppress(AfterSaleRefused):
            check_period(order, now_s=around.now_s, period_s=PERIOD_S)
            can.add(NextAction.ASK_AFTER_SALE)
    if any(_is_own(order, key) for key in order.refunds):
        can.add(NextAction.SEE_REFUND)
    if order.status in _OVER:
        can.add(NextAction.BUY_AGAIN)
    return [action for action in NextAction if action in can]


def _is_own(order: Order, refund_key: str) -> bool:
    """Whether it is money of the order itself that goes back, in whole or in part."""
    return not order.is_surplus(refund_key)


def _is_rebate(refund_key: str) -> bool:
    return reason_of(refund_key) is RefundReason.REBATE


def check_urge(order: Order, urged_at_s: int, *, now_s: int) -> None:
    """Return only when its buyer may ask the shop to hurry: once in a day, while there is something
    to be shipped or made ready. Raises Conflict."""
    if order.status is not OrderStatus.FULFILLING:
        words = NOT_TO_URGE.get(order.status, "订单已结束，没有要发的商品。")
        raise Conflict(words, state=order.status.value)
    if order.disputed:
        raise Conflict("售后处理完商家才能继续发货，请先等商家处理，或撤销申请。")
    if now_s < urged_at_s + URGE_EVERY_S:
        hours = -(-(urged_at_s + URGE_EVERY_S - now_s) // 3600)
        raise Conflict(
            Text("已提醒过商家，{hours} 小时后可以再次提醒。", hours=hours),
            again_at_s=urged_at_s + URGE_EVERY_S,
        )


class Step(StrEnum):
    PLACED = "placed"
    PAID = "paid"
    FORMED = "formed"
    SHIPPED = "shipped"  # the first parcel
    READY = "ready"  # in the store
    RECEIVED = "received"
    FAILED = "failed"  # its group
    CLOSED = "closed"
    REFUNDED = "refunded"


def steps_of(
    order: Order,
    entries: Iterable[Entry],
    *,
    placed_at_s: int,
    delivered_at_s: int | None,
    in_group: bool,
) -> list[tuple[Step, int | None]]:
    """The way of an order with the time of each step; None: it has not come, or nobody noted when.

    An order that ended otherwise shows the steps that it took, and how it ended. delivered_at_s:
    when the first parcel was sent, or the order lay ready in its store.
    """
    times = {(entry.movement, entry.of[2:]): entry.at_s for entry in entries}
    seat = order.seat_payment
    way = [
        (Step.PLACED, placed_at_s),
        (Step.PAID, seat[1].paid_at_s if seat else None),
        (Step.FORMED, times.get((Movement.EARNED, ""))),
        (Step.READY if order.pickup else Step.SHIPPED, delivered_at_s),
        (Step.RECEIVED, order.received_at_s or None),
    ]
    steps = [step for step in way if in_group or step[0] is not Step.FORMED]
    if order.status not in (OrderStatus.CLOSED, OrderStatus.REFUNDING, OrderStatus.REFUNDED):
        return steps
    taken = [step for step in steps if step[1] is not None]
    failed = times.get((Movement.REFUND_REQUESTED, RefundReason.FAILED_GROUP.value))
    if failed is not None:
        taken.append((Step.FAILED, failed))
    if order.status is OrderStatus.CLOSED:
        return [*taken, (Step.CLOSED, None)]
    back = (Movement.REFUNDED, Movement.REFUNDED_OUTSIDE)
    done = [at_s for (movement, _), at_s in times.items() if movement in back]
    ended = order.status is OrderStatus.REFUNDED and done
    return [*taken, (Step.REFUNDED, max(done) if ended else None)]
