"""WeChat's server API for a mini-program: its access token, and subscribe messages.

Calls other than `stable_token` take an access token; services.people.wechat_tokens keeps one.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from chalicelib import http_client
from chalicelib.errors import GatewayFailed
from chalicelib.gateways.wechat_login import ANSWER_BYTES_MAX, WechatApp, mini_program
from chalicelib.settings import settings

# The same call may do better later: WeChat is busy, or a quota is used up for the minute or day.
TEMPORARY = frozenset({-1, 43108, 45009, 45011})
TOKEN_REFUSED = frozenset({40001, 40014, 42001})
NOT_SUBSCRIBED = 43101
INVALID_CODES = frozenset({40013, 40029})  # of another app; wrong, used or old


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


class WechatPhone(msgspec.Struct, frozen=True, rename="camel"):
    """A phone that WeChat knows; country_code without +."""

    pure_phone_number: str
    country_code: str


class _Status(msgspec.Struct):
    errcode: int = 0


class _Phone(msgspec.Struct):
    phone_info: WechatPhone


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

    def _post(self, path: str, content: Mapping[str, Any], kind: type[_Read]) -> _Read:
        body = http_client.call(
            "POST",
            f"{self._base_url}{path}",
            body=json.dumps(content, ensure_ascii=False).encode(),
            headers={"Content-Type": "application/json"},
            bytes_max=ANSWER_BYTES_MAX,
        )
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
