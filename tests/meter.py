"""Counts DynamoDB calls and computes their write units by the documented rules.

Units come from the items as they are before and after each write, never from an engine: an item
costs 1 per KB begun, in a transaction 2; an index entry added 1, re-keyed 2, changed or removed 1
(Amazon DynamoDB Developer Guide, "Read and write capacity" and "Global secondary indexes").
Use it alone: it reads around every write.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chalicelib.tables.base import connection

INDEXES: Mapping[str, tuple[tuple[str, str], tuple[str, ...]]] = {
    "by_due": (("due_shard", "due_at_s"), ()),
    "by_list": (
        ("list_key", "list_rank"),
        (
            "title",
            "total_fen",
            "status",
            "seats_total",
            "seats_paid",
            "leader_name",
            "group_id",
            "activity_id",
        ),
    ),
}

Image = Mapping[str, Any]


@dataclass
class Meter:
    """What was counted since the last `reset`."""

    calls: list[str] = field(default_factory=list)
    units: int = 0
    parts: list[str] = field(default_factory=list)  # of the units, for a failing test to show

    def reset(self) -> None:
        self.calls, self.units, self.parts = [], 0, []


@contextmanager
def metered() -> Iterator[Meter]:
    meter, watcher = Meter(), _Watcher()
    watcher.meter = meter
    events = connection.client.meta.events
    events.register("before-parameter-build.dynamodb.*", watcher.before)
    events.register("after-call.dynamodb.*", watcher.after)
    try:
        yield meter
    finally:
        events.unregister("before-parameter-build.dynamodb.*", watcher.before)
        events.unregister("after-call.dynamodb.*", watcher.after)


class _Watcher:
    meter: Meter

    def __init__(self) -> None:
        self._reading = False
        self._written: list[tuple[str, Image]] = []
        self._old: list[Image | None] = []

    def before(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if self._reading:
            return
        self.meter.calls.append(model.name)
        self._written = list(_targets(model.name, params))
        self._old = [self._image(*target) for target in self._written]

    def after(self, http_response: Any, model: Any, **_: Any) -> None:
        if self._reading:
            return
        factor = 2 if model.name == "TransactWriteItems" else 1
        for target, old in zip(self._written, self._old, strict=True):
            new = self._image(*target)
            self._count(old, new, factor)

    def _count(self, old: Image | None, new: Image | None, factor: int) -> None:
        kilobytes = max(1, math.ceil(max(size_of(old), size_of(new)) / 1024))
        kind = (new or old or {}).get("kind", {}).get("S", "?")
        self.meter.units += factor * kilobytes
        self.meter.parts.append(f"{kind} {factor * kilobytes}")
        for index, (keys, projected) in INDEXES.items():
            units = _index_units(old, new, keys, projected)
            if units:
                self.meter.units += units
                self.meter.parts.append(f"{kind} {index} {units}")

    def _image(self, table: str, key: Image) -> Image | None:
        self._reading = True
        try:
            answer = connection.client.get_item(TableName=table, Key=key, ConsistentRead=True)
        finally:
            self._reading = False
        found: Image | None = answer.get("Item")
        return found


def size_of(image: Image | None) -> int:
    """Bytes of an item: names and values in UTF-8."""
    return sum(len(name.encode()) + _value_size(value) for name, value in (image or {}).items())


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return (len(content.lstrip("-")) + 1) // 2 + 1
    if kind == "M":
        return 3 + sum(len(k.encode()) + _value_size(v) + 1 for k, v in content.items())
    if kind == "L":
        return 3 + sum(_value_size(v) + 1 for v in content)
    return 1


def _index_units(
    old: Image | None, new: Image | None, keys: tuple[str, str], projected: tuple[str, ...]
) -> int:
    before, after = _entry(old, keys), _entry(new, keys)
    if before == after:
        if before is None:
            return 0
        return int(any((old or {}).get(name) != (new or {}).get(name) for name in projected))
    return 2 if before is not None and after is not None else 1


def _entry(image: Image | None, keys: tuple[str, str]) -> tuple[str, ...] | None:
    values = tuple(str((image or {}).get(name, "")) for name in keys)
    return values if all(values) else None


def _targets(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, Image]]:
    if operation == "TransactWriteItems":
        for action in params["TransactItems"]:
            for kind, write in action.items():
                if kind != "ConditionCheck":
                    yield write["TableName"], write.get("Key") or _key(write["Item"])
    elif operation in ("UpdateItem", "DeleteItem"):
        yield params["TableName"], params["Key"]
    elif operation == "PutItem":
        yield params["TableName"], _key(params["Item"])


def _key(item: Image) -> Image:
    return {"pk": item["pk"], "sk": item["sk"]}
