"""Lets something happen between what a function has read and what it writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from tests.faults import WRITES, injected


@contextmanager
def meanwhile(act: Callable[[], object], *, after_writes: int = 0) -> Iterator[None]:
    """Just before the block sends a write, `act` has happened: once, before its first write, or
    after so many others. Fails when the block did not write so often."""
    waiting = [act]
    sent = 0

    def before_write(operation: str, request: AWSPreparedRequest) -> AWSResponse | None:
        nonlocal sent
        if operation in WRITES and waiting:
            if sent == after_writes:
                waiting.pop()()
            sent += 1
        return None

    with injected(before_write):
        yield
    assert not waiting, "nothing was written"
