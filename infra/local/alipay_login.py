"""Codes of my.getAuthCode: each is one buyer's, good once and for a while."""

import base64
import hashlib
import secrets
import threading
from collections.abc import Callable

from infra.local.alipay_keys import Refused

CODE_LIFE_S = 86400
DEMO = "demo-"  # demo-<anything> is always the same buyer, without being issued


class AuthCodes:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._issued: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def issue(self, open_id: str) -> str:
        """A code as my.getAuthCode would give the buyer's phone."""
        code = secrets.token_hex(16)
        with self._lock:
            self._issued[code] = (open_id, self._now())
        return code

    def exchange(self, app_id: str, code: str) -> str:
        """The open_id. Raises Refused for a code that is unknown, used or old."""
        if code.startswith(DEMO):
            digest = hashlib.sha256(f"{app_id} {code}".encode()).digest()
            return base64.urlsafe_b64encode(digest).decode()[:40]
        with self._lock:
            open_id, issued_at = self._issued.pop(code, ("", 0.0))
        if not open_id or self._now() - issued_at >= CODE_LIFE_S:
            raise Refused("40002", "isv.code-invalid", "授权码code无效")
        return open_id
