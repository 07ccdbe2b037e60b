"""Pickup in a store: staff make an order ready, its buyer shows a code, staff hand it over.

The code is told to the buyer alone; staff meet it when it is shown to them.
"""

import secrets
from contextlib import AbstractContextManager

from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.order_transitions import handed_over, made_ready
from chalicelib.domain.pickup import CODE_LENGTH
from chalicelib.domain.texts import TextKey
from chalicelib.errors import Busy, NotFound
from chalicelib.services.orders import notifications, order_search, orders, state_changes
from chalicelib.services.people import brute_force_guard
from chalicelib.services.people.audit import audit_item
from chalicelib.tables.base import LostRace, Writes, retried, transaction
from chalicelib.tables.records import FoundOrderItem, found_by
from chalicelib.tables.trade import OrderDetailItem, OrderItem
from chalicelib.tables.trade_item import TradeItem

CODE_TRIES_MAX = 8
SHARING_MAX = 10  # orders that a code has ever stood for: one, but for a chance of one in millions
MADE_READY = (OrderStatus.READY_FOR_PICKUP, OrderStatus.COMPLETED)

Ready = tuple[OrderItem, OrderDetailItem]


def make_ready(merchant_id: str, order_id: OrderId, *, staff: str, now_s: int) -> Ready:
    """An order can be collected: its state, its code, the message to its buyer, all or none.

    A repeat changes nothing. Raises NotFound, PickupRefused or Busy.
    """

    def step() -> Ready:
        order, detail = orders.detail(merchant_id, order_id)
        known = order.view()
        if known.pickup and known.status in MADE_READY:
            return order, detail
        ready = made_ready(known)
        code = _new_code(merchant_id)
        with transaction() as writes:
            state_changes.write(writes, order, ready)
            writes.update(
                detail,
                [
                    OrderDetailItem.pickup_code.set(code),
                    OrderDetailItem.ready_at_s.set(now_s),
                    OrderDetailItem.ready_by.set(staff),
                ],
                condition=OrderDetailItem.pk.exists(),  # the order tells that it has no code yet
                refuse=LostRace,
            )
            order_search.add_word(writes, order, order_search.code_word(code))
            store = _store_name(detail)
            notifications.put(writes, order, TextKey.READY, now_s=now_s, code=code, store=store)
            _audit(writes, order, "order_ready", staff, now_s)
        return orders.detail(merchant_id, order_id)

    return retried(step)


def find(merchant_id: str, code: str) -> Ready:
    """The order that was made ready under `code`, with its detail. Raises NotFound."""
    word = found_by(merchant_id, order_search.code_word(code))
    rows = list(FoundOrderItem.query(word, consistent_read=True, limit=SHARING_MAX))
    ids = [parsed for row in rows if (parsed := OrderId.parse(row.order_id))]
    keys = [
        key
        for order_id in ids
        for key in (
            OrderItem.at(merchant_id, order_id),
            OrderDetailItem.at(merchant_id, order_id),
        )
    ]
    found: list[TradeItem] = []
    if keys:
        found = list(TradeItem.batch_get([(k.pk, k.sk) for k in keys], consistent_read=True))
    details = {(d.pk, d.order_no): d for d in found if isinstance(d, OrderDetailItem)}
    here = [
        (order, details[order.pk, order.order_no])
        for order in found
        if isinstance(order, OrderItem) and (order.pk, order.order_no) in details
    ]
    if not here:
        raise NotFound("没有这个取货码，请核对后再输一次。")
    # What still waits comes before what had the same code once.
    return max(here, key=lambda ready: (_waits(ready[0]), ready[1].ready_at_s or 0))


def look_up(merchant_id: str, code: str, *, staff: str, now_s: int) -> Ready:
    """As `find`. Wrong codes of one member of staff are counted: raises TooManyRequests."""
    with _judged(merchant_id, staff, now_s):
        return find(merchant_id, code)


def hand_over(merchant_id: str, code: str, *, staff: str, now_s: int) -> Ready:
    """Hand over the order of `code`: it is completed. A repeat answers the same.

    Raises NotFound for a wrong code, TooManyRequests after too many, PickupRefused or Busy.
    """

    def step() -> Ready:
        order, detail = find(merchant_id, code)
        known = order.view()
        if known.status is OrderStatus.COMPLETED:
            return order, detail
        handed = handed_over(known, now_s=now_s)
        units = handed.after.units.handed_over
        with transaction() as writes:
            state_changes.write(writes, order, handed)
            _audit(writes, order, "order_handed_over", staff, now_s, units=units)
        return orders.detail(merchant_id, order.order_id)

    with _judged(merchant_id, staff, now_s):
        return retried(step)


def _judged(merchant_id: str, staff: str, now_s: int) -> AbstractContextManager[None]:
    kind = brute_force_guard.PICKUP_CODES
    return brute_force_guard.guarded(kind, merchant_id, staff, wrong=NotFound, now_s=now_s)


def _waits(order: OrderItem) -> bool:
    return bool(order.status == OrderStatus.READY_FOR_PICKUP)


def _new_code(merchant_id: str) -> str:
    """A code that no order of the merchant's has had. It is asked for, never guessed from another.

    Two orders that are made ready in the same instant get the same one by a chance of one in
    100 million; staff then see which order is whose by its name.
    """
    for _ in range(CODE_TRIES_MAX):
        code = f"{secrets.randbelow(10**CODE_LENGTH):0{CODE_LENGTH}d}"
        word = found_by(merchant_id, order_search.code_word(code))
        if not list(FoundOrderItem.query(word, consistent_read=True, limit=1)):
            return code
    raise Busy


def _store_name(detail: OrderDetailItem) -> str:
    return str(detail.store.as_dict()["name"]) if detail.store is not None else ""


def _audit(
    writes: Writes, order: OrderItem, action: str, staff: str, now_s: int, **more: int
) -> None:
    after = {"status": action.removeprefix("order_"), **more}
    audit_item(writes, order, staff, action, {"status": order.status}, after, now_s)
