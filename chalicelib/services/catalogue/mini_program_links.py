"""Ways into a shop's mini-program: codes to scan, and links for text messages and browsers.

WeChat draws 5,000 codes a minute at most, and a link of its ends after thirty days: so both are
kept, by what they carry. What two ask for at once is made twice, and either will do.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from pynamodb.expressions.update import Action

from chalicelib.domain import picture
from chalicelib.domain.beijing import DAY_S
from chalicelib.domain.ids import ID_LENGTH, base62
from chalicelib.gateways.media import Bucket, Media
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.gateways.wechat_api import (
    UNRELEASED,
    URL_LINK_DAYS,
    WechatApi,
    WechatRefused,
    wechat_api,
)
from chalicelib.services.catalogue.links import Links
from chalicelib.services.people import wechat_tokens
from chalicelib.settings import settings
from chalicelib.tables.base import LostRace, as_read, get_or_none, retried, update_one
from chalicelib.tables.shop import MiniProgramCodeItem, UrlLinkItem
from chalicelib.timed_cache import TimedCache

CODE_DAYS = 45  # its picture goes after 60: infra/template/storage.yaml
RENEW_BEFORE_S = 7 * DAY_S  # whoever gets a link can use it for a week at least
UNRELEASED_S = 60  # until WeChat is asked again
KEPT_MAX = 128

_T = TypeVar("_T")
_Kept = TypeVar("_Kept", MiniProgramCodeItem, UrlLinkItem)
_media: Media = Bucket()
_unreleased: TimedCache[tuple[str, str], bool] = TimedCache(UNRELEASED_S, KEPT_MAX)  # by page


class _NotReleased(Exception):
    """Nothing leads to the page yet."""


def clear_cache() -> None:
    """Ask WeChat anew."""
    _unreleased.clear_cache()


def code(merchant_id: str, leads: Links, *, now_s: int) -> str | None:
    """The address of a code's picture, a JPEG that can be read for two weeks at least.

    None: the shop has no mini-program, or WeChat has not released the page yet. Raises Busy,
    GatewayFailed.
    """
    return _if_released(merchant_id, lambda api: _code(merchant_id, api, leads, now_s))


def url_link(merchant_id: str, leads: Links, *, now_s: int) -> tuple[str, int] | None:
    """(a link that opens the page from text messages and browsers, when it ends: in a week at
    least). None as of a code, and raises the same."""
    return _if_released(merchant_id, lambda api: _url_link(merchant_id, api, leads, now_s))


def _if_released(merchant_id: str, made: Callable[[WechatApi], _T]) -> _T | None:
    try:
        return made(wechat_api(merchant_id))
    except (NotConfigured, _NotReleased):
        return None


def _code(merchant_id: str, api: WechatApi, leads: Links, now_s: int) -> str:
    page = leads.path.partition("?")[0]

    def draw(token: str) -> bytes:
        return api.unlimited_code(token, page=page, scene=leads.scene)

    def step() -> str:
        key = MiniProgramCodeItem.at(merchant_id, api.appid, leads.scene)
        kept = get_or_none(key)
        if kept is not None and kept.ttl_s > now_s:
            return kept.name
        drawn = _asked(merchant_id, api, page, draw, now_s)
        digest = int.from_bytes(hashlib.sha256(drawn).digest()[:16], "big")
        name = base62(digest, ID_LENGTH)
        _media.write(picture.code_key(merchant_id, name), drawn, picture.CONTENT_TYPE)
        actions = [
            MiniProgramCodeItem.name.set(name),
            MiniProgramCodeItem.ttl_s.set(now_s + CODE_DAYS * DAY_S),
        ]
        _keep(key, kept, actions)
        return name

    name = retried(step)
    return f"{settings.media_url}/{picture.code_key(merchant_id, name)}"


def _url_link(merchant_id: str, api: WechatApi, leads: Links, now_s: int) -> tuple[str, int]:
    page, _, query = leads.path.partition("?")

    def sign(token: str) -> str:
        return api.url_link(token, page=page, query=query)

    def step() -> tuple[str, int]:
        key = UrlLinkItem.at(merchant_id, api.appid, leads.scene)
        kept = get_or_none(key)
        if kept is not None and kept.ttl_s - RENEW_BEFORE_S > now_s:
            return kept.url, kept.ttl_s
        url = _asked(merchant_id, api, page, sign, now_s)
        ends_at_s = now_s + URL_LINK_DAYS * DAY_S
        _keep(key, kept, [UrlLinkItem.url.set(url), UrlLinkItem.ttl_s.set(ends_at_s)])
        return url, ends_at_s

    return retried(step)


def _keep(key: _Kept, read: _Kept | None, actions: Sequence[Action]) -> None:
    """Write what WeChat made over what was read. Raises LostRace when another was quicker."""
    kind = type(key)
    update_one(
        key,
        [*actions, kind.kind.set(kind), kind.merchant_id.set(key.merchant_id)],
        condition=as_read(kind.ttl_s, read.ttl_s if read else None),
        refuse=LostRace,
    )


def _asked(
    merchant_id: str, api: WechatApi, page: str, call: Callable[[str], _T], now_s: int
) -> _T:
    """What WeChat makes. Raises _NotReleased, for a minute without asking."""
    if _unreleased.get((api.appid, page), now_s):
        raise _NotReleased
    try:
        return wechat_tokens.ask(merchant_id, api, call, now_s=now_s)
    except WechatRefused as refusal:
        if refusal.errcode not in UNRELEASED:
            raise
        _unreleased.put((api.appid, page), True, now_s)
        raise _NotReleased from refusal
