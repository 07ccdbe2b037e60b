"""Many callers at once, each of whom asks again when told that all are busy."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from chalicelib.errors import Busy, ServiceError

_In = TypeVar("_In")
_Out = TypeVar("_Out")
THREADS = 16
BUSY_MAX = 50


def patiently(act: Callable[[], _Out]) -> _Out:
    """What `act` answers to somebody who asks again when told that all are busy."""
    for _ in range(BUSY_MAX):
        try:
            return act()
        except Busy:
            continue
    return act()


def at_once(act: Callable[[_In], _Out], each: Iterable[_In]) -> list[_Out | str]:
    """What `act` answers for each, all at the same time: a value, or a refusal's code."""

    def one(value: _In) -> _Out | str:
        try:
            return patiently(lambda: act(value))
        except ServiceError as refusal:
            return refusal.code

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, each))


def together(*acts: Callable[[], Any]) -> list[Any]:
    """As `at_once`, for different acts."""
    return at_once(lambda act: act(), acts)
