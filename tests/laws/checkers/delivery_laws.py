"""Laws of delivery: what sending adds to an order's price, and who collects what by which code."""

from collections import Counter
from collections.abc import Callable, Iterator

from chalicelib.domain.order import Delivery, OrderStatus
from chalicelib.domain.texts import TextKey
from chalicelib.services.orders import notifications, order_search
from chalicelib.tables.records import FoundOrderItem, found_by
from chalicelib.tables.trade import OrderDetailItem, OrderItem
from tests.fixtures.table_snapshot import GIVEN_BACK, TO_FULFIL, TableSnapshot

Violations = Iterator[str]
READY = OrderStatus.READY_FOR_PICKUP
DELIVERED = {OrderStatus.SHIPPED, OrderStatus.COMPLETED}
AFTER_READY = {READY, OrderStatus.COMPLETED} | GIVEN_BACK


def freight(snapshot: TableSnapshot) -> Violations:
    """What an order costs is its units and its freight; what is collected has none."""
    for order_id, order, detail in _both(snapshot):
        lines = detail.lines.as_dict()
        goods_fen = lines["unit_price_fen"] * order.quantity - lines.get("reduction_fen", 0)
        goods_fen -= lines.get("coupon_fen", 0) + lines.get("points_fen", 0)
        freight_fen = lines["freight_fen"]
        discount_fen = lines.get("discount_fen", 0)
        if (discount_fen > 0) != bool(detail.price_changes):
            yield f"11 amounts: order {order_id}: {discount_fen} fen off, {detail.price_changes}"
        if freight_fen < 0 or order.total_fen != goods_fen + freight_fen - discount_fen:
            text = f"{order.total_fen} fen, goods {goods_fen}, freight {freight_fen}"
            yield f"11 amounts: order {order_id} is of {text}"
        collected = detail.delivery == Delivery.PICKUP
        if collected != bool(order.pickup) or collected != (detail.store is not None):
            yield f"9 pickup: order {order_id} and its detail differ about pickup"
        if collected and freight_fen:
            yield f"11 amounts: order {order_id} is collected and pays {freight_fen} fen of freight"


def pickup(snapshot: TableSnapshot) -> Violations:
    """An order is ready exactly when it has its code, which leads to it, and its buyer knows."""
    rows = Counter(
        (item.pk, item.order_id) for item in snapshot.items if isinstance(item, FoundOrderItem)
    )
    for order_id in snapshot.orders.keys() & snapshot.details.keys():
        order, detail = snapshot.orders[order_id], snapshot.details[order_id]
        code = detail.pickup_code
        what = f"9 pickup: {order.status} order {order_id}"
        ready = order.status == READY or (order.pickup and order.status == OrderStatus.COMPLETED)
        if code is None:
            if ready:
                yield f"{what} has no code"
            continue
        if not order.pickup or order.status not in AFTER_READY:
            yield f"{what} has a code"
        if rows[found_by(snapshot.merchant_id, order_search.code_word(code)), order_id] != 1:
            yield f"{what} is not found by its code"
        stages = {message.sk.split("#")[2] for message in snapshot.messages.get(order_id, ())}
        if notifications.STAGES[TextKey.READY] not in stages:
            yield f"24 messages: order {order_id} is ready, and its buyer does not know"


def units(snapshot: TableSnapshot) -> Violations:
    """Every unit is in one place: what is back on sale is delivered to nobody."""
    for order_id, order in snapshot.orders.items():
        where, back = order.units, order.returned or 0
        what = f"20 units: {order.status} order {order_id}"
        if min(where.to_deliver, where.with_buyer, where.cancelled, where.brought_back) < 0:
            yield f"{what}: {where}"
        if not where.cancelled <= back <= where.cancelled + where.brought_back:
            yield f"{what}: {back} units are back on sale, {where}"
        handed = order.pickup and order.received_at_s is not None
        if bool(where.handed_over) != bool(handed) or (order.pickup and where.shipped):
            yield f"{what}: {where}, received at {order.received_at_s}"


def lists_of_work(snapshot: TableSnapshot) -> Violations:
    """No list of work has an order about which there is nothing to do."""
    for order_id, order in snapshot.orders.items():
        known, status = order.view(), OrderStatus(order.status)
        what = f"21 lists of work: {status} order {order_id}"
        if status in (OrderStatus.FULFILLING, READY) and known.units.to_deliver == 0:
            yield f"{what} has nothing to deliver"
        if status in DELIVERED and known.units.to_deliver != 0:
            yield f"{what} has {known.units.to_deliver} units to deliver"
        if status in TO_FULFIL and known.total_fen and known.is_given_back:
            yield f"{what} has gone back, all its money or all its units"
        if known.disputed and status not in TO_FULFIL:
            yield f"{what} has a request that nobody can decide"


def codes(snapshot: TableSnapshot) -> Violations:
    """A code leads to one order."""
    used = Counter(detail.pickup_code for detail in snapshot.details.values() if detail.pickup_code)
    for code, times in used.items():
        if times > 1:
            yield f"9 pickup: {times} orders have code {code}"


def traces(snapshot: TableSnapshot) -> Violations:
    """Whoever made an order ready, or handed it over, is on record once."""
    rows = Counter(
        (row.action, row.subject.partition("#")[2])
        for row in snapshot.audits
        if row.action in ("order_ready", "order_handed_over")
    )
    for order_id in snapshot.orders.keys() & snapshot.details.keys():
        order, detail = snapshot.orders[order_id], snapshot.details[order_id]
        handed_over = order.pickup and order.received_at_s is not None
        expected = {
            "order_ready": detail.pickup_code is not None,
            "order_handed_over": bool(handed_over),
        }
        for action, done in expected.items():
            if rows[action, order_id] != done:
                yield f"17 traces: {rows[action, order_id]} rows of {action} for order {order_id}"


def _both(snapshot: TableSnapshot) -> Iterator[tuple[str, OrderItem, OrderDetailItem]]:
    """Every order with its detail; that neither is without the other, other laws say."""
    for order_id in snapshot.orders.keys() & snapshot.details.keys():
        yield order_id, snapshot.orders[order_id], snapshot.details[order_id]


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (freight, pickup, units, lists_of_work, codes, traces)
