"""The one HTTP client, of gateways and DynamoDB: kept connections, the deadline, no log.

It follows no redirect, uses no proxy and never asks twice: what was asked may have happened when
its answer is lost, and only the caller knows whether it may be asked again. It stands on
http.client, as urllib3 does, which logs the target of every request (and the secret of a login
with it) and sets its time-outs once per request, not before each read.
"""

import atexit
import http.client
import select
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from chalicelib import deadline
from chalicelib.errors import GatewayFailed

CONNECT_TIMEOUT_S = 1.0
READ_TIMEOUT_S = 3.0
CHUNK_BYTES = 64 * 1024
# A connection that was idle for longer is not trusted: a frozen container sees no close.
IDLE_S = 20.0
IDLE_MAX = 32  # connections kept, as many as may be wanted at once

NAMED = {"User-Agent": "tuan/1.0"}  # WeChat Pay answers 400 to who has no name

_Origin = tuple[str, str]  # scheme, host with port

_lock = threading.Lock()
_idle: list[tuple[_Origin, float, http.client.HTTPConnection]] = []  # since when, by monotonic()


@dataclass(frozen=True)
class Response:
    """`headers`: by names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def call(
    method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str], bytes_max: int
) -> bytes:
    """Return the body of a 200 answer. Raises as `send` does, GatewayFailed for another status."""
    response = send(method, url, body=body, headers=headers, bytes_max=bytes_max)
    if response.status != http.HTTPStatus.OK:
        raise GatewayFailed(reason=f"http_{response.status}")
    return response.body


def send(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str],
    bytes_max: int,
    read_s: float | None = None,
) -> Response:
    """Send one request, once, and return its whole answer, whatever its status.

    read_s: the longest wait for more of it, READ_TIMEOUT_S where nobody says. Raises Busy when
    there is no time left to ask, GatewayFailed with `details.reason` no_answer (the outcome is
    unknown) or too_long (more than `bytes_max`).
    """
    read_s = READ_TIMEOUT_S if read_s is None else read_s
    try:
        where = urlsplit(url)
        target = where.path + (f"?{where.query}" if where.query else "")
        origin = (where.scheme, where.netloc)
        connection = _take_idle(origin) or _connected(origin)
        reusable = False
        try:
            sock = connection.sock  # http.client drops it when the server closes after the answer
            sock.settimeout(deadline.share_s(read_s))
            connection.request(method, target, body or None, {**NAMED, **headers})
            answer = connection.getresponse()
            content = _read(sock, answer, bytes_max, read_s)
            reusable = connection.sock is not None
        finally:
            if reusable:
                _keep(origin, connection)
            else:
                connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise GatewayFailed(reason="no_answer") from error
    named = {name.lower(): value for name, value in answer.getheaders()}
    return Response(answer.status, named, content)


def _read(
    sock: socket.socket, answer: http.client.HTTPResponse, bytes_max: int, read_s: float
) -> bytes:
    """The whole body; however slowly it trickles in, until the deadline.

    Raises TimeoutError, IncompleteRead for a body shorter than announced, GatewayFailed for one
    too long.
    """
    content = bytearray()
    while len(content) <= bytes_max:
        left_s = deadline.left_s()
        if left_s < deadline.CALL_MIN_S:
            raise TimeoutError  # and not Busy: what was asked may have happened
        sock.settimeout(min(read_s, left_s))
        part = answer.read1(min(CHUNK_BYTES, bytes_max + 1 - len(content)))
        if not part:
            break
        content += part
    if len(content) > bytes_max:
        raise GatewayFailed(reason="too_long")
    if answer.length:
        raise http.client.IncompleteRead(bytes(content), answer.length)
    answer.close()
    return bytes(content)


def _connected(origin: _Origin) -> http.client.HTTPConnection:
    scheme, host = origin
    timeout_s = deadline.share_s(CONNECT_TIMEOUT_S)
    connection: http.client.HTTPConnection
    if scheme == "https":
        connection = http.client.HTTPSConnection(host, timeout=timeout_s, context=_tls())
    elif scheme == "http":
        connection = http.client.HTTPConnection(host, timeout=timeout_s)
    else:
        raise http.client.InvalidURL(f"scheme {scheme}")
    connection.connect()
    return connection


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Certificates and host names are checked. Made once: reading the authorities takes 20 ms."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _take_idle(origin: _Origin) -> http.client.HTTPConnection | None:
    """A kept connection that is open as far as anybody can see, the latest used first."""
    while True:
        with _lock:
            place = next((n for n in reversed(range(len(_idle))) if _idle[n][0] == origin), None)
            if place is None:
                return None
            _, since_s, connection = _idle.pop(place)
        if time.monotonic() - since_s < IDLE_S and not _has_input(connection.sock):
            return connection
        connection.close()


def _has_input(sock: socket.socket) -> bool:
    """Whether something came unasked: the end of the connection, or what is no answer of ours."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _keep(origin: _Origin, connection: http.client.HTTPConnection) -> None:
    with _lock:
        _idle.append((origin, time.monotonic(), connection))
        surplus = _idle.pop(0) if len(_idle) > IDLE_MAX else None
    if surplus is not None:
        surplus[2].close()


@atexit.register
def close_idle() -> None:
    """Close every kept connection."""
    with _lock:
        for _, _, connection in _idle:
            connection.close()
        _idle.clear()
