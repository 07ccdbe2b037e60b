"""The local counterpart of JS-SDK: tickets of official accounts, and WeChat's check of a page."""

import hashlib
import secrets
from collections.abc import Callable
from typing import Any

TICKET_S = 7200


class PageTickets:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._present: dict[str, tuple[str, float]] = {}  # by appid: (ticket, good until)
        self.calls = 0

    def given(self, appid: str) -> dict[str, Any]:
        """ticket/getticket: the same ticket until it ends."""
        self.calls += 1
        ticket, ends = self._present.get(appid, ("", 0.0))
        if ends <= self._now():
            ticket, ends = secrets.token_urlsafe(64), self._now() + TICKET_S
            self._present[appid] = ticket, ends
        left_s = int(ends - self._now())
        return {"errcode": 0, "errmsg": "ok", "ticket": ticket, "expires_in": left_s}

    def fits(self, appid: str, url: str, timestamp: str, nonce: str, signature: str) -> bool:
        """Whether WeChat would let the page at `url` use its browser."""
        ticket, ends = self._present.get(appid, ("", 0.0))
        given = {"jsapi_ticket": ticket, "noncestr": nonce, "timestamp": timestamp, "url": url}
        text = "&".join(f"{name}={given[name]}" for name in sorted(given))
        return ends > self._now() and hashlib.sha1(text.encode()).hexdigest() == signature
