"""The catalogue as purchases read it, cached in this container for a few seconds.

The items are shared by everyone who asks: read them, never change them. A kept item is at most
as old as its limit says; what must not be stale is decided by conditions, not by these reads.
"""

from collections.abc import Collection
from functools import lru_cache

from chalicelib.domain.activity import LevelSeats, NewBuyers, Terms, TermsSku, Tier
from chalicelib.domain.coupon_draft import CouponGiven, TemplateState
from chalicelib.domain.freight import Template, template_of
from chalicelib.domain.order import Delivery
from chalicelib.domain.pricing import Reduction
from chalicelib.errors import NotFound
from chalicelib.services.catalogue import categories, coupon_templates, points_offers, stores
from chalicelib.tables.base import get_or_none
from chalicelib.tables.catalogue import ActivityItem, ProductItem, VersionItem
from chalicelib.tables.catalogue_item import CatalogueItem
from chalicelib.tables.shop import (
    CategoryItem,
    CouponTemplateItem,
    FreightItem,
    PointsOfferItem,
    StoreItem,
)
from chalicelib.timed_cache import TimedCache

KEPT_S = 5  # activities, products, freight templates, stores and coupon templates
ACTIVITIES_MAX = 256
PRODUCTS_MAX = 128
VERSIONS_MAX = 512
FREIGHTS_MAX = 128
STORES_MAX = 128
COUPONS_MAX = 512
SHOPS_MAX = 128
PICKUP_KEPT_S = 60  # whether a shop has a store that is open
SHELVES_KEPT_S = 60  # its categories

_Key = tuple[str, str]  # the merchant's id and the item's
_activities: TimedCache[_Key, ActivityItem] = TimedCache(KEPT_S, ACTIVITIES_MAX)
_products: TimedCache[_Key, ProductItem] = TimedCache(KEPT_S, PRODUCTS_MAX)
_freights: TimedCache[_Key, Template] = TimedCache(KEPT_S, FREIGHTS_MAX)
_stores: TimedCache[_Key, StoreItem | None] = TimedCache(KEPT_S, STORES_MAX)
_coupons: TimedCache[_Key, CouponTemplateItem] = TimedCache(KEPT_S, COUPONS_MAX)
_coupons_left: TimedCache[_Key, int] = TimedCache(KEPT_S, COUPONS_MAX)
_centres: TimedCache[str, list[CouponTemplateItem]] = TimedCache(KEPT_S, SHOPS_MAX)
_offers: TimedCache[str, list[PointsOfferItem]] = TimedCache(KEPT_S, SHOPS_MAX)
_shelves: TimedCache[str, list[CategoryItem]] = TimedCache(SHELVES_KEPT_S, SHOPS_MAX)
_pickup: TimedCache[str, bool] = TimedCache(PICKUP_KEPT_S, SHOPS_MAX)


def activity(merchant_id: str, activity_id: str, now_s: int) -> ActivityItem:
    """The activity, at most KEPT_S old. Raises NotFound."""
    key = merchant_id, activity_id
    return _activities.read(key, lambda: _activity(merchant_id, activity_id), now_s)


def product(merchant_id: str, product_id: str, now_s: int) -> ProductItem:
    """The product, at most KEPT_S old. Raises NotFound."""
    key = merchant_id, product_id
    return _products.read(key, lambda: _product(merchant_id, product_id), now_s)


def products(merchant_id: str, product_ids: Collection[str], now_s: int) -> dict[str, ProductItem]:
    """These products by id, at most KEPT_S old."""
    found = {one: _products.get((merchant_id, one), now_s) for one in product_ids}
    missing = [ProductItem.at(merchant_id, one) for one, item in found.items() if not item]
    for item in CatalogueItem.batch_get([(it.pk, it.sk) for it in missing]) if missing else ():
        if isinstance(item, ProductItem):
            _products.put((merchant_id, item.product_id), item, now_s)
            found[item.product_id] = item
    return {one: item for one, item in found.items() if item is not None}


def freight(merchant_id: str, template_id: str, now_s: int) -> Template:
    """The rules of a freight template, removed or not, at most KEPT_S old. Raises NotFound."""
    key = merchant_id, template_id
    return _freights.read(key, lambda: _freight(merchant_id, template_id), now_s)


def freight_of(merchant_id: str, product: ProductItem, now_s: int) -> Template | None:
    """By which template a product is sent; None: always for nothing."""
    template_id = product.freight_template_id
    return freight(merchant_id, template_id, now_s) if template_id else None


def store(merchant_id: str, store_id: str, now_s: int) -> StoreItem | None:
    """A pickup store, at most KEPT_S old; None when there is none."""
    key = merchant_id, store_id
    return _stores.read(key, lambda: get_or_none(StoreItem.at(merchant_id, store_id)), now_s)


def coupons(
    merchant_id: str, template_ids: Collection[str], now_s: int
) -> dict[str, CouponTemplateItem]:
    """These coupon templates by id, at most KEPT_S old: whether one was revoked, that is."""
    found = {one: _coupons.get((merchant_id, one), now_s) for one in template_ids}
    missing = [CouponTemplateItem.at(merchant_id, one) for one, item in found.items() if not item]
    for item in CatalogueItem.batch_get([(it.pk, it.sk) for it in missing]) if missing else ():
        if isinstance(item, CouponTemplateItem):
            _coupons.put((merchant_id, item.template_id), item, now_s)
            found[item.template_id] = item
    return {one: item for one, item in found.items() if item is not None}


def coupon(merchant_id: str, template_id: str, now_s: int) -> CouponTemplateItem | None:
    """One of them, or None, by a read that every function may do."""
    known = _coupons.get((merchant_id, template_id), now_s)
    if known is None:
        known = get_or_none(CouponTemplateItem.at(merchant_id, template_id))
        if known is not None:
            _coupons.put((merchant_id, template_id), known, now_s)
    return known


def coupons_left(merchant_id: str, template_id: str, now_s: int) -> int:
    """How many coupons of a template may yet be claimed, at most KEPT_S old."""
    return _coupons_left.read(
        (merchant_id, template_id),
        lambda: coupon_templates.left(merchant_id, [template_id]).get(template_id, 0),
        now_s,
    )


def public_coupons(merchant_id: str, now_s: int) -> list[CouponTemplateItem]:
    """What stands in a shop's coupon centre, at most KEPT_S old, the newest first."""
    known = _centres.read(merchant_id, lambda: coupon_templates.everything(merchant_id), now_s)
    offered = (item for item in known if item.given == CouponGiven.PUBLIC)
    given_out = TemplateState.GIVEN_OUT
    return [it for it in offered if coupon_templates.state_of(it, 1, now_s=now_s) is given_out]


def points_offers_of(merchant_id: str, now_s: int) -> list[PointsOfferItem]:
    """What a shop offers for points, at most KEPT_S old, the newest first."""
    return _offers.read(merchant_id, lambda: points_offers.everything(merchant_id), now_s)


def deliveries(merchant_id: str, now_s: int) -> list[Delivery]:
    """The ways in which a shop delivers, at most PICKUP_KEPT_S old; a purchase looks again."""
    open_now = _pickup.read(
        merchant_id, lambda: any(s.is_open for s in stores.everything(merchant_id)), now_s
    )
    return [Delivery.EXPRESS, Delivery.PICKUP] if open_now else [Delivery.EXPRESS]


def shelves(merchant_id: str, now_s: int) -> list[CategoryItem]:
    """A shop's categories of both levels, in their order, at most SHELVES_KEPT_S old."""
    return _shelves.read(merchant_id, lambda: categories.everything(merchant_id), now_s)


def with_parent(merchant_id: str, category_id: str, now_s: int) -> tuple[str, ...]:
    """A category, and the one above it if there is one."""
    known = shelves(merchant_id, now_s)
    above = [one.parent_id for one in known if one.category_id == category_id and one.parent_id]
    return (category_id, *above)


@lru_cache(maxsize=VERSIONS_MAX)
def version(merchant_id: str, activity_id: str, version: int) -> Terms:
    """The terms of one version, which never change. Raises NotFound."""
    item = get_or_none(VersionItem.at(merchant_id, activity_id, version))
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
        reductions=tuple(Reduction(**one) for one in item.reductions),
        coupons=item.coupons,
        points=item.points,
        new_buyers=NewBuyers(item.new_buyers),
        compensation_id=item.compensation_id,
        compensation_words=item.compensation_words,
        compensation_points=item.compensation_points,
        seats_least=item.seats_least,
        leader_free=item.leader_free,
        tiers=tuple(Tier(**one) for one in item.tiers),
        member_prices=item.member_prices,
        members_from=item.members_from,
        level_seats=tuple(LevelSeats(**one) for one in item.level_seats),
        leader_points=item.leader_points,
        leader_coupon_id=item.leader_coupon_id,
        combines=item.combines,
        crowd_tiers=tuple(Tier(**one) for one in item.crowd_tiers),
        per_minute=item.per_minute,
    )


def clear_cache() -> None:
    """Read everything anew."""
    _activities.clear_cache()
    _products.clear_cache()
    _freights.clear_cache()
    _stores.clear_cache()
    _coupons.clear_cache()
    _coupons_left.clear_cache()
    _centres.clear_cache()
    _offers.clear_cache()
    _pickup.clear_cache()
    _shelves.clear_cache()
    version.cache_clear()


def _activity(merchant_id: str, activity_id: str) -> ActivityItem:
    item = get_or_none(ActivityItem.at(merchant_id, activity_id))
    if item is None:
        raise NotFound("没有找到这个活动。")
    return item


def _product(merchant_id: str, product_id: str) -> ProductItem:
    item = get_or_none(ProductItem.at(merchant_id, product_id))
    if item is None:
        raise NotFound("没有找到这个商品。")
    return item


def _freight(merchant_id: str, template_id: str) -> Template:
    item = get_or_none(FreightItem.at(merchant_id, template_id))
    if item is None:
        raise NotFound("没有找到这个运费模板。")
    return template_of(item.rules.as_dict())
