"""Requesting the refund of an order that was to be fulfilled, or was: after-sale's one way to it.

The refund, its ledger entry, the units that go back and the state that the order is in then are
one write of the order; what goes back to the stock and to the buyer's limit is written with it.
"""

from dataclasses import replace

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.domain.after_sale import AfterSaleRefused, check_units_back
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
from chalicelib.services import timeouts
from chalicelib.services.catalogue import reservations
from chalicelib.services.fulfilment import shipping
from chalicelib.services.orders import orders
from chalicelib.tables.base import LostRace, Writes
from chalicelib.tables.trade import OrderItem, entered, orders_list
from chalicelib.tables.trade_item import listed


def request(
    writes: Writes,
    order: OrderItem,
    letter: str,
    amount_fen: int,
    units_back: int,
    *,
    came_back: int = 0,
    on_sale: int = 0,
    reserved: int = 0,
    to_product: bool,
    condition: Condition,
    now_s: int,
) -> None:
    """Request the refund of `amount_fen` under `letter`, and put `units_back` on sale again.

    came_back: units that the buyer has sent back in a return; `units_back` are of them then, else
    of all that have not gone back. on_sale: how many of `units_back` are on sale already. reserved:
    units of an exchange's replacement, which go back to the product with the others. When nothing
    is left of the order (Order.is_given_back) it is `refunding`, and its buyer's limit is free
    again; when its last units will not be sent, it is `shipped`. Raises AfterSaleRefused, or
    InvalidRequest for the units.
    """
    known = order.view()
    seat = known.seat_payment
    if seat is None:
        raise AfterSaleRefused
    check_units_back(known, units_back, came_back=came_back)
    key = seat[0] + letter
    starts_s = _may_start_s(known, now_s)
    refund = Refund(RefundStatus.REQUESTED, amount_fen, at_s=now_s, next_at_s=starts_s)
    after = replace(
        known,
        refunds={**known.refunds, key: refund},
        units=(
            known.units.sent_back(came_back) if came_back else known.units.given_back(units_back)
        ),
        return_by_s=0,
        disputed=False,
    )
    after, moved = _moved(writes, order, after, now_s)
    writes.update(
        order,
        [
            OrderItem.refunds[key].set(entry_of(refund)),
            OrderItem.after_sale.remove(),
            OrderItem.return_by_s.remove(),
            *entered(Entry(key, Movement.REFUND_REQUESTED, amount_fen, now_s)),
            *_gone_back(order, after, units_back),
            *moved,
            *order.due_next(after),
        ],
        condition=(OrderItem.status == order.status)
        & order.units_as_read()
        & order.marker_as_read()
        & condition,
        refuse=LostRace,
    )
    units = units_back - on_sale + reserved
    if units:
        to_product = to_product or order.group_id is None or reserved > 0
        reservations.give_back(writes, orders.shelf_of(order), units, to_product=to_product)


def _gone_back(order: OrderItem, after: Order, units_back: int) -> list[Action]:
    if after.units == order.units:
        return []
    return [
        OrderItem.returned.set((order.returned or 0) + units_back),
        OrderItem.cancelled.set(after.units.cancelled),
        OrderItem.brought_back.set(after.units.brought_back),
    ]


def _moved(
    writes: Writes, order: OrderItem, after: Order, now_s: int
) -> tuple[Order, list[Action]]:
    """The order in the state that it has with its refund, and the actions that bring it there."""
    if after.is_given_back:
        was_given_back = after.status in (OrderStatus.REFUNDING, OrderStatus.REFUNDED)
        after = replace(after, status=OrderStatus.REFUNDING)
        if order.limited and not was_given_back:
            reservations.uncount_limit(
                writes, order.merchant_id, order.buyer_id, order.activity_id, order.quantity
            )
        refunding = orders_list(order.merchant_id, OrderStatus.REFUNDING)
        return after, [OrderItem.status.set(after.status.value), *listed(refunding)]
    if after.status is OrderStatus.FULFILLING and after.units.to_deliver == 0:
        return shipping.all_sent(order, after, now_s=now_s)  # the rest will not be sent
    return after, []


def _may_start_s(order: Order, now_s: int) -> int:
    """Gateways want a while between two refunds of one payment, so each waits for the one before,
    which may have waited itself."""
    earlier = sorted(
        refund.at_s
        for key, refund in order.refunds.items()
        if reason_of(key) is RefundReason.AFTER_SALE
    )
    free_s = 0
    for at_s in earlier:
        free_s = max(at_s, free_s) + timeouts.BETWEEN_REFUNDS_S
    return max(now_s, free_s)
