"""The local counterpart of WeChat's login: codes for openids, each good once."""

import base64
import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any

CODE_LIFE_S = 300
DEMO = "demo-"


class LoginCodes:
    """Answers as jscode2session does: errors in the body, under status 200.

    A code demo-<name> needs no issuing, always means the same openid, and may be used again.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._apps: dict[str, str] = {}
        self._issued: dict[str, tuple[str, str, float]] = {}  # (openid, unionid, issued at)
        self._used: set[str] = set()
        self._openids: dict[str, set[str]] = {}  # seen at logins, by app
        self._lock = threading.Lock()

    def register(self, appid: str, app_secret: str) -> None:
        self._apps[appid] = app_secret

    def issue(self, openid: str, unionid: str = "") -> str:
        """A code as wx.login would give the buyer's phone."""
        code = f"0{secrets.token_hex(15)}"
        with self._lock:
            self._issued[code] = (openid, unionid, self._now())
        return code

    def exchange(self, query: Mapping[str, str]) -> dict[str, Any]:
        appid, code = query.get("appid", ""), query.get("js_code", "")
        if appid not in self._apps:
            return _error(40013, "invalid appid")
        if self._apps[appid] != query.get("secret"):
            return _error(40125, "invalid appsecret")
        if query.get("grant_type") != "authorization_code":
            return _error(40002, "invalid grant_type")
        if not code:
            return _error(41008, "missing code")
        if code.startswith(DEMO):
            name = code.removeprefix(DEMO)
            openid = demo_openid(appid, name)
            self.see(appid, openid)
            return _session(openid, demo_unionid(name))
        return self._use(appid, code)

    def secret_of(self, appid: str) -> str:
        """The app's secret; empty when there is no such app."""
        return self._apps.get(appid, "")

    def see(self, appid: str, openid: str) -> None:
        """Know that somebody has logged in with this openid."""
        self._openids.setdefault(appid, set()).add(openid)

    def has_seen(self, appid: str, openid: str) -> bool:
        """Whether somebody has logged in to the app with this openid."""
        return openid in self._openids.get(appid, ())

    def is_of_another_app(self, openid: str, appid: str) -> bool:
        """Whether somebody has logged in with this openid, in other apps alone. What was never
        seen at a login, as in many tests, is nobody's."""
        seen_in = {app for app, openids in self._openids.items() if openid in openids}
        return bool(seen_in) and appid not in seen_in

    def _use(self, appid: str, code: str) -> dict[str, Any]:
        with self._lock:
            if code in self._used:
                return _error(40163, "code been used")
            openid, unionid, issued_at = self._issued.pop(code, ("", "", 0.0))
            if not openid or self._now() - issued_at >= CODE_LIFE_S:
                return _error(40029, "invalid code")
            self._used.add(code)
            self.see(appid, openid)
            return _session(openid, unionid)


def demo_openid(appid: str, name: str) -> str:
    """The openid, of WeChat's length and manner, that `name` has in the app."""
    digest = hashlib.sha256(f"{appid} {name}".encode()).digest()
    return "o" + base64.urlsafe_b64encode(digest).decode()[:27]


def demo_unionid(name: str) -> str:
    """The unionid that `name` has in every app."""
    digest = hashlib.sha256(f"union {name}".encode()).digest()
    return "o6_" + base64.urlsafe_b64encode(digest).decode()[:25]


def _session(openid: str, unionid: str) -> dict[str, Any]:
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    return {"session_key": key, "openid": openid} | ({"unionid": unionid} if unionid else {})


def _error(code: int, words: str) -> dict[str, Any]:
    return {"errcode": code, "errmsg": f"{words}, rid: {secrets.token_hex(4)}"}
