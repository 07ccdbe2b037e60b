"""The models that the app uses and the tables that are deployed agree in every key and index."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from chalicelib.tables.base import StoredItem
from chalicelib.tables.catalogue_item import CatalogueItem
from chalicelib.tables.records import RecordItem
from chalicelib.tables.trade_item import TradeItem
from infra.local.engine import table_definition

Definition = Mapping[str, Any]

MODELS: dict[str, type[StoredItem]] = {
    "catalogue": CatalogueItem,
    "trade": TradeItem,
    "records": RecordItem,
}


@pytest.mark.parametrize("kind", MODELS)
def test_model_has_the_keys_of_its_table(kind: str) -> None:
    schema = MODELS[kind]._get_schema()  # what PynamoDB itself would create
    deployed = table_definition(kind)

    assert _keys(schema["key_schema"]) == _keys(deployed["KeySchema"])
    assert _types(schema["attribute_definitions"]) == _types(deployed["AttributeDefinitions"])


@pytest.mark.parametrize("kind", MODELS)
def test_model_has_the_indexes_of_its_table(kind: str) -> None:
    declared = {
        index["index_name"]: (_keys(index["key_schema"]), _projection(index["projection"]))
        for index in MODELS[kind]._get_schema()["global_secondary_indexes"]
    }
    deployed = {
        index["IndexName"]: (_keys(index["KeySchema"]), _projection(index["Projection"]))
        for index in table_definition(kind).get("GlobalSecondaryIndexes", [])
    }

    assert declared == deployed


def test_every_index_projects_the_kind_that_reads_filter_by() -> None:
    """DynamoDB refuses a query whose filter names what its index does not project."""
    for kind in MODELS:
        for index in table_definition(kind).get("GlobalSecondaryIndexes", []):
            projection = index["Projection"]
            included = projection.get("NonKeyAttributes", [])
            assert projection["ProjectionType"] == "ALL" or "kind" in included


def test_only_the_trade_table_has_a_stream_and_it_carries_both_images() -> None:
    streams = {kind: table_definition(kind).get("StreamSpecification") for kind in MODELS}

    assert streams == {
        "catalogue": None,
        "trade": {"StreamViewType": "NEW_AND_OLD_IMAGES", "StreamEnabled": True},
        "records": None,
    }


def _keys(key_schema: Sequence[Definition]) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in key_schema}


def _types(definitions: Sequence[Definition]) -> dict[str, str]:
    return {one["AttributeName"]: one["AttributeType"] for one in definitions}


def _projection(projection: Definition) -> tuple[str, frozenset[str]]:
    return projection["ProjectionType"], frozenset(projection.get("NonKeyAttributes", []))
