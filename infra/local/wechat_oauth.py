"""The local counterpart of an official account's web login (OAuth 2.0).

Its page stands for WeChat's own: whoever opens it chooses who they are, and goes back with a code.
"""

import html
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from infra.local.wechat_http import Answer, Call
from infra.local.wechat_login import CODE_LIFE_S, DEMO, LoginCodes, demo_openid, demo_unionid

SCOPES = ("snsapi_base", "snsapi_userinfo")
DEMO_BUYERS = ("xiaoman", "xingyuan", "zhixia")
WITH_PROFILE = "~userinfo"  # ends the code of a demo buyer who has agreed to show it
HTML = {"Content-Type": "text/html; charset=utf-8"}


@dataclass(frozen=True)
class Visitor:
    """Who has agreed, and to what. snapshot: the page is in preview, their openid made up."""

    appid: str
    openid: str
    unionid: str = ""
    scope: str = SCOPES[0]
    name: str = ""
    avatar: str = ""
    snapshot: bool = False


class WebLogins:
    """/connect/oauth2/authorize, /sns/oauth2/access_token and /sns/userinfo."""

    def __init__(self, apps: LoginCodes, now: Callable[[], float]) -> None:
        self._apps, self._now, self._lock = apps, now, threading.Lock()
        self._codes: dict[str, tuple[Visitor, float]] = {}
        self._tokens: dict[str, Visitor] = {}
        self._used: set[str] = set()

    def new_account(self) -> dict[str, str]:
        """A new official account: the parameter `wechat-account`."""
        made = {"appid": f"wx{secrets.token_hex(8)}", "app_secret": secrets.token_hex(16)}
        self._apps.register(made["appid"], made["app_secret"])
        return made

    def issue(self, visitor: Visitor) -> str:
        """A code as the page gives it to who agrees."""
        code = f"0{secrets.token_hex(15)}"
        with self._lock:
            self._codes[code] = (visitor, self._now())
        return code

    def answer(self, call: Call) -> Answer | None:
        """None for a path that is not of this login."""
        if call.path == "/connect/oauth2/authorize":
            return self._page(call.query)
        if call.path == "/sns/oauth2/access_token":
            return Answer.json(self._exchange(call.query), kind="text/plain")
        if call.path == "/sns/userinfo":
            return Answer.json(self._profile(call.query), kind="text/plain")
        return None

    def _page(self, query: Mapping[str, str]) -> Answer:
        known = self._apps.secret_of(query.get("appid", ""))
        scope, state = query.get("scope", ""), query.get("state", "")
        if not known or scope not in SCOPES or query.get("response_type") != "code":
            return Answer(400, "微信：参数错误（appid、scope 或 response_type）".encode(), HTML)
        if len(state) > 128 or not (state.isascii() and state.isalnum()):
            return Answer(400, "微信：state 只能有字母和数字，最多 128 位".encode(), HTML)
        links = "".join(
            f'<p><a href="{html.escape(_back(query["redirect_uri"], code, state))}">'
            f"以 {name} 登录</a></p>"
            for name in DEMO_BUYERS
            for code in [f"{DEMO}{name}{WITH_PROFILE if scope == SCOPES[1] else ''}"]
        )
        page = (
            f'<!doctype html><meta charset="utf-8"><title>微信登录</title><h1>微信替身</h1>{links}'
        )
        return Answer(200, page.encode(), HTML)

    def _exchange(self, query: Mapping[str, str]) -> dict[str, Any]:
        appid, code = query.get("appid", ""), query.get("code", "")
        secret = self._apps.secret_of(appid)
        if not secret:
            return _error(40013, "invalid appid")
        if secret != query.get("secret"):
            return _error(40125, "invalid appsecret")
        if query.get("grant_type") != "authorization_code":
            return _error(40002, "invalid grant_type")
        if code.startswith(DEMO):
            name, with_profile, _ = code.removeprefix(DEMO).partition(WITH_PROFILE)
            scope = SCOPES[bool(with_profile)]
            ids = demo_openid(appid, name), demo_unionid(name)
            return self._token(Visitor(appid, *ids, scope=scope, name=name))
        with self._lock:
            if code in self._used:
                return _error(40163, "code been used")
            visitor, issued_at = self._codes.pop(code, (Visitor("", ""), 0.0))
            if visitor.appid != appid or self._now() - issued_at >= CODE_LIFE_S:
                return _error(40029, "invalid code")
            self._used.add(code)
        return self._token(visitor)

    def _token(self, visitor: Visitor) -> dict[str, Any]:
        token = secrets.token_urlsafe(48)
        with self._lock:
            self._tokens[token] = visitor
            self._apps.see(visitor.appid, visitor.openid)
        said = {
            "access_token": token,
            "expires_in": 7200,
            "refresh_token": secrets.token_urlsafe(48),
            "openid": visitor.openid,
            "scope": visitor.scope,
        }
        if visitor.snapshot:
            said["is_snapshotuser"] = 1
        return said | ({"unionid": visitor.unionid} if visitor.unionid else {})

    def _profile(self, query: Mapping[str, str]) -> dict[str, Any]:
        visitor = self._tokens.get(query.get("access_token", ""))
        if visitor is None:
            return _error(40001, "invalid credential")
        if visitor.openid != query.get("openid"):
            return _error(40003, "invalid openid")
        if visitor.scope != SCOPES[1]:
            return _error(48001, "api unauthorized")
        told = {"openid": visitor.openid, "nickname": visitor.name, "headimgurl": visitor.avatar}
        return told | ({"unionid": visitor.unionid} if visitor.unionid else {})


def _back(redirect_uri: str, code: str, state: str) -> str:
    joint = "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{joint}{urlencode({'code': code, 'state': state})}"


def _error(code: int, words: str) -> dict[str, Any]:
    return {"errcode": code, "errmsg": f"{words}, rid: {secrets.token_hex(4)}"}
