"""Tencent Cloud's text messages on this machine: signatures are checked, nothing is sent.

What would have been sent stands on a page, newest first, for whoever plays the buyer.
"""

import hashlib
import hmac
import html
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from infra.local.wechat_faults import Faults, Kind
from infra.local.wechat_http import Answer, Call, Refusal, Server

SEND = "send"
OPERATIONS = {SEND: {Kind.SERVER_ERROR, Kind.RATE_LIMITED, Kind.LOST_ANSWER, Kind.SLOW}}
SKEW_S = 300  # between the caller's clock and ours
AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/sms/tc3_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)
PHONE = re.compile(r"\+861[3-9][0-9]{9}")
_EMPTY = "还没有短信。买家在登录页点「获取验证码」后，会出现在这里。"
TEMPLATE = "【{sign}】{code} 是你的登录验证码，{minutes} 分钟内有效。不是你本人操作，请忽略。"


@dataclass(frozen=True)
class Message:
    phone: str
    code: str
    text: str
    at_s: float


class _Refused(Exception):
    """What Tencent Cloud says to a request that it does not take: code and words."""


class Sms:
    """POST / is SendSms, GET / the page of what was sent, /_local the control.

    now: seconds since the epoch, the clock of everything here.
    """

    def __init__(self, *, port: int = 0, now: Callable[[], float] = time.time) -> None:
        self._now, self._lock = now, threading.Lock()
        self._accounts: dict[str, dict[str, str]] = {}  # by merchant
        self.messages: list[Message] = []
        self.faults = Faults(OPERATIONS)
        self._server = Server(self._answer, port)
        self.base_url = self._server.base_url

    def start(self) -> "Sms":
        self._server.start()
        return self

    def stop(self) -> None:
        self._server.stop()

    def new_account(self, merchant_id: str) -> dict[str, str]:
        """The merchant's account, the parameter `sms`, made unless it is there already."""
        with self._lock:
            made = {
                "secret_id": f"AKID{secrets.token_hex(16)}",
                "secret_key": secrets.token_hex(16),
                "sdk_app_id": "1400006666",
                "sign_name": "山野果园",
                "template_id": "449739",
            }
            return self._accounts.setdefault(merchant_id, made)

    def code_for(self, phone: str) -> str:
        """The code that was last sent to a number."""
        return next(m.code for m in reversed(self.messages) if m.phone == phone)

    def _answer(self, call: Call) -> Answer | None:
        if (call.method, call.path) == ("POST", "/"):
            return self._send(call)
        if (call.method, call.path) == ("GET", "/"):
            return Answer(200, _page(self.messages).encode(), {"Content-Type": "text/html"})
        if (call.method, call.path) == ("GET", "/_local/messages"):
            return Answer.json({"messages": [asdict(message) for message in self.messages]})
        if call.path == "/_local/faults":
            return self._control_faults(call)
        return Answer(404)

    def _control_faults(self, call: Call) -> Answer:
        """POST {operation, kind, times?, seconds?}; DELETE ends all."""
        try:
            if call.method == "POST":
                self.faults.add(**call.json())
            elif call.method == "DELETE":
                self.faults.clear()
        except (TypeError, ValueError) as error:
            return Refusal(400, "PARAM_ERROR", str(error)).answer()
        return Answer.json({"faults": self.faults.waiting()})

    def _send(self, call: Call) -> Answer | None:
        fault = self.faults.take(SEND)
        if fault and fault.kind is Kind.SERVER_ERROR:
            return Answer(500)
        try:
            account = self._signer(call)
            content = call.json()
            (phone,) = content["PhoneNumberSet"]
            if fault and fault.kind is Kind.RATE_LIMITED:
                return _status(phone, "LimitExceeded.PhoneNumberThirtySecondLimit")
            if not PHONE.fullmatch(phone):
                return _status(phone, "InvalidParameterValue.IncorrectPhoneNumber")
            self._keep(account, content, phone)
        except (KeyError, TypeError, ValueError, Refusal) as error:
            return _error("InvalidParameter", str(error))
        except _Refused as refused:
            return _error(*refused.args)
        if fault and fault.kind is Kind.SLOW:
            time.sleep(fault.seconds)
        return None if fault and fault.kind is Kind.LOST_ANSWER else _status(phone, "Ok")

    def _signer(self, call: Call) -> dict[str, str]:
        """The account whose key has signed the request."""
        asked = (call.headers.get("x-tc-action"), call.headers.get("x-tc-version"))
        if asked != ("SendSms", "2021-01-11"):
            raise _Refused("InvalidAction", "The request action is invalid.")
        match = AUTHORIZATION.fullmatch(call.headers.get("authorization", ""))
        if match is None:
            raise _Refused("AuthFailure.InvalidAuthorization", "Authorization is invalid.")
        secret_id, day, signed, signature = match.groups()
        account = next((a for a in self._accounts.values() if a["secret_id"] == secret_id), None)
        if account is None:
            raise _Refused("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
        stamp = int(call.headers.get("x-tc-timestamp", "0"))
        if abs(self._now() - stamp) > SKEW_S:
            raise _Refused("AuthFailure.SignatureExpire", "The signature has expired.")
        if datetime.fromtimestamp(stamp, UTC).date().isoformat() != day:
            raise _Refused("AuthFailure.InvalidAuthorization", "The day is not the timestamp's.")
        if not {"content-type", "host"} <= set(signed.split(";")):
            raise _Refused("AuthFailure.InvalidAuthorization", "Headers are not signed.")
        if not hmac.compare_digest(signature, _signature(call, account, day, signed, stamp)):
            raise _Refused("AuthFailure.SignatureFailure", "The signature is not right.")
        return account

    def _keep(self, account: dict[str, str], content: dict[str, Any], phone: str) -> None:
        sent_with = ("SmsSdkAppId", "SignName", "TemplateId")
        known = (account["sdk_app_id"], account["sign_name"], account["template_id"])
        if tuple(content[name] for name in sent_with) != known:
            raise _Refused("UnauthorizedOperation.SmsSdkAppIdVerifyFail", "Not of this account.")
        code, minutes = content["TemplateParamSet"]
        text = TEMPLATE.format(sign=account["sign_name"], code=code, minutes=minutes)
        with self._lock:
            self.messages.append(Message(phone.removeprefix("+86"), code, text, self._now()))


def _signature(call: Call, account: dict[str, str], day: str, signed: str, stamp: int) -> str:
    values = {name: call.headers.get(name, "").strip() for name in signed.split(";")}
    values |= {name: value.lower() for name, value in values.items() if name == "x-tc-action"}
    lines = "".join(f"{name}:{value}\n" for name, value in values.items())
    body = hashlib.sha256(call.body).hexdigest()
    request = hashlib.sha256(f"POST\n/\n\n{lines}\n{signed}\n{body}".encode()).hexdigest()
    secret = b"TC3" + account["secret_key"].encode()
    for step in (day, "sms", "tc3_request"):
        secret = hmac.new(secret, step.encode(), hashlib.sha256).digest()
    text = f"TC3-HMAC-SHA256\n{stamp}\n{day}/sms/tc3_request\n{request}"
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def _status(phone: str, code: str) -> Answer:
    sent = {"SerialNo": secrets.token_hex(8), "PhoneNumber": phone, "Fee": int(code == "Ok")}
    words = {"Code": code, "Message": "send success" if code == "Ok" else code, "IsoCode": "CN"}
    status = {**sent, "SessionContext": "", **words}
    return Answer.json({"Response": {"SendStatusSet": [status], "RequestId": secrets.token_hex(8)}})


def _error(code: str, words: str) -> Answer:
    error = {"Code": code, "Message": words}
    return Answer.json({"Response": {"Error": error, "RequestId": secrets.token_hex(8)}})


def _page(messages: list[Message]) -> str:
    rows = "".join(
        f"<li><b>{html.escape(m.phone)}</b> {html.escape(m.text)}</li>" for m in reversed(messages)
    )
    return (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>短信</title>'
        '<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="2">'
        "<style>body{font:16px/1.8 sans-serif;margin:16px}</style>"
        f"<h1>短信替身</h1><ul>{rows or _EMPTY}</ul></html>"
    )
