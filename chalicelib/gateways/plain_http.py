"""Plain calls over http.client: no proxy, no redirect, no log that could hold a secret."""

import http.client
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from chalicelib import deadline
from chalicelib.errors import GatewayFailed

CONNECT_TIMEOUT_S = 1.0
READ_TIMEOUT_S = 3.0
CHUNK_BYTES = 64 * 1024


def call(
    method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str], bytes_max: int
) -> bytes:
    """The body of a 200 answer. Raises Busy when there is no time left to ask, GatewayFailed
    (`details.reason`) for anything else."""
    where = urlsplit(url)
    target = where.path + (f"?{where.query}" if where.query else "")
    try:
        kind = (
            http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(where.netloc, timeout=deadline.share_s(CONNECT_TIMEOUT_S))
        try:
            connection.connect()
            sock = connection.sock  # the connection forgets it when the server closes after this
            sock.settimeout(deadline.share_s(READ_TIMEOUT_S))
            connection.request(method, target, body or None, dict(headers))
            answer = connection.getresponse()
            content = _read(sock, answer, bytes_max + 1)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise GatewayFailed(reason="no_answer") from error
    if answer.status != http.HTTPStatus.OK:
        raise GatewayFailed(reason=f"http_{answer.status}")
    if len(content) > bytes_max:
        raise GatewayFailed(reason="too_long")
    return content


def _read(sock: socket.socket, answer: http.client.HTTPResponse, bytes_max: int) -> bytes:
    """The body, cut off at `bytes_max`; however slowly it trickles in, until the deadline."""
    content = bytearray()
    while len(content) < bytes_max:
        sock.settimeout(deadline.share_s(READ_TIMEOUT_S))
        part = answer.read1(min(CHUNK_BYTES, bytes_max - len(content)))
        if not part:
            break
        content += part
    return bytes(content)
