"""API4, unrestricted resource consumption: what one read may cost the tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from app import OPERATIONS
from chalicelib.api.http import Audience, Operation
from chalicelib.tables.base import connection
from tests.security.operations import ask, name_of
from tests.security.street import Street
from tests.support import Caller

READS = [operation for operation in OPERATIONS if operation.method == "GET"]
# Pages that are put together from several lists, each bounded; every other is one query.
QUERIES_MAX = {"list_audit": 5, "list_shop_groups": 5}


@contextmanager
def calls() -> Iterator[list[str]]:
    """The calls to DynamoDB that are sent in the block, by their names."""
    made: list[str] = []

    def note(model: Any, **_: Any) -> None:
        made.append(model.name)

    events = connection.client.meta.events
    events.register("before-call.dynamodb.*", note)
    try:
        yield made
    finally:
        events.unregister("before-call.dynamodb.*", note)


def is_page(operation: Operation) -> bool:
    fields = msgspec.structs.fields(operation.answer) if operation.answer else ()
    return {"items", "next"} <= {field.name for field in fields}


def caller_of(operation: Operation, street: Street) -> Caller:
    if operation.audience is Audience.STAFF:
        return street.town.owner()
    return street.ours.leader if operation.audience is Audience.BUYER else street.visitor()


@pytest.mark.parametrize("operation", READS, ids=name_of)
def test_no_read_scans_a_table_and_a_page_is_one_query(
    street: Street, operation: Operation
) -> None:
    caller = caller_of(operation, street)

    with calls() as made:
        reply = ask(operation, street.ours).by(caller)

    assert reply.status in (200, 404), reply.body
    assert "Scan" not in made
    if is_page(operation):
        assert made.count("Query") <= QUERIES_MAX.get(operation.name, 1), made
