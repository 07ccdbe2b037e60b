"""Plain calls over http.client: no proxy, no redirect, no log that could hold a secret."""

import http.client
from collections.abc import Mapping
from urllib.parse import urlsplit

from chalicelib.errors import GatewayFailed

CONNECT_TIMEOUT_S = 1.0
READ_TIMEOUT_S = 3.0


def call(
    method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str], bytes_max: int
) -> bytes:
    """The body of a 200 answer. Raises GatewayFailed (`details.reason`) for anything else."""
    where = urlsplit(url)
    target = where.path + (f"?{where.query}" if where.query else "")
    try:
        kind = (
            http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(where.netloc, timeout=CONNECT_TIMEOUT_S)
        try:
            connection.connect()
            connection.sock.settimeout(READ_TIMEOUT_S)
            connection.request(method, target, body or None, dict(headers))
            answer = connection.getresponse()
            content = answer.read(bytes_max + 1)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise GatewayFailed(reason="no_answer") from error
    if answer.status != http.HTTPStatus.OK:
        raise GatewayFailed(reason=f"http_{answer.status}")
    if len(content) > bytes_max:
        raise GatewayFailed(reason="too_long")
    return content
