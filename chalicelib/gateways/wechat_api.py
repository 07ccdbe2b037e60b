"""WeChat's server API for a mini-program: its access token, messages, phones, codes and links; and
for an official account, whose pages WeChat's browser shows: its token and ticket.

Calls other than `stable_token` take an access token; services.people.wechat_tokens keeps one.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from chalicelib import http_client
from chalicelib.errors import GatewayFailed
from chalicelib.gateways.wechat_login import (
    ANSWER_BYTES_MAX,
    WechatApp,
    mini_program,
    official_account,
)
from chalicelib.settings import settings

# The same call may do better later: WeChat is busy, or a quota is used up for the minute or day.
TEMPORARY = frozenset({-1, 43108, 45009, 45011})
TOKEN_REFUSED = frozenset({40001, 40014, 42001})
NOT_SUBSCRIBED = 43101
INVALID_CODES = frozenset({40013, 40029})  # of another app; wrong, used or old
# WeChat has released nothing of the mini-program, or not yet the page.
UNRELEASED = frozenset({41030, 40165, 85079})
RELEASED = "release"  # the version that everybody gets, beside "trial" and "develop"
SCENE_MAX = 32  # characters of what a code carries
CODE_WIDTH = 430  # pixels
CODE_BYTES_MAX = 512 * 1024
URL_LINK_DAYS = 30  # the longest that WeChat allows
JPEG = b"\xff\xd8\xff"


class WechatRefused(GatewayFailed):
    """WeChat answered with an errcode: nothing was done."""

    def __init__(self, errcode: int) -> None:
        super().__init__(None, reason=str(errcode))
        self.errcode = errcode

    @property
    def is_temporary(self) -> bool:
        return self.errcode in TEMPORARY


class TokenRefused(WechatRefused):
    """The access token is not, or no longer, good."""


class NotSubscribed(WechatRefused):
    """The buyer has not agreed to a message of this template, or not often enough."""


class AccessToken(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int

    def __repr__(self) -> str:
        return f"AccessToken({self.expires_in})"  # and not the token


class PageTicket(msgspec.Struct, frozen=True):
    """What pages of an official account are signed with (jsapi_ticket)."""

    ticket: str
    expires_in: int

    def __repr__(self) -> str:
        return f"PageTicket({self.expires_in})"  # and not the ticket


class WechatPhone(msgspec.Struct, frozen=True, rename="camel"):
    """A phone that WeChat knows; country_code without +."""

    pure_phone_number: str
    country_code: str


class _Status(msgspec.Struct):
    errcode: int = 0


class _Phone(msgspec.Struct):
    phone_info: WechatPhone


class _UrlLink(msgspec.Struct):
    url_link: str


_Read = TypeVar("_Read")


class WechatApi:
    def __init__(self, app: WechatApp, base_url: str) -> None:
        self._app, self._base_url = app, base_url

    @property
    def appid(self) -> str:
        return self._app.appid

    @property
    def app_secret(self) -> str:
        return self._app.app_secret

    def stable_token(self) -> AccessToken:
        """The app's access token: asked for again, it is the same until five minutes before its
        end, and the one before stays good for these. Raises WechatRefused, GatewayFailed, Busy."""
        content = {
            "grant_type": "client_credential",
            "appid": self._app.appid,
            "secret": self._app.app_secret,
        }
        return self._post("/cgi-bin/stable_token", content, AccessToken)

    def page_ticket(self, token: str) -> PageTicket:
        """The ticket of an official account. Raises WechatRefused, TokenRefused among them; Busy;
        GatewayFailed. Source: 获取 JS-SDK 临时票据, ticket/getticket."""
        path = f"/cgi-bin/ticket/getticket?access_token={token}&type=jsapi"
        return _read(self._ask("GET", path, None, ANSWER_BYTES_MAX), PageTicket)

    def send_subscribe_message(
        self, token: str, *, openid: str, template_id: str, page: str, data: Mapping[str, Any]
    ) -> None:
        """Send a message to a buyer's WeChat; a tap on it opens `page` of the mini-program.

        Raises WechatRefused for a no, TokenRefused and NotSubscribed among them; Busy when there
        was no time to ask; GatewayFailed when it may have been sent.
        """
        content = {"touser": openid, "template_id": template_id, "page": page, "data": data}
        path = f"/cgi-bin/message/subscribe/send?access_token={token}"
        self._post(path, {**content, "lang": "zh_CN"}, _Status)

    def phone_of(self, token: str, code: str) -> WechatPhone:
        """The phone behind a code of WeChat's phone button, which is good once and five minutes.

        Raises WechatRefused (INVALID_CODES for the code), TokenRefused among them; Busy;
        GatewayFailed.
        """
        path = f"/wxa/business/getuserphonenumber?access_token={token}"
        return self._post(path, {"code": code}, _Phone).phone_info

    def unlimited_code(self, token: str, *, page: str, scene: str) -> bytes:
        """A mini-program code that opens `page` with `scene`, for ever: a JPEG.

        scene: SCENE_MAX characters at most. Raises WechatRefused (UNRELEASED for the page),
        TokenRefused among them; Busy; GatewayFailed.
        Source: 获取不限制的小程序码, wxacode.getUnlimited.
        """
        content = {"page": page, "scene": scene, "width": CODE_WIDTH, "env_version": RELEASED}
        path = f"/wxa/getwxacodeunlimit?access_token={token}"
        body = self._ask("POST", path, {**content, "check_path": True}, CODE_BYTES_MAX)
        if not body.startswith(JPEG):
            _read(body, _Status)
            raise GatewayFailed(reason="unreadable_answer")
        return body

    def url_link(self, token: str, *, page: str, query: str) -> str:
        """A link that opens `page` in WeChat from text messages and browsers, for URL_LINK_DAYS.

        Raises as `unlimited_code` does. Source: 获取加密 URLLink, urllink.generate.
        """
        content = {"path": page, "query": query, "env_version": RELEASED}
        path = f"/wxa/generate_urllink?access_token={token}"
        days = {"expire_type": 1, "expire_interval": URL_LINK_DAYS}
        return self._post(path, content | days, _UrlLink).url_link

    def _post(self, path: str, content: Mapping[str, Any], kind: type[_Read]) -> _Read:
        return _read(self._ask("POST", path, content, ANSWER_BYTES_MAX), kind)

    def _ask(
        self, method: str, path: str, content: Mapping[str, Any] | None, bytes_max: int
    ) -> bytes:
        return http_client.call(
            method,
            f"{self._base_url}{path}",
            body=b"" if content is None else json.dumps(content, ensure_ascii=False).encode(),
            headers={"Content-Type": "application/json"},
            bytes_max=bytes_max,
        )


def _read(body: bytes, kind: type[_Read]) -> _Read:
    """What an answer says. Raises WechatRefused for an errcode, GatewayFailed."""
    try:
        errcode = msgspec.json.decode(body, type=_Status).errcode
        if errcode == 0:
            return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GatewayFailed(reason="unreadable_answer") from error
    raise _refusal(errcode)


def _refusal(errcode: int) -> WechatRefused:
    if errcode in TOKEN_REFUSED:
        return TokenRefused(errcode)
    return NotSubscribed(errcode) if errcode == NOT_SUBSCRIBED else WechatRefused(errcode)


def wechat_api(merchant_id: str) -> WechatApi:
    """The server API of a merchant's mini-program. Raises NotConfigured when it has none."""
    return WechatApi(mini_program(merchant_id), settings.wechat_api_url)


def official_account_api(merchant_id: str) -> WechatApi:
    """The same of a merchant's official account. Raises NotConfigured when it has none."""
    return WechatApi(official_account(merchant_id), settings.wechat_api_url)


def page_signature(ticket: str, *, url: str, nonce: str, timestamp_s: int) -> str:
    """What lets a page use WeChat's browser. url: without its fragment.

    Source: JS-SDK 使用权限签名算法.
    """
    signed = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp_s}&url={url}"
    return hashlib.sha1(signed.encode()).hexdigest()  # WeChat's choice
