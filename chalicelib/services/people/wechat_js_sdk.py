"""What lets pages of the shop use WeChat's browser: addresses signed for the official account."""

from dataclasses import dataclass
from urllib.parse import urldefrag, urlsplit

from chalicelib.domain.ids import new_id
from chalicelib.errors import InvalidRequest
from chalicelib.gateways.wechat_api import official_account_api, page_signature
from chalicelib.services.people import wechat_tokens
from chalicelib.settings import settings


@dataclass(frozen=True)
class Permission:
    """What the page hands to WeChat (wx.config of its JS-SDK)."""

    appid: str
    timestamp_s: int
    nonce: str
    signature: str


def permission(merchant_id: str, url: str, *, now_s: int) -> Permission:
    """Sign one of the shop's own pages.

    Raises InvalidRequest for another's, NotConfigured without an official account, Busy,
    GatewayFailed.
    """
    page, ours = urlsplit(url), urlsplit(settings.web_url)
    if (page.scheme, page.netloc) != (ours.scheme, ours.netloc):
        raise InvalidRequest("只能用于本店的网页。", field="url")
    api, nonce = official_account_api(merchant_id), new_id()
    ticket = wechat_tokens.ticket_of(merchant_id, api, now_s=now_s)
    signature = page_signature(ticket, url=urldefrag(url).url, nonce=nonce, timestamp_s=now_s)
    return Permission(api.appid, now_s, nonce, signature)
