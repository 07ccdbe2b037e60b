"""The access token of a mini-program: one for all functions, renewed by one of them at a time.

Asking WeChat for a token is harmless (see WechatApi.stable_token), but its number of calls is
limited: whoever finds the token near its end takes a lease, and only they ask. The others go on
with the old token, or wait where there is none.
"""

from collections.abc import Callable
from typing import TypeVar

from chalicelib import observability
from chalicelib.domain.ids import new_id
from chalicelib.errors import Busy, GatewayFailed
from chalicelib.gateways import sealed
from chalicelib.gateways.wechat_api import TokenRefused, WechatApi, WechatRefused
from chalicelib.tables.base import LostRace, as_read, get_or_none, retried, update_one
from chalicelib.tables.shop import WechatTokenItem
from chalicelib.timed_cache import TimedCache

RENEW_BEFORE_S = 300  # before its end: WeChat gives no new one earlier
USABLE_S = 30  # before its end, the old one is still sent
LEASE_S = 20  # longer than a renewal takes; nobody asks again before when it fails
KEPT_S = 60  # by a container
KEPT_MAX = 128

_T = TypeVar("_T")
_tokens: TimedCache[tuple[str, str], str] = TimedCache(KEPT_S, KEPT_MAX)


def token_of(merchant_id: str, api: WechatApi, *, now_s: int) -> str:
    """A token that is good for some time. Raises Busy while another renews it; GatewayFailed."""
    key = (merchant_id, api.appid)
    return _tokens.read(key, lambda: _present(merchant_id, api, None, now_s), now_s)


def ask(merchant_id: str, api: WechatApi, call: Callable[[str], _T], *, now_s: int) -> _T:
    """What `call` returns, which is given a token; once more with a new one when WeChat says that
    it is not good. Raises what `call` does; Busy when there is no token, and nothing was done."""
    try:
        token = token_of(merchant_id, api, now_s=now_s)
    except GatewayFailed as error:
        raise Busy from error
    try:
        return call(token)
    except TokenRefused:
        _tokens.drop((merchant_id, api.appid))
        try:
            renewed = _present(merchant_id, api, token, now_s)
        except GatewayFailed as error:
            raise Busy from error
        _tokens.put((merchant_id, api.appid), renewed, now_s)
        return call(renewed)


def clear_cache() -> None:
    """Read everything anew."""
    _tokens.clear_cache()


def _present(merchant_id: str, api: WechatApi, refused: str | None, now_s: int) -> str:
    """The stored token, renewed when it is near its end or is the one that WeChat refused."""

    def step() -> str:
        item = get_or_none(WechatTokenItem.at(merchant_id, api.appid))
        token, left_s = _stored(item, api, now_s)
        if token == refused:
            token, left_s = None, 0
        if token is not None and left_s > RENEW_BEFORE_S:
            return token
        if item is None or (item.lease_until_s or 0) <= now_s:
            return _renewed(merchant_id, api, item, now_s)
        if token is not None and left_s > USABLE_S:
            return token
        raise LostRace  # whoever has the lease is about to store it

    return retried(step)


def _stored(item: WechatTokenItem | None, api: WechatApi, now_s: int) -> tuple[str | None, int]:
    """(token, how long it is good); no token where there is none, or of an earlier secret."""
    if item is None or item.token is None or item.expires_at_s is None:
        return None, 0
    from cryptography.exceptions import InvalidTag

    try:
        token = sealed.unseal(item.token, *_whose(item.merchant_id, api), key=api.app_secret)
    except InvalidTag:
        return None, 0
    return token.decode(), item.expires_at_s - now_s


def _renewed(merchant_id: str, api: WechatApi, read: WechatTokenItem | None, now_s: int) -> str:
    """Take the lease that was read as free, ask WeChat, and store what it gives.

    When WeChat does not give one the lease stays, so that nobody asks again at once.
    """
    key, lease = WechatTokenItem.at(merchant_id, api.appid), new_id()
    update_one(
        key,
        [
            WechatTokenItem.kind.set(WechatTokenItem),
            WechatTokenItem.merchant_id.set(merchant_id),
            WechatTokenItem.lease.set(lease),
            WechatTokenItem.lease_until_s.set(now_s + LEASE_S),
        ],
        condition=as_read(WechatTokenItem.lease, read.lease if read else None),
        refuse=LostRace,
    )
    try:
        given = api.stable_token()
    except WechatRefused as refusal:
        words = {"appid": api.appid, "errcode": refusal.errcode}
        observability.logger.warning("no access token", extra={"details": words})
        raise
    token = given.access_token
    update_one(
        key,
        [
            WechatTokenItem.token.set(
                sealed.seal(token.encode(), *_whose(merchant_id, api), key=api.app_secret)
            ),
            WechatTokenItem.expires_at_s.set(now_s + given.expires_in),
            WechatTokenItem.lease_until_s.remove(),
        ],
        condition=WechatTokenItem.lease == lease,
        refuse=LostRace,
    )
    return token


def _whose(merchant_id: str, api: WechatApi) -> tuple[str, ...]:
    return ("wechat token", merchant_id, api.appid)
