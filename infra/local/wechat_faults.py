"""Faults on order: the next calls of an operation go wrong in a given way."""

import threading
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    SERVER_ERROR = "server_error"  # 500 SYSTEM_ERROR, without effect
    RATE_LIMITED = "rate_limited"  # 429 FREQUENCY_LIMITED, without effect
    LOST_ANSWER = "lost_answer"  # the effect happens, the connection is cut
    SLOW = "slow"  # the effect happens, the answer comes `seconds` later
    FORGED_ANSWER = "forged_answer"  # the effect happens, the answer's signature is of another text
    USER_PAYING = "user_paying"  # 202 USERPAYING to a close: the buyer is typing the password
    BILL_NOT_READY = "bill_not_ready"  # 400 STATEMENT_CREATING
    BAD_HASH = "bad_hash"  # a bill's digest is of another file
    TRUNCATED = "truncated"  # a bill's file ends too early
    NOT_ENOUGH = "not_enough"  # a refund meets an empty balance
    STAYS_PROCESSING = "stays_processing"  # a refund settles only when told to
    DROPPED = "dropped"  # a callback is not sent, until it is resent
    DUPLICATED = "duplicated"  # a callback is sent twice
    DELAYED = "delayed"  # a callback is first sent after `seconds`


_ANSWERS = {Kind.SERVER_ERROR, Kind.RATE_LIMITED, Kind.LOST_ANSWER, Kind.SLOW, Kind.FORGED_ANSWER}
_CALLBACKS = {Kind.DROPPED, Kind.DUPLICATED, Kind.DELAYED}
OPERATIONS = {
    "prepay": _ANSWERS,
    "query": _ANSWERS,
    "close": _ANSWERS | {Kind.USER_PAYING},
    "refund": _ANSWERS | {Kind.NOT_ENOUGH, Kind.STAYS_PROCESSING},
    "query_refund": _ANSWERS,
    "bill": _ANSWERS | {Kind.BILL_NOT_READY, Kind.BAD_HASH},
    "bill_file": {
        Kind.SERVER_ERROR,
        Kind.RATE_LIMITED,
        Kind.LOST_ANSWER,
        Kind.SLOW,
        Kind.TRUNCATED,
    },
    "login": {Kind.SERVER_ERROR, Kind.RATE_LIMITED, Kind.LOST_ANSWER, Kind.SLOW},
    "token": {Kind.SERVER_ERROR, Kind.RATE_LIMITED, Kind.LOST_ANSWER, Kind.SLOW},
    "phone": {Kind.SERVER_ERROR, Kind.RATE_LIMITED, Kind.LOST_ANSWER, Kind.SLOW},
    "code": {Kind.SERVER_ERROR, Kind.RATE_LIMITED, Kind.LOST_ANSWER, Kind.SLOW},
    "ticket": {Kind.SERVER_ERROR, Kind.RATE_LIMITED, Kind.LOST_ANSWER, Kind.SLOW},
    "url_link": {Kind.SERVER_ERROR, Kind.RATE_LIMITED, Kind.LOST_ANSWER, Kind.SLOW},
    "subscribe_message": {Kind.SERVER_ERROR, Kind.RATE_LIMITED, Kind.LOST_ANSWER, Kind.SLOW},
    "payment_callback": _CALLBACKS,
    "refund_callback": _CALLBACKS,
}


@dataclass
class Fault:
    """`times`: calls still to meet it. `seconds`: of slow and delayed ones."""

    operation: str
    kind: Kind
    times: int = 1
    seconds: float = 0.0


class Faults:
    """The faults in waiting. Those of one operation happen in the order they were added."""

    def __init__(self, operations: Mapping[str, Set[Kind]] = OPERATIONS) -> None:
        self._operations = operations
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, operation: str, kind: str, *, times: int = 1, seconds: float = 0.0) -> None:
        """Raises ValueError for a fault that the operation cannot have."""
        if Kind(kind) not in self._operations.get(operation, set()):
            raise ValueError(f"{operation} has no fault {kind}")
        with self._lock:
            self._waiting.append(Fault(operation, Kind(kind), times, seconds))

    def take(self, operation: str) -> Fault | None:
        """The fault that this call of `operation` meets, used up by it."""
        with self._lock:
            for fault in self._waiting:
                if fault.operation == operation and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._waiting if fault.times > 0]
