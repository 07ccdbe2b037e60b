"""The words under which staff find orders, and what a question of theirs means.

A row under a word is written once and never changed, so it says where to look and no more: what
an order is now, and whether the word still fits it, the order itself says.
"""

import re

from chalicelib.domain import phone as phones
from chalicelib.domain.ids import OrderId
from chalicelib.domain.shipping import parcels_of
from chalicelib.domain.short_number import SERIALS_MAX, short_number
from chalicelib.errors import Busy
from chalicelib.tables.base import LostRace, Writes, get_or_none, put_new, retried, update_one
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.records import FoundOrderItem, ShortNumberItem, found_by
from chalicelib.tables.trade import OrderDetailItem, OrderItem
from chalicelib.tables.trade_item import TradeItem

PLACED = "placed"  # every order; put last, so where it stands, the order's other words do
CLOSED = "closed"
SHARING_MAX = 20  # orders looked at under one tracking number
PAIRS_MAX = 4  # of a name: the parts under which it is found
_RUNS = re.compile(r"[a-z0-9]+|[^a-z0-9]+")


def phone_word(phone: str) -> str:
    """By the last 4 digits, which is what people say; those of an extension are not theirs."""
    return f"phone#{phones.main_part(phone)[-4:]}"


def folded(name: str) -> str:
    """A name however it is spaced and written."""
    return "".join(name.split()).casefold()


def name_word(name: str) -> str:
    """Of a recipient or a buyer, whole: orders placed before parts of names were kept have it."""
    return f"name#{folded(name)}"


def name_words(name: str) -> list[str]:
    """Its first character, and the PAIRS_MAX first pairs: each row holds the whole name, so a
    longer part of it is told from others of the same pair."""
    first = folded(name)[:1]
    pairs = list(dict.fromkeys(pair for pair in _pairs(name) if len(pair) == 2))
    return [f"part#{part}" for part in (first, *pairs[:PAIRS_MAX])]


def part_word(q: str) -> str:
    """Where the names stand that `q` is a part of: under its first pair, or its one character."""
    pairs = _pairs(q)
    return f"part#{next((pair for pair in pairs if len(pair) == 2), pairs[0])}"


def _pairs(name: str) -> list[str]:
    """The first two letters of each word; of Chinese, every two characters that are neighbours."""
    found: list[str] = []
    for run in (run for token in name.casefold().split() for run in _RUNS.findall(token)):
        last = 1 if run.isascii() and run.isalnum() else max(len(run) - 1, 1)
        found += [run[at : at + 2] for at in range(last)]
    return found


def gateway_word(number: str) -> str:
    """By the gateway's own number of a payment, which buyers see in their wallets."""
    return f"gateway#{number}"


def product_word(product_id: str) -> str:
    return f"product#{product_id}"


def tracking_word(number: str) -> str:
    return f"tracking#{number}"


def after_sale_word(number: str) -> str:
    """Of a parcel with goods that come back, or with a replacement for them."""
    return f"after_sale#{number}"


def code_word(pickup_code: str) -> str:
    return f"code#{pickup_code}"


def put_words(order: OrderItem) -> None:
    """Let an order be found: by its short number, phone, names and product, in the list of all.

    The stream does it for every new order, whoever drives a paid one makes sure of it. Each put is
    of what is the same for ever, so doing it again changes nothing.
    """
    if _is_found(order):
        return
    detail, buyer = _people(order)
    _take_short_number(order)
    address = detail.address.as_dict()
    _put(order, phone_word(address.get("phone", "")))
    for name in {name for name in (address.get("name", ""), buyer.name) if folded(name)}:
        for word in name_words(name):
            _put(order, word, text=folded(name))
    for word in (product_word(order.product_id), PLACED):
        _put(order, word)


def put_gateway_numbers(order: OrderItem) -> None:
    """Let a paid order be found by its payments' numbers at the gateway."""
    for payment in order.view().payments.values():
        if payment.transaction_id:
            _put(order, gateway_word(payment.transaction_id))


def put_closed(order: OrderItem) -> None:
    """List an order among those that were let go of, unpaid."""
    _put(order, CLOSED)


def add_word(writes: Writes, order: OrderItem, word: str, *, text: str | None = None) -> None:
    """Let an order be found under `word` too, with the write that makes it so; or still."""
    row_or_none = FoundOrderItem.pk.does_not_exist() | FoundOrderItem.pk.exists()
    writes.put(_row(order, word, text), condition=row_or_none, refuse=LostRace)


def add_name(writes: Writes, order: OrderItem, name: str) -> None:
    """Let an order be found by another name too, with the write that makes it so."""
    for word in name_words(name):
        add_word(writes, order, word, text=folded(name))


def with_number(merchant_id: str, number: str) -> list[OrderId]:
    """Orders with a parcel of that number now."""
    rows = FoundOrderItem.query(
        found_by(merchant_id, tracking_word(number)), limit=SHARING_MAX, consistent_read=True
    )
    ids = [parsed for row in rows if (parsed := OrderId.parse(row.order_id))]
    keys = [OrderDetailItem.at(merchant_id, order_id) for order_id in ids]
    if not keys:
        return []
    found = OrderDetailItem.batch_get([(key.pk, key.sk) for key in keys], consistent_read=True)
    having = {
        (detail.pk, detail.sk)
        for detail in found
        if any(parcel.number == number for parcel in parcels_of(detail.parcels))
    }
    return [of for of, key in zip(ids, keys, strict=True) if (key.pk, key.sk) in having]


def _is_found(order: OrderItem) -> bool:
    return get_or_none(_row(order, PLACED)) is not None


def _people(order: OrderItem) -> tuple[OrderDetailItem, BuyerItem]:
    """Whom an order is for and whose it is, in one round trip; it is never without them."""
    keys = [(order.pk, f"detail#{order.order_no}"), (order.pk, "buyer")]
    found = {type(item): item for item in TradeItem.batch_get(keys, consistent_read=True)}
    detail, buyer = found[OrderDetailItem], found[BuyerItem]
    assert isinstance(detail, OrderDetailItem)
    assert isinstance(buyer, BuyerItem)
    return detail, buyer


def _take_short_number(order: OrderItem) -> None:
    """Make sure that no other order has this one's short number: the later gets a serial.

    What is shown before is the same number without its serial, under which both are found.
    Raises Busy when no serial is left.
    """
    order_id = str(order.order_id)
    number = short_number(order.order_id)
    at_s = order.order_id.placed_at_s
    for serial in (0, *range(2, SERIALS_MAX)):
        row = ShortNumberItem.at(order.merchant_id, number, serial, at_s, order_id)
        if retried(lambda row=row: put_new(row)):  # type: ignore[misc]
            break
        holder = get_or_none(row)
        if holder is not None and holder.order_id == order_id:
            break
    else:
        raise Busy
    if serial:
        retried(lambda: _keep_serial(order, serial))


def _keep_serial(order: OrderItem, serial: int) -> None:
    of = OrderItem.at(order.merchant_id, order.order_id)
    update_one(
        of,
        [OrderItem.short_serial.set(serial)],
        condition=OrderItem.pk.exists(),
        refuse=LostRace,
    )


def _put(order: OrderItem, word: str, *, text: str | None = None) -> None:
    row = _row(order, word, text)
    retried(lambda: put_new(row))


def _row(order: OrderItem, word: str, text: str | None = None) -> FoundOrderItem:
    order_id = order.order_id
    return FoundOrderItem.at(
        order.merchant_id,
        word,
        order_id.placed_at_s,
        str(order_id),
        group_id=order.group_id,
        text=text,
    )
