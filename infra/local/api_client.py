"""The callers of the local system's HTTP: the app's own API, and the hand on the local WeChat."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from infra.local import pace

TIMEOUT_S = 60.0  # a function's first call starts its process
PASSING = (502, 503, 504)  # what may be asked again: the app or a gateway had no time to answer
PASSES_S = 60.0  # within: where much is started at once, functions wait for a processor
ASK_AGAIN_S = 0.5

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never by a proxy


class Unexpected(Exception):
    """An answer that the caller did not count on."""


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any  # of JSON; None when it was empty

    @property
    def code(self) -> str:
        """The refusal's code; empty when it is none."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


@dataclass(frozen=True)
class Api:
    """Calls JSON over HTTP under one address, as one person (or as nobody)."""

    base_url: str
    token: str = ""

    def as_(self, token: str) -> "Api":
        """The same address, called by the holder of `token`."""
        return replace(self, token=token)

    def call(self, method: str, path: str, body: Any = None, *, key: str = "") -> Reply:
        """Whatever the answer is. key: the Idempotency-Key. Raises Unexpected for none."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key:
            headers["Idempotency-Key"] = key
        raw = None if body is None else json.dumps(body).encode()
        return _send(method, self.base_url + path, headers, raw)

    def get(self, path: str) -> Any:
        return self._expect("GET", path)

    def post(self, path: str, body: Any = None, *, key: str = "") -> Any:
        return self._expect("POST", path, body, key=key)

    def put(self, path: str, body: Any) -> Any:
        return self._expect("PUT", path, body)

    def delete(self, path: str) -> Any:
        return self._expect("DELETE", path)

    def items(self, path: str) -> list[Any]:
        """Every item of a list, page after page."""
        found: list[Any] = []
        after = ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit=50{after}")
            found += page["items"]
            if not page["next"]:
                return found
            after = f"&next={urllib.parse.quote(page['next'])}"

    def _expect(self, method: str, path: str, body: Any = None, *, key: str = "") -> Any:
        """The body of a 2xx answer; asks again while there is none for want of time, with the same
        body and key. Raises Unexpected for any other."""
        deadline_s = time.monotonic() + pace.patient(PASSES_S)
        reply = self.call(method, path, body, key=key)
        while reply.status in PASSING and time.monotonic() < deadline_s:
            time.sleep(ASK_AGAIN_S)
            reply = self.call(method, path, body, key=key)
        if not 200 <= reply.status < 300:
            said = json.dumps(reply.body, ensure_ascii=False)
            raise Unexpected(f"{method} {path}: {reply.status} {said}")
        return reply.body


def post_form(url: str, fields: Mapping[str, str], content: bytes) -> int:
    """Post a form with a file as a browser does, the file last; the status of the answer."""
    boundary = "----form-of-the-local-shop"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="picture"\r\n\r\n'
    )
    body = "".join(parts).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return _send("POST", url, headers, body).status


def _send(method: str, url: str, headers: Mapping[str, str], raw: bytes | None) -> Reply:
    request = urllib.request.Request(url, raw, dict(headers), method=method)
    try:
        with _opener.open(request, timeout=pace.patient(TIMEOUT_S)) as answer:
            return _reply(answer.status, answer.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return _reply(refusal.code, refusal.read())
    except OSError as failure:
        raise Unexpected(f"{method} {url}: {failure}") from failure


def _reply(status: int, raw: bytes) -> Reply:
    try:
        return Reply(status, json.loads(raw) if raw else None)
    except ValueError:
        return Reply(status, raw.decode(errors="replace"))
