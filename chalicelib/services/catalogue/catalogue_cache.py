"""The catalogue as purchases read it, cached in this container for a few seconds.

The items are shared by everyone who asks: read them, never change them. A kept item is at most
as old as its limit says; what must not be stale is decided by conditions, not by these reads.
"""

from functools import lru_cache

from chalicelib.domain.activity import Terms, TermsSku
from chalicelib.domain.freight import Template, template_of
from chalicelib.errors import NotFound
from chalicelib.tables.catalogue import ActivityItem, ProductItem, VersionItem
from chalicelib.tables.catalogue_item import stored
from chalicelib.tables.shop import FreightItem, StoreItem

KEPT_S = 5  # activities, products, freight templates and stores
ACTIVITIES_MAX = 256
PRODUCTS_MAX = 128
VERSIONS_MAX = 512
FREIGHTS_MAX = 128
STORES_MAX = 128


def activity(merchant_id: str, activity_id: str, now_s: int) -> ActivityItem:
    """The activity, at most KEPT_S old. Raises NotFound."""
    return _activity(merchant_id, activity_id, now_s // KEPT_S)


def product(merchant_id: str, product_id: str, now_s: int) -> ProductItem:
    """The product, at most KEPT_S old. Raises NotFound."""
    return _product(merchant_id, product_id, now_s // KEPT_S)


def freight(merchant_id: str, template_id: str, now_s: int) -> Template:
    """The rules of a freight template, removed or not, at most KEPT_S old. Raises NotFound."""
    return _freight(merchant_id, template_id, now_s // KEPT_S)


def store(merchant_id: str, store_id: str, now_s: int) -> StoreItem | None:
    """A pickup store, at most KEPT_S old; None when there is none."""
    return _store(merchant_id, store_id, now_s // KEPT_S)


@lru_cache(maxsize=VERSIONS_MAX)
def version(merchant_id: str, activity_id: str, version: int) -> Terms:
    """The terms of one version, which never change. Raises NotFound."""
    item = stored(VersionItem.at(merchant_id, activity_id, version))
    if item is None:
        raise NotFound("没有找到这个活动。")
    return terms_of(item)


def terms_of(item: ActivityItem | VersionItem) -> Terms:
    """The terms that an item carries: an activity's present ones, or a version's."""
    return Terms(
        activity_id=item.activity_id,
        version=item.version,
        product_id=item.product_id,
        category_id=item.category_id,
        title=item.title,
        image=item.image,
        skus=tuple(TermsSku(**sku) for sku in item.skus),
        seats_total=item.seats_total,
        life_h=item.life_h,
        life_s=item.life_s,
        starts_at_s=item.starts_at_s,
        ends_at_s=item.ends_at_s,
        limit_per_buyer=item.limit_per_buyer,
        limit_per_order=item.limit_per_order,
        buckets=item.buckets,
        list_shards=item.list_shards,
    )


def clear_cache() -> None:
    """Read everything anew."""
    for kept in (
        _activity,
        _product,
        _freight,
        _store,
        version,
    ):
        kept.cache_clear()


# The last argument counts spans of time: in the next span the same question is a new one.


@lru_cache(maxsize=ACTIVITIES_MAX)
def _activity(merchant_id: str, activity_id: str, span: int) -> ActivityItem:
    item = stored(ActivityItem.at(merchant_id, activity_id))
    if item is None:
        raise NotFound("没有找到这个活动。")
    return item


@lru_cache(maxsize=PRODUCTS_MAX)
def _product(merchant_id: str, product_id: str, span: int) -> ProductItem:
    item = stored(ProductItem.at(merchant_id, product_id))
    if item is None:
        raise NotFound("没有找到这个商品。")
    return item


@lru_cache(maxsize=FREIGHTS_MAX)
def _freight(merchant_id: str, template_id: str, span: int) -> Template:
    item = stored(FreightItem.at(merchant_id, template_id))
    if item is None:
        raise NotFound("没有找到这个运费模板。")
    return template_of(item.rules.as_dict())


@lru_cache(maxsize=STORES_MAX)
def _store(merchant_id: str, store_id: str, span: int) -> StoreItem | None:
    return stored(StoreItem.at(merchant_id, store_id))
