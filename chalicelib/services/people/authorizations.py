"""Logging in on a page of WeChat's or Alipay's (OAuth 2.0): the browser goes there and comes back.

The state that travels is the time it ends, some digits at random, and a keyed hash of everything
else: of the merchant, of the way, of the path to come back to, and of a secret that the browser
keeps for itself. So a state is good at the shop, for the path and in the browser that it was made
for, once.
"""

import hmac
from dataclasses import dataclass
from urllib.parse import urlencode

from chalicelib.domain.identity import Identity, Way
from chalicelib.domain.ids import BASE62, ID_LENGTH, base62, derived_id, new_id
from chalicelib.domain.picture import is_face
from chalicelib.domain.plain_text import plain
from chalicelib.errors import AuthCodeRefused, InvalidRequest, StateRefused
from chalicelib.gateways import secrets
from chalicelib.gateways.directory import alipay
from chalicelib.gateways.wechat_login import wechat_account_login
from chalicelib.services.people import buyers, identities, shop_cache
from chalicelib.settings import settings
from chalicelib.tables.base import put_new, retried
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.shop import UsedStateItem

LIFE_S = 600
NAME_MAX = 20  # characters, as of a name that a buyer types
TIME_LENGTH, SALT_LENGTH = 6, 8
STATE_LENGTH = TIME_LENGTH + SALT_LENGTH + ID_LENGTH


@dataclass(frozen=True)
class Request:
    """What a browser asks for, the same at its start and when it comes back. nonce: its secret."""

    merchant_id: str
    way: Way
    return_path: str
    nonce: str


@dataclass(frozen=True)
class Authorization:
    address: str
    expires_at_s: int


def begin(request: Request, *, profile: bool, now_s: int) -> Authorization:
    """Where to send the browser. profile: ask the buyer for name and picture, too (WeChat).

    Raises NotFound for no such merchant, or one that has no such account.
    """
    shop_cache.merchant(request.merchant_id, now_s)
    ends_at_s = now_s + LIFE_S
    head = base62(ends_at_s, TIME_LENGTH) + new_id()[-SALT_LENGTH:]
    state, back = _state(request, head), settings.web_url + request.return_path
    if request.way is Way.WECHAT_ACCOUNT:
        login = wechat_account_login(request.merchant_id)
        return Authorization(login.address(back, state, profile=profile), ends_at_s)
    app_id = alipay(request.merchant_id).app_id
    asked = {"app_id": app_id, "scope": "auth_base", "redirect_uri": back, "state": state}
    path = f"/oauth2/publicAppAuthorize.htm?{urlencode(asked)}"
    return Authorization(settings.alipay_auth_url + path, ends_at_s)


def finish(request: Request, code: str, state: str, *, caller: str, now_s: int) -> BuyerItem:
    """The buyer who came back with this code. The state is used up before anybody is asked.

    Raises NotFound as `begin`, StateRefused, InvalidRequest for a wrong or used code,
    TooManyRequests when there were too many, GatewayFailed, Busy.
    """
    shop_cache.merchant(request.merchant_id, now_s)
    if len(state) != STATE_LENGTH or not set(state) <= set(BASE62):
        raise StateRefused
    ends_at_s = _number(state[:TIME_LENGTH])
    right = _state(request, state[: TIME_LENGTH + SALT_LENGTH])
    if not hmac.compare_digest(state, right) or now_s >= ends_at_s:
        raise StateRefused
    used = UsedStateItem.at(request.merchant_id, state, ttl_s=ends_at_s)
    if not retried(lambda: put_new(used)):
        raise StateRefused
    if request.way is Way.ALIPAY:
        return log_in_by_alipay(request.merchant_id, code, caller=caller, now_s=now_s)
    login = wechat_account_login(request.merchant_id)
    with buyers.counted(request.merchant_id, caller, now_s):
        known = login.identify(code)
    stated = [Identity(Way.WECHAT_ACCOUNT, known.openid, login.appid)]
    if known.unionid:
        stated.append(Identity(Way.WECHAT_UNION, known.unionid))
    buyer = identities.log_in(request.merchant_id, stated, now_s=now_s)
    name = plain(known.name)[:NAME_MAX]
    if buyer.name or not name:
        return buyer
    avatar = known.avatar if is_face(known.avatar, media_url=settings.media_url) else ""
    return buyers.rename(request.merchant_id, buyer.ids, name, avatar)


def log_in_by_alipay(merchant_id: str, code: str, *, caller: str, now_s: int) -> BuyerItem:
    """The buyer whom an authorisation code of Alipay's stands for. Raises as `finish`."""
    gateway = alipay(merchant_id)
    with buyers.counted(merchant_id, caller, now_s):
        try:
            open_id = gateway.payer_of(code)
        except AuthCodeRefused as refusal:
            raise InvalidRequest("登录凭证已失效，请重新登录。") from refusal
    known = Identity(Way.ALIPAY, open_id, gateway.app_id)
    return identities.log_in(merchant_id, [known], now_s=now_s)


def _state(request: Request, head: str) -> str:
    """Letters and digits alone, which is what WeChat takes."""
    key = secrets.secret("id-key").encode()
    bound = (request.merchant_id, request.way, request.return_path, request.nonce, head)
    return head + derived_id(key, "authorization", *bound)


def _number(digits: str) -> int:
    """The number that `base62` wrote so."""
    number = 0
    for digit in digits:
        number = number * 62 + BASE62.index(digit)
    return number
