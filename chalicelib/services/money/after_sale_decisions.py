"""What staff decide about after-sale: an approval is a refund like any other, from then on.

It puts the refund, its ledger entry, what comes back to the stock and the audit row into one
transaction. The group stays formed, its other members are untouched.
"""

from collections.abc import Mapping
from dataclasses import replace

from pynamodb.expressions.update import Action

from chalicelib.domain import after_sale as rules
from chalicelib.domain.after_sale import AfterSaleRefused, AfterSaleStatus
from chalicelib.domain.ids import OrderId
from chalicelib.domain.ledger import Entry, Movement
from chalicelib.domain.order import (
    Order,
    OrderStatus,
    Refund,
    RefundReason,
    RefundStatus,
    entry_of,
    reason_of,
)
from chalicelib.errors import InvalidRequest
from chalicelib.services.fulfilment import shipping
from chalicelib.services.money import after_sales
from chalicelib.services.people.audit import audit
from chalicelib.services.trade import news, orders, reservations, waits
from chalicelib.tables.base import LostRace, Writes, retried, transaction
from chalicelib.tables.buyers import AfterSaleItem
from chalicelib.tables.trade import OrderItem, entered, orders_list
from chalicelib.tables.trade_item import listed


def approve(
    merchant_id: str,
    order_id: OrderId,
    letter: str,
    *,
    amount_fen: int,
    units_back: int,
    staff: str,
    now_s: int,
) -> AfterSaleItem:
    """Approve a request, for what was asked or for less, and return units to the stock.

    When all of the order has gone back it is `refunding` from then on, and its buyer's limit is
    free again. A repeat changes nothing. Raises NotFound, AfterSaleRefused when it was decided
    otherwise, InvalidRequest for the amount or the units.
    """

    def step(to_product: bool) -> AfterSaleItem:
        order, asked = after_sales.read(merchant_id, order_id, letter)
        if (asked.status, asked.amount_fen, asked.units_back) == (
            AfterSaleStatus.APPROVED,
            amount_fen,
            units_back,
        ):
            return asked
        after_sales.check_open(asked)
        known = order.view()
        rules.check_request(known, amount_fen, now_s=now_s)
        if amount_fen > asked.amount_fen:
            raise InvalidRequest(
                "退款金额不能超过买家申请的金额。", field="amount_fen", max=asked.amount_fen
            )
        _check_units(order, units_back)
        decided = {
            "status": AfterSaleStatus.APPROVED.value,
            "amount_fen": amount_fen,
            "units_back": units_back,
        }
        with transaction() as writes:
            after_sales.decide(
                writes,
                asked,
                AfterSaleStatus.APPROVED,
                [
                    AfterSaleItem.amount_fen.set(amount_fen),
                    AfterSaleItem.units_back.set(units_back),
                ],
                now_s,
            )
            _refund(writes, order, letter, amount_fen, units_back, now_s)
            if units_back:
                shelf = orders.shelf_of(order)
                alone = order.group_id is None
                reservations.give_back(writes, shelf, units_back, to_product=to_product or alone)
            before = {"status": asked.status, "amount_fen": asked.amount_fen, "units_back": 0}
            _audit(writes, asked, "after_sale_approved", before, decided, staff, now_s)
        return after_sales.read(merchant_id, order_id, letter)[1]

    return retried(lambda: reservations.giving_back(step))


def refuse(
    merchant_id: str, order_id: OrderId, letter: str, *, reply: str, staff: str, now_s: int
) -> AfterSaleItem:
    """Refuse a request; its buyer is told `reply`. Raises NotFound, AfterSaleRefused."""

    def step() -> AfterSaleItem:
        order, asked = after_sales.read(merchant_id, order_id, letter)
        if (asked.status, asked.reply) == (AfterSaleStatus.REFUSED, reply):
            return asked
        after_sales.check_open(asked)
        after = {"status": AfterSaleStatus.REFUSED.value, "reply": reply}
        with transaction() as writes:
            after_sales.decide(
                writes, asked, AfterSaleStatus.REFUSED, [AfterSaleItem.reply.set(reply)], now_s
            )
            after_sales.forget(writes, order, letter)
            news.put_after_sale_refused(writes, order, letter, reply, now_s=now_s)
            _audit(
                writes, asked, "after_sale_refused", {"status": asked.status}, after, staff, now_s
            )
        return after_sales.read(merchant_id, order_id, letter)[1]

    return retried(step)


def _check_units(order: OrderItem, units_back: int) -> None:
    most = order.quantity - (order.returned or 0)
    if not 0 <= units_back <= most:
        raise InvalidRequest(f"退回库存应在 0 到 {most} 件之间。", field="units_back", max=most)


def _refund(
    writes: Writes, order: OrderItem, letter: str, amount_fen: int, units_back: int, now_s: int
) -> None:
    """Request the refund of `amount_fen`; the order is `refunding` when nothing is left of it."""
    known = order.view()
    seat = known.seat_payment
    if seat is None:
        raise AfterSaleRefused
    key = seat[0] + letter
    starts_s = _may_start_s(known, now_s)
    refund = Refund(RefundStatus.REQUESTED, amount_fen, at_s=now_s, next_at_s=starts_s)
    after = replace(known, refunds={**known.refunds, key: refund}, disputed=False)
    actions: list[Action] = [
        OrderItem.refunds[key].set(entry_of(refund)),
        OrderItem.after_sale.remove(),
        *entered(Entry(key, Movement.REFUND_REQUESTED, amount_fen, now_s)),
    ]
    if units_back:
        actions.append(OrderItem.returned.set((order.returned or 0) + units_back))
    if after.refundable_fen == 0:
        after = replace(after, status=OrderStatus.REFUNDING)
        actions.append(OrderItem.status.set(OrderStatus.REFUNDING.value))
        actions += listed(orders_list(order.merchant_id, OrderStatus.REFUNDING))
        if order.limited:
            reservations.uncount_limit(
                writes, order.merchant_id, order.buyer_id, order.activity_id, order.quantity
            )
    elif order.shipped and known.status is OrderStatus.FULFILLING and order.to_ship <= units_back:
        after, sent = shipping.all_sent(order, after, now_s=now_s)  # the rest will not be sent
        actions += sent
    writes.update(
        order,
        [*actions, *order.due_next(after)],
        condition=(OrderItem.status == order.status)
        & (OrderItem.after_sale == letter)
        & order.marker_as_read(),
        refuse=lambda old: LostRace(),
    )


def _may_start_s(order: Order, now_s: int) -> int:
    """Gateways want a while between two refunds of one payment."""
    earlier = [
        refund.at_s + waits.BETWEEN_REFUNDS_S
        for key, refund in order.refunds.items()
        if reason_of(key) is RefundReason.AFTER_SALE
    ]
    return max([now_s, *earlier])


def _audit(
    writes: Writes,
    asked: AfterSaleItem,
    action: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
    staff: str,
    now_s: int,
) -> None:
    subject = f"after_sale#{asked.order_id}{asked.letter}"
    audit(writes, asked.merchant_id, staff, action, subject, before, after, now_s)
