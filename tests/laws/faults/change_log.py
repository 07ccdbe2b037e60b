"""Everything that changes in the tables, as it changes: what a stream carries, and what an index
does not show yet.

The engines at hand update their indexes at once; the cloud does so a little later. Here an index
goes on answering with an item's entry as it was, until the change has had its time.
"""

import json
import operator
import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.http_client import Response
from chalicelib.settings import settings
from tests.fixtures.capacity_meter import INDEXES
from tests.fixtures.engine_requests import separate_client
from tests.fixtures.fault_injection import WRITES, Fault, answered, keys_of, send

Image = dict[str, Any]
Key = tuple[str, str, str]  # table, pk, sk
CONDITION = re.compile(r"(#\d+) (<=|>=|=|<|>) (:\d+)")
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Change:
    """One change of one item. seen_at_s: when its indexes show it."""

    key: Key
    before: Image | None
    after: Image | None
    seen_at_s: float


@dataclass
class ChangeLog:
    """Watches what the writes of `inner` really do, whatever is answered to them.

    now_s: the time of the test. lag_s: how late an index may be; each change takes its own time,
    and those of one item are shown in order.
    """

    inner: Fault
    now_s: Callable[[], int]
    chance: random.Random
    lag_s: float = 0
    made: list[Change] = field(default_factory=list)
    hidden: int = 0  # answers of an index that were older than the table
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __call__(self, operation: str, body: bytes) -> Response | None:
        if operation in WRITES:
            with self._lock:  # one after another, so that images are what the writes made of them
                return self._watched(operation, body)
        answer = self.inner(operation, body)
        if operation == "Query" and self.lag_s and answer is None:
            return self._as_the_index_has_it(body)
        return answer

    def _watched(self, operation: str, body: bytes) -> Response | None:
        names = [name.split(" ") for name in keys_of(operation, body)]
        keys = [(table, pk, sk) for table, pk, sk in names]
        before = [_image(key) for key in keys]
        try:
            return self.inner(operation, body) or send(operation, body)
        finally:
            for key, old in zip(keys, before, strict=True):
                new = _image(key)
                if new != old:
                    self.made.append(Change(key, old, new, self._seen_at_s(key)))

    def _seen_at_s(self, key: Key) -> float:
        earlier = [change.seen_at_s for change in self._unseen() if change.key == key]
        return max([self.now_s() + self.chance.uniform(0, self.lag_s), *earlier])

    def _unseen(self) -> list[Change]:
        recent = self.made[-200:] if self.lag_s else []
        return [change for change in recent if change.seen_at_s > self.now_s()]

    def _as_the_index_has_it(self, body: bytes) -> Response | None:
        query = json.loads(body)
        index = INDEXES.get(query.get("IndexName", ""))
        with self._lock:
            shown = {change.key: change.before for change in reversed(self._unseen())}
        if index is None or not shown:
            return None
        answer = json.loads(send("Query", body).body)
        here, (keys, projected) = query["TableName"], index
        items = [i for i in answer["Items"] if (here, i["pk"]["S"], i["sk"]["S"]) not in shown]
        names = {*keys, *projected, "pk", "sk", "kind"}
        for (table, _, _), image in shown.items():
            if table == here and image is not None and _matches(query, image, keys):
                items.append({name: image[name] for name in names if name in image})
        items.sort(key=lambda item: _value(item[keys[1]]))
        self.hidden += items != answer["Items"]
        answer["Items"], answer["Count"] = items, len(items)
        return answered(answer)


def _matches(query: Mapping[str, Any], image: Image, keys: tuple[str, str]) -> bool:
    """Whether the entry answers the query's key condition."""
    if any(name not in image for name in keys):
        return False
    names, values = query["ExpressionAttributeNames"], query["ExpressionAttributeValues"]
    terms = CONDITION.findall(query["KeyConditionExpression"])
    assert terms, query["KeyConditionExpression"]
    return all(
        COMPARE[how](_value(image[names[name]]), _value(values[value]))
        for name, how, value in terms
    )


def _value(typed: Mapping[str, str]) -> Any:
    ((kind, text),) = typed.items()
    return int(text) if kind == "N" else text


def _image(key: Key) -> Image | None:
    table, pk, sk = key
    answer = separate_client().get_item(
        TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
    )
    found: Image | None = answer.get("Item")
    return found


def stream_record(change: Change, number: int) -> dict[str, Any]:
    """The change as the trade table's stream would carry it."""
    images = {"OldImage": change.before, "NewImage": change.after}
    _, pk, sk = change.key
    kind = "INSERT" if change.before is None else "REMOVE" if change.after is None else "MODIFY"
    return {
        "eventID": f"event-{number}",
        "eventName": kind,
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"pk": {"S": pk}, "sk": {"S": sk}},
            **{name: image for name, image in images.items() if image is not None},
            "SequenceNumber": str(number),
        },
    }


def is_of_trade(change: Change) -> bool:
    return change.key[0].startswith(settings.trade_table)
