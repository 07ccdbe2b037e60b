"""Page tokens: where a list goes on, signed, good for the same list and the same reader only."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from chalicelib.api.schemas import PageQuery
from chalicelib.errors import InvalidRequest
from chalicelib.gateways import secrets

_MAC_BYTES = 16
_Answer = TypeVar("_Answer")


def page(
    answer: Callable[..., _Answer],
    query: PageQuery,
    scope: tuple[str, ...],
    read: Callable[..., tuple[Sequence[Any], dict[str, Any] | None]],
    show: Callable[[Any], Any],
) -> _Answer:
    """Return the answer with the page that `query` asks for, its items as `show` makes them.

    read: takes `after` and `limit`; gives items and the key that the next page starts after.
    scope: what the list is and who reads it.
    """
    found, key = read(after=key_of(query.next, *scope), limit=query.limit)
    return answer(items=[show(item) for item in found], next=token_of(key, *scope))


def token_of(key: dict[str, Any] | None, *scope: str) -> str | None:
    """An opaque token for DynamoDB's last evaluated key; None at the end of the list.

    scope: what the list is and who reads it; `key_of` wants the same.
    """
    if key is None:
        return None
    body = json.dumps(key, separators=(",", ":"), sort_keys=True).encode()
    return base64.urlsafe_b64encode(_mac(body, scope) + body).decode().rstrip("=")


def key_of(token: str | None, *scope: str) -> dict[str, Any] | None:
    """The key in `token`. Raises InvalidRequest when it was forged or made for another list."""
    if not token:
        return None
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError as error:
        raise InvalidRequest("翻页标记无效，请从第一页重新查看。", field="next") from error
    mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(body, scope)):
        raise InvalidRequest("翻页标记无效，请从第一页重新查看。", field="next")
    key: dict[str, Any] = json.loads(body)
    return key


def _mac(body: bytes, scope: tuple[str, ...]) -> bytes:
    message = "\x1f".join(scope).encode() + b"\x1e" + body
    key = secrets.secret("id-key").encode()
    return hmac.new(key, message, hashlib.sha256).digest()[:_MAC_BYTES]
