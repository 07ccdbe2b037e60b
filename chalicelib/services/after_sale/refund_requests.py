"""Requesting the refund of an order that was to be fulfilled, or was: after-sale's one way to it.

The refund, its ledger entry, the units that go back and the state that the order is in then are
one write of the order; what goes back to the stock and to the buyer's limit is written with it.
"""

from pynamodb.expressions.condition import Condition

from chalicelib.domain.order import OrderStatus
from chalicelib.domain.order_transitions import refund_requested
from chalicelib.services import timeouts
from chalicelib.services.catalogue import reservations
from chalicelib.services.orders import order_release, state_changes
from chalicelib.services.people import shop_cache
from chalicelib.tables.base import Writes
from chalicelib.tables.trade import OrderItem


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
    change = refund_requested(
        known,
        letter,
        amount_fen,
        units_back,
        came_back=came_back,
        starts_s=timeouts.refund_may_start_s(known, now_s=now_s),
        receive_by_s=shop_cache.receive_by_s(order.merchant_id, now_s),
        now_s=now_s,
    )
    state_changes.write(writes, order, change, condition=condition)
    given_back = change.moves and change.after.status is OrderStatus.REFUNDING
    if order.limited and given_back and known.status is not OrderStatus.REFUNDED:
        reservations.uncount_limit(
            writes, order.merchant_id, order.buyer_id, order.activity_id, order.quantity
        )
    units = units_back - on_sale + reserved
    if units:
        to_product = to_product or not order.has_shelf or reserved > 0
        reservations.give_back(writes, order_release.shelf_of(order), units, to_product=to_product)
