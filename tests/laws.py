"""The laws of a merchant's books: what must hold of its stored items, whatever happened.

`check` reads the three tables, compares them with each other and with the gateway's own record,
and names everything that is wrong. Numbers are the laws': 1 seats, 2 forming, 3 stock, 4 and 5
money, 6 refunds, 7 fulfilment, 8 deadlines, 10 limits, 11 amounts, 12 tenancy, 13 edges,
15, 16 and 18 what is still to be done, 17 traces; "told" messages, "lists" what lists show.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from chalicelib.domain.group import FailedReason, GroupStatus
from chalicelib.domain.order import OrderStatus, PaymentStatus, RefundReason, RefundStatus
from chalicelib.gateways import payment as port
from chalicelib.services import news, waits
from chalicelib.services.payments import FREE
from chalicelib.tables.trade import GroupItem, OrderItem, groups_list, orders_list
from tests.books import Books, read
from tests.gateway import Record

Violations = Iterator[str]
UNDECIDED = {GroupStatus.PENDING, GroupStatus.OPEN}
KEPT = {
    OrderStatus.PAID,
    OrderStatus.FULFILLING,
    OrderStatus.SHIPPED,
    OrderStatus.READY_FOR_PICKUP,
    OrderStatus.COMPLETED,
}
LIVE = KEPT | {OrderStatus.PENDING}
TO_FULFIL = KEPT - {OrderStatus.PAID}
GIVEN_BACK = {OrderStatus.REFUNDING, OrderStatus.REFUNDED}
# What a member's order may be while settling carries the group's decision to it, and after.
MEMBERS = {
    GroupStatus.PENDING: {OrderStatus.PENDING},
    GroupStatus.OPEN: {OrderStatus.PENDING, OrderStatus.PAID},
    GroupStatus.FORMED: KEPT,
    GroupStatus.FAILED: GIVEN_BACK | {OrderStatus.CLOSED, OrderStatus.PENDING, OrderStatus.PAID},
}
SETTLED = {
    GroupStatus.FORMED: TO_FULFIL,
    GroupStatus.FAILED: GIVEN_BACK | {OrderStatus.CLOSED},
}


def check(
    merchant_id: str,
    *,
    ledger: Record,
    initial_stock: Mapping[str, int],
    now_s: int,
    quiescent: bool,
) -> Books:
    """Raise AssertionError with every law that the merchant's items break; return what was read.

    ledger: the gateway's own record. initial_stock: units brought in with each product, by SKU.
    quiescent: the jobs have run, so that nothing may be left undone that is due at `now_s`.
    """
    books = read(merchant_id, ledger=ledger, initial_stock=initial_stock, now_s=now_s)
    broken = violations(books, quiescent=quiescent)
    assert not broken, "\n".join([f"{len(broken)} laws broken:", *broken])
    return books


def violations(books: Books, *, quiescent: bool) -> list[str]:
    """Every law that is broken, with the ids of what breaks it."""
    from tests import laws_of_work

    found = [text for law in LAWS for text in law(books)]
    found += [text for law in laws_of_work.LAWS for text in law(books)]
    if quiescent:
        found += [text for law in FINAL for text in law(books)]
        found += [text for law in laws_of_work.FINAL for text in law(books)]
    return found


def seats(books: Books) -> Violations:
    for group in books.groups.values():
        members = group.members.as_dict()
        what = f"1 seats: group {group.group_id}"
        if not group.seats_paid <= len(members) <= group.seats_total:
            yield f"{what}: {group.seats_paid} paid, {len(members)} taken of {group.seats_total}"
        paid = 0
        for buyer_id, order_no in members.items():
            order = books.orders.get(buyer_id + order_no)
            if order is None or order.group_id != group.group_id:
                yield f"{what}: seat of {buyer_id} without its order"
                continue
            if order.status not in MEMBERS[GroupStatus(group.status)]:
                yield f"{what} is {group.status}, order {order.order_id} is {order.status}"
            paid += order.status in KEPT | GIVEN_BACK
        if paid != group.seats_paid:
            yield f"{what}: {group.seats_paid} seats paid, {paid} orders"
    for order in books.orders.values():
        if order.group_id is None or order.status not in LIVE:
            continue
        home = books.groups.get(order.group_id)
        if home is None or home.members.as_dict().get(order.buyer_id) != order.order_no:
            yield f"1 seats: {order.status} order {order.order_id} has no seat"


def forming(books: Books) -> Violations:
    for group in books.groups.values():
        what = f"2 forming: group {group.group_id}"
        status = GroupStatus(group.status)
        if (status is GroupStatus.FORMED) != (group.seats_paid == group.seats_total):
            yield f"{what} is {status} with {group.seats_paid} of {group.seats_total} paid"
        if (group.decided_at_s is None) != (status in UNDECIDED):
            yield f"{what} is {status}, decided at {group.decided_at_s}"
        if status is GroupStatus.PENDING and (group.seats_paid or group.expires_at_s):
            yield f"{what} is pending with a paid seat or a deadline"
        if status is GroupStatus.OPEN and group.leader_id not in group.members.as_dict():
            yield f"{what} is open without its leader"
        if (group.expires_at_s or 0) > group.ends_at_s:
            yield f"{what} outlives its activity"


def settled(books: Books) -> Violations:
    for group in books.groups.values():
        wanted = SETTLED.get(GroupStatus(group.status))
        for order in books.members_orders(group) if wanted else ():
            if wanted and order.status not in wanted:
                text = f"group {group.group_id} is {group.status}"
                yield f"2 forming: {text}, order {order.order_id} is {order.status}"


def stock(books: Books) -> Violations:
    for pk, bucket in books.buckets.items():
        if bucket.available < 0 or (bucket.ended and bucket.available):
            yield f"3 stock: bucket {pk} has {bucket.available}, ended: {bucket.ended}"
    for shelf in books.product_stocks.values():
        if shelf.available < 0:
            yield f"3 stock: product's stock of {shelf.sku_id} is {shelf.available}"
    there: Counter[str] = Counter()
    for shelf in books.product_stocks.values():
        there[shelf.sku_id] += shelf.available
    for pk, bucket in books.buckets.items():
        there[pk.split("#")[3]] += bucket.available
    for order in books.orders.values():
        if order.status in LIVE:
            there[order.sku_id] += order.quantity
    for sku_id, brought in books.initial_stock.items():
        expected = brought + books.adjusted[sku_id]
        if there[sku_id] != expected:
            yield f"3 stock: SKU {sku_id}: {there[sku_id]} units are there, not {expected}"


def money(books: Books) -> Violations:
    for order_id, order in books.orders.items():
        known = order.view()
        kept_fen = order.total_fen if known.status in KEPT else 0
        refunds = known.refunds.items()
        captured_fen, refunded_fen, whole = 0, 0, 0
        for attempt, payment in known.payments.items():
            if payment.status is not PaymentStatus.SUCCEEDED or not payment.amount_fen:
                continue
            back = sum(refund.amount_fen for key, refund in refunds if key[:2] == attempt)
            captured_fen, refunded_fen = captured_fen + payment.amount_fen, refunded_fen + back
            whole += back == 0
            if back not in (0, payment.amount_fen):
                yield f"5 money: payment {order_id}{attempt} is refunded in part, {back} fen"
        if captured_fen != kept_fen + refunded_fen:
            yield (
                f"4 money: {known.status} order {order_id}: captured {captured_fen} fen, "
                f"kept {kept_fen}, refunded or to be refunded {refunded_fen}"
            )
        if whole != (1 if kept_fen else 0):
            yield f"5 money: {known.status} order {order_id} keeps {whole} payments"


def refunds(books: Books) -> Violations:
    for order_id, order in books.orders.items():
        known = order.view()
        total: Counter[str] = Counter()
        for key, refund in known.refunds.items():
            total[key[:2]] += refund.amount_fen
            if not known.is_succeeded(key[:2]) or key[2:] not in list(RefundReason):
                yield f"6 refunds: {order_id}{key} refunds nothing that was paid"
        for attempt, fen in total.items():
            if fen > known.payments[attempt].amount_fen:
                yield f"6 refunds: {order_id}{attempt} is refunded more than it was"
    back: Counter[str] = Counter()
    for held in books.ledger.refunds.values():
        if held.status is not port.RefundStatus.CLOSED:
            back[held.out_trade_no] += held.amount_fen
    for number, fen in back.items():
        if fen > books.ledger.captured.get(number, 0):
            yield f"6 refunds: the gateway refunds {fen} fen of {number}"


def gateway(books: Books) -> Violations:
    """What our orders say of money, the gateway has in its own books."""
    ledger = books.ledger
    for order_id, order in books.orders.items():
        known = order.view()
        for attempt, payment in known.payments.items():
            if payment.status is not PaymentStatus.SUCCEEDED or payment.method == FREE:
                continue
            captured_fen = ledger.captured.get(order_id + attempt)
            if captured_fen != payment.amount_fen:
                text = f"is {payment.amount_fen} fen, the gateway says {captured_fen}"
                yield f"4 money: payment {order_id}{attempt} {text}"
        for key, refund in known.refunds.items():
            held = ledger.refunds.get(order_id + key)
            confirmed = held is not None and held.status is port.RefundStatus.SUCCEEDED
            if refund.status is RefundStatus.SUCCEEDED and not confirmed:
                yield f"4 money: refund {order_id}{key} is not confirmed by the gateway"
            if held is not None and held.amount_fen != refund.amount_fen:
                yield f"4 money: refund {order_id}{key} is {held.amount_fen} fen at the gateway"
    for number in ledger.refunds:
        owner = books.orders.get(number[:30])
        if owner is None or number[30:] not in owner.refunds.as_dict():
            yield f"4 money: the gateway refunds {number}, which nobody recorded"


def nothing_in_flight(books: Books) -> Violations:
    ledger = books.ledger
    for number in ledger.captured:
        order = books.orders.get(number[:30])
        if order is None or not order.view().is_succeeded(number[30:]):
            yield f"4 money: the gateway captured {number}, which nobody recorded"
    for order_id, order in books.orders.items():
        for key, refund in order.view().refunds.items():
            held = ledger.refunds.get(order_id + key)
            at_gateway = held.status if held else None
            # The gateway's own slowness, and what a person has to mend, are no fault of ours.
            waiting = refund.status is RefundStatus.PROCESSING
            if waiting and at_gateway is port.RefundStatus.PROCESSING:
                continue
            refused = at_gateway is not port.RefundStatus.SUCCEEDED
            if refund.status is RefundStatus.FAILED and refused:
                continue
            if refund.status is not RefundStatus.SUCCEEDED:
                yield f"5 money: refund {order_id}{key} is {refund.status}, not done"


def fulfilment(books: Books) -> Violations:
    for order_id, order in books.orders.items():
        known = order.view()
        seat = known.seat_payment
        if known.status in KEPT and (seat is None or seat[1].amount_fen != order.total_fen):
            yield f"7 fulfilment: {known.status} order {order_id} has no payment that fits"
        group = books.groups.get(order.group_id or "")
        unformed = group is not None and group.status != GroupStatus.FORMED
        if known.status in TO_FULFIL and unformed:
            yield f"7 fulfilment: order {order_id} is {known.status} in a group not formed"


def deadlines(books: Books) -> Violations:
    for group in books.groups.values():
        for order in books.members_orders(group):
            order_id = str(order.order_id)
            detail = books.details.get(order_id)
            if detail is None:
                yield f"8 deadlines: order {order_id} has no detail"
                continue
            if order.buyer_id == group.leader_id:
                last_paid_s = group.ends_at_s - 1
            else:
                expires_at_s = group.expires_at_s or 0
                last_paid_s = expires_at_s + waits.GRACE_S
                if detail.placed_at_s >= expires_at_s:
                    yield f"8 deadlines: order {order_id} took a seat at {detail.placed_at_s}"
            seat = order.view().seat_payment if order.status in KEPT | GIVEN_BACK else None
            if seat and seat[1].paid_at_s > last_paid_s:
                yield f"8 deadlines: order {order_id} was paid at {seat[1].paid_at_s}"


def limits(books: Books) -> Violations:
    used: Counter[tuple[str, str]] = Counter()
    allowed: Counter[tuple[str, str]] = Counter()
    for order_id, order in books.orders.items():
        offer = books.terms_of(order)
        if offer is None:
            continue
        if order.quantity > offer.limit_per_order:
            yield f"10 limits: order {order_id} is of {order.quantity}"
        if order.status in LIVE and order.limited:
            who = (order.buyer_id, order.activity_id)
            used[who] += order.quantity
            allowed[who] = max(allowed[who], offer.limit_per_buyer)
    for who in {*used, *books.limits}:
        counted = books.limits[who].used if who in books.limits else 0
        if counted != used[who] or used[who] > allowed[who]:
            text = f"holds {used[who]}, counted {counted}, allowed {allowed[who]}"
            yield f"10 limits: buyer {who[0]} of activity {who[1]} {text}"


def amounts(books: Books) -> Violations:
    for order_id, order in books.orders.items():
        detail = books.details.get(order_id)
        price_fen = books.group_price_fen(order)
        if price_fen is not None and order.total_fen != price_fen * order.quantity:
            yield f"11 amounts: order {order_id} is of {order.total_fen} fen"
        if detail is None or detail.lines.as_dict()["total_fen"] != order.total_fen:
            yield f"11 amounts: order {order_id} and its detail differ"
        for attempt, payment in order.view().payments.items():
            if payment.amount_fen != order.total_fen:
                yield f"11 amounts: payment {order_id}{attempt} is of {payment.amount_fen} fen"


def tenancy(books: Books) -> Violations:
    for item in books.items:
        named = getattr(item, "merchant_id", books.merchant_id)
        if named != books.merchant_id:
            yield f"12 tenancy: {item.pk} {item.sk} names merchant {named}"
    for order_id, order in books.orders.items():
        if order.activity_id not in books.activities or order.sku_id not in books.product_stocks:
            yield f"12 tenancy: order {order_id} is of nothing that the merchant sells"
        if order.pk != f"{books.merchant_id}#B#{order.buyer_id}":
            yield f"12 tenancy: order {order_id} lies with another buyer"


def lists(books: Books) -> Violations:
    items: list[tuple[OrderItem | GroupItem, str | None]] = []
    for order in books.orders.values():
        unlisted = order.status in (OrderStatus.PENDING, OrderStatus.CLOSED)
        items.append((order, None if unlisted else orders_list(order.merchant_id, order.status)))
    for group in books.groups.values():
        seen = group.status != GroupStatus.PENDING
        seen = seen and group.failed_reason != FailedReason.LEADER_UNPAID
        shard = group.list_shard if group.status == GroupStatus.OPEN else 0
        key = groups_list(group.merchant_id, group.activity_id, group.status, shard)
        items.append((group, key if seen else None))
    for item, expected in items:
        if item.list_key != expected:
            yield f"lists: {item.pk} {item.sk} is in {item.list_key}, not {expected}"


def told(books: Books) -> Violations:
    """Whoever paid was told what became of it; nobody is told twice, by the messages' keys."""
    for order_id, order in books.orders.items():
        stages = {message.sk.split("#")[2] for message in books.messages.get(order_id, ())}
        expected = set()
        group = books.groups.get(order.group_id or "")
        if group is not None and order.status in KEPT | GIVEN_BACK:
            if group.status == GroupStatus.FORMED:
                expected.add(news.STAGES[news.TextKey.FORMED])
            elif group.status == GroupStatus.FAILED:
                expected.add(news.STAGES[news.TextKey.FAILED])
        for key, refund in order.view().refunds.items():
            if key[2:] == RefundReason.LATE_PAYMENT:
                expected.add(news.STAGES[news.TextKey.LATE] + key)
            if refund.status is RefundStatus.SUCCEEDED:
                expected.add(news.STAGES[news.TextKey.REFUNDED] + key)
        for stage in sorted(expected - stages):
            yield f"told: order {order_id} has no message {stage}"


Law = Callable[[Books], Violations]
LAWS: tuple[Law, ...] = (
    seats,
    forming,
    stock,
    money,
    refunds,
    gateway,
    fulfilment,
    deadlines,
    limits,
    amounts,
    tenancy,
    lists,
)
FINAL: tuple[Law, ...] = (settled, nothing_in_flight, told)
