"""Calls to AWS by botocore (over urllib3), ended in time.

It takes its time-outs once, when a client is made, while each call has another share of its
invocation; and it waits between its tries without asking how long there is.
"""

import math
from typing import Any

from urllib3.util import Timeout

from chalicelib import deadline
from chalicelib.errors import Busy

RETRY_WAIT_S = 2.0  # the longest that botocore waits between the tries that our clients make


class DeadlineTimeout(Timeout):
    """Time-outs of a connection pool, cut down for each request to what its invocation has left."""

    def __init__(self, *, connect: float, read: float) -> None:
        super().__init__(connect=connect, read=read)
        self._most = connect, read

    def clone(self) -> Timeout:
        connect_s, read_s = self._most
        left_s = deadline.left_s()
        if left_s == math.inf:
            return Timeout(connect=connect_s, read=read_s)
        left_s = max(left_s, deadline.CALL_MIN_S)
        # `total` counts what connecting took.
        return Timeout(connect=min(connect_s, left_s), read=min(read_s, left_s), total=left_s)


def with_deadline(client: Any) -> Any:
    """`client`, of botocore, whose calls and retries keep the deadline: they raise Busy."""
    manager = client._endpoint.http_session._manager
    kept = manager.connection_pool_kw["timeout"]
    manager.connection_pool_kw["timeout"] = DeadlineTimeout(
        connect=kept.connect_timeout, read=kept.read_timeout
    )
    client.meta.events.register_first("before-send", _check_deadline)
    client.meta.events.register_first("needs-retry", _stop_retry_past_deadline)
    return client


def _check_deadline(**_: Any) -> None:
    deadline.share_s(math.inf)


def _stop_retry_past_deadline(response: Any, caught_exception: Exception | None, **_: Any) -> None:
    """Let no wait for another try pass the deadline: what went unanswered is Busy at once."""
    unanswered = caught_exception is not None or response[0].status_code >= 500
    if unanswered and deadline.left_s() < RETRY_WAIT_S:
        raise Busy from caught_exception
