"""The laws of a merchant's books: what must hold of its stored items, whatever happened.

`check` reads the three tables, compares them with each other and with the gateway's own record,
and names everything that is wrong, by the numbers and names that docs/domain.md gives to the laws
("What must hold").
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from chalicelib.domain.group import FailedReason, GroupStatus
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.points_offer import per_order
from chalicelib.services import timeouts
from chalicelib.tables.base import StoredItem
from chalicelib.tables.catalogue import SeatMinuteItem
from chalicelib.tables.shop import MerchantItem
from chalicelib.tables.trade import GroupItem
from tests.fixtures.fake_gateway import Record
from tests.fixtures.table_snapshot import (
    GIVEN_BACK,
    KEPT,
    LIVE,
    TO_FULFIL,
    UNDECIDED,
    TableSnapshot,
    items_of,
)
from tests.laws.checkers import (
    after_sale_laws,
    attribution_laws,
    combining_laws,
    count_laws,
    coupon_laws,
    crowd_laws,
    delivery_laws,
    invitation_laws,
    ledger_laws,
    member_laws,
    money_laws,
    newness_laws,
    person_laws,
    points_laws,
    reward_laws,
    shipping_laws,
    work_laws,
)

Violations = Iterator[str]
# What a member's order may be while settling carries the group's decision to it, and after.
MEMBERS = {
    GroupStatus.PENDING: {OrderStatus.PENDING},
    GroupStatus.OPEN: {OrderStatus.PENDING, OrderStatus.PAID},
    # Given back after-sale; held, where it formed with fewer.
    GroupStatus.FORMED: KEPT | GIVEN_BACK | {OrderStatus.PENDING},
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
) -> TableSnapshot:
    """Raise AssertionError with every law that the merchant's items break; return what was read.

    ledger: the gateway's own record. initial_stock: units brought in with each product, by SKU.
    quiescent: the jobs have run, so that nothing may be left undone that is due at `now_s`.
    items: the merchant's, when they have been read already.
    """
    kept = items_of(merchant_id) if items is None else items
    snapshot = TableSnapshot(merchant_id, ledger, initial_stock, now_s, kept)
    broken = violations(snapshot, quiescent=quiescent)
    assert not broken, "\n".join([f"{len(broken)} laws broken:", *broken])
    return snapshot


def violations(snapshot: TableSnapshot, *, quiescent: bool) -> list[str]:
    """Every law that is broken, with the ids of what breaks it."""
    laws = [*LAWS, *money_laws.LAWS, *ledger_laws.LAWS, *work_laws.LAWS]
    laws += [*delivery_laws.LAWS, *count_laws.LAWS, *shipping_laws.LAWS]
    laws += [*coupon_laws.LAWS, *newness_laws.LAWS, *points_laws.LAWS]
    laws += [*after_sale_laws.LAWS, *person_laws.LAWS, *member_laws.LAWS]
    laws += combining_laws.LAWS
    laws += [*crowd_laws.LAWS, *reward_laws.LAWS, *invitation_laws.LAWS]
    laws += attribution_laws.LAWS
    if quiescent:
        laws += [*FINAL, *money_laws.FINAL, *ledger_laws.FINAL, *work_laws.FINAL]
        laws += [*member_laws.FINAL, *reward_laws.FINAL, *invitation_laws.FINAL]
    return [text for law in laws for text in law(snapshot)]


def seats(snapshot: TableSnapshot) -> Violations:
    for group in snapshot.groups.values():
        members = group.members.as_dict()
        what = f"1 seats: group {group.group_id}"
        if not group.seats_paid <= len(members) <= group.seats_total:
            yield f"{what}: {group.seats_paid} paid, {len(members)} taken of {group.seats_total}"
        paid = sum(o.status in KEPT | GIVEN_BACK for o in snapshot.members_orders(group))
        if paid != group.seats_paid:
            yield f"{what}: {group.seats_paid} seats paid, {paid} orders"
        for buyer_id, order_no in members.items():
            order = snapshot.orders.get(buyer_id + order_no)
            if order is None or order.group_id != group.group_id:
                yield f"{what}: seat of {buyer_id} without its order"
            elif order.status not in MEMBERS[GroupStatus(group.status)]:
                yield f"{what} is {group.status}, order {order.order_id} is {order.status}"


def orders_seats(snapshot: TableSnapshot) -> Violations:
    for order in snapshot.orders.values():
        if order.group_id is None or order.status not in LIVE:
            continue
        home = snapshot.groups.get(order.group_id)
        if home is None or home.members.as_dict().get(order.buyer_id) != order.order_no:
            yield f"1 seats: {order.status} order {order.order_id} has no seat"


def forming(snapshot: TableSnapshot) -> Violations:
    for group in snapshot.groups.values():
        what = f"2 forming: group {group.group_id}"
        status = GroupStatus(group.status)
        if (status is GroupStatus.FORMED) != (group.seats_paid == group.seats_total) and (
            not _formed_when_due(group)
        ):
            yield f"{what} is {status} with {group.seats_paid} of {group.seats_total} paid"
        if (group.decided_at_s is None) != (status in UNDECIDED):
            yield f"{what} is {status}, decided at {group.decided_at_s}"
        if status is GroupStatus.PENDING and (group.seats_paid or group.expires_at_s):
            yield f"{what} is pending with a paid seat or a deadline"
        if status is GroupStatus.OPEN and group.leader_id not in group.members.as_dict():
            yield f"{what} is open without its leader"
        if (group.expires_at_s or 0) > group.ends_at_s:
            yield f"{what} outlives its activity"


def promised(snapshot: TableSnapshot) -> Violations:
    for group in snapshot.groups.values():
        what = f"2 forming: group {group.group_id}"
        if group.failed_reason == FailedReason.DUE and group.view().has_least:
            yield f"{what} failed with {group.seats_paid} paid, {group.seats_least} promised"
        offer = snapshot.versions.get((group.activity_id, group.version))
        if offer is None:
            continue
        sizes = {offer.seats_total, *(one["seats"] for one in offer.level_seats)}
        if group.seats_total not in sizes:
            yield f"{what} is of {group.seats_total}, its terms of {sorted(sizes)}"
        least = offer.seats_least if offer.seats_least < group.seats_total else 0
        if least != group.seats_least:
            yield f"{what} promises {group.seats_least}, its terms {least}"


def _formed_when_due(group: GroupItem) -> bool:
    """Whether it formed past its deadline and grace, with as many paid seats as were promised."""
    due_at_s = (group.expires_at_s or 0) + timeouts.GRACE_S
    formed = group.status == GroupStatus.FORMED and (group.decided_at_s or 0) >= due_at_s
    return formed and group.view().has_least


def settled(snapshot: TableSnapshot) -> Violations:
    for group in snapshot.groups.values():
        wanted = SETTLED.get(GroupStatus(group.status))
        for order in snapshot.members_orders(group) if wanted else ():
            if wanted and order.status not in wanted:
                text = f"group {group.group_id} is {group.status}"
                yield f"2 forming: {text}, order {order.order_id} is {order.status}"


def stock(snapshot: TableSnapshot) -> Violations:
    """Units on every shelf, held and sold, are those that were ever brought in."""
    there: Counter[str] = Counter()
    for shelf in snapshot.product_stocks.values():
        there[shelf.sku_id] += shelf.available
    for pk, bucket in snapshot.buckets.items():
        there[pk.split("#")[3]] += bucket.available
    for order_id, order in snapshot.orders.items():
        there[order.sku_id] += snapshot.gone(order)
        asked = snapshot.after_sales.get(order_id, ())
        there[order.sku_id] += sum(after_sale_laws.off_stock(item) for item in asked)
    for sku_id, brought in snapshot.initial_stock.items():
        expected = brought + snapshot.adjusted[sku_id]
        if there[sku_id] != expected:
            yield f"3 stock: SKU {sku_id}: {there[sku_id]} units are there, not {expected}"


def shelves(snapshot: TableSnapshot) -> Violations:
    for pk, bucket in snapshot.buckets.items():
        if bucket.available < 0 or (bucket.ended and bucket.available):
            yield f"3 stock: bucket {pk} has {bucket.available}, ended: {bucket.ended}"
    for shelf in snapshot.product_stocks.values():
        if shelf.available < 0:
            yield f"3 stock: product's stock of {shelf.sku_id} is {shelf.available}"


def deadlines(snapshot: TableSnapshot) -> Violations:
    for home in snapshot.groups.values():
        for order in snapshot.members_orders(home):
            group = snapshot.first_group_of(order) or home
            order_id = str(order.order_id)
            detail = snapshot.details.get(order_id)
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


def limits(snapshot: TableSnapshot) -> Violations:
    used: Counter[tuple[str, str]] = Counter()
    allowed: Counter[tuple[str, str]] = Counter()
    for order_id, order in snapshot.orders.items():
        offer, for_points = snapshot.terms_of(order), snapshot.points_offers.get(order.activity_id)
        if offer is not None:
            most, limit = offer.limit_per_order, offer.limit_per_buyer
        elif for_points is not None:
            most, limit = per_order(for_points.per_buyer), for_points.per_buyer
        else:
            continue
        if order.quantity > most:
            yield f"10 limits: order {order_id} is of {order.quantity}"
        if order.status in LIVE and order.limited:
            who = (order.buyer_id, order.activity_id)
            used[who] += order.quantity
            allowed[who] = max(allowed[who], limit)
    for who in {*used, *snapshot.limits}:
        counted = snapshot.limits[who].used if who in snapshot.limits else 0
        if counted != used[who] or used[who] > allowed[who]:
            text = f"holds {used[who]}, counted {counted}, allowed {allowed[who]}"
            yield f"10 limits: buyer {who[0]} of activity {who[1]} {text}"


def paces(snapshot: TableSnapshot) -> Violations:
    """No more seats are taken in a minute than an activity allows, and each of them is counted."""
    taken = {item.pk: item.taken for item in snapshot.items if isinstance(item, SeatMinuteItem)}
    placed: Counter[str] = Counter()
    allowed: Counter[str] = Counter()
    for order_id, order in snapshot.orders.items():
        terms, detail = snapshot.terms_of(order), snapshot.details.get(order_id)
        if order.group_id and terms is not None and detail is not None and terms.per_minute:
            minute = detail.placed_at_s // timeouts.PACE_S
            pk = SeatMinuteItem.at(snapshot.merchant_id, order.activity_id, minute).pk
            placed[pk] += 1
            allowed[pk] = max(allowed[pk], terms.per_minute)
    for pk in {*taken, *placed}:
        if taken.get(pk, 0) != placed[pk] or placed[pk] > allowed[pk]:
            text = f"{placed[pk]} seats, {taken.get(pk, 0)} counted, {allowed[pk]} allowed"
            yield f"10 limits: minute {pk} has {text}"


def holds(snapshot: TableSnapshot) -> Violations:
    """Each unpaid order is registered with its buyer, and they are no more than the shop allows."""
    shop = next((item for item in snapshot.items if isinstance(item, MerchantItem)), None)
    allowed = shop.unpaid_orders_max if shop else 0
    unpaid: dict[str, set[str]] = {buyer_id: set() for buyer_id in snapshot.holds}
    for order in snapshot.orders.values():
        if order.status == OrderStatus.PENDING:
            unpaid.setdefault(order.buyer_id, set()).add(order.order_no)
    for buyer_id, numbers in unpaid.items():
        holds = snapshot.holds.get(buyer_id)
        listed = set(holds.orders or ()) if holds else set()
        if numbers - listed:
            yield f"10 limits: buyer {buyer_id} has unpaid orders {numbers - listed} unregistered"
        if len(numbers) > allowed or len(listed) > allowed:
            text = f"has {len(numbers)} unpaid orders, {len(listed)} registered"
            yield f"10 limits: buyer {buyer_id} {text}, allowed {allowed}"


def tenancy(snapshot: TableSnapshot) -> Violations:
    for item in snapshot.items:
        named = getattr(item, "merchant_id", snapshot.merchant_id)
        if named != snapshot.merchant_id:
            yield f"12 tenancy: {item.pk} {item.sk} names merchant {named}"
    for order_id, order in snapshot.orders.items():
        if (
            order.activity_id not in {**snapshot.activities, **snapshot.points_offers}
            or order.sku_id not in snapshot.product_stocks
        ):
            yield f"12 tenancy: order {order_id} is of nothing that the merchant sells"
        if order.pk != f"{snapshot.merchant_id}#B#{order.buyer_id}":
            yield f"12 tenancy: order {order_id} lies with another buyer"


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (
    seats,
    orders_seats,
    forming,
    promised,
    stock,
    shelves,
    deadlines,
    limits,
    paces,
    holds,
    tenancy,
)
FINAL: tuple[Law, ...] = (settled,)
