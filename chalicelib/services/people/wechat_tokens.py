"""The access token of a mini-program or official account, and the latter's ticket: one for all
functions, renewed by one of them at a time.

Asking WeChat for a token is harmless (see WechatApi.stable_token), but its number of calls is
limited: whoever finds the token near its end takes a lease, and only they ask. The others go on
with the old token, or wait where there is none.
"""

from collections.abc import Callable
from dataclasses import dataclass
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

TOKEN, TICKET = "wechat_token", "wechat_ticket"

_T = TypeVar("_T")
_kept: TimedCache[tuple[str, str, str], str] = TimedCache(KEPT_S, KEPT_MAX)


@dataclass(frozen=True)
class _Grant:
    """What WeChat gives for a while. ask: returns it, and for how many seconds."""

    merchant_id: str
    api: WechatApi
    what: str
    ask: Callable[[], tuple[str, int]]

    @property
    def key(self) -> tuple[str, str, str]:
        return self.merchant_id, self.api.appid, self.what

    @property
    def item(self) -> WechatTokenItem:
        return WechatTokenItem.at(*self.key)

    @property
    def whose(self) -> tuple[str, ...]:
        """What the sealed one is bound to."""
        return (self.what.replace("_", " "), self.merchant_id, self.api.appid)


def token_of(merchant_id: str, api: WechatApi, *, now_s: int) -> str:
    """A token that is good for some time. Raises Busy while another renews it; GatewayFailed."""
    return _read(_token(merchant_id, api), now_s)


def ticket_of(merchant_id: str, api: WechatApi, *, now_s: int) -> str:
    """A ticket that is good for some time. Raises as `token_of` does."""

    def given() -> tuple[str, int]:
        made = ask(merchant_id, api, api.page_ticket, now_s=now_s)
        return made.ticket, made.expires_in

    return _read(_Grant(merchant_id, api, TICKET, given), now_s)


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
        grant = _token(merchant_id, api)
        _kept.drop(grant.key)
        try:
            renewed = _present(grant, token, now_s)
        except GatewayFailed as error:
            raise Busy from error
        _kept.put(grant.key, renewed, now_s)
        return call(renewed)


def clear_cache() -> None:
    """Read everything anew."""
    _kept.clear_cache()


def _token(merchant_id: str, api: WechatApi) -> _Grant:
    def given() -> tuple[str, int]:
        made = api.stable_token()
        return made.access_token, made.expires_in

    return _Grant(merchant_id, api, TOKEN, given)


def _read(grant: _Grant, now_s: int) -> str:
    return _kept.read(grant.key, lambda: _present(grant, None, now_s), now_s)


def _present(grant: _Grant, refused: str | None, now_s: int) -> str:
    """What is stored, renewed when it is near its end or is the one that WeChat refused."""

    def step() -> str:
        item = get_or_none(grant.item)
        value, left_s = _stored(item, grant, now_s)
        if value == refused:
            value, left_s = None, 0
        if value is not None and left_s > RENEW_BEFORE_S:
            return value
        if item is None or (item.lease_until_s or 0) <= now_s:
            return _renewed(grant, item, now_s)
        if value is not None and left_s > USABLE_S:
            return value
        raise LostRace  # whoever has the lease is about to store it

    return retried(step)


def _stored(item: WechatTokenItem | None, grant: _Grant, now_s: int) -> tuple[str | None, int]:
    """(what is stored, how long it is good); None where there is none, or of an earlier secret."""
    if item is None or item.token is None or item.expires_at_s is None:
        return None, 0
    from cryptography.exceptions import InvalidTag

    try:
        value = sealed.unseal(item.token, *grant.whose, key=grant.api.app_secret)
    except InvalidTag:
        return None, 0
    return value.decode(), item.expires_at_s - now_s


def _renewed(grant: _Grant, read: WechatTokenItem | None, now_s: int) -> str:
    """Take the lease that was read as free, ask WeChat, and store what it gives.

    When WeChat does not give one the lease stays, so that nobody asks again at once.
    """
    key, lease = grant.item, new_id()
    update_one(
        key,
        [
            WechatTokenItem.kind.set(WechatTokenItem),
            WechatTokenItem.merchant_id.set(grant.merchant_id),
            WechatTokenItem.lease.set(lease),
            WechatTokenItem.lease_until_s.set(now_s + LEASE_S),
        ],
        condition=as_read(WechatTokenItem.lease, read.lease if read else None),
        refuse=LostRace,
    )
    try:
        value, expires_in = grant.ask()
    except WechatRefused as refusal:
        words = {"appid": grant.api.appid, "what": grant.what, "errcode": refusal.errcode}
        observability.logger.warning("no access token", extra={"details": words})
        raise
    update_one(
        key,
        [
            WechatTokenItem.token.set(
                sealed.seal(value.encode(), *grant.whose, key=grant.api.app_secret)
            ),
            WechatTokenItem.expires_at_s.set(now_s + expires_in),
            WechatTokenItem.lease_until_s.remove(),
        ],
        condition=WechatTokenItem.lease == lease,
        refuse=LostRace,
    )
    return value
