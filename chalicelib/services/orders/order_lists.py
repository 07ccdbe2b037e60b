"""Pages of orders for staff: one query says which, one read of orders, details and groups tells
what they are now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.domain.ids import ORDER_NO_LENGTH, OrderId, base62
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.shipping import parcels_of
from chalicelib.errors import InvalidRequest
from chalicelib.services.orders import order_matches, order_query, order_search, orders
from chalicelib.services.orders.order_query import Lookup, OrderQuery
from chalicelib.services.people import identities
from chalicelib.tables.base import PageKey
from chalicelib.tables.records import FoundOrderItem, found_by
from chalicelib.tables.trade import GroupItem, OrderDetailItem, OrderItem, orders_list
from chalicelib.tables.trade_item import TradeItem, buyer_pk, listed_count

COUNT_MAX = 100  # "99+"
LOOKS_MAX = 5  # of one page
EVER_S = 9_999_999_999
PENDING_S = 86_400  # no order is unpaid for longer: seats are held for an hour at most
# What has a place in the list index. An unpaid order has none: that would cost every order a unit.
LISTED = (
    OrderStatus.PAID,
    OrderStatus.FULFILLING,
    OrderStatus.SHIPPED,
    OrderStatus.READY_FOR_PICKUP,
    OrderStatus.COMPLETED,
    OrderStatus.REFUNDING,
    OrderStatus.REFUNDED,
)
NEWEST_FIRST = (OrderStatus.SHIPPED, OrderStatus.COMPLETED, OrderStatus.REFUNDED)  # nobody waits


@dataclass(frozen=True)
class Wish:
    """What staff want to see. Of a LISTED status alone, the times are those of payment; else of
    placing.

    from_s, to_s: both included. buyer_ids: all of the person that buyer_id is of, which `find`
    looks up.
    """

    status: OrderStatus | None = None
    q: str = ""
    product_id: str = ""
    buyer_id: str = ""
    buyer_ids: tuple[str, ...] = ()
    from_s: int = 0
    to_s: int = EVER_S


@dataclass(frozen=True)
class Found:
    order: OrderItem
    detail: OrderDetailItem
    group: GroupItem | None


@dataclass(frozen=True)
class Page:
    """next_key: what the next page starts after; None: there is none. left_out: what was typed is
    in the titles of more products or activities than were looked at."""

    found: list[Found]
    next_key: PageKey | None
    left_out: bool = False


@dataclass(frozen=True)
class _Spot:
    """Where an order is. group_id: None also when the place does not tell. places: where the words
    are that it was found by, one of which must still fit it."""

    order_id: OrderId
    group_id: str | None = None
    places: tuple[Lookup, ...] = ()


def find(merchant_id: str, wish: Wish, *, after: PageKey | None, limit: int, now_s: int) -> Page:
    """Return a page of the orders that fit.

    A status, or every meaning of what was typed, is looked up, what else is wished is held against
    the orders found, and LOOKS_MAX times at most the list is followed until the page is full: so it
    may have fewer than `limit`, even none, while there is a next one. Raises InvalidRequest.
    """
    if wish.from_s > wish.to_s:
        raise InvalidRequest("开始时间晚于结束时间，请改一下日期。", field="from_s")
    if wish.buyer_id:
        wish = replace(wish, buyer_ids=identities.ids_of(merchant_id, wish.buyer_id))
    meaning = order_query.parse(merchant_id, wish.q, now_s=now_s) if wish.q else None
    recent = _recent(wish, now_s)
    page: list[Found] = []
    if recent.from_s > recent.to_s:
        return Page(page, None)
    for _ in range(LOOKS_MAX):
        spots, after = _look_up(merchant_id, recent, meaning, after, limit - len(page))
        fits = _fits(wish, {spot.order_id: spot.places for spot in spots})
        page += [found for found in _read(merchant_id, spots) if fits(found)]
        if after is None or len(page) >= limit:
            break
    return Page(page, after, left_out=meaning is not None and meaning.left_out)


def read(merchant_id: str, order_ids: Sequence[OrderId]) -> list[Found]:
    """Those of the orders that there are, in that order; up to 50 in two round trips."""
    return _read(merchant_id, [_Spot(order_id) for order_id in order_ids])


def of_people(merchant_id: str, q: str, *, most: int) -> tuple[list[Found], bool]:
    """(the newest orders for somebody of that phone or name, or of a buyer of that name; whether
    there are more)."""
    meaning = OrderQuery(places=tuple(order_query.people(q)))
    spots, after = _meant(merchant_id, meaning, Wish(), None, most)
    fits = _fits(Wish(), {spot.order_id: spot.places for spot in spots})
    return [found for found in _read(merchant_id, spots) if fits(found)], after is not None


def counts(merchant_id: str) -> dict[str, int]:
    """How many orders each list has, at most COUNT_MAX told."""
    return {
        status.value: listed_count(orders_list(merchant_id, status), most=COUNT_MAX)
        for status in LISTED
    }


def _look_up(
    merchant_id: str, wish: Wish, meaning: OrderQuery | None, after: PageKey | None, limit: int
) -> tuple[list[_Spot], PageKey | None]:
    if meaning is not None:
        return _meant(merchant_id, meaning, wish, after, limit)
    if wish.buyer_ids:
        return _of_buyer(merchant_id, wish, after, limit)
    if wish.product_id:
        word = order_search.product_word(wish.product_id)
        return _under_word(merchant_id, word, wish, after, limit)
    if wish.status in LISTED:
        return _in_status(merchant_id, wish.status, wish, after, limit)
    closed = wish.status is OrderStatus.CLOSED
    word = order_search.CLOSED if closed else order_search.PLACED
    return _under_word(merchant_id, word, wish, after, limit)


def _meant(
    merchant_id: str, meaning: OrderQuery, wish: Wish, after: PageKey | None, limit: int
) -> tuple[list[_Spot], PageKey | None]:
    """What has that number, then what is found by a word, the newest first."""
    if meaning.order_id is not None:
        return [_Spot(meaning.order_id)], None
    in_group = _of_group(merchant_id, meaning.group_id) if meaning.group_id else []
    if in_group:
        return in_group, None
    numbered = order_matches.with_one_of(merchant_id, meaning.recent)
    if meaning.short:
        numbered = order_matches.with_short_number(merchant_id, *meaning.short)
    first = [] if after else [_Spot(order_id) for order_id in numbered]
    rows, after = order_matches.page(
        merchant_id, meaning.places, (wish.from_s, wish.to_s), after, max(limit - len(first), 1)
    )
    others = [_Spot(row.order_id, row.group_id, row.places) for row in rows]
    return first + [spot for spot in others if spot.order_id not in numbered], after


def _recent(wish: Wish, now_s: int) -> Wish:
    """The wish, of as far back as there can be such orders: unpaid ones are soon let go of."""
    if wish.status is not OrderStatus.PENDING:
        return wish
    return replace(wish, from_s=max(wish.from_s, now_s - PENDING_S))


def _in_status(
    merchant_id: str, status: OrderStatus, wish: Wish, after: PageKey | None, limit: int
) -> tuple[list[_Spot], PageKey | None]:
    page = TradeItem.by_list.query(
        orders_list(merchant_id, status),
        TradeItem.list_rank.between(f"{wish.from_s:010d}", f"{wish.to_s:010d}~"),
        scan_index_forward=status not in NEWEST_FIRST,
        limit=limit,
        last_evaluated_key=after,
    )
    spots = [
        _Spot(OrderId(item.pk.rpartition("#")[2], item.sk.partition("#")[2]), item.group_id)
        for item in page
        if isinstance(item, OrderItem)
    ]
    return spots, page.last_evaluated_key


def _under_word(
    merchant_id: str, word: str, wish: Wish, after: PageKey | None, limit: int
) -> tuple[list[_Spot], PageKey | None]:
    """By the time of placing, the newest first."""
    page = FoundOrderItem.query(
        found_by(merchant_id, word),
        FoundOrderItem.sk.between(f"{wish.from_s:010d}", f"{wish.to_s:010d}~"),
        scan_index_forward=False,
        limit=limit,
        last_evaluated_key=after,
    )
    spots = [
        _Spot(order_id, row.group_id) for row in page if (order_id := OrderId.parse(row.order_id))
    ]
    return spots, page.last_evaluated_key


def _of_buyer(
    merchant_id: str, wish: Wish, after: PageKey | None, limit: int
) -> tuple[list[_Spot], PageKey | None]:
    """The newest first, whichever of the person's ids they are under: one query for each."""
    first, last = (base62(at_s, ORDER_NO_LENGTH - 2) for at_s in (wish.from_s, wish.to_s))
    pages = [
        OrderItem.query(
            pk,
            OrderItem.sk.between(f"order#{first}", f"order#{last}~"),
            scan_index_forward=False,
            limit=limit,
            last_evaluated_key=_start_in(pk, after),
        )
        for pk in (buyer_pk(merchant_id, buyer_id) for buyer_id in wish.buyer_ids)
    ]
    found = [order for page in pages for order in page]
    found.sort(key=lambda order: (order.sk, order.pk), reverse=True)
    spots = [_Spot(order.order_id, order.group_id) for order in found[:limit]]
    if len(found) <= limit and not any(page.last_evaluated_key for page in pages):
        return spots, None
    end = found[:limit][-1]
    return spots, {"pk": {"S": end.pk}, "sk": {"S": end.sk}}


def _start_in(pk: str, after: PageKey | None) -> PageKey | None:
    """Where a page begins in one partition, when it begins after `after` in all of them."""
    if after is None:
        return None
    sk = after["sk"]["S"]
    if pk < after["pk"]["S"]:
        sk += " "  # of two orders of one number, that in the greater partition comes first
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _of_group(merchant_id: str, group_id: str) -> list[_Spot]:
    """The orders of a group's seats, 100 at most."""
    group = orders.find_group(merchant_id, group_id)
    seats = group.everybody if group else {}
    return [_Spot(OrderId(buyer_id, number), group_id) for buyer_id, number in seats.items()]


def _read(merchant_id: str, spots: Sequence[_Spot]) -> list[Found]:
    """What stands there, in that order. Groups that no spot told of are one more read."""
    keys = set()
    for spot in spots:
        order, detail = (
            kind.at(merchant_id, spot.order_id) for kind in (OrderItem, OrderDetailItem)
        )
        keys |= {(order.pk, order.sk), (detail.pk, detail.sk)}
    keys |= {_group_key(merchant_id, spot.group_id) for spot in spots if spot.group_id}
    items = _items(keys)
    orders = [item for item in items.values() if isinstance(item, OrderItem)]
    missing = {_group_key(merchant_id, order.group_id) for order in orders if order.group_id}
    items |= _items(missing - items.keys())
    found = []
    for spot in spots:
        order_key = OrderItem.at(merchant_id, spot.order_id)
        item = items.get((order_key.pk, order_key.sk))
        detail_item = items.get((order_key.pk, f"detail#{spot.order_id.order_no}"))
        if isinstance(item, OrderItem) and isinstance(detail_item, OrderDetailItem):
            home = items.get(_group_key(merchant_id, item.group_id or ""))
            found.append(Found(item, detail_item, home if isinstance(home, GroupItem) else None))
    return found


def _items(keys: set[tuple[str, str]]) -> dict[tuple[str, str], TradeItem]:
    read = TradeItem.batch_get(sorted(keys), consistent_read=True) if keys else ()
    return {(item.pk, item.sk): item for item in read}


def _group_key(merchant_id: str, group_id: str) -> tuple[str, str]:
    return GroupItem.at(merchant_id, group_id).pk, "group"


def _fits(wish: Wish, places: Mapping[OrderId, tuple[Lookup, ...]]) -> Callable[[Found], bool]:
    """Whether an order is what was wished: a place tells what it was once."""

    def fits(found: Found) -> bool:
        order = found.order
        where = places.get(order.order_id)
        return (
            (wish.status is None or order.status == wish.status)
            and wish.product_id in ("", order.product_id)
            and order.buyer_id in (wish.buyer_ids or (order.buyer_id,))
            and (not where or any(_still_fits(place, found) for place in where))
        )

    return fits


def _still_fits(place: Lookup, found: Found) -> bool:
    numbers = [parcel.number for parcel in parcels_of(found.detail.parcels)]
    phone = order_query.phone_digits(found.detail.address.as_dict().get("phone", ""))
    return (
        phone.endswith(place.phone)
        and place.tracking in ("", *numbers)
        and (not place.activity_ids or found.order.activity_id in place.activity_ids)
    )
