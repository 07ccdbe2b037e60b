"""What makes a gateway's message unfit to be believed, and how that becomes a refusal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from chalicelib.errors import ServiceError

_Shape = TypeVar("_Shape")


class VerificationError(Exception):
    """A message that is not the gateway's to this account, or cannot be read.

    `reason` is a word for logs, `field` what it is about, `seen` the value found there (never a
    secret).
    """

    def __init__(self, reason: str, field: str = "", seen: str = "") -> None:
        seen = seen.encode(errors="replace").decode()  # halves of surrogates cannot be logged
        super().__init__(" ".join(filter(None, (reason, field, seen))))
        self.details = {
            name: value
            for name, value in (("reason", reason), ("field", field), ("seen", seen))
            if value
        }


@contextmanager
def verification_errors_as(refusal: type[ServiceError]) -> Iterator[None]:
    """Raise `refusal` for a VerificationError in the block, with its details."""
    try:
        yield
    except VerificationError as why:
        raise refusal(None, **why.details) from why


def read(body: bytes, shape: type[_Shape]) -> _Shape:
    """Return `body`, a JSON text, as `shape`. Raises VerificationError; never quotes the body."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise VerificationError("unreadable", shape.__name__) from error


def must_be(name: str, seen: str, expected: str) -> None:
    """Raise VerificationError, naming the field and what was seen there, unless they agree."""
    if seen != expected:
        raise VerificationError("mismatch", name, seen[:64])
