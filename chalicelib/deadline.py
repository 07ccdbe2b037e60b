"""How long the invocation that runs has left: set at its edge, obeyed by every call to others.

A function that Lambda ends answers nothing: its caller reads 502 in a shape that is not ours, and
its metrics are lost. So every wait (a call, a retry, a pause between them) takes at most what is
left, and where nothing is left it raises Busy, early enough to answer.
"""

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any

from chalice.app import Request

from chalicelib.errors import Busy

RESERVE_S = 1.0  # of each invocation, to answer and to write metrics in
CALL_MIN_S = 0.05  # a call that gets less is not begun

_ends_at: ContextVar[float] = ContextVar("ends_at", default=math.inf)  # by time.monotonic


def middleware(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Give the invocation what Lambda leaves it, less the reserve."""
    # A request carries Lambda's context under another name than all other events.
    context: Any = event.lambda_context if isinstance(event, Request) else event.context
    with ends_in(context.get_remaining_time_in_millis() / 1000 - RESERVE_S):
        return get_response(event)


@contextmanager
def ends_in(seconds: float) -> Iterator[None]:
    """Let the block's calls end within `seconds`, or earlier where that was said before."""
    token = _ends_at.set(min(_ends_at.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _ends_at.reset(token)


def left_s() -> float:
    """Seconds until the deadline; negative after it, infinite where there is none."""
    return _ends_at.get() - time.monotonic()


def share_s(most_s: float) -> float:
    """How long the next wait may take: `most_s`, or what is left. Raises Busy without any."""
    left = left_s()
    if left < CALL_MIN_S:
        raise Busy
    return min(most_s, left)


class Threads(ThreadPoolExecutor):
    """A pool whose threads work under the deadline of whoever gave them the work."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(copy_context().run, fn, *args, **kwargs)
