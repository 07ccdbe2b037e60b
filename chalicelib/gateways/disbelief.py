"""What a gateway's message is not believed for, and how that becomes a refusal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from chalicelib.errors import ServiceError

_Shape = TypeVar("_Shape")


class Disbelieved(Exception):
    """A message that is not the gateway's to this account, or cannot be read. `reason` is a word
    for logs, `field` what it is about, `seen` the value found there (never a secret)."""

    def __init__(self, reason: str, field: str = "", seen: str = "") -> None:
        super().__init__(" ".join(filter(None, (reason, field, seen))))
        self.details = {
            name: value
            for name, value in (("reason", reason), ("field", field), ("seen", seen))
            if value
        }


@contextmanager
def disbelief_as(refuse: type[ServiceError]) -> Iterator[None]:
    """What is not believed in the block is refused with `refuse`, its details saying why."""
    try:
        yield
    except Disbelieved as why:
        raise refuse(None, **why.details) from why


def read(body: bytes, shape: type[_Shape]) -> _Shape:
    """`body`, a JSON text, as `shape`. Raises Disbelieved; never quotes the body."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Disbelieved("unreadable", shape.__name__) from error


def must_be(name: str, seen: str, expected: str) -> None:
    """Raises Disbelieved, naming the field and what was seen there."""
    if seen != expected:
        raise Disbelieved("mismatch", name, seen[:64])
