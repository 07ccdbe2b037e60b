"""A server that takes every connection and never answers, and the app's calls sent to it."""

import contextvars
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest

from chalicelib import deadline
from chalicelib.gateways import media, secrets
from chalicelib.settings import settings
from chalicelib.tables.base import connection

# Invocations are short, and their reserve is long: what a slow machine takes for itself is no
# reason to fail.
INVOCATION_S = 6
CALLS_S = 0.5  # what an invocation has for its calls
BEGINS = (0, 1, 2, 4, 8)  # calls to AWS that are answered before there is silence
BACKLOG = 1024


@pytest.fixture(autouse=True)
def short_invocations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "RESERVE_S", INVOCATION_S - CALLS_S)


class Allowance:
    """How many calls to AWS are answered; those that come after them are not."""

    def __init__(self, calls: int) -> None:
        self._left, self._lock = calls, threading.Lock()

    def take(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0


_allowance: contextvars.ContextVar[Allowance | None] = contextvars.ContextVar(
    "allowance", default=None
)


@contextmanager
def answered(calls: int) -> Iterator[None]:
    """So many of the block's calls to AWS are answered, and no other."""
    token = _allowance.set(Allowance(calls))
    try:
        yield
    finally:
        _allowance.reset(token)


@contextmanager
def dug(patch: pytest.MonkeyPatch) -> Iterator[str]:
    """A black hole, into which go the calls to AWS that are not `answered` and all calls to
    gateways. Its address."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=BACKLOG))
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        thread = threading.Thread(target=_swallow, args=(server,), daemon=True)
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown, socket.SHUT_RDWR)
        for name in ("wechat_api_url", "wechat_pay_url", "alipay_url"):
            before = getattr(settings, name)
            object.__setattr__(settings, name, f"{url}/gateway.do" if "ali" in name else url)
            stack.callback(object.__setattr__, settings, name, before)
        patch.setattr(secrets, "KEPT_S", 0)  # so that every parameter is asked for
        secrets.forget()
        stack.callback(secrets.forget)
        for client in (connection.client, secrets._client(), media.client()):
            stack.enter_context(_redirected(client, url))
        yield url


@contextmanager
def trickling() -> Iterator[str]:
    """A server whose answer never ends: a byte every tenth of a second. Its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_trickle, args=(server,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            thread.join()


def _trickle(server: socket.socket) -> None:
    asker = server.accept()[0]
    with asker, suppress(OSError):
        asker.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            asker.sendall(b".")
            time.sleep(0.1)


@contextmanager
def _redirected(client: Any, url: str) -> Iterator[None]:
    def send_away(request: AWSPreparedRequest, **_: Any) -> None:
        allowance = _allowance.get()
        if allowance is not None and not allowance.take():
            request.url = url + urlsplit(request.url).path

    client.meta.events.register("before-send", send_away)
    try:
        yield
    finally:
        client.meta.events.unregister("before-send", send_away)


def _swallow(server: socket.socket) -> None:
    taken = []
    while True:
        try:
            taken.append(server.accept()[0])
        except OSError:
            break
    for connected in taken:
        connected.close()
