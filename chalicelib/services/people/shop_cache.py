"""A shop's settings and message templates, cached in this container for a minute at most.

The items are shared by everyone who asks: read them, never change them.
"""

from collections.abc import Mapping
from typing import NamedTuple

from chalicelib.domain.agreements import AgreementKind
from chalicelib.domain.subscribe_message import SubscribeKind, SubscribeTemplate, template_of
from chalicelib.domain.texts import TextKey
from chalicelib.errors import NotFound
from chalicelib.settings import settings
from chalicelib.tables.base import get_or_none
from chalicelib.tables.shop import AgreementsItem, MerchantItem, MessageTemplatesItem
from chalicelib.timed_cache import TimedCache

MERCHANT_KEPT_S = settings.shortened(60)
AGREEMENTS_KEPT_S = 5  # who has accepted the old text is asked again at once, or nearly
DAY_S = 86400
MERCHANTS_MAX = 128

_merchants: TimedCache[str, MerchantItem] = TimedCache(MERCHANT_KEPT_S, MERCHANTS_MAX)
_agreements: TimedCache[str, Mapping[AgreementKind, int]] = TimedCache(
    AGREEMENTS_KEPT_S, MERCHANTS_MAX
)
_templates: TimedCache[str, "_Templates"] = TimedCache(MERCHANT_KEPT_S, MERCHANTS_MAX)


class _Templates(NamedTuple):
    texts: Mapping[str, str]
    subscribe: Mapping[SubscribeKind, SubscribeTemplate]


def merchant(merchant_id: str, now_s: int) -> MerchantItem:
    """The merchant's settings, at most MERCHANT_KEPT_S old. Raises NotFound."""
    return _merchants.read(merchant_id, lambda: _merchant(merchant_id), now_s)


def receive_by_s(merchant_id: str, now_s: int) -> int:
    """When what is shipped now counts as received by itself. Raises NotFound."""
    days = merchant(merchant_id, now_s).receipt_after_d
    return now_s + settings.shortened(days * DAY_S)


def message_template(merchant_id: str, key: TextKey, now_s: int) -> str | None:
    """The shop's own sentence for a message, at most MERCHANT_KEPT_S old; None: the usual one."""
    return _message_templates(merchant_id, now_s).texts.get(key.value)


def subscribe_templates(merchant_id: str, now_s: int) -> Mapping[SubscribeKind, SubscribeTemplate]:
    """The shop's templates at WeChat, at most MERCHANT_KEPT_S old."""
    return _message_templates(merchant_id, now_s).subscribe


def agreement_versions(merchant_id: str, now_s: int) -> Mapping[AgreementKind, int]:
    """The versions of the agreements in force, at most AGREEMENTS_KEPT_S old."""
    return _agreements.read(merchant_id, lambda: _agreement_versions(merchant_id), now_s)


def clear_cache() -> None:
    """Read everything anew."""
    _merchants.clear_cache()
    _agreements.clear_cache()
    _templates.clear_cache()


def _merchant(merchant_id: str) -> MerchantItem:
    item = get_or_none(MerchantItem.at(merchant_id))
    if item is None:
        raise NotFound("没有找到这家店铺。")
    return item


def _message_templates(merchant_id: str, now_s: int) -> _Templates:
    return _templates.read(merchant_id, lambda: _read_templates(merchant_id), now_s)


def _read_templates(merchant_id: str) -> _Templates:
    item = MessageTemplatesItem.at(merchant_id)
    item = get_or_none(item) or item
    subscribe = item.subscribe.as_dict().items()
    known = {SubscribeKind(kind): template_of(stored) for kind, stored in subscribe}
    return _Templates(item.texts.as_dict(), known)


def _agreement_versions(merchant_id: str) -> Mapping[AgreementKind, int]:
    item = AgreementsItem.at(merchant_id)
    return (get_or_none(item) or item).versions_in_force
