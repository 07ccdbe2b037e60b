"""What goes back of the orders of a group that has formed, by the terms that it was opened under.

It follows from what never changes again: the terms, how many seats were paid when the group formed,
what each order's goods cost. So every run of settling asks for the same.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from chalicelib.domain.activity import Terms
from chalicelib.domain.coupon import LEAST_PAID_FEN
from chalicelib.domain.group import GroupStatus
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.pricing import Price, price_of
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.orders import orders
from chalicelib.tables.trade import GroupItem, OrderItem


class Rebate(NamedTuple):
    """What goes back of an order, of what its goods cost."""

    amount_fen: int = 0
    goods_fen: int = 0


NO_REBATE = Rebate()


def of_group(group: GroupItem, waiting: Sequence[OrderItem]) -> dict[str, Rebate]:
    """What goes back of which of the orders that wait for the group, by order id."""
    if group.status != GroupStatus.FORMED:
        return {}
    terms = catalogue_cache.version(group.merchant_id, group.activity_id, group.version)
    paid = [order for order in waiting if order.status == OrderStatus.PAID]
    if terms.leader_free:
        led = (order for order in paid if order.buyer_id == group.leader_id)
        goods = {str(order.order_id): goods_fen_of(order, price) for order, price in _priced(led)}
        return {order_id: Rebate(goods_fen, goods_fen) for order_id, goods_fen in goods.items()}
    return _of_tier(terms, group, paid)


def _of_tier(terms: Terms, group: GroupItem, paid: Sequence[OrderItem]) -> dict[str, Rebate]:
    """What the tier that the group has reached gives back. A fen of the goods stays paid, however
    little they cost with a coupon: the order is not free."""
    if not terms.off_fen(group.seats_paid):
        return {}
    found = {}
    for order, price in _priced(paid):
        goods_fen = goods_fen_of(order, price)
        unit_fen = terms.rebate_fen(
            group.seats_paid,
            order.sku_id,
            price.unit_price_fen,
            leads=bool(order.led) or order.buyer_id == group.leader_id,
        )
        back_fen = max(min(unit_fen * order.quantity, goods_fen - LEAST_PAID_FEN), 0)
        found[str(order.order_id)] = Rebate(back_fen, goods_fen)
    return found


def _priced(bought: Iterable[OrderItem]) -> list[tuple[OrderItem, Price]]:
    return [
        (order, price_of(detail.lines.as_dict())) for order, detail in orders.with_details(bought)
    ]


def goods_fen_of(order: OrderItem, price: Price) -> int:
    """What was paid for the goods of an order: all but the freight."""
    return max(order.total_fen - price.freight_fen, 0)
