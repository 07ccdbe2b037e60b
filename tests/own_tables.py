"""Tables that hold nothing else: a check reads them whole, jobs find no work of other tests."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from pynamodb.models import Model

from chalicelib.services.catalogue import availability, reservations
from chalicelib.tables.base import connection
from chalicelib.tables.catalogue_item import CatalogueItem
from chalicelib.tables.records import RecordItem
from chalicelib.tables.trade_item import TradeItem
from infra.local import engine
from tests.caches import clear_caches

BASES: dict[str, type[Model]] = {
    "catalogue": CatalogueItem,
    "trade": TradeItem,
    "records": RecordItem,
}
_serial = itertools.count()


@contextmanager
def own_tables() -> Iterator[None]:
    """Three empty tables for the length of the block; what was kept of others is forgotten."""
    before = {kind: base.Meta.table_name for kind, base in BASES.items()}
    names = {kind: f"{name}-{next(_serial)}" for kind, name in before.items()}
    client = connection.client  # made here, before threads need it
    for kind, name in names.items():
        client.create_table(TableName=name, **engine.table_definition(kind))
    _turn_to(names)
    try:
        yield
    finally:
        _turn_to(before)
        for name in names.values():
            client.delete_table(TableName=name)


def _turn_to(names: dict[str, str]) -> None:
    for kind, base in BASES.items():
        base.Meta.table_name = names[kind]
    clear_caches()
    availability.forget()
    reservations._short_until.clear()
