"""Indexes have what reads filter by; DynamoDB refuses other queries, the emulator does not."""

import pytest

from infra.local import engine


@pytest.mark.parametrize("table", engine.TABLES)
def test_every_index_has_the_kind_that_reads_filter_by(table: str) -> None:
    for index in engine.table_definition(table).get("GlobalSecondaryIndexes", ()):
        projection = index["Projection"]

        everything = projection["ProjectionType"] == "ALL"
        assert everything or "kind" in projection["NonKeyAttributes"]
