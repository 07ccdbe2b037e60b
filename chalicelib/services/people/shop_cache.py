"""A shop's settings and message templates, cached in this container for a minute.

The items are shared by everyone who asks: read them, never change them.
"""

from collections.abc import Mapping
from functools import lru_cache

from chalicelib.domain.texts import TextKey
from chalicelib.errors import NotFound
from chalicelib.tables.catalogue_item import stored
from chalicelib.tables.shop import MerchantItem, MessageTemplatesItem

MERCHANT_KEPT_S = 60
MERCHANTS_MAX = 128


def merchant(merchant_id: str, now_s: int) -> MerchantItem:
    """The merchant's settings, at most MERCHANT_KEPT_S old. Raises NotFound."""
    return _merchant(merchant_id, now_s // MERCHANT_KEPT_S)


def message_template(merchant_id: str, key: TextKey, now_s: int) -> str | None:
    """The shop's own sentence for a message, at most MERCHANT_KEPT_S old; None: the usual one."""
    return _message_templates(merchant_id, now_s // MERCHANT_KEPT_S).get(key.value)


def clear_cache() -> None:
    """Read everything anew."""
    _merchant.cache_clear()
    _message_templates.cache_clear()


# The last argument counts spans of time: in the next span the same question is a new one.


@lru_cache(maxsize=MERCHANTS_MAX)
def _merchant(merchant_id: str, span: int) -> MerchantItem:
    item = stored(MerchantItem.at(merchant_id))
    if item is None:
        raise NotFound("没有找到这家店铺。")
    return item


@lru_cache(maxsize=MERCHANTS_MAX)
def _message_templates(merchant_id: str, span: int) -> Mapping[str, str]:
    item = stored(MessageTemplatesItem.at(merchant_id))
    return item.texts.as_dict() if item else {}
