"""The addresses that a buyer keeps; an order copies one, and stays as it is when that changes."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.domain import address_book
from chalicelib.domain.address_book import FIELDS, Address, Book
from chalicelib.domain.ids import new_id
from chalicelib.errors import LimitReached, SessionSuperseded
from chalicelib.tables.base import LostRace, Writes, get_or_none, retried, update_one
from chalicelib.tables.buyers import AddressBookItem

CLOSED = -1  # revision of the book of an id that keeps none: closed, or merged into another


def read(merchant_id: str, buyer_id: str) -> Book:
    """Return the buyer's addresses, in one call. Raises SessionSuperseded for an account that is
    closed, or merged into another."""
    return _book(_read_open(merchant_id, buyer_id))


def add(merchant_id: str, buyer_id: str, address: Address, *, is_default: bool) -> tuple[str, Book]:
    """Keep an address; return its id and the book. Raises LimitReached, Busy."""
    edit = partial(address_book.added, address_id=new_id(), address=address, is_default=is_default)
    book = _edited(merchant_id, buyer_id, edit)
    return book.id_of(address) or "", book


def change(
    merchant_id: str, buyer_id: str, address_id: str, address: Address, *, is_default: bool
) -> Book:
    """Change an address; return the book. Raises NotFound, Busy."""
    edit = partial(
        address_book.changed, address_id=address_id, address=address, is_default=is_default
    )
    return _edited(merchant_id, buyer_id, edit)


def remove(merchant_id: str, buyer_id: str, address_id: str) -> None:
    """Forget an address. Raises NotFound, Busy."""
    _edited(merchant_id, buyer_id, partial(address_book.removed, address_id=address_id))


def adopt(writes: Writes, merchant_id: str, buyer_id: str, other_id: str) -> None:
    """Keep the addresses of another buyer, too, as many as there is room for, in the transaction
    that merges them, and close the other's book; LostRace when a book has changed since it was
    read."""
    item, other = _read(merchant_id, buyer_id), _read(merchant_id, other_id)
    before = after = _book(item)
    with suppress(LimitReached):
        for address in reversed(list(_book(other).addresses.values())):
            after = address_book.added(after, new_id(), address, is_default=False)
    if after != before:
        actions, as_it_was = _stored(item, after)
        writes.update(item, actions, condition=as_it_was, refuse=LostRace)
    _put_closed(writes, other)


def put_closed(writes: Writes, merchant_id: str, buyer_id: str) -> None:
    """Forget all addresses for ever, with the account: sessions that go on keep none."""
    _put_closed(writes, _read(merchant_id, buyer_id))


def _put_closed(writes: Writes, item: AddressBookItem) -> None:
    book = AddressBookItem(item.pk, item.sk, revision=CLOSED)
    writes.put(book, condition=_as_read(item), refuse=LostRace)


def _edited(merchant_id: str, buyer_id: str, edit: Callable[[Book], Book]) -> Book:
    """Store what the edit makes of the book as it is; in one item, under its revision."""

    def step() -> Book:
        item = _read_open(merchant_id, buyer_id)
        before = _book(item)
        after = edit(before)
        if after != before:
            actions, as_it_was = _stored(item, after)
            update_one(item, actions, condition=as_it_was, refuse=LostRace)
        return after

    return retried(step)


def _stored(item: AddressBookItem, book: Book) -> tuple[list[Action], Condition]:
    """(what stores the book in the place of the one that was read, that it is still that one)."""
    rows = [{"address_id": key, **known} for key, known in book.addresses.items()]
    actions: list[Action] = [
        AddressBookItem.kind.set(AddressBookItem),
        AddressBookItem.addresses.set(rows),
        AddressBookItem.default_id.set(book.default_id),
        AddressBookItem.revision.set(item.revision + 1),
    ]
    return actions, _as_read(item)


def _as_read(item: AddressBookItem) -> Condition:
    revision = AddressBookItem.revision
    return revision == item.revision if item.revision else revision.does_not_exist()


def _read_open(merchant_id: str, buyer_id: str) -> AddressBookItem:
    item = _read(merchant_id, buyer_id)
    if item.revision == CLOSED:
        raise SessionSuperseded
    return item


def _read(merchant_id: str, buyer_id: str) -> AddressBookItem:
    book = AddressBookItem.at(merchant_id, buyer_id)
    return get_or_none(book) or book


def _book(item: AddressBookItem) -> Book:
    rows = [dict(row) for row in item.addresses]
    addresses = {row["address_id"]: {field: row[field] for field in FIELDS} for row in rows}
    return Book(addresses, item.default_id)
