"""The laws of a merchant's books: what must hold of its stored items, whatever happened.

`check` reads the three tables, compares them with each other and with the gateway's own record,
and names everything that is wrong. Numbers are the laws': 1 seats, 2 forming, 3 stock, 4 and 5
money, 6 refunds, 7 fulfilment, 8 deadlines, 10 limits, 11 amounts, 12 tenancy, 13 edges,
15, 16 and 18 what is still to be done, 17 traces, 19 every account's captures, 20 units, 21 lists
of work, 22 numbers that are sent unchanged, 23 exchanges; "told" messages, "lists"
what lists show, "counts" what counters say.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from chalicelib.domain.group import GroupStatus
from chalicelib.domain.order import OrderStatus
from chalicelib.services import timeouts
from chalicelib.tables.base import StoredItem
from chalicelib.tables.shop import MerchantItem
from tests import (
    laws_of_after_sale,
    laws_of_counts,
    laws_of_delivery,
    laws_of_ledger,
    laws_of_money,
    laws_of_shipping,
    laws_of_work,
)
from tests.gateway import Record
from tests.stored import GIVEN_BACK, KEPT, LIVE, TO_FULFIL, UNDECIDED, Books, items_of

Violations = Iterator[str]
# What a member's order may be while settling carries the group's decision to it, and after.
MEMBERS = {
    GroupStatus.PENDING: {OrderStatus.PENDING},
    GroupStatus.OPEN: {OrderStatus.PENDING, OrderStatus.PAID},
    GroupStatus.FORMED: KEPT | GIVEN_BACK,  # given back after-sale
    GroupStatus.FAILED: GIVEN_BACK | {OrderStatus.CLOSED, OrderStatus.PENDING, OrderStatus.PAID},
}
SETTLED = {
    GroupStatus.FORMED: TO_FULFIL | GIVEN_BACK,
    GroupStatus.FAILED: GIVEN_BACK | {OrderStatus.CLOSED},
}


def check(
    merchant_id: str,
    *,
    ledger: Record,
    initial_stock: Mapping[str, int],
    now_s: int,
    quiescent: bool,
    items: Sequence[StoredItem] | None = None,
) -> Books:
    """Raise AssertionError with every law that the merchant's items break; return what was read.

    ledger: the gateway's own record. initial_stock: units brought in with each product, by SKU.
    quiescent: the jobs have run, so that nothing may be left undone that is due at `now_s`.
    items: the merchant's, when they have been read already.
    """
    kept = items_of(merchant_id) if items is None else items
    books = Books(merchant_id, ledger, initial_stock, now_s, kept)
    broken = violations(books, quiescent=quiescent)
    assert not broken, "\n".join([f"{len(broken)} laws broken:", *broken])
    return books


def violations(books: Books, *, quiescent: bool) -> list[str]:
    """Every law that is broken, with the ids of what breaks it."""
    laws = [*LAWS, *laws_of_money.LAWS, *laws_of_ledger.LAWS, *laws_of_work.LAWS]
    laws += [*laws_of_delivery.LAWS, *laws_of_counts.LAWS, *laws_of_shipping.LAWS]
    laws += laws_of_after_sale.LAWS
    if quiescent:
        laws += [*FINAL, *laws_of_money.FINAL, *laws_of_ledger.FINAL, *laws_of_work.FINAL]
    return [text for law in laws for text in law(books)]


def seats(books: Books) -> Violations:
    for group in books.groups.values():
        members = group.members.as_dict()
        what = f"1 seats: group {group.group_id}"
        if not group.seats_paid <= len(members) <= group.seats_total:
            yield f"{what}: {group.seats_paid} paid, {len(members)} taken of {group.seats_total}"
        paid = sum(o.status in KEPT | GIVEN_BACK for o in books.members_orders(group))
        if paid != group.seats_paid:
            yield f"{what}: {group.seats_paid} seats paid, {paid} orders"
        for buyer_id, order_no in members.items():
            order = books.orders.get(buyer_id + order_no)
            if order is None or order.group_id != group.group_id:
                yield f"{what}: seat of {buyer_id} without its order"
            elif order.status not in MEMBERS[GroupStatus(group.status)]:
                yield f"{what} is {group.status}, order {order.order_id} is {order.status}"


def orders_seats(books: Books) -> Violations:
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
    """Units on every shelf, held and sold, are those that were ever brought in."""
    there: Counter[str] = Counter()
    for shelf in books.product_stocks.values():
        there[shelf.sku_id] += shelf.available
    for pk, bucket in books.buckets.items():
        there[pk.split("#")[3]] += bucket.available
    for order_id, order in books.orders.items():
        there[order.sku_id] += books.gone(order)
        asked = books.after_sales.get(order_id, ())
        there[order.sku_id] += sum(laws_of_after_sale.off_stock(item) for item in asked)
    for sku_id, brought in books.initial_stock.items():
        expected = brought + books.adjusted[sku_id]
        if there[sku_id] != expected:
            yield f"3 stock: SKU {sku_id}: {there[sku_id]} units are there, not {expected}"


def shelves(books: Books) -> Violations:
    for pk, bucket in books.buckets.items():
        if bucket.available < 0 or (bucket.ended and bucket.available):
            yield f"3 stock: bucket {pk} has {bucket.available}, ended: {bucket.ended}"
    for shelf in books.product_stocks.values():
        if shelf.available < 0:
            yield f"3 stock: product's stock of {shelf.sku_id} is {shelf.available}"


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
                last_paid_s = expires_at_s + timeouts.GRACE_S
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


def holds(books: Books) -> Violations:
    """Each unpaid order is registered with its buyer, and they are no more than the shop allows."""
    shop = next((item for item in books.items if isinstance(item, MerchantItem)), None)
    allowed = shop.unpaid_orders_max if shop else 0
    unpaid: dict[str, set[str]] = {buyer_id: set() for buyer_id in books.holds}
    for order in books.orders.values():
        if order.status == OrderStatus.PENDING:
            unpaid.setdefault(order.buyer_id, set()).add(order.order_no)
    for buyer_id, numbers in unpaid.items():
        listed = set(books.holds[buyer_id].orders) if buyer_id in books.holds else set()
        if numbers - listed:
            yield f"10 limits: buyer {buyer_id} has unpaid orders {numbers - listed} unregistered"
        if len(numbers) > allowed or len(listed) > allowed:
            text = f"has {len(numbers)} unpaid orders, {len(listed)} registered"
            yield f"10 limits: buyer {buyer_id} {text}, allowed {allowed}"


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


Law = Callable[[Books], Violations]
LAWS: tuple[Law, ...] = (
    seats,
    orders_seats,
    forming,
    stock,
    shelves,
    deadlines,
    limits,
    holds,
    tenancy,
)
FINAL: tuple[Law, ...] = (settled,)
