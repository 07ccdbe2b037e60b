"""Who opened the mini program: exchanges the code of wx.login for an openid."""

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlencode

import msgspec

from chalicelib.errors import GatewayFailed, InvalidRequest
from chalicelib.gateways import http_client, secrets
from chalicelib.settings import settings

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
        self._app, self._base_url = app, base_url

    @property
    def appid(self) -> str:
        return self._app.appid

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
        url = f"{self._base_url}/sns/jscode2session?{urlencode(query)}"
        body = http_client.call(
            "GET", url, headers={"Accept": "application/json"}, bytes_max=ANSWER_BYTES_MAX
        )
        try:
            return msgspec.json.decode(body, type=_Answer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GatewayFailed(reason="unreadable_answer") from error


def wechat_login(merchant_id: str) -> WechatLogin:
    """The login of a merchant's mini program. Raises NotConfigured when it has none."""
    name = f"merchants/{merchant_id}/wechat-login"
    try:
        account = msgspec.convert(secrets.json_secret(name), _Secret)
    except msgspec.ValidationError as error:
        raise secrets.misconfigured(name, "应含 appid 和 app_secret") from error
    return WechatLogin(WechatApp(account.appid, account.app_secret), settings.wechat_api_url)
