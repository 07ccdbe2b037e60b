"""How many unpaid orders a buyer may have: each holds units that nobody else can buy.

The orders of a buyer are registered in one item, in the transaction that places them, and the
condition is the size of that register. Nothing takes an order out again when it is paid or
closed: an order that has left `pending` never comes back to it, so whoever meets a full register
reads those orders, and puts the new one in place of those that are no longer unpaid.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pynamodb.expressions.condition import size
from pynamodb.expressions.update import Action

from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import OrderStatus
from chalicelib.errors import Busy, UnpaidOrdersLimit
from chalicelib.services.people import shop_cache
from chalicelib.tables.base import TRIES_MAX, Writes, retried
from chalicelib.tables.buyers import UnpaidOrdersItem
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem
from chalicelib.text import Text

_T = TypeVar("_T")


@dataclass(frozen=True)
class Register:
    """A buyer's register as it was read: the order numbers in it, and those still unpaid."""

    listed: frozenset[str]
    unpaid: frozenset[str]


class _Full(Exception):
    """The register has no room, or is no longer as it was read. `old`: as it is."""

    def __init__(self, old: UnpaidOrdersItem) -> None:
        super().__init__("register full")
        self.old = old


def within_limit(
    merchant_id: str, buyer_id: str, step: Callable[[Register | None], _T], *, now_s: int
) -> _T:
    """Run `step(None)`, and `step(register)` as long as the register had no room.

    Raises UnpaidOrdersLimit when the buyer has as many unpaid orders as the shop allows; Busy
    when other orders of the same buyer were faster each time.
    """
    register = None
    for _ in range(TRIES_MAX):
        try:
            return step(register)
        except _Full as full:
            listed = frozenset(full.old.orders)
        register = _read(merchant_id, buyer_id, listed)
        limit = shop_cache.merchant(merchant_id, now_s).unpaid_orders_max
        if len(register.unpaid) >= limit:
            raise UnpaidOrdersLimit(
                Text(
                    "你有 {count} 个订单还没付款，请先付款或取消，再下新的订单。",
                    count=len(register.unpaid),
                ),
                limit=limit,
                order_ids=[buyer_id + number for number in sorted(register.unpaid)],
            )
    raise Busy


def register(
    writes: Writes, merchant_id: str, order_id: OrderId, register: Register | None, *, limit: int
) -> None:
    """Register an order that is placed in the same transaction."""
    number = order_id.order_no
    if register is None:
        action: Action = UnpaidOrdersItem.orders.add({number})
        condition = UnpaidOrdersItem.orders.does_not_exist() | (
            size(UnpaidOrdersItem.orders) < limit
        )
    else:
        action = UnpaidOrdersItem.orders.set({*register.unpaid, number})
        condition = UnpaidOrdersItem.orders == set(register.listed)
    writes.update(
        UnpaidOrdersItem.at(merchant_id, order_id.buyer_id),
        [action, UnpaidOrdersItem.kind.set(UnpaidOrdersItem)],
        condition=condition,
        refuse=_Full,
    )


def _read(merchant_id: str, buyer_id: str, listed: frozenset[str]) -> Register:
    orders = [OrderItem.at(merchant_id, OrderId(buyer_id, number)) for number in sorted(listed)]
    keys = [(order.pk, order.sk) for order in orders]
    found = retried(lambda: list(TradeItem.batch_get(keys, consistent_read=True)))
    unpaid = {
        order.order_no
        for order in found
        if isinstance(order, OrderItem) and order.status == OrderStatus.PENDING
    }
    return Register(listed, frozenset(unpaid))
