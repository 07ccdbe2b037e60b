"""Who opened the mini program: exchanges the code of wx.login for an openid."""

import http.client
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlencode, urlsplit

import msgspec

from chalicelib import deadline
from chalicelib.errors import GatewayFailed, InvalidRequest
from chalicelib.gateways import secrets
from chalicelib.settings import settings

CONNECT_TIMEOUT_S = 1
READ_TIMEOUT_S = 3
ANSWER_BYTES_MAX = 65_536
INVALID_CODE = 40029
USED_CODE = 40163


@dataclass(frozen=True)
class WechatIdentity:
    """The buyer as WeChat knows them. `unionid` is empty outside an open-platform account."""

    openid: str
    unionid: str = ""


@dataclass(frozen=True)
class WechatApp:
    appid: str
    app_secret: str = field(repr=False)


class _Secret(msgspec.Struct):
    appid: Annotated[str, msgspec.Meta(min_length=1)]
    app_secret: Annotated[str, msgspec.Meta(min_length=1)]


class _Answer(msgspec.Struct):
    """What we read of the answer. Its session_key is not among it, so it cannot leave."""

    errcode: int = 0
    openid: str = ""
    unionid: str = ""


class WechatLogin:
    """The login of one mini program."""

    def __init__(self, app: WechatApp, base_url: str) -> None:
        self._app, self._base = app, urlsplit(base_url)

    def identify(self, code: str) -> WechatIdentity:
        """Who `code` (of wx.login, good once and for five minutes) belongs to.

        Raises InvalidRequest when the code is wrong or used, GatewayFailed for anything else
        (`details.reason`: WeChat's errcode, or what was wrong with the answer). Never asked
        twice: an answer that was lost has used the code up.
        """
        answer = self._ask(code)
        if answer.errcode in (INVALID_CODE, USED_CODE):
            raise InvalidRequest("登录凭证已失效，请重新打开小程序登录。")
        if answer.errcode or not answer.openid:
            raise GatewayFailed(reason=str(answer.errcode or "no_openid"))
        return WechatIdentity(answer.openid, answer.unionid)

    def _ask(self, code: str) -> _Answer:
        query = {
            "appid": self._app.appid,
            "secret": self._app.app_secret,
            "js_code": code,
            "grant_type": "authorization_code",
        }
        try:
            status, body = self._get(f"{self._base.path}/sns/jscode2session?{urlencode(query)}")
        except (OSError, http.client.HTTPException) as error:
            raise GatewayFailed(reason="no_answer") from error
        if status != http.HTTPStatus.OK:
            raise GatewayFailed(reason=f"http_{status}")
        try:
            return msgspec.json.decode(body, type=_Answer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GatewayFailed(reason="unreadable_answer") from error

    def _get(self, target: str) -> tuple[int, bytes]:
        """Plain http.client: other clients write the address, and so the secret, to their logs."""
        secure = self._base.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self._base.netloc, timeout=deadline.share_s(CONNECT_TIMEOUT_S))
        try:
            connection.connect()
            connection.sock.settimeout(deadline.share_s(READ_TIMEOUT_S))
            connection.request("GET", target, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read(ANSWER_BYTES_MAX)
        finally:
            connection.close()


def wechat_login(merchant_id: str) -> WechatLogin:
    """The login of a merchant's mini program. Raises NotConfigured when it has none."""
    name = f"merchants/{merchant_id}/wechat-login"
    try:
        account = msgspec.convert(secrets.json_secret(name), _Secret)
    except msgspec.ValidationError as error:
        raise secrets.misconfigured(name, "应含 appid 和 app_secret") from error
    return WechatLogin(WechatApp(account.appid, account.app_secret), settings.wechat_api_url)
