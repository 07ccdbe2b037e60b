"""A buyer's addresses: at most so many, and one of them the default."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from chalicelib.errors import LimitReached, NotFound
from chalicelib.text import Text

ADDRESSES_MAX = 20
FIELDS = ("name", "phone", "province", "city", "district", "street")

Address = Mapping[str, str]


@dataclass(frozen=True)
class Book:
    """addresses: by id, the newest first. default_id: empty when there are none."""

    addresses: Mapping[str, Address]
    default_id: str = ""

    @property
    def default_first(self) -> list[tuple[str, Address]]:
        return sorted(self.addresses.items(), key=lambda one: one[0] != self.default_id)

    def id_of(self, address: Address) -> str | None:
        return next((key for key, known in self.addresses.items() if known == address), None)


def added(book: Book, address_id: str, address: Address, *, is_default: bool) -> Book:
    """The book with another address; one that is in it already is not added, so that a repeat
    changes nothing. Raises LimitReached."""
    known = book.id_of(address)
    if known is None and len(book.addresses) >= ADDRESSES_MAX:
        words = Text("最多保存 {max} 个收货地址，请先删除不用的。", max=ADDRESSES_MAX)
        raise LimitReached(words, max=ADDRESSES_MAX)
    after = book if known else replace(book, addresses={address_id: address, **book.addresses})
    return _defaulted(after, (known or address_id) if is_default else "")


def changed(book: Book, address_id: str, address: Address, *, is_default: bool) -> Book:
    """The book in which an address has become this one; another that was this one already is no
    longer kept beside it, and it is the default in its place. Raises NotFound."""
    _check_there(book, address_id)
    others = {key: known for key, known in book.addresses.items() if known != address}
    kept = [key for key in book.addresses if key in others or key == address_id]
    after = replace(book, addresses={key: {**others, address_id: address}[key] for key in kept})
    lost_default = book.default_id not in after.addresses
    return _defaulted(after, address_id if is_default or lost_default else "")


def removed(book: Book, address_id: str) -> Book:
    """The book without an address. Raises NotFound."""
    _check_there(book, address_id)
    others = {key: known for key, known in book.addresses.items() if key != address_id}
    return _defaulted(replace(book, addresses=others), "")


def _check_there(book: Book, address_id: str) -> None:
    if address_id not in book.addresses:
        raise NotFound("没有找到这个收货地址，请刷新后再试。")


def _defaulted(book: Book, wanted: str) -> Book:
    """The book with `wanted` as the default; else with the one it had, or its newest."""
    for default_id in (wanted, book.default_id, *book.addresses):
        if default_id in book.addresses:
            return replace(book, default_id=default_id)
    return replace(book, default_id="")
