"""The local counterpart of WeChat's server API: access tokens, subscribe messages, phones, codes.

It refuses what the real one documents, by its errcodes, and keeps what each buyer's WeChat would
have shown; a page shows it, newest first.
"""

import html
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from infra.local.wechat_faults import Faults, Kind
from infra.local.wechat_http import Answer, Call, Errcode
from infra.local.wechat_js_sdk import PageTickets
from infra.local.wechat_login import LoginCodes, demo_openid
from infra.local.wechat_mini_program_links import Codes

PAGE = "/subscribe-messages"
TICKET = "/cgi-bin/ticket/getticket"
_EMPTY = "还没有消息。买家在微信里同意接收提醒后，成团、发货时会出现在这里。"
TOKEN_S, OVERLAP_S = 7200, 300
PHONE_CODE_S = 300
FITS = {
    "thing": r".{1,20}",
    "phrase": r"[一-鿿]{1,5}",
    "character_string": r"[!-~ ]{1,32}",
    "number": r"[0-9]{1,32}(\.[0-9]+)?",
    "amount": r"[¥￥$]?[0-9]{1,10}(\.[0-9]+)?元?",
    "time": r"([0-9]{4}年[0-9]{2}月[0-9]{2}日 )?[0-9]{2}:[0-9]{2}",
    "date": r"[0-9]{4}年[0-9]{2}月[0-9]{2}日( [0-9]{2}:[0-9]{2})?",
}
MINI_PAGE = re.compile(r"[a-z]+(/[a-z]+)+(\?[!-~]*)?")


@dataclass(frozen=True)
class Template:
    """keywords: name (thing1) -> what it says to the buyer."""

    appid: str
    title: str
    keywords: dict[str, str]


@dataclass(frozen=True)
class Shown:
    """A message on somebody's phone. lines: label and value."""

    openid: str
    title: str
    lines: list[tuple[str, str]]
    page: str
    at_s: float


class ServerApi:
    """now: seconds since the epoch. quota: messages that may yet be sent; None: any number."""

    def __init__(self, codes: LoginCodes, faults: Faults, now: Callable[[], float]) -> None:
        self._codes, self._faults, self._now = codes, faults, now
        self._lock = threading.Lock()
        self._present: dict[str, str] = {}  # the token of an app
        self._tokens: dict[str, tuple[str, float]] = {}  # (appid, good until)
        self._templates: dict[str, Template] = {}
        self._phones: dict[str, tuple[str, str, str, float]] = {}  # by code; the last: its end
        self._agreed: Counter[tuple[str, str]] = Counter()  # by openid and template
        self.codes, self.tickets = Codes(), PageTickets(now)
        self.token_calls = 0
        self.shown: list[Shown] = []
        self.quota: int | None = None

    def new_template(self, appid: str, title: str, keywords: dict[str, str]) -> str:
        """Choose a template, as the shop does in WeChat's console; returns its id."""
        template_id = secrets.token_urlsafe(32)
        self._templates[template_id] = Template(appid, title, keywords)
        return template_id

    def change_template(self, template_id: str, keywords: dict[str, str]) -> None:
        """Choose other keywords, of which the shop's settings do not know."""
        kept = self._templates[template_id]
        self._templates[template_id] = Template(kept.appid, kept.title, keywords)

    def agree(self, openid: str, template_ids: Iterable[str], *, times: int = 1) -> None:
        """The buyer taps 允许 so many times."""
        with self._lock:
            self._agreed.update({(openid, one): times for one in template_ids})

    def agree_as(self, name: str, template_ids: list[str]) -> list[str]:
        """The same for who logs in by the code demo-<name>; returns what there was to agree to."""
        known = [one for one in template_ids if one in self._templates]
        for one in known:
            self.agree(demo_openid(self._templates[one].appid, name), [one])
        return known

    def end_tokens(self) -> None:
        """No token that was given is good any more."""
        with self._lock:
            self._present.clear()
            self._tokens = {token: (appid, 0.0) for token, (appid, _) in self._tokens.items()}

    def summaries(self) -> list[dict[str, Any]]:
        return [asdict(one) for one in self.shown]

    def answer(self, call: Call) -> Answer | None:
        if call.method == "GET" and call.path != TICKET:
            return self._opened(call)
        operations: dict[str, tuple[str, Callable[[Call], dict[str, Any] | Answer]]] = {
            "/cgi-bin/stable_token": ("token", self._token),
            "/cgi-bin/message/subscribe/send": ("subscribe_message", self._send),
            "/wxa/business/getuserphonenumber": ("phone", self._phone),
            "/wxa/getwxacodeunlimit": ("code", self._code),
            "/wxa/generate_urllink": ("url_link", self._url_link),
            TICKET: ("ticket", self._ticket),
        }
        if call.path not in operations:
            return Answer(404)
        operation, act = operations[call.path]
        fault = self._faults.take(operation)
        if fault and fault.kind is Kind.SERVER_ERROR:
            return Answer(500)
        done: dict[str, Any] | Answer
        try:
            if fault and fault.kind is Kind.RATE_LIMITED:
                raise Errcode(45009, "reach max api daily quota limit")
            done = act(call)
        except Errcode as refused:
            errcode, words = refused.args
            done = {"errcode": errcode, "errmsg": f"{words} rid: {secrets.token_hex(8)}"}
        if fault and fault.kind is Kind.SLOW:
            time.sleep(fault.seconds)
        if fault and fault.kind is Kind.LOST_ANSWER:
            return None
        return done if isinstance(done, Answer) else Answer.json(done)

    def _opened(self, call: Call) -> Answer:
        """What a browser shows."""
        if call.path == PAGE:
            return Answer(200, self._page().encode(), {"Content-Type": "text/html; charset=utf-8"})
        return self.codes.opened(call) or Answer(404)

    def _token(self, call: Call) -> dict[str, Any]:
        asked, now = call.json(), self._now()
        self.token_calls += 1
        appid = str(asked.get("appid"))
        secret = self._codes.secret_of(appid)
        if asked.get("grant_type") != "client_credential":
            raise Errcode(40002, "invalid grant_type")
        if not secret:
            raise Errcode(40013, "invalid appid")
        if secret != asked.get("secret"):
            raise Errcode(40125, "invalid appsecret")
        with self._lock:
            present = self._present.get(appid)
            ends = self._tokens[present][1] if present else 0.0
            if present is None or ends - now <= OVERLAP_S or asked.get("force_refresh"):
                present, ends = secrets.token_urlsafe(128), now + TOKEN_S
                self._present[appid], self._tokens[present] = present, (appid, ends)
            return {"access_token": present, "expires_in": int(ends - now)}

    def _send(self, call: Call) -> dict[str, Any]:
        asked = call.json()
        appid = self.app_of(call.query.get("access_token", ""))
        openid, template_id = str(asked.get("touser")), str(asked.get("template_id"))
        if not self._codes.has_seen(appid, openid):
            raise Errcode(40003, "invalid openid")
        template = self._templates.get(template_id)
        if template is None or template.appid != appid:
            raise Errcode(40037, "invalid template_id")
        page = str(asked.get("page", ""))
        if page and not MINI_PAGE.fullmatch(page):
            raise Errcode(41030, "invalid page")
        _check(template, asked.get("data") or {})
        with self._lock:
            if self._agreed[openid, template_id] < 1:
                raise Errcode(43101, "user refuse to accept the msg")
            if self.quota == 0:
                raise Errcode(45009, "reach max api daily quota limit")
            self.quota = None if self.quota is None else self.quota - 1
            self._agreed[openid, template_id] -= 1
            values = asked["data"]
            lines = [(label, values[name]["value"]) for name, label in template.keywords.items()]
            self.shown.append(Shown(openid, template.title, lines, page, self._now()))
        return {"errcode": 0, "errmsg": "ok", "msgid": secrets.randbits(53)}

    def tap_phone(self, appid: str, number: str, country: str = "86") -> str:
        """A buyer allows the phone button to tell their number; returns the code that it gives."""
        code = secrets.token_hex(32)
        with self._lock:
            self._phones[code] = (appid, number, country, self._now() + PHONE_CODE_S)
        return code

    def _phone(self, call: Call) -> dict[str, Any]:
        appid = self.app_of(call.query.get("access_token", ""))
        nobody = ("", "", "", 0.0)
        with self._lock:
            of, number, country, ends = self._phones.pop(str(call.json().get("code")), nobody)
        if ends <= self._now():
            raise Errcode(40029, "invalid code")
        if of != appid:
            raise Errcode(40013, "invalid appid")
        phone = {"purePhoneNumber": number, "countryCode": country}
        phone["phoneNumber"] = number if country == "86" else f"+{country}{number}"
        mark = {"timestamp": int(self._now()), "appid": appid}
        return {"errcode": 0, "errmsg": "ok", "phone_info": {**phone, "watermark": mark}}

    def _code(self, call: Call) -> Answer:
        return self.codes.drawn(self.app_of(call.query.get("access_token", "")), call.json())

    def _url_link(self, call: Call) -> dict[str, Any]:
        return self.codes.link(self.app_of(call.query.get("access_token", "")), call)

    def _ticket(self, call: Call) -> dict[str, Any]:
        return self.tickets.given(self.app_of(call.query.get("access_token", "")))

    def app_of(self, token: str) -> str:
        """Whose token it is. Raises what WeChat says to one that is not good."""
        if token not in self._tokens:
            raise Errcode(40001, "invalid credential, access_token is invalid or not latest")
        appid, ends = self._tokens[token]
        if ends <= self._now():
            raise Errcode(42001, "access_token expired")
        return appid

    def _page(self) -> str:
        cards = "".join(
            f"<li><b>{html.escape(one.title)}</b> <small>{html.escape(one.openid)}</small>"
            + "".join(f"<div>{html.escape(a)}：{html.escape(b)}</div>" for a, b in one.lines)
            + f"<small>{html.escape(one.page)}</small></li>"
            for one in reversed(self.shown)
        )
        return (
            '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>订阅消息</title>'
            '<meta name="viewport" content="width=device-width">'
            '<meta http-equiv="refresh" content="2">'
            "<style>body{font:16px/1.8 sans-serif;margin:16px}li{margin:0 0 12px}"
            "small{opacity:.6}</style>"
            f"<h1>微信订阅消息替身</h1><ul>{cards or _EMPTY}</ul></html>"
        )


def _check(template: Template, data: dict[str, Any]) -> None:
    for name in template.keywords.keys() | data.keys():
        value = str((data.get(name) or {}).get("value", ""))
        kind = name.rstrip("0123456789")
        if name not in template.keywords or not re.fullmatch(FITS.get(kind, ".+"), value):
            why = "is empty" if not value else "is invalid"
            raise Errcode(47003, f"argument invalid! data.{name}.value {why}")
