"""How many unpaid orders a buyer may have: each holds units that nobody else can buy.

The orders of a buyer are registered in one item, in the transaction that places them, and the
condition is the size of that register. Nothing takes an order out again when it is paid or
closed: an order that has left `pending` never comes back to it, so whoever meets a full register
reads those orders, and puts the new one in place of those that are no longer unpaid.

A person who was merged from several buyers buys as one of them. What the others have unpaid is
only read: nothing is bought as one of them any more, which this very item refuses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pynamodb.expressions.condition import size
from pynamodb.expressions.update import Action

from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import OrderStatus
from chalicelib.errors import Busy, SessionSuperseded, UnpaidOrdersLimit
from chalicelib.services.people import shop_cache
from chalicelib.tables.base import TRIES_MAX, Writes, as_read, get_or_none, retried
from chalicelib.tables.buyers import UnpaidOrdersItem
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem
from chalicelib.text import Text

_T = TypeVar("_T")


@dataclass(frozen=True)
class Register:
    """A buyer's register. listed: the order numbers in it; None while it is unread. unpaid: those
    still unpaid. ids: how many the person has. elsewhere: order ids unpaid under the others."""

    ids: int = 1
    elsewhere: tuple[str, ...] = ()
    listed: frozenset[str] | None = None
    unpaid: frozenset[str] = frozenset()


class _Full(Exception):
    """The register has no room, or is no longer as it was read. `old`: as it is now."""

    def __init__(self, old: UnpaidOrdersItem | None) -> None:
        super().__init__("register full")
        self.old = old


def within_limit(
    merchant_id: str,
    buyer_id: str,
    step: Callable[[Register], _T],
    *,
    check: Callable[[], None] | None = None,
    other_ids: Sequence[str] = (),
    now_s: int,
) -> _T:
    """Run `step` with the register unread, and with it as read as long as it had no room.

    check: looks at the buyer's orders, with the register read before, so that `step` is refused
    when another order was placed since. other_ids: of the same person. Raises what `check` does;
    UnpaidOrdersLimit when the person has as many unpaid orders as the shop allows;
    SessionSuperseded when they have other ids by now; Busy when other orders of the same buyer were
    faster each time.
    """
    register = Register(1 + len(other_ids), _unpaid_elsewhere(merchant_id, other_ids))
    if check is not None:
        old = get_or_none(UnpaidOrdersItem.at(merchant_id, buyer_id))
        register = _as_read(merchant_id, buyer_id, register, old)
        check()
    for _ in range(TRIES_MAX):
        try:
            return step(register)
        except _Full as full:
            register = _as_read(merchant_id, buyer_id, register, full.old)
        if check is not None:
            check()
        limit = shop_cache.merchant(merchant_id, now_s).unpaid_orders_max
        unpaid = [buyer_id + number for number in sorted(register.unpaid)]
        unpaid += register.elsewhere
        if len(unpaid) >= limit:
            words = "你有 {count} 个订单还没付款，请先付款或取消，再下新的订单。"
            raise UnpaidOrdersLimit(Text(words, count=len(unpaid)), limit=limit, order_ids=unpaid)
    raise Busy


def _as_read(
    merchant_id: str, buyer_id: str, register: Register, old: UnpaidOrdersItem | None
) -> Register:
    if (old.ids if old and old.ids is not None else 1) != register.ids:
        raise SessionSuperseded
    listed = frozenset(old.orders or ()) if old else frozenset()
    return replace(register, listed=listed, unpaid=_unpaid(merchant_id, buyer_id, listed))


def register(
    writes: Writes, merchant_id: str, order_id: OrderId, register: Register, *, limit: int
) -> None:
    """Register an order that is placed in the same transaction."""
    number = order_id.order_no
    if register.listed is None:
        action: Action = UnpaidOrdersItem.orders.add({number})
        room = limit - len(register.elsewhere)
        condition = size(UnpaidOrdersItem.orders) < room
        if room > 0:
            condition = UnpaidOrdersItem.orders.does_not_exist() | condition
    else:
        action = UnpaidOrdersItem.orders.set({*register.unpaid, number})
        listed = set(register.listed)
        condition = UnpaidOrdersItem.orders == listed
        if not listed:
            condition = UnpaidOrdersItem.orders.does_not_exist()
    one_person = as_read(UnpaidOrdersItem.ids, register.ids if register.ids > 1 else None)
    writes.update(
        UnpaidOrdersItem.at(merchant_id, order_id.buyer_id),
        [action, UnpaidOrdersItem.kind.set(UnpaidOrdersItem)],
        condition=condition & one_person,
        refuse=_Full,
    )


def _unpaid_elsewhere(merchant_id: str, other_ids: Sequence[str]) -> tuple[str, ...]:
    keys = [(UnpaidOrdersItem.at(merchant_id, one).pk, "holds") for one in other_ids]
    found = list(TradeItem.batch_get(keys, consistent_read=True)) if keys else []
    listed = {
        item.pk.rpartition("#")[2]: frozenset(item.orders or ())
        for item in found
        if isinstance(item, UnpaidOrdersItem)
    }
    unpaid = {one: _unpaid(merchant_id, one, numbers) for one, numbers in listed.items()}
    return tuple(one + number for one, numbers in unpaid.items() for number in sorted(numbers))


def _unpaid(merchant_id: str, buyer_id: str, listed: frozenset[str]) -> frozenset[str]:
    """Those of the listed orders that are unpaid."""
    orders = [OrderItem.at(merchant_id, OrderId(buyer_id, number)) for number in sorted(listed)]
    keys = [(order.pk, order.sk) for order in orders]
    found = retried(lambda: list(TradeItem.batch_get(keys, consistent_read=True))) if keys else []
    return frozenset(
        order.order_no
        for order in found
        if isinstance(order, OrderItem) and order.status == OrderStatus.PENDING
    )
