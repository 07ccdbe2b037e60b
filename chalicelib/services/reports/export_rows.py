"""Where the rows of an export come from: pages of bounded reads, each from where the last ended.

What is listed by the time of placing stays where it is, and so does the day book; in a list of one
status an order stands once, for it enters each status once. So no order is told twice.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from chalicelib.domain import carriers, recipient
from chalicelib.domain.beijing import day_of
from chalicelib.domain.exports import EVER_S, Cell, Filled, Moment, Row, Subject, Wanted, Yuan
from chalicelib.domain.group import GroupStatus
from chalicelib.domain.group_words import group_text
from chalicelib.domain.ids import ORDER_NO_LENGTH, OrderId, base62
from chalicelib.domain.ledger import Account, Entry, Movement, moved
from chalicelib.domain.order import Delivery, OrderStatus
from chalicelib.domain.order_words import method_text, movement_text, staff_text
from chalicelib.domain.pricing import price_of
from chalicelib.domain.shipping import parcels_of
from chalicelib.services.orders import order_lists
from chalicelib.services.orders.order_lists import Found, Wish
from chalicelib.services.people import identities
from chalicelib.services.reports import member_rows
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.records import DayBookItem, RecordItem, day_book
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem, buyer_pk

PAGE = 50  # orders or movements of one reading
DAYS_OF_PAGE = 40  # days of the day book that one page looks into
ORDERS_OF_BUYER_MAX = 200  # that are added up; the newest ones
ONE_DAY = dt.timedelta(days=1)
_UNPAID = (OrderStatus.PENDING, OrderStatus.CLOSED)
_DELIVERY_WORDS: Mapping[str, str] = {Delivery.EXPRESS: "快递", Delivery.PICKUP: "到店自提"}


def page(
    merchant_id: str, wanted: Wanted, cursor: str, *, now_s: int, met: set[str] | None = None
) -> Filled:
    """The rows that begin at `cursor` (empty: the first ones), and where to go on.

    now_s: when the export was asked for, the same for every page. met: buyers of the pages that the
    caller had before this one; those of this page are added. May be empty and go on. Raises Busy.
    """
    known = set() if met is None else met

    def customers(of: str, what: Wanted, begin: Any, at_s: int) -> tuple[list[Row], Any]:
        return _customers(of, what, begin, at_s, known)

    make: Callable[[str, Wanted, Any, int], tuple[list[Row], Any]] = {
        Subject.ORDERS: _orders,
        Subject.MOVEMENTS: _movements,
        Subject.CUSTOMERS: customers,
        Subject.MEMBERS: member_rows.page,
    }[wanted.subject]
    rows, after = make(merchant_id, wanted, json.loads(cursor) if cursor else None, now_s)
    cells: list[list[Cell]] = [[row.get(name) for name in wanted.columns] for row in rows]
    return Filled(cells, None if after is None else json.dumps(after, separators=(",", ":")))


def _orders(
    merchant_id: str, wanted: Wanted, after: Any, now_s: int
) -> tuple[list[Row], dict[str, Any] | None]:
    found, after = _found(merchant_id, wanted, after, now_s)
    needed = wanted.personal or "buyer" in wanted.columns
    buyers = _buyers(merchant_id, found) if needed else {}
    return [_order_row(one, buyers, wanted) for one in found], after


def _found(
    merchant_id: str, wanted: Wanted, after: Any, now_s: int
) -> tuple[list[Found], dict[str, Any] | None]:
    wish = Wish(
        status=OrderStatus(wanted.status) if wanted.status else None,
        q=wanted.q,
        product_id=wanted.product_id,
        buyer_id=wanted.buyer_id,
        from_s=wanted.from_s,
        to_s=min(wanted.to_s, now_s),
    )
    page = order_lists.find(merchant_id, wish, after=after, limit=PAGE, now_s=now_s)
    return page.found, page.next_key


def _order_row(found: Found, buyers: Mapping[str, BuyerItem], wanted: Wanted) -> Row:
    order, detail, known = found.order, found.detail, found.order.view()
    lines, parcels = detail.lines.as_dict(), parcels_of(detail.parcels)
    price = price_of(lines)
    off_fen = sum(-line.amount_fen for line in price.lines if line.amount_fen < 0)
    paid = known.seat_payment
    buyer = buyers.get(order.buyer_id)
    group = found.group
    return {
        "short_no": order.short_no,
        "order_id": str(order.order_id),
        "status": staff_text(known),
        "placed_at": Moment(detail.placed_at_s),
        "paid_at": Moment(paid[1].paid_at_s) if paid else None,
        "title": lines["title"],
        "spec": lines["spec"],
        "quantity": order.quantity,
        "unit_price": Yuan(price.unit_price_fen),
        "taken_off": Yuan(off_fen - price.points_fen),
        "coupon": price.coupon_name or None,
        "points": price.points or None,
        "points_off": Yuan(price.points_fen),
        "freight": Yuan(price.freight_fen),
        "total": Yuan(order.total_fen),
        **_money(order.entries()),
        "method": method_text(paid[1].method) if paid else None,
        "out_trade_no": f"{order.order_id}{paid[0]}" if paid else None,
        "transaction_id": paid[1].transaction_id if paid else None,
        "delivery": _DELIVERY_WORDS.get(detail.delivery, detail.delivery),
        "store": (detail.store.as_dict() if detail.store is not None else {}).get("name"),
        **_recipient(detail.address.as_dict(), buyer, wanted),
        "buyer": buyer.name if buyer else None,
        "remark": detail.remark,
        "notes": "；".join(note["text"] for note in detail.notes or ()),
        "to_ship": order.units.to_deliver if order.status == OrderStatus.FULFILLING else 0,
        "carrier": "；".join(carriers.by_code(parcel.carrier).name for parcel in parcels),
        "tracking": "；".join(parcel.number for parcel in parcels),
        "shipped_at": Moment(parcels[-1].shipped_at_s) if parcels else None,
        "received_at": Moment(order.received_at_s or 0),
        "group_id": order.group_id,
        "group_status": (
            group_text(GroupStatus(group.status), group.failed_reason) if group else None
        ),
    }


def _recipient(address: Mapping[str, str], buyer: BuyerItem | None, wanted: Wanted) -> Row:
    """In full where that was asked for; of a closed account masked all the same."""
    in_full = wanted.personal and not (buyer and buyer.erased_at_s)
    shown = dict(address) if in_full else recipient.masked(address)
    names = ("name", "phone", "province", "city", "district", "street")
    return {name: shown.get(name, "") for name in names}


def _money(entries: Iterable[Entry]) -> Row:
    captured, refunded = moved(entries)
    return {"captured": Yuan(captured), "refunded": Yuan(refunded)}


def _buyers(merchant_id: str, found: Sequence[Found]) -> dict[str, BuyerItem]:
    keys = {(one.order.pk, "buyer") for one in found}
    read = TradeItem.batch_get(sorted(keys)) if keys else ()
    return {item.pk.rpartition("#")[2]: item for item in read if isinstance(item, BuyerItem)}


def _movements(
    merchant_id: str, wanted: Wanted, after: Any, now_s: int
) -> tuple[list[Row], dict[str, Any] | None]:
    """From the day book, a day after the other; `after`: {day, key}."""
    last = day_of(min(wanted.to_s, now_s))
    day = dt.date.fromisoformat(after["day"]) if after else day_of(wanted.from_s)
    key = after["key"] if after else None
    rows: list[DayBookItem] = []
    for _ in range(DAYS_OF_PAGE):
        read = RecordItem.query(
            day_book(merchant_id, day), limit=PAGE - len(rows), last_evaluated_key=key
        )
        found = [row for row in read if isinstance(row, DayBookItem)]
        rows += [row for row in found if wanted.from_s <= row.at_s <= wanted.to_s]
        key = read.last_evaluated_key
        if key is None:
            if day >= last:
                return _movement_rows(merchant_id, rows), None
            day += ONE_DAY
        if len(rows) >= PAGE:
            break
    return _movement_rows(merchant_id, rows), {"day": day.isoformat(), "key": key}


def _movement_rows(merchant_id: str, rows: Sequence[DayBookItem]) -> list[Row]:
    # A number of ours begins with its order's.
    ids = {row.number: OrderId.parse(row.number[:30]) for row in rows}
    keys = {
        (key.pk, key.sk) for of in ids.values() if of for key in (OrderItem.at(merchant_id, of),)
    }
    read = OrderItem.batch_get(sorted(keys)) if keys else ()
    orders = {str(order.order_id): order for order in read}
    return [_movement_row(row, orders.get(row.number[:30])) for row in rows]


def _movement_row(row: DayBookItem, order: OrderItem | None) -> Row:
    incoming = row.debit == Account.GATEWAY
    known = order.view() if order is not None else None
    payment = known.payments.get(row.number[30:32]) if known else None
    fees = [
        entry.amount_fen
        for entry in (order.entries() if order is not None else ())
        if entry.movement is Movement.FEE and entry.of == row.number[30:33]
    ]
    return {
        "at": Moment(row.at_s),
        "movement": movement_text(Movement(row.movement), row.number[30:33]),
        "method": method_text(row.method),
        "incoming": Yuan(row.amount_fen) if incoming else None,
        "outgoing": None if incoming else Yuan(row.amount_fen),
        "fee": Yuan(sum(fees)) if fees else None,  # known once the day's bill has been compared
        "number": row.number,
        "transaction_id": payment.transaction_id if payment else None,
        "short_no": order.short_no if order is not None else None,
        "order_id": row.number[:30],
        "title": order.title if order is not None else None,
        "order_status": staff_text(known) if known else None,
    }


def _customers(
    merchant_id: str, wanted: Wanted, after: Any, now_s: int, met: set[str]
) -> tuple[list[Row], dict[str, Any] | None]:
    """Each buyer where the newest of their paid orders stands in the list of all orders, whichever
    of their ids it was placed under.

    Where a buyer was met before, that one came earlier: nothing is looked up again.
    """
    found, after = _found(merchant_id, wanted, after, now_s)
    paid = [
        one for one in found if one.order.status not in _UNPAID and one.order.buyer_id not in met
    ]
    persons = _persons(_buyers(merchant_id, paid))
    orders: dict[str, list[OrderItem]] = {}
    rows = []
    for one in paid:
        person = persons.get(one.order.buyer_id)
        ids = person.ids if person else (one.order.buyer_id,)
        if ids[0] not in orders:
            theirs = [o for i in ids for o in _paid_orders(merchant_id, i, wanted, now_s)]
            theirs.sort(key=lambda order: order.order_no, reverse=True)
            orders[ids[0]] = theirs
        newest = next(iter(orders[ids[0]]), None)
        if newest is not None and newest.order_id == one.order.order_id:
            rows.append(_customer_row(one, orders[ids[0]], person, wanted))
        met.update(ids)
    return rows, after


def _persons(buyers: Mapping[str, BuyerItem]) -> dict[str, BuyerItem]:
    """Who the buyers of these ids are now."""
    return {
        buyer_id: identities.root(buyer.merchant_id, buyer_id) if buyer.merged_into else buyer
        for buyer_id, buyer in buyers.items()
    }


def _paid_orders(merchant_id: str, buyer_id: str, wanted: Wanted, now_s: int) -> list[OrderItem]:
    """A buyer's paid orders of that product and time, the newest first."""
    ends = (wanted.from_s, min(wanted.to_s, now_s, EVER_S))
    first, last = (base62(at_s, ORDER_NO_LENGTH - 2) for at_s in ends)
    read = OrderItem.query(
        buyer_pk(merchant_id, buyer_id),
        OrderItem.sk.between(f"order#{first}", f"order#{last}~"),
        scan_index_forward=False,
        limit=ORDERS_OF_BUYER_MAX,
    )
    return [
        order
        for order in read
        if order.status not in _UNPAID and wanted.product_id in ("", order.product_id)
    ]


def _customer_row(
    found: Found, orders: Sequence[OrderItem], buyer: BuyerItem | None, wanted: Wanted
) -> Row:
    return {
        "buyer_id": buyer.buyer_id if buyer else found.order.buyer_id,
        "buyer": buyer.name if buyer else None,
        **_recipient(found.detail.address.as_dict(), buyer, wanted),
        "orders": len(orders),
        **_money(entry for order in orders for entry in order.entries()),
        "first_at": Moment(orders[-1].order_id.placed_at_s),
        "last_at": Moment(orders[0].order_id.placed_at_s),
    }
