"""Garbage collection while a function starts: what is imported then stays, and is no garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Collect no garbage in the block, and look at nothing that it made ever after."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
