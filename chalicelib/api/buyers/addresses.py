"""/v1/me/addresses: the addresses that a buyer keeps, and what helps to fill in one."""

from dataclasses import asdict

import msgspec

from chalicelib.api.auth import Buyer
from chalicelib.api.buyers import me_schemas as schemas
from chalicelib.api.http import Answer, Api, Audience
from chalicelib.api.schemas import Address, Done
from chalicelib.domain import pasted_address, regions
from chalicelib.domain.address_book import FIELDS, Book
from chalicelib.errors import LimitReached, NotFound
from chalicelib.services.people import address_book

api = Api(__name__, audience=Audience.BUYER)
REGIONS_KEPT = "public, max-age=86400"


@api.operation("GET", "/me/addresses")
def list_addresses(who: Buyer) -> schemas.AddressBook:
    """The buyer's addresses, the default first."""
    book = address_book.read(who.merchant_id, who.buyer_id)
    return schemas.AddressBook(items=saved_addresses(book))


@api.operation("POST", "/me/addresses", status=201, refusals=[LimitReached])
def add_address(who: Buyer, body: schemas.NewAddress) -> schemas.SavedAddress:
    """Keep an address; one that is kept already is the answer, and kept once."""
    address_id, book = address_book.add(
        who.merchant_id, who.buyer_id, _fields(body), is_default=body.is_default
    )
    return _saved(book, address_id)


@api.operation("PUT", "/me/addresses/{address_id}", refusals=[NotFound])
def change_own_address(
    address_id: str, who: Buyer, body: schemas.NewAddress
) -> schemas.SavedAddress:
    """Change an address, or make it the default; orders keep the one they were placed with."""
    book = address_book.change(
        who.merchant_id, who.buyer_id, address_id, _fields(body), is_default=body.is_default
    )
    return _saved(book, address_id)


@api.operation("DELETE", "/me/addresses/{address_id}", refusals=[NotFound])
def remove_address(address_id: str, who: Buyer) -> Done:
    """Forget an address; the newest of the others is the default then, if it was that."""
    address_book.remove(who.merchant_id, who.buyer_id, address_id)
    return Done()


@api.operation("POST", "/me/parsed-addresses")
def parse_address(who: Buyer, body: schemas.PastedAddress) -> schemas.ParsedAddress:
    """Tell a pasted address apart into the fields of the form; nothing is kept."""
    parsed = asdict(pasted_address.parse(body.text))
    return msgspec.convert(parsed, schemas.ParsedAddress)


@api.operation("GET", "/regions", audience=Audience.PUBLIC, answer=schemas.Regions)
def read_regions() -> Answer:
    """Provinces, cities and districts, to choose from; they change once a year."""
    document = regions.document()
    answer = schemas.Regions(version=document["version"], regions=document["regions"])
    return Answer(answer, headers={"Cache-Control": REGIONS_KEPT})


def saved_addresses(book: Book) -> list[schemas.SavedAddress]:
    return [_saved(book, key) for key, _ in book.default_first]


def _fields(body: Address) -> dict[str, str]:
    return {field: getattr(body, field) for field in FIELDS}


def _saved(book: Book, address_id: str) -> schemas.SavedAddress:
    return schemas.SavedAddress(
        address_id=address_id,
        is_default=address_id == book.default_id,
        **book.addresses[address_id],
    )
