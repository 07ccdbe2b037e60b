"""The HTTP that the local counterparts share: calls in, answers out, on the loopback only."""

import json
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

BODY_BYTES_MAX = 1_048_576


class Refusal(Exception):
    """A counterpart says no, with WeChat's own code and words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message

    def answer(self) -> "Answer":
        return Answer.json({"code": self.code, "message": self.message}, status=self.status)


class Errcode(Exception):
    """What WeChat's server API says no with: its errcode and words."""

    def __init__(self, errcode: int, words: str) -> None:
        super().__init__(errcode, words)


@dataclass(frozen=True)
class Call:
    """A request as it came. `target`: path and query, which is what WeChat Pay signs."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    def json(self) -> dict[str, Any]:
        """The body's JSON object. Raises Refusal PARAM_ERROR when it holds none."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError as error:
            raise Refusal(400, "PARAM_ERROR", "请求不是有效的 JSON") from error
        if not isinstance(value, dict):
            raise Refusal(400, "PARAM_ERROR", "请求应为 JSON 对象")
        return value


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: object, *, status: int = 200, kind: str = "application/json") -> "Answer":
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status, body, {"Content-Type": f"{kind}; charset=utf-8"})


Handle = Callable[[Call], Answer | None]


class Server:
    """Serves `handle` on 127.0.0.1; an answer of None cuts the connection without a word."""

    def __init__(self, handle: Handle, port: int = 0) -> None:
        self._http = _Server(port, handle)
        self.base_url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # races open many connections at once
    daemon_threads = True

    def __init__(self, port: int, handle: Handle) -> None:
        self._open: set[Any] = set()  # connections, which callers may keep
        super().__init__(("127.0.0.1", port), _Handler)
        self.handle = handle

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """End what is connected, too, as the end of a process would."""
        super().server_close()
        for request in list(self._open):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds a connection may be idle

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the callers log."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_BYTES_MAX:
            self.send_error(413)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(self.command, self.path, headers, self.rfile.read(length))
        answer = self.server.handle(call)
        if answer is None:
            self.close_connection = True
            return
        try:
            self._send(answer)
        except ConnectionError:
            self.close_connection = True  # the caller gave up waiting

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_DELETE = _serve
