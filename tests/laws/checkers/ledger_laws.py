"""Laws of the ledger, the day book and after-sale."""

from collections.abc import Callable, Iterator

from chalicelib.domain.ledger import Account, Movement, balances
from chalicelib.domain.order import Order, OrderStatus, PaymentStatus, RefundStatus
from chalicelib.gateways import payment as port
from tests.fixtures.table_snapshot import GIVEN_BACK, TO_FULFIL, TableSnapshot, after_sale_fen

Violations = Iterator[str]
CONFIRMED = port.RefundStatus.SUCCEEDED


def ledgers(snapshot: TableSnapshot) -> Violations:
    """What the ledger of an order says is what its payments, refunds and state say."""
    for order_id, order in snapshot.orders.items():
        known, entries = order.view(), order.entries()
        said = {e.key: e.amount_fen for e in entries if e.movement is not Movement.FEE}
        expected = {key: fen for key, fen in _expected(known).items() if fen}
        if said != expected:
            yield f"4 money: order {order_id} says {said}, not {expected}"
        left = balances(entries)
        if sum(left.values()):
            yield f"4 money: order {order_id} does not add up: {left}"
        held = order.total_fen if known.status is OrderStatus.PAID else 0
        if -left[Account.HELD] != held:
            yield f"4 money: {known.status} order {order_id} holds {-left[Account.HELD]} fen"


def _expected(order: Order) -> dict[str, int]:
    """The entries that an order's state tells of."""
    expected = {}
    for attempt, payment in order.payments.items():
        if payment.status is PaymentStatus.SUCCEEDED:
            expected[f"{attempt} {Movement.CAPTURED}"] = payment.amount_fen
    for key, refund in order.refunds.items():
        expected[f"{key} {Movement.REFUND_REQUESTED}"] = refund.amount_fen
        if refund.status is RefundStatus.SUCCEEDED:
            expected[f"{key} {Movement.REFUNDED}"] = refund.amount_fen
        if refund.status is RefundStatus.OUTSIDE:
            expected[f"{key} {Movement.REFUNDED_OUTSIDE}"] = refund.amount_fen
    seat = order.seat_payment
    after_sale = order.status in GIVEN_BACK and after_sale_fen(order) > 0
    if seat and (order.status in TO_FULFIL or after_sale):
        expected[f"{seat[0]} {Movement.EARNED}"] = seat[1].amount_fen
    return expected


def day_books(snapshot: TableSnapshot) -> Violations:
    """What is in the day book has happened, once, and is in the ledger of its order."""
    for number, rows in snapshot.day_book.items():
        movement = rows[0].movement
        mine = snapshot.refund_of(number)
        order, of = mine or (snapshot.orders.get(number[:30]), number[30:])
        said = order.ledger.as_dict().get(f"{of} {movement}") if order else None
        if len(rows) > 1 or said is None or said[0] != rows[0].amount_fen:
            amounts_there = [row.amount_fen for row in rows]
            yield f"4 money: day book has {movement} {number} of {amounts_there}, not {said}"


def posted(snapshot: TableSnapshot) -> Violations:
    for order_id, order in snapshot.orders.items():
        for entry in order.entries():
            refunded = entry.movement in (Movement.REFUNDED, Movement.REFUNDED_OUTSIDE)
            if not refunded and order.pay_by_s > snapshot.now_s:
                continue  # the stream's, or the job's at that time
            known = refunded and entry.of in order.refunds.as_dict()
            number = order.refund_number(entry.of) if known else f"{order_id}{entry.of}"
            posts = refunded or entry.movement is Movement.CAPTURED
            if posts and number not in snapshot.day_book:
                yield f"4 money: {entry.movement} {order_id}{entry.of} is in no day book"


def gateways_balance(snapshot: TableSnapshot) -> Violations:
    """What the ledgers say is left at the gateway is what the gateway says."""
    entries = [entry for order in snapshot.orders.values() for entry in order.entries()]
    # Gateways keep their fee apart from what a trade was.
    moved = [entry for entry in entries if entry.movement is not Movement.FEE]
    ours = balances(moved)[Account.GATEWAY]
    confirmed = (r for r in snapshot.ledger.refunds.values() if r.status is CONFIRMED)
    theirs = sum(snapshot.ledger.captured.values()) - sum(r.amount_fen for r in confirmed)
    if ours != theirs:
        yield f"4 money: {ours} fen should be at the gateway, there are {theirs}"


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (ledgers, day_books)
FINAL: tuple[Law, ...] = (posted, gateways_balance)
