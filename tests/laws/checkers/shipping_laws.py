"""Laws of shipping: what is in parcels, who knows of it, how it is found, when it is received."""

from collections import Counter
from collections.abc import Callable, Iterator

from chalicelib.domain.group import GroupStatus
from chalicelib.domain.ledger import Movement
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.shipping import Parcel, parcels_of
from chalicelib.domain.short_number import short_of
from chalicelib.domain.texts import TextKey
from chalicelib.services.orders import notifications, order_search
from chalicelib.tables.records import FoundOrderItem, ShortNumberItem, found_by
from chalicelib.tables.trade import OrderItem
from tests.fixtures.table_snapshot import GIVEN_BACK, TableSnapshot

Violations = Iterator[str]
SENT = {OrderStatus.SHIPPED, OrderStatus.COMPLETED}
MAY_HAVE_PARCELS = SENT | GIVEN_BACK | {OrderStatus.FULFILLING}


def parcels(snapshot: TableSnapshot) -> Violations:
    """Parcels hold what was bought, of orders that were to be fulfilled and of no others."""
    for order_id, order, sent in _orders(snapshot):
        what = f"7 fulfilment: {order.status} order {order_id}"
        units = sum(parcel.units for parcel in sent)
        if units != (order.shipped or 0) or units > order.quantity:
            yield f"{what} says {order.shipped}, its parcels {units} of {order.quantity} units"
        if any(parcel.units < 1 for parcel in sent) or _ids(sent) != _numbered(sent):
            yield f"{what} has odd parcels: {sent}"
        if sent and (order.pickup or order.status not in MAY_HAVE_PARCELS):
            yield f"{what} has parcels"
        if sent and not _has_formed(snapshot, order):
            yield f"{what} was shipped without having formed"
        if order.status in SENT and not order.pickup and not units:
            yield f"{what} has no unit in a parcel"


def nothing_after_all_went_back(snapshot: TableSnapshot) -> Violations:
    for order_id, order, sent in _orders(snapshot):
        if order.status not in GIVEN_BACK or not sent:
            continue
        asked = [e.at_s for e in order.entries() if e.movement is Movement.REFUND_REQUESTED]
        late = [parcel for parcel in sent if parcel.shipped_at_s > max(asked, default=0)]
        if late:
            yield f"7 fulfilment: order {order_id} was refunded, then shipped: {late}"


def receipt(snapshot: TableSnapshot) -> Violations:
    for order_id, order, sent in _orders(snapshot):
        what = f"7 fulfilment: {order.status} order {order_id}"
        if order.status == OrderStatus.SHIPPED and order.receive_by_s is None:
            yield f"{what} will never be received"
        if order.status == OrderStatus.COMPLETED and order.received_at_s is None:
            yield f"{what} was never received"
        if order.received_at_s is not None and sent:
            last_s = max(parcel.shipped_at_s for parcel in sent)
            if order.status not in SENT | GIVEN_BACK or order.received_at_s < last_s:
                yield f"{what} was received at {order.received_at_s}, shipped at {last_s}"


def told_and_found(snapshot: TableSnapshot) -> Violations:
    """Every parcel was told to its buyer, every number of it leads to the order."""
    found = _found(snapshot)
    for order_id, _, sent in _orders(snapshot):
        told = Counter(m.sk.split("#")[2] for m in snapshot.messages.get(order_id, ()))
        for parcel in sent:
            if not told[f"{notifications.STAGES[TextKey.SHIPPED]}{parcel.parcel_id:0>2}"]:
                yield f"24 messages: parcel {parcel.parcel_id} of order {order_id} was not"
            word = found_by(snapshot.merchant_id, order_search.tracking_word(parcel.number))
            if found[word, order_id] != 1:
                yield f"25 search: order {order_id} is not found by {parcel.number}"


def traces(snapshot: TableSnapshot) -> Violations:
    """Whatever staff did to an order has its audit rows."""
    rows = Counter((row.action, row.subject.partition("#")[2]) for row in snapshot.audits)
    for order_id, _, sent in _orders(snapshot):
        detail = snapshot.details[order_id]
        expected = {
            "order_shipped": len(sent),
            "parcel_corrected": sum(parcel.corrections for parcel in sent),
            "order_noted": len(detail.notes or ()),
            "address_changed": detail.address_changes or 0,
            "order_price_lowered": detail.price_changes or 0,
            "order_closed": int(detail.closed_at_s is not None),
        }
        for action, times in expected.items():
            if rows[action, order_id] != times:
                text = f"{rows[action, order_id]} audit rows for {times} {action}"
                yield f"17 traces: {text} of order {order_id}"


def paid_orders_are_found(snapshot: TableSnapshot) -> Violations:
    """Whatever order money came for stands in the list of all, once, and under its words too."""
    found = _found(snapshot)
    for order_id, order, _ in _orders(snapshot):
        if not order.posted:
            continue
        address = snapshot.details[order_id].address.as_dict()
        for word in (
            order_search.PLACED,
            order_search.phone_word(address["phone"]),
            *order_search.name_words(address["name"]),
            order_search.product_word(order.product_id),
            *(order_search.gateway_word(number) for number in _gateway_numbers(order)),
        ):
            if found[found_by(snapshot.merchant_id, word), order_id] != 1:
                yield f"25 search: order {order_id} is not found by {word}"


def short_numbers_are_unique(snapshot: TableSnapshot) -> Violations:
    """No two orders that are listed have one short number, and each number leads to its order."""
    rows = {
        (row.pk, row.sk): row.order_id for row in snapshot.items if type(row) is ShortNumberItem
    }
    found = _found(snapshot)
    seen: dict[str, str] = {}
    for order_id, order in snapshot.orders.items():
        if not found[found_by(snapshot.merchant_id, order_search.PLACED), order_id]:
            continue
        if seen.setdefault(order.short_no, order_id) != order_id:
            yield f"25 search: orders {order_id}, {seen[order.short_no]} have one number"
        word = found_by(snapshot.merchant_id, f"short#{short_of(order_id)}")
        if rows.get((word, str(order.short_serial or 0))) != order_id:
            yield f"25 search: order {order_id} is not found by {order.short_no}"


def _gateway_numbers(order: OrderItem) -> list[str]:
    payments = order.view().payments
    posted = (payments[attempt] for attempt in order.posted or ())
    return [payment.transaction_id for payment in posted if payment.transaction_id]


def _orders(snapshot: TableSnapshot) -> Iterator[tuple[str, OrderItem, list[Parcel]]]:
    for order_id, order in snapshot.orders.items():
        detail = snapshot.details.get(order_id)
        if detail is not None:
            yield order_id, order, parcels_of(detail.parcels)


def _has_formed(snapshot: TableSnapshot, order: OrderItem) -> bool:
    """An order that costs nothing has no entries: its group, if any, says whether it has formed."""
    if order.total_fen:
        return any(entry.movement is Movement.EARNED for entry in order.entries())
    group = snapshot.groups.get(order.group_id or "")
    return group is None or group.status == GroupStatus.FORMED


def _found(snapshot: TableSnapshot) -> Counter[tuple[str, str]]:
    rows = (item for item in snapshot.items if isinstance(item, FoundOrderItem))
    return Counter((row.pk, row.order_id) for row in rows)


def _ids(sent: list[Parcel]) -> list[str]:
    return [parcel.parcel_id for parcel in sent]


def _numbered(sent: list[Parcel]) -> list[str]:
    return [str(number + 1) for number in range(len(sent))]


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (
    parcels,
    nothing_after_all_went_back,
    receipt,
    told_and_found,
    traces,
    paid_orders_are_found,
    short_numbers_are_unique,
)
