"""The only reader of the wall clock: callers at the edge read it once and pass `now_s` down."""

import time


def now_s() -> int:
    """Whole seconds since the epoch, UTC."""
    return int(time.time())
