"""Faults of the cloud that no local engine has, injected below PynamoDB.

They sit at botocore's before-send event, so that everything above them is the real thing, its
retries included. Conflicts and throttling refuse a write; an answer is lost before the request
had its effect, or after it.
"""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import botocore.endpoint
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError

from chalicelib.tables.base import connection

EVENT = "before-send.dynamodb.*"
SINGLE_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
WRITES = SINGLE_WRITES | {"TransactWriteItems"}
HOLD_S = (0.010, 0.020)  # between a transaction's preparation and its commit
RETRY_SPEED = 50  # botocore waits up to seconds between its own tries

# Gets the operation and the request; an answer in place of the engine's, or None.
Fault = Callable[[str, AWSPreparedRequest], AWSResponse | None]


@dataclass
class Faults:
    """Rates are shares of the requests that can have the fault; `seen` counts what was injected.

    conflicts: transactions and single writes that meet another's transaction. throttled: any
    request. lost: writes answered by HTTP 500 after their effect; unsent: any request, before it.
    unanswered: writes that time out after their effect; unreached: any request, before it.
    emulated: conflicts from the keys of writes really in flight.
    """

    seed: int
    conflicts: float = 0
    throttled: float = 0
    lost: float = 0
    unsent: float = 0
    unanswered: float = 0
    unreached: float = 0
    emulated: bool = False
    seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()
        self._held = _HeldKeys()

    def __call__(self, operation: str, request: AWSPreparedRequest) -> AWSResponse | None:
        if self._hits("unreached", self.unreached):
            raise ReadTimeoutError(endpoint_url=request.url)
        if self._hits("throttled", self.throttled):
            return refusal(request, "ProvisionedThroughputExceededException")
        if self._hits("unsent", self.unsent):
            return refusal(request, "InternalServerError", status=500)
        return self._write(operation, request) if operation in WRITES else None

    def _write(self, operation: str, request: AWSPreparedRequest) -> AWSResponse | None:
        if self._hits("conflicts", self.conflicts):
            return conflict(operation, request, self._random)
        if self.emulated:
            release = self._held.take(operation, request)
            if release is None:
                self._count("emulated")
                return conflict(operation, request, self._random)
            answer = send(request)
            release(self._random.uniform(*HOLD_S))
            return answer
        if self._hits("lost", self.lost):
            send(request)
            return refusal(request, "InternalServerError", status=500)
        if self._hits("unanswered", self.unanswered):
            send(request)
            raise ReadTimeoutError(endpoint_url=request.url)
        return None

    def _hits(self, kind: str, rate: float) -> bool:
        with self._lock:
            hit = self._random.random() < rate
            self.seen[kind] += hit
            return hit

    def _count(self, kind: str) -> None:
        with self._lock:
            self.seen[kind] += 1


class _HeldKeys:
    """Keys of writes in flight. A transaction conflicts with any write; single writes queue."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[bool, float]] = {}  # key -> (by a transaction, until)

    def take(self, operation: str, request: AWSPreparedRequest) -> Callable[[float], None] | None:
        """What lets the keys go after some seconds; None when one of them is held."""
        keys = keys_of(operation, request)
        transaction = operation == "TransactWriteItems"
        now = time.monotonic()
        with self._lock:
            for key in keys:
                by_transaction, until = self._held.get(key, (False, 0.0))
                if until > now and (transaction or by_transaction):
                    return None
            self._held.update((key, (transaction, float("inf"))) for key in keys)

        def release(after_s: float) -> None:
            until = time.monotonic() + (after_s if transaction else 0)
            with self._lock:
                self._held.update((key, (transaction, until)) for key in keys)

        return release


@contextmanager
def injected(fault: Fault) -> Iterator[None]:
    """Every DynamoDB request of this process goes by `fault` for the length of the block."""
    client = connection.client

    def before_send(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        return fault(operation_of(request), request)

    client.meta.events.register(EVENT, before_send)
    try:
        with _impatient_botocore():
            yield
    finally:
        client.meta.events.unregister(EVENT, before_send)


def in_turn(*faults: Fault) -> Fault:
    """The first of the faults that answers, in the engine's place."""

    def first(operation: str, request: AWSPreparedRequest) -> AWSResponse | None:
        answers = (fault(operation, request) for fault in faults)
        return next((answer for answer in answers if answer is not None), None)

    return first


def operation_of(request: AWSPreparedRequest) -> str:
    target = request.headers["X-Amz-Target"]
    text = target.decode() if isinstance(target, bytes) else str(target)
    return text.rpartition(".")[2]


def keys_of(operation: str, request: AWSPreparedRequest) -> list[str]:
    """The keys that a write touches, with their tables."""
    body = json.loads(request.body)
    if operation in SINGLE_WRITES:
        return [_key_of(body)]
    return [_key_of(write) for item in body["TransactItems"] for write in item.values()]


def send(request: AWSPreparedRequest) -> AWSResponse:
    """Let the engine have the request; its answer."""
    return connection.client._endpoint.http_session.send(request)


def conflict(operation: str, request: AWSPreparedRequest, chance: random.Random) -> AWSResponse:
    """What DynamoDB answers to a write that meets a transaction in flight."""
    if operation in SINGLE_WRITES:
        return refusal(request, "TransactionConflictException")
    writes = len(json.loads(request.body)["TransactItems"])
    met = chance.randrange(writes)
    codes = ["TransactionConflict" if number == met else "None" for number in range(writes)]
    reasons = [{"Code": code} for code in codes]
    return refusal(request, "TransactionCanceledException", CancellationReasons=reasons)


def refusal(
    request: AWSPreparedRequest, kind: str, *, status: int = 400, **more: Any
) -> AWSResponse:
    said = {"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": kind, **more}
    body = json.dumps({**said, "Message": kind}).encode()
    headers = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "injected"}
    return AWSResponse(request.url, status, headers, _Raw(body))


def _key_of(write: dict[str, Any]) -> str:
    item = write.get("Key") or write["Item"]
    return f"{write['TableName']} {item['pk']['S']} {item['sk']['S']}"


def answered(request: AWSPreparedRequest, said: dict[str, Any]) -> AWSResponse:
    """An answer that is no fault."""
    headers = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "injected"}
    return AWSResponse(request.url, 200, headers, _Raw(json.dumps(said).encode()))


class _Raw:
    """A body as botocore reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        yield self._body


@contextmanager
def _impatient_botocore() -> Iterator[None]:
    """botocore's own waits between its tries, shortened: they are not what is tested."""
    real = botocore.endpoint.time

    class Hurried:
        time = staticmethod(real.time)

        @staticmethod
        def sleep(seconds: float) -> None:
            real.sleep(seconds / RETRY_SPEED)

    botocore.endpoint.time = Hurried
    try:
        yield
    finally:
        botocore.endpoint.time = real
