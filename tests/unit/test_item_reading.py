"""Items read in one pass are those that PynamoDB reads."""

import random
from typing import Any

import pytest
from pynamodb.attributes import AttributeContainer, DiscriminatorAttribute, MapAttribute
from pynamodb.models import Model

from chalicelib.tables.base import StoredItem
from chalicelib.tables.catalogue_item import CatalogueItem
from chalicelib.tables.records import RecordItem
from chalicelib.tables.trade_item import TradeItem
from tests.unit.test_dynamodb_client import MODULES


def kinds(base: type[StoredItem]) -> Any:
    """The attribute that names the classes of a table's items."""
    return base.get_attributes()["kind"]


BASES: tuple[type[StoredItem], ...] = (CatalogueItem, TradeItem, RecordItem)
KINDS = [(base, stored) for base in BASES for stored in kinds(base).get_registered_subclasses(base)]
ROUNDS = 20
VALUES: dict[str, Any] = {
    "S": '"17"',  # a text, and JSON
    "N": "17",
    "BOOL": True,
    "SS": ["a", "b"],
    "NS": ["1", "2"],
    "M": {"x": {"M": {"y": {"L": [{"S": "z"}, {"N": "1"}]}}}, "q": {"N": "2"}},
    "L": [{"M": {"x": {"S": "y"}}}, {"S": "z"}],
}


def raw(container: Any, chance: random.Random) -> dict[str, Any]:
    """What the table has of an item: of each attribute a value, a null, or nothing."""
    found: dict[str, Any] = {"unknown": {"S": "?"}}
    for attribute in container.get_attributes().values():
        if isinstance(attribute, DiscriminatorAttribute) or chance.random() < 0.3:
            continue
        value = VALUES[attribute.attr_type]
        if isinstance(attribute, MapAttribute) and attribute._is_attribute_container():
            value = raw(attribute, chance) if attribute.get_attributes() else value
        elif attribute.attr_type == "L":
            element = getattr(attribute, "element_type", None)
            value = VALUES["L"] if element is None else [_element(element, chance)] * 2
        found[attribute.attr_name] = {attribute.attr_type: value}
        if chance.random() < 0.1:
            found[attribute.attr_name] = {"NULL": True}
    return found


def _element(kind: Any, chance: random.Random) -> dict[str, Any]:
    attribute = kind()
    if issubclass(kind, MapAttribute):
        return {"M": raw(kind, chance) if kind.get_attributes() else VALUES["M"]}
    return {attribute.attr_type: VALUES[attribute.attr_type]}


def told(value: Any) -> Any:
    """An item as plain values."""
    if isinstance(value, AttributeContainer):
        return type(value), {n: told(v) for n, v in value.attribute_values.items()}
    return [told(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("base", "stored"), KINDS, ids=lambda it: it.__name__)
def test_item_is_read_as_pynamodb_reads_it(
    base: type[StoredItem], stored: type[StoredItem]
) -> None:
    chance = random.Random(1)
    kind = kinds(base).get_discriminator(stored)
    as_pynamodb: Any = Model.from_raw_data
    for _ in range(ROUNDS):
        data = {**raw(stored, chance), "kind": {"S": kind}}

        ours, theirs = base.from_raw_data(data), as_pynamodb.__func__(base, data)

        assert told(ours) == told(theirs)


def test_defaults_are_shared_by_no_two_items() -> None:
    for base, stored in KINDS:
        kind = kinds(base).get_discriminator(stored)
        one, other = (base.from_raw_data({"kind": {"S": kind}}) for _ in range(2))
        for name, value in one.attribute_values.items():
            if isinstance(value, dict | list | AttributeContainer):
                assert value is not other.attribute_values[name], name


def test_item_of_another_kind_is_refused() -> None:
    (_, one), (_, other) = KINDS[:2]
    kind = kinds(CatalogueItem).get_discriminator(other)

    with pytest.raises(ValueError, match="Cannot instantiate"):
        one.from_raw_data({"kind": {"S": kind}})
    for data in ({"kind": {"S": "?"}}, None):
        with pytest.raises(ValueError, match=r"Unknown|no data"):
            one.from_raw_data(data)


def test_every_table_is_among_them() -> None:
    assert {module.__name__ for module in MODULES} <= {it.__module__ for _, it in KINDS}
