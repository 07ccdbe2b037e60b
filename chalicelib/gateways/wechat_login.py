"""Who comes from WeChat: by the code of wx.login, or by that of an official account's web page.

Neither is asked twice: an answer that was lost has used the code up.
"""

import re
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from chalicelib import http_client
from chalicelib.errors import GatewayFailed, InvalidRequest
from chalicelib.gateways import secrets
from chalicelib.settings import settings

ANSWER_BYTES_MAX = 65_536
INVALID_CODE = 40029
USED_CODE = 40163
PICTURE, PICTURE_MAX = r"https://[!-~]+", 300
BASE, USERINFO = "snsapi_base", "snsapi_userinfo"


@dataclass(frozen=True)
class WechatIdentity:
    """The buyer as WeChat knows them. `unionid` is empty outside an open-platform account."""

    openid: str
    unionid: str = ""


@dataclass(frozen=True)
class WechatProfile(WechatIdentity):
    """With what the buyer has agreed to show; empty if nothing."""

    name: str = ""
    avatar: str = ""


class WechatApp(msgspec.Struct, frozen=True):
    """A mini-program or an official account: the content of its parameter."""

    appid: Annotated[str, msgspec.Meta(min_length=1)]
    app_secret: Annotated[str, msgspec.Meta(min_length=1)]

    def __repr__(self) -> str:
        return f"WechatApp({self.appid})"  # and no secret


class _Answer(msgspec.Struct):
    """What we read of an answer. No session_key is among it, so it cannot leave."""

    errcode: int = 0
    openid: str = ""
    unionid: str = ""


class _Access(_Answer):
    access_token: str = ""
    scope: str = ""
    is_snapshotuser: int = 0  # of a page in preview: WeChat makes the openid up


class _Profile(_Answer):
    nickname: str = ""
    headimgurl: str = ""


_Read = TypeVar("_Read", bound=_Answer)


class WechatLogin:
    """The login of one mini-program."""

    def __init__(self, app: WechatApp, base_url: str) -> None:
        self._app, self._base_url = app, base_url

    @property
    def appid(self) -> str:
        return self._app.appid

    def identify(self, code: str) -> WechatIdentity:
        """Who `code` (of wx.login, good once and for five minutes) belongs to.

        Raises InvalidRequest when the code is wrong or used, GatewayFailed for anything else
        (`details.reason`: WeChat's errcode, or what was wrong with the answer).
        """
        query = {"js_code": code, "grant_type": "authorization_code"}
        answer = self._ask("/sns/jscode2session", self._named(query), _Answer)
        if answer.errcode in (INVALID_CODE, USED_CODE):
            raise InvalidRequest("登录凭证已失效，请重新打开小程序登录。")
        return _identity(answer)

    def _named(self, query: dict[str, str]) -> dict[str, str]:
        return {"appid": self._app.appid, "secret": self._app.app_secret} | query

    def _ask(self, path: str, query: dict[str, str], kind: type[_Read]) -> _Read:
        body = http_client.call(
            "GET",
            f"{self._base_url}{path}?{urlencode(query)}",
            headers={"Accept": "application/json"},
            bytes_max=ANSWER_BYTES_MAX,
        )
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GatewayFailed(reason="unreadable_answer") from error


class WechatAccountLogin(WechatLogin):
    """The web login (OAuth 2.0) of one official account."""

    def address(self, redirect_uri: str, state: str, *, profile: bool) -> str:
        """Where a browser in WeChat asks for a code. profile: the buyer is asked for their name."""
        query = {
            "appid": self.appid,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": USERINFO if profile else BASE,
            "state": state,
        }
        asked = urlencode(query, quote_via=quote)  # WeChat wants this order
        return f"{settings.wechat_open_url}/connect/oauth2/authorize?{asked}#wechat_redirect"

    def identify(self, code: str) -> WechatProfile:
        """Who `code` belongs to, with the name that they agreed to show. Raises as its base."""
        query = {"code": code, "grant_type": "authorization_code"}
        access = self._ask("/sns/oauth2/access_token", self._named(query), _Access)
        if access.errcode in (INVALID_CODE, USED_CODE):
            raise InvalidRequest("登录凭证已失效，请重新登录。")
        known = _identity(access)
        if access.is_snapshotuser:
            raise InvalidRequest("现在是预览页面，请先点右下角的“使用完整服务”，再登录。")
        if USERINFO not in access.scope.split(","):
            return WechatProfile(known.openid, known.unionid)
        asked = {"access_token": access.access_token, "openid": known.openid, "lang": "zh_CN"}
        told = self._ask("/sns/userinfo", asked, _Profile)
        if told.openid != known.openid:
            raise GatewayFailed(reason=str(told.errcode or "another_openid"))
        unionid = told.unionid or known.unionid
        return WechatProfile(known.openid, unionid, told.nickname, _safe(told.headimgurl))


def _safe(url: str) -> str:
    """The address of a picture, as far as pages show it; else none."""
    return url if re.fullmatch(PICTURE, url) and len(url) <= PICTURE_MAX else ""


def _identity(answer: _Answer) -> WechatIdentity:
    if answer.errcode or not answer.openid:
        raise GatewayFailed(reason=str(answer.errcode or "no_openid"))
    return WechatIdentity(answer.openid, answer.unionid)


def wechat_login(merchant_id: str) -> WechatLogin:
    """The login of a merchant's mini-program. Raises NotConfigured when it has none."""
    return WechatLogin(mini_program(merchant_id), settings.wechat_api_url)


def mini_program(merchant_id: str) -> WechatApp:
    """A merchant's mini-program. Raises NotConfigured when it has none."""
    return _app(f"merchants/{merchant_id}/wechat-login")


def official_account(merchant_id: str) -> WechatApp:
    """A merchant's official account. Raises NotConfigured when it has none."""
    return _app(f"merchants/{merchant_id}/wechat-account")


def wechat_account_login(merchant_id: str) -> WechatAccountLogin:
    """The web login of a merchant's official account. Raises NotConfigured when it has none."""
    return WechatAccountLogin(official_account(merchant_id), settings.wechat_api_url)


def _app(parameter: str) -> WechatApp:
    try:
        return msgspec.convert(secrets.json_secret(parameter), WechatApp)
    except msgspec.ValidationError as error:
        raise secrets.misconfigured(parameter, "应含 appid 和 app_secret") from error
