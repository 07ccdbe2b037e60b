"""Many orders shipped at once, from a table: every row gets an answer of its own.

Nothing is shared between rows but what contradicts each other. The same table twice ships once:
a row whose parcel is there says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chalicelib import deadline
from chalicelib.domain import short_number
from chalicelib.domain.ids import OrderId
from chalicelib.domain.shipping import ShippingRefused
from chalicelib.errors import Busy, InvalidRequest, NotFound
from chalicelib.services.fulfilment import shipping
from chalicelib.services.fulfilment.shipping import Draft
from chalicelib.services.orders import order_matches
from chalicelib.text import Text

ROWS_MAX = 50
WORKERS = 8  # a row is three calls that wait for the database
NO_NUMBER = "订单号有误。请照订单列表填写，如 261130-037239，或填 30 位的系统单号。"

# A parcel goes to whoever the number names: six digits with a slip name another buyer's order.
ONLY_ITS_END = "请填完整的订单号，如 261130-037239：后 6 位可能对上别的订单。"


class Outcome(StrEnum):
    SHIPPED = "shipped"
    WOULD_SHIP = "would_ship"  # only checked
    ALREADY_SHIPPED = "already_shipped"  # with this very number
    NEEDS_CHANGE = "needs_change"  # of a field, by whoever filled the table
    SKIPPED = "skipped"  # by the order's state
    TRY_AGAIN = "try_again"  # unchanged: nothing was written


@dataclass(frozen=True)
class Row:
    """One row of the table, as it was typed."""

    order_id: str
    carrier: str
    number: str


@dataclass(frozen=True)
class Result:
    outcome: Outcome
    words: str = ""
    field: str = ""


@dataclass(frozen=True)
class _Read:
    """A row that says something."""

    order_id: OrderId
    draft: Draft


def ship_all(
    merchant_id: str, rows: Sequence[Row], *, check_only: bool, staff: str, now_s: int
) -> list[Result]:
    """Ship each row's order with all its units left, or only say what would become of it.

    The results are in the order of the rows. One that is refused holds up no other.
    """

    def settle(number: int) -> Result:
        row = read[number]
        if isinstance(row, Result):
            return row
        return clashes.get(number) or _ship(
            merchant_id, row, check_only=check_only, staff=staff, now_s=now_s
        )

    with deadline.Threads(WORKERS) as pool:
        read = list(pool.map(lambda row: _read(merchant_id, row), rows))
        clashes = _clashes(read)
        return list(pool.map(settle, range(len(rows))))


def _read(merchant_id: str, row: Row) -> _Read | Result:
    order_id = _order_of(merchant_id, row.order_id.strip())
    if isinstance(order_id, Result):
        return order_id
    try:
        return _Read(order_id, shipping.draft(row.carrier, row.number))
    except InvalidRequest as error:
        return _needs_change(str(error.details.get("field", "")), error.message)


def _order_of(merchant_id: str, text: str) -> OrderId | Result:
    """Return the order that `text` names by its id or its short number."""
    order_id = OrderId.parse(text)
    if order_id is not None:
        return order_id
    short = short_number.read(text.removesuffix(".0"))
    if short is None:
        only_its_end = short_number.is_end(text.removesuffix(".0"))
        return _needs_change("order_id", ONLY_ITS_END if only_its_end else NO_NUMBER)
    found = order_matches.with_short_number(merchant_id, *short)
    if len(found) == 1:
        return found[0]
    if not found:
        return _needs_change("order_id", "没有找到这个订单号，请核对。")
    words = Text(
        "有 {count} 个订单的订单号是这个。请填完整的订单号，或 30 位的系统单号。", count=len(found)
    )
    return _needs_change("order_id", words)


def _clashes(read: Sequence[_Read | Result]) -> dict[int, Result]:
    """Rows that other rows contradict, by their place; of equal rows all but the first.

    Which of two contradicting rows is right, only people know: neither is shipped.
    """
    found: dict[int, Result] = {}
    first: dict[_Read, int] = {}
    for number, row in enumerate(read):
        if isinstance(row, Result):
            continue
        if row in first:
            found[number] = Result(Outcome.SKIPPED, Text("与第 {row} 行相同。", row=first[row] + 1))
            continue
        first[row] = number
    for row, number in first.items():
        for other, place in first.items():
            words = _contradiction(row, other, place)
            if words and place != number:
                found[number] = _needs_change("number", words)
                break
    return found


def _contradiction(row: _Read, other: _Read, place: int) -> str:
    if row.order_id == other.order_id:
        return Text("第 {row} 行是同一个订单。要分包裹，请在订单里逐个发货。", row=place + 1)
    same_buyer = row.order_id.buyer_id == other.order_id.buyer_id
    if row.draft.number == other.draft.number and not same_buyer:
        return Text("与第 {row} 行的单号相同，收件人不同。请核对。", row=place + 1)
    return ""


def _ship(merchant_id: str, row: _Read, *, check_only: bool, staff: str, now_s: int) -> Result:
    act: Callable[..., shipping.Prepared] = shipping.prepare if check_only else shipping.ship
    try:
        done = act(merchant_id, row.order_id, row.draft, staff=staff, now_s=now_s)
    except NotFound:
        return _needs_change("order_id", "没有找到这个订单，请核对订单号。")
    except InvalidRequest as error:
        return _needs_change(str(error.details.get("field", "")), error.message)
    except ShippingRefused as error:
        return Result(Outcome.SKIPPED, error.message)
    except Busy as error:
        return Result(Outcome.TRY_AGAIN, error.message)
    if done.again:
        return Result(Outcome.ALREADY_SHIPPED, "已用这个单号发货，不会重复发货。")
    return Result(Outcome.WOULD_SHIP if check_only else Outcome.SHIPPED)


def _needs_change(field: str, words: str) -> Result:
    return Result(Outcome.NEEDS_CHANGE, words, field)
