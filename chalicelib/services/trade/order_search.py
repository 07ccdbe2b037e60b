"""The words under which staff find orders, and what a question of theirs means.

A row under a word is written once and never changed, so it says where to look and no more: what
an order is now, and whether the word still fits it, the order itself says.
"""

import re
from dataclasses import dataclass

from chalicelib.domain import carriers
from chalicelib.domain import phone as phones
from chalicelib.domain.ids import OrderId, is_id, split_out_refund_no, split_out_trade_no
from chalicelib.domain.shipping import parcels_of
from chalicelib.errors import InvalidRequest
from chalicelib.tables.base import LostRace, Writes, put_new, retried
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.catalogue_item import stored
from chalicelib.tables.records import FoundOrderItem, found_by
from chalicelib.tables.trade import OrderDetailItem, OrderItem
from chalicelib.tables.trade_item import TradeItem

PLACED = "placed"  # every order; put last, so where it stands, the order's other words do
CLOSED = "closed"
SHARING_MAX = 20  # orders looked at under one tracking number
_PHONE = re.compile(phones.PATTERN)
_PHONE_TAIL = re.compile("[0-9]{4}")
_PICKUP_CODE = re.compile("[0-9]{8}")
_NUMBER = re.compile(carriers.ANY_NUMBER)


def phone_word(phone: str) -> str:
    """By the last 4 digits, which is what people say; those of an extension are not theirs."""
    return f"phone#{phones.main_part(phone)[-4:]}"


def name_word(name: str) -> str:
    """Of a recipient or a buyer, whole: however it is spaced and written."""
    return f"name#{''.join(name.split()).casefold()}"


def product_word(product_id: str) -> str:
    return f"product#{product_id}"


def tracking_word(number: str) -> str:
    return f"tracking#{number}"


def code_word(pickup_code: str) -> str:
    return f"code#{pickup_code}"


@dataclass(frozen=True)
class Meaning:
    """What `q` asks for: one order, the orders of a group, or those under a word.

    phone: the end of the recipient's number, tracking: a parcel's, that the order must have now.
    """

    order_id: OrderId | None = None
    group_id: str = ""
    word: str = ""
    phone: str = ""
    tracking: str = ""


def meaning_of(q: str) -> Meaning:
    """What staff mean by `q`, by its form. Raises InvalidRequest when it has none that we know."""
    text = q.strip()
    order_id = _order_of(text)
    if order_id is not None:
        return Meaning(order_id=order_id)
    if is_id(text):
        return Meaning(group_id=text)
    phone = phones.normal(text)
    if _PHONE.fullmatch(phone) or _PHONE_TAIL.fullmatch(text):
        return Meaning(word=phone_word(phone), phone=phones.main_part(phone))
    if _PICKUP_CODE.fullmatch(text):
        return Meaning(word=code_word(text))
    number = carriers.plain_number(text)
    if _NUMBER.fullmatch(number):
        return Meaning(word=tracking_word(number), tracking=number)
    if not text.isdigit():
        return Meaning(word=name_word(text))
    raise InvalidRequest(
        "请输入完整的订单号、团号、快递单号、取货码、收件人姓名或买家昵称，"
        "或收件人手机号（可只填后 4 位）。",
        field="q",
    )


def _order_of(text: str) -> OrderId | None:
    """The order of its own number, or of a payment's or refund's."""
    parts = split_out_trade_no(text) or split_out_refund_no(text)
    return OrderId.parse(text) or (parts[0] if parts else None)


def put_words(order: OrderItem) -> None:
    """Let an order be found: in the list of all, by phone, names and product.

    The stream does it for every new order, whoever drives a paid one makes sure of it. Each put is
    of what is the same for ever, so doing it again changes nothing.
    """
    if _is_found(order):
        return
    detail, buyer = _people(order)
    address = detail.address.as_dict()
    names = {name_word(name) for name in (address.get("name"), buyer.name) if name}
    words = [phone_word(address.get("phone", "")), *names, product_word(order.product_id), PLACED]
    for word in words:
        _put(order, word)


def put_closed(order: OrderItem) -> None:
    """List an order among those that were let go of, unpaid."""
    _put(order, CLOSED)


def add_word(writes: Writes, order: OrderItem, word: str) -> None:
    """Let an order be found under `word` too, with the write that makes it so; or still."""
    row_or_none = FoundOrderItem.pk.does_not_exist() | FoundOrderItem.pk.exists()
    writes.put(_row(order, word), condition=row_or_none, refuse=LostRace)


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
    return stored(_row(order, PLACED)) is not None


def _people(order: OrderItem) -> tuple[OrderDetailItem, BuyerItem]:
    """Whom an order is for and whose it is, in one round trip; it is never without them."""
    keys = [(order.pk, f"detail#{order.order_no}"), (order.pk, "buyer")]
    found = {type(item): item for item in TradeItem.batch_get(keys, consistent_read=True)}
    detail, buyer = found[OrderDetailItem], found[BuyerItem]
    assert isinstance(detail, OrderDetailItem)
    assert isinstance(buyer, BuyerItem)
    return detail, buyer


def _put(order: OrderItem, word: str) -> None:
    row = _row(order, word)
    retried(lambda: put_new(row))


def _row(order: OrderItem, word: str) -> FoundOrderItem:
    order_id = order.order_id
    return FoundOrderItem.at(
        order.merchant_id, word, order_id.placed_at_s, str(order_id), group_id=order.group_id
    )
