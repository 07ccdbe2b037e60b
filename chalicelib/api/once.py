"""Repeats: a request with an Idempotency-Key makes one thing, however often it arrives."""

import hashlib
import re
from dataclasses import dataclass

from chalice.app import Request

from chalicelib.api.auth import Staff
from chalicelib.api.http import Header
from chalicelib.domain.ids import derived_id, new_id
from chalicelib.errors import InvalidRequest
from chalicelib.gateways import secrets

KEY_PATTERN = "^[!-~]{1,64}$"
HEADERS = {"Idempotency-Key": Header("A repeat gets the first answer; optional.", KEY_PATTERN)}


@dataclass(frozen=True)
class Once:
    """The id of what a request makes, and what tells its body from another under the same key."""

    item_id: str
    body_hash: str


def once(request: Request, who: Staff, purpose: str) -> Once:
    """The same for the same person, purpose and key; fresh when the request has no key.

    Raises InvalidRequest when the key is no such thing.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return Once(new_id(), "")
    if not re.fullmatch(KEY_PATTERN, key):
        raise InvalidRequest("请求编号无效，请刷新页面后重试。", field="Idempotency-Key")
    id_key = secrets.secret("id-key").encode()
    item_id = derived_id(id_key, purpose, who.merchant_id, who.username, key)
    return Once(item_id, hashlib.sha256(_body(request)).hexdigest()[:16])


def _body(request: Request) -> bytes:
    body = request.raw_body
    return body if isinstance(body, bytes) else body.encode()
