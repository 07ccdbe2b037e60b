"""What every table shares: one connection, whole numbers, transactions whose refusals speak."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import reduce
from operator import and_
from threading import Lock
from typing import Any, Self, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.attributes import SERIALIZE_CLASS_MAP, Attribute, UnicodeAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.constants import NUMBER
from pynamodb.exceptions import (
    DoesNotExist,
    PutError,
    PynamoDBException,
    TransactWriteError,
    UpdateError,
)
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib import client_timeouts, deadline
from chalicelib.errors import Busy
from chalicelib.tables import dynamodb_client
from chalicelib.tables.item_reading import item_of
from chalicelib.text import Text

# A Text is stored as the string it is: in a map of any values too, which go by their exact type.
SERIALIZE_CLASS_MAP[Text] = UnicodeAttribute()  # type: ignore[index]

TRIES_MAX = 8
BACKOFF_S = 0.01
TRANSACTION_ITEMS_MAX = 100

_T = TypeVar("_T")
PageKey = dict[str, dict[str, Any]]  # DynamoDB's last evaluated key

# What DynamoDB says when it had no time for us, as opposed to a refusal or a mistake of ours.
_BUSY_CODES = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_BUSY_REASONS = frozenset(
    {"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"}
)

_READS = frozenset({"BatchGetItem", "GetItem", "Query", "Scan"})


class _Connection(Connection):
    """Says Busy when DynamoDB had no time for a read, and when the invocation has none left. What
    no answer means for a write, its caller knows: it may have been made all the same."""

    _own: dynamodb_client.Client | None = None
    _set_up: Any = None  # botocore's, which keeps the deadline
    _setting_up = Lock()  # threads may come first together

    @property
    def client(self) -> Any:
        """Our own client, where the environment says all that it needs; else botocore's."""
        with self._setting_up:
            if self._own is None and self._set_up is None:
                self._own = dynamodb_client.of_environment(self._read_timeout_seconds)
            if self._own is not None:
                return self._own
            client = super().client  # made anew when it got no credentials
            if client is not self._set_up:
                self._set_up = client_timeouts.with_deadline(client)
            return client

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        try:
            return super().dispatch(operation_name, operation_kwargs)
        except (BotoCoreError, ClientError) as error:
            said = error.response["Error"]["Code"] if isinstance(error, ClientError) else None
            if operation_name in _READS and (said is None or said in _BUSY_CODES):
                raise Busy from error
            raise


# One client for all tables: creating a second costs 65 ms of a cold start. A call gets these
# time-outs at most, and less where its invocation has less left.
connection = _Connection(
    connect_timeout_seconds=1, read_timeout_seconds=3, max_retry_attempts=2, max_pool_connections=32
)


class LostRace(Exception):
    """The item is no longer as it was read: read it again and decide again."""

    def __init__(self, old: Any = None) -> None:
        super().__init__("lost race")


class IntAttribute(Attribute[int]):
    """A whole number: fen, seats, seconds. Refuses floats, which NumberAttribute stores."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        if type(value) is not int:
            raise TypeError(f"{self.attr_name} takes int, not {type(value).__name__}")
        return str(value)

    def deserialize(self, value: str) -> int:
        return int(value)


class StoredItem(Model):
    """Base of the three tables' base classes: their keys, and the one connection they share."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        item = item_of(cls, data) if data else None
        return super().from_raw_data(data) if item is None else item

    @classmethod
    def _get_connection(cls) -> TableConnection:
        table = super()._get_connection()
        if table.connection is not connection:
            with suppress(ValueError):  # another class of the same table has added it
                connection.add_meta_table(table.get_meta_table())
            table.connection = connection
        return table


_Item = TypeVar("_Item", bound=StoredItem)


def get_or_none(item: _Item) -> _Item | None:
    """The item with the key of `item`, read consistently; None when there is none."""
    try:
        return type(item).get(item.pk, item.sk, consistent_read=True)
    except DoesNotExist:
        return None


Refuse = Callable[[Any], Exception]


class Writes:
    """The writes of one transaction, each with the refusal that its failed condition means.

    When several conditions fail at once, the refusal of the write collected first is raised:
    collect them by rank (already done, then group, limit, stock).
    """

    def __init__(self, pending: TransactWrite) -> None:
        self._pending = pending
        self._added: set[tuple[str, str]] = set()
        # PynamoDB sends checks, deletions, puts, updates; DynamoDB answers in the order sent.
        self._sent: dict[str, list[tuple[int, type[StoredItem], Refuse]]] = {
            "check": [],
            "delete": [],
            "put": [],
            "update": [],
        }

    def put(self, item: StoredItem, *, condition: Condition | None = None, refuse: Refuse) -> None:
        """Put `item`, by default only where there is none."""
        if condition is None:
            condition = StoredItem.pk.does_not_exist()
        self._collect("put", type(item), refuse)
        self._pending.save(item, condition=condition, return_values="ALL_OLD")

    def replace(self, item: StoredItem) -> None:
        """Put `item` in place of whatever is there; another write of the transaction says whether
        it may be."""
        self._collect("put", type(item), LostRace)
        self._pending.save(item)

    def update(
        self, item: StoredItem, actions: Sequence[Action], *, condition: Condition, refuse: Refuse
    ) -> None:
        """Update the item with the key of `item`; the condition must state that it exists."""
        self._collect("update", type(item), refuse)
        self._pending.update(
            item, actions=list(actions), condition=condition, return_values="ALL_OLD"
        )

    def delete(self, item: StoredItem, *, condition: Condition | None = None) -> None:
        """Delete the item with the key of `item`. One that is not there is no trouble, unless there
        is a condition, which is refused as LostRace."""
        self._collect("delete", type(item), LostRace)
        self._pending.delete(item, condition=condition)

    def add(self, item: StoredItem, actions: Sequence[Action]) -> None:
        """Add to counters of an item, which is made where there is none: nothing refuses it."""
        self._collect("update", type(item), LostRace)
        self._pending.update(item, actions=list(actions))
        self._added.add((item.pk, item.sk))

    def has_added(self, item: StoredItem) -> bool:
        """Whether `add` was called for the key of `item`: a transaction touches an item once."""
        return (item.pk, item.sk) in self._added

    def check(self, item: StoredItem, *, condition: Condition, refuse: Refuse) -> None:
        """Require `condition` of an item that is not written. `refuse` receives None."""
        self._collect("check", type(item), refuse)
        self._pending.condition_check(type(item), item.pk, item.sk, condition)

    def _collect(self, kind: str, model: type[StoredItem], refuse: Refuse) -> None:
        rank = sum(len(sent) for sent in self._sent.values())
        self._sent[kind].append((rank, model, refuse))

    def refusal(self, error: TransactWriteError) -> Exception | None:
        """The refusal of the first collected write whose condition failed, if any did."""
        sent = [write for kind in self._sent.values() for write in kind]
        failed = [
            (rank, model, refuse, reason.raw_item)
            for (rank, model, refuse), reason in zip(sent, error.cancellation_reasons, strict=False)
            if reason and reason.code == "ConditionalCheckFailed"
        ]
        if not failed:
            return None
        _, model, refuse, raw_item = min(failed, key=lambda write: write[0])
        return refuse(model.from_raw_data(raw_item) if raw_item else None)


@contextmanager
def transaction() -> Iterator[Writes]:
    """Commit all writes of the block, or none.

    Raises the refusal of the first collected write whose condition failed; else Busy when
    DynamoDB gave up for another reason (a conflict, throttling, no answer).
    """
    pending = TransactWrite(connection=connection)
    writes = Writes(pending)
    try:
        with pending:
            yield writes
    except TransactWriteError as error:
        refusal = writes.refusal(error)
        if refusal is not None:
            raise refusal from error
        if _is_busy(error):
            raise Busy from error
        raise


def update_one(
    item: StoredItem,
    actions: Sequence[Action],
    *,
    condition: Condition,
    refuse: Callable[[], Exception],
) -> None:
    """One conditional update outside a transaction, at half its price.

    A lost answer is sent again by botocore and then reads as refused: what `refuse` makes
    must lead the caller to read again (LostRace) rather than to believe it.
    """
    try:
        item.update(actions=list(actions), condition=condition)
    except UpdateError as error:
        raise _translated(error, refuse) from error


def put_new(item: StoredItem) -> bool:
    """Put `item` where there is none. False when there was one already."""
    try:
        item.save(condition=StoredItem.pk.does_not_exist())
    except PutError as error:
        translated = _translated(error, LostRace)
        if isinstance(translated, LostRace):
            return False
        raise translated from error
    return True


def _translated(error: PynamoDBException, refuse: Callable[[], Exception]) -> Exception:
    if _code_of(error) == "ConditionalCheckFailedException":
        return refuse()
    return Busy() if _is_busy(error) else error


def _is_busy(error: PynamoDBException) -> bool:
    code = _code_of(error)
    if code == "TransactionCanceledException" and isinstance(error, TransactWriteError):
        return any(r and r.code in _BUSY_REASONS for r in error.cancellation_reasons)
    return code in _BUSY_CODES or (code is None and isinstance(error.cause, BotoCoreError))


def _code_of(error: PynamoDBException) -> str | None:
    """DynamoDB's own code, None when it gave no answer.

    PynamoDB's `cause_response_code` fails on a time-out, whose `response` is None.
    """
    answer = getattr(error.cause, "response", None) or {}
    code: str | None = answer.get("Error", {}).get("Code")
    return code


def retried(step: Callable[[], _T]) -> _T:
    """Run `step` again while it raises Busy or LostRace, with capped and jittered waits.

    Raises Busy after TRIES_MAX, or when the invocation has no time for another try: nothing was
    changed, and the caller may ask again.
    """
    for attempt in range(TRIES_MAX):
        try:
            return step()
        except (Busy, LostRace) as error:
            lost: Exception = error
        wait_s = random.uniform(0, BACKOFF_S * 2**attempt)
        if deadline.left_s() < wait_s + deadline.CALL_MIN_S:
            break
        time.sleep(wait_s)
    raise Busy from lost


def as_read(attribute: Any, value: str | int | None) -> Condition:
    """The condition that an attribute which may be absent is as it was read."""
    same: Condition = attribute.does_not_exist() if value is None else attribute == value
    return same


def chunks(items: Sequence[_T], size: int) -> Iterable[Sequence[_T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def all_of(conditions: Sequence[Condition]) -> Condition | None:
    """One condition that holds when all of them do; None of none."""
    return reduce(and_, conditions) if conditions else None
