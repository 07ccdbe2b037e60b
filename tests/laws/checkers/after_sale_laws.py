"""Laws of after-sale: one request of an order at a time, and where the goods of an exchange are."""

from collections.abc import Callable, Iterator

from chalicelib.domain.after_sale import OPEN, RESERVED, AfterSaleStatus
from chalicelib.domain.order import RefundReason, reason_of
from chalicelib.domain.texts import TextKey
from chalicelib.services.orders import notifications, order_search
from chalicelib.tables.buyers import AfterSaleItem, after_sales_list
from chalicelib.tables.records import FoundOrderItem, found_by
from chalicelib.tables.trade import OrderItem
from tests.fixtures.table_snapshot import TableSnapshot

Violations = Iterator[str]
EXCHANGING = (
    AfterSaleStatus.REPLACING,
    AfterSaleStatus.REPLACEMENT_SENT,
    AfterSaleStatus.EXCHANGED,
)
# The replacement of an exchange in these has left the product's stock, and is in the shop or gone.
TAKEN = (*RESERVED, AfterSaleStatus.REPLACEMENT_SENT, AfterSaleStatus.EXCHANGED)


def off_stock(asked: AfterSaleItem) -> int:
    """Return the units that an exchange took from the stock, less those that came back."""
    taken = asked.exchange and asked.status in TAKEN
    return (asked.units or 0) - asked.units_back if taken else 0


def requests(snapshot: TableSnapshot) -> Violations:
    """An order has one open request at most, and a refund for each one that was approved."""
    for order_id, order in snapshot.orders.items():
        asked = snapshot.after_sales.get(order_id, [])
        waiting = [a.letter for a in asked if a.status in OPEN]
        if waiting != ([order.after_sale] if order.after_sale else []):
            text = f"waits for {order.after_sale}, there are {waiting}"
            yield f"27 after-sale: order {order_id} {text}"
        approved = {a.letter: a.amount_fen for a in asked if a.status == "approved"}
        refunds = order.view().refunds.items()
        made = {
            key[2:]: refund.amount_fen
            for key, refund in refunds
            if reason_of(key) is RefundReason.AFTER_SALE
        }
        if approved != made:
            yield f"27 after-sale: order {order_id}: approved {approved}, refunded {made}"
        yield from _returns(order, asked)
        back = sum(a.units_back for a in asked if a.status == "approved")
        if back != (order.returned or 0) or back > order.quantity:
            text = f"{back} units came back, {order.returned} counted"
            yield f"27 after-sale: order {order_id}: {text}"


def _returns(order: OrderItem, asked: list[AfterSaleItem]) -> Violations:
    """Each request is in the list of its status; an order waits for its buyer exactly as agreed."""
    for one in asked:
        what = f"27 after-sale: {one.status} request {one.order_id}{one.letter}"
        if one.list_key != after_sales_list(order.merchant_id, one.status):
            yield f"{what} is in {one.list_key}"
        if one.units and one.units_back > one.units:
            yield f"{what} is of {one.units} units, of which {one.units_back} went back"
        if (one.status in OPEN) != (one.decided_at_s is None):
            yield f"{what} was decided at {one.decided_at_s}"
        if (one.status == "returning") and (one.number is None or one.sent_at_s is None):
            yield f"{what} has no parcel"
    until = [a.return_by_s for a in asked if a.status == "return_agreed"]
    until += [a.receive_by_s for a in asked if a.status == "replacement_sent"]
    if until != ([order.return_by_s] if order.return_by_s is not None else []):
        yield f"27 after-sale: order {order.order_id} waits until {order.return_by_s}, not {until}"
    came = sum(a.units for a in asked if a.status == "approved" and (a.sent_at_s or a.goods_at_s))
    if came > (order.brought_back or 0):
        yield f"20 units: order {order.order_id}: {came} units came, {order.brought_back} counted"


def exchanges(snapshot: TableSnapshot) -> Violations:
    """An exchange has what its state needs; what is no exchange has nothing of one."""
    for item in (item for items in snapshot.after_sales.values() for item in items):
        what = f"23 exchanges: {item.status} request {item.order_id}{item.letter}"
        if not item.exchange:
            if item.status in EXCHANGING or item.goods_at_s is not None:
                yield f"{what} is no exchange"
            continue
        where = snapshot.orders[item.order_id].units
        units = item.units or 0
        if not 0 <= item.units_back <= units <= where.bought or units < 1:
            yield f"{what} is of {units} units, of which {item.units_back} went back"
        if item.status in OPEN and units > where.with_buyer:
            yield f"{what} is of {units} units, the buyer has {where.with_buyer}"
        yield from _steps(item, what)


def _steps(item: AfterSaleItem, what: str) -> Violations:
    has_goods, sent = item.goods_at_s is not None, item.replacement_at_s is not None
    if has_goods != (item.status in EXCHANGING) and item.status != AfterSaleStatus.APPROVED:
        yield f"{what} had its goods at {item.goods_at_s}"
    if sent != (item.status in EXCHANGING[1:]):
        yield f"{what} was replaced at {item.replacement_at_s}"
    if sent and bool(item.pickup) != (item.replacement_number is None):
        yield f"{what} was replaced by {item.replacement_number}"


def told(snapshot: TableSnapshot) -> Violations:
    """Whoever has to send goods, or is sent some, was told."""
    for item in (item for items in snapshot.after_sales.values() for item in items):
        stages = {
            message.sk.split("#", 2)[2] for message in snapshot.messages.get(item.order_id, ())
        }
        expected = {
            TextKey.RETURN_AGREED: item.agreed_at_s is not None,
            TextKey.EXCHANGE_SENT: item.replacement_number is not None,
            TextKey.EXCHANGE_READY: bool(item.pickup) and item.goods_at_s is not None,
            TextKey.RETURN_EXPIRED: item.status == AfterSaleStatus.EXPIRED,
        }
        for key, done in expected.items():
            if done != (notifications.STAGES[key] + item.letter in stages):
                which = f"{item.order_id}{item.letter}"
                yield f"24 messages: {item.status} request {which}: {key}, {done}"


def found(snapshot: TableSnapshot) -> Violations:
    """An order is found by the parcels of its after-sale."""
    rows = {(row.pk, row.order_id) for row in snapshot.items if isinstance(row, FoundOrderItem)}
    for item in (item for items in snapshot.after_sales.values() for item in items):
        for number in filter(None, (item.number, item.replacement_number)):
            word = found_by(snapshot.merchant_id, order_search.after_sale_word(number))
            if (word, item.order_id) not in rows:
                yield f"25 search: order {item.order_id} is not found by {number}"


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (requests, exchanges, told, found)
