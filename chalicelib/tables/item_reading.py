"""Items made of what DynamoDB answers, in one pass over what is there.

PynamoDB goes through all attributes of an item's class five times, and sets each by its name: four
times the processor time, for a page of groups as much as all the rest of the request.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar

from pynamodb.attributes import Attribute
from pynamodb.constants import NULL
from pynamodb.models import Model

Raw = Mapping[str, dict[str, Any]]

_Item = TypeVar("_Item", bound=Model)


class _Plan(NamedTuple):
    """How items of a class are made; attributes by their names in the table."""

    defaults: Mapping[str, Any]
    made: Mapping[str, Callable[[], Any]]  # defaults that each item has of its own
    # and whether an attribute makes something of what is set
    attributes: Mapping[str, tuple[str, Attribute[Any], bool]]


def item_of(base: type[_Item], data: Raw) -> _Item | None:
    """The item, as PynamoDB makes it; None where that has to say why there is none."""
    kind: Any = base.get_attributes()["kind"]
    try:
        stored: type[Any] = kind.deserialize(data["kind"]["S"])
    except (KeyError, ValueError):
        return None
    if not issubclass(stored, base):
        return None
    plan = _plan(stored)
    item: _Item = stored.__new__(stored)
    item.attribute_values = values = dict(plan.defaults)
    for name, make in plan.made.items():
        setattr(item, name, make())
    for stored_name, raw in data.items():
        known = plan.attributes.get(stored_name)
        if known is None or NULL in raw:
            continue
        name, attribute, by_name = known
        value = attribute.deserialize(attribute.get_value(raw))
        if by_name:
            setattr(item, name, value)
        else:
            values[name] = value
    return item


@cache
def _plan(stored: type[Model]) -> _Plan:
    attributes = stored.get_attributes()
    defaults = {n: it.default for n, it in attributes.items() if it.default is not None}
    return _Plan(
        {name: default for name, default in defaults.items() if not callable(default)},
        {name: default for name, default in defaults.items() if callable(default)},
        {
            it.attr_name: (name, it, type(it).__set__ is not Attribute.__set__)
            for name, it in attributes.items()
        },
    )
