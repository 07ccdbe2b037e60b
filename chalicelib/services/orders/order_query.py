"""What staff may mean by what they type: everything that it fits, not the first guess."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.domain import carriers, short_number
from chalicelib.domain import phone as phones
from chalicelib.domain.ids import OrderId, is_id, split_out_refund_no, split_out_trade_no
from chalicelib.services.catalogue import activity_lists, product_lists
from chalicelib.services.orders import order_search

# Of the newest products, and of the activities, whose titles hold the words; each product that is
# found is a query more.
PRODUCTS_MAX, ACTIVITIES_MAX = 30, 30
_TAIL = re.compile("[0-9]{4}")
_PHONE = re.compile("[0-9]{7,15}")
_PICKUP_CODE = re.compile("[0-9]{8}")
_NUMBER = re.compile(carriers.ANY_NUMBER)
_GATEWAY = re.compile("[0-9A-Za-z]{16,64}")


@dataclass(frozen=True)
class Lookup:
    """Where orders stand that may be meant, and what makes them so.

    phone: the end of the recipient's number now, tracking: the number of one of its parcels now;
    text: a part of the name that the row is of; activity_ids: what it was bought in, if not any.
    """

    word: str
    phone: str = ""
    tracking: str = ""
    text: str = ""
    activity_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class OrderQuery:
    """order_id: that order alone; group_id: of the orders of a group, if there is such a one.

    left_out: the words are in the titles of more products or activities than are looked at.
    """

    order_id: OrderId | None = None
    group_id: str = ""
    short: tuple[str, str] | None = None  # number, serial
    recent: tuple[str, ...] = ()  # short numbers, of which it is the end
    places: tuple[Lookup, ...] = ()
    left_out: bool = False


def parse(merchant_id: str, q: str, *, now_s: int) -> OrderQuery:
    """Return everything that `q` can be: a text without outer blanks, and not empty."""
    order_id = _order_id_of(q)
    if order_id is not None:
        return OrderQuery(order_id=order_id)
    products, left_out = _products(merchant_id, q, now_s)
    places = [*_numbers(q), *_names(q), *products]
    return OrderQuery(
        group_id=q if is_id(q) else "",
        short=short_number.read(q),
        recent=short_number.recent(q, now_s),
        places=tuple(dict.fromkeys(places)),
        left_out=left_out,
    )


def people(q: str) -> list[Lookup]:
    """Where orders stand that are for somebody of that phone or name, or of a buyer of that
    name."""
    return [*_phones(q), *_names(q)]


def phone_digits(phone: str) -> str:
    """The digits of a phone number without +86 and an extension."""
    return re.sub("[^0-9]", "", phones.main_part(phones.normal(phone)))


def _order_id_of(text: str) -> OrderId | None:
    """The order of its own number, or of a payment's or refund's."""
    parts = split_out_trade_no(text) or split_out_refund_no(text)
    return OrderId.parse(text) or (parts[0] if parts else None)


def _phones(text: str) -> Iterator[Lookup]:
    phone, number = phone_digits(text), carriers.plain_number(text)
    if _TAIL.fullmatch(number) or (_PHONE.fullmatch(phone) and not re.search("[A-Z]", number)):
        yield Lookup(order_search.phone_word(phone), phone=phone)


def _numbers(text: str) -> Iterator[Lookup]:
    number = carriers.plain_number(text)
    yield from _phones(text)
    if _PICKUP_CODE.fullmatch(number):
        yield Lookup(order_search.code_word(number))
    if _NUMBER.fullmatch(number):
        yield Lookup(order_search.tracking_word(number), tracking=number)
        yield Lookup(order_search.after_sale_word(number))
    if _GATEWAY.fullmatch(text.replace(" ", "")):
        yield Lookup(order_search.gateway_word(text.replace(" ", "")))


def _names(text: str) -> Iterator[Lookup]:
    """Of recipients and buyers: whole, as they once were kept, or a part."""
    yield Lookup(order_search.name_word(text))
    yield Lookup(order_search.part_word(text), text=order_search.folded(text))


def _products(merchant_id: str, text: str, now_s: int) -> tuple[list[Lookup], bool]:
    """(one lookup for each product that the words are of, or an activity of its; whether some were
    left out)."""
    products = product_lists.ids_of(merchant_id, text, at_most=PRODUCTS_MAX + 1)
    activities, _ = activity_lists.page(merchant_id, q=text, limit=ACTIVITIES_MAX + 1, now_s=now_s)
    bought_in: dict[str, tuple[str, ...]] = dict.fromkeys(products[:PRODUCTS_MAX], ())
    for item in activities[:ACTIVITIES_MAX]:
        known = bought_in.get(item.product_id)
        if known != ():  # else whatever it was bought in
            bought_in[item.product_id] = (*(known or ()), item.activity_id)
    places = [
        Lookup(order_search.product_word(product_id), activity_ids=activity_ids)
        for product_id, activity_ids in bought_in.items()
    ]
    return places, len(products) > PRODUCTS_MAX or len(activities) > ACTIVITIES_MAX
