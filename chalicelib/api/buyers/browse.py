"""What anybody may see of a shop: its name, its categories, its activities."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib import clock
from chalicelib.api import group_shapes, pages, shapes
from chalicelib.api.auth import Buyer
from chalicelib.api.http import Api, Audience
from chalicelib.api.merchant.catalogue_schemas import CategoryPageQuery
from chalicelib.api.schemas import (
    CrowdShown,
    GroupGoods,
    Id,
    LevelShown,
    ListedGroup,
    OwnGroup,
    TierShown,
)
from chalicelib.domain.activity import ActivityState, NewBuyers, state_of
from chalicelib.domain.counts import Sums
from chalicelib.errors import NotFound
from chalicelib.services.catalogue import availability, catalogue_cache, categories
from chalicelib.services.groups import shop_front
from chalicelib.services.groups.shop_front import Sort, Wish
from chalicelib.services.growth import levels, points
from chalicelib.services.orders import inbox
from chalicelib.services.people import shop_cache
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.shop import CategoryItem

api = Api(__name__)


class Shop(msgspec.Struct, frozen=True):
    merchant_id: str
    name: str
    service_phone: str
    logo: Annotated[str, Meta(description="Address of a picture; empty: none.")]
    ship_within_h: Annotated[int, Meta(description="Hours after forming.")]
    business_name: Annotated[str, Meta(description="Who runs it, as the licence has it.")]
    licence_number: str
    licences: Annotated[list[str], Meta(description="Addresses of pictures of its licences.")]


class ShopCategory(msgspec.Struct, frozen=True):
    category_id: str
    name: str
    parent_id: Annotated[str | None, Meta(description="None: of the top level.")]


class ShopCategoryList(msgspec.Struct, frozen=True):
    items: list[ShopCategory]


class ActivityCard(msgspec.Struct, frozen=True):
    """An activity as lists show it; its prices are those of its cheapest SKU."""

    activity_id: str
    category_id: str
    title: str
    image: str
    state: ActivityState
    seats_total: int
    seats_least: Annotated[
        int, Meta(description="Paid seats with which a group forms at its deadline; 0: all.")
    ]
    groups_formed: Annotated[int, Meta(description="since it began; a minute old at most")]
    group_price_fen: Annotated[int, Meta(description="The lowest of its SKUs.")]
    price_varies: Annotated[bool, Meta(description="Other SKUs have a higher group price.")]
    solo_price_fen: Annotated[int, Meta(description="Of the same SKU.")]
    list_price_fen: Annotated[int, Meta(description="Of the same SKU.")]
    new_buyers: NewBuyers
    leader_free: bool
    compensation: Annotated[
        str,
        Meta(description="What a coupon takes off that members of a failed group get; or empty."),
    ]
    compensation_points: Annotated[int, Meta(description="That they get as well.")]
    points: Annotated[bool, Meta(description="Some can be used in its groups.")]
    tiers: list[TierShown]
    members_from: Annotated[LevelShown | None, Meta(description="Who may buy; null: anybody.")]
    crowd: CrowdShown | None
    starts_at_s: int
    ends_at_s: int


class ActivityCardPage(msgspec.Struct, frozen=True):
    items: list[ActivityCard]
    next: str | None
    now_s: int


class BrowseQuery(CategoryPageQuery, frozen=True):
    q: Annotated[
        str, Meta(max_length=60, description="Words that its title or its product's holds.")
    ] = ""
    coupon: Annotated[
        Id | None, Meta(description="A template of coupons: what they can be used for.")
    ] = None
    sort: Annotated[
        Literal["ending", "saving", "price", "formed"],
        Meta(description="Others than `ending` sort the 100 that end soonest."),
    ] = "ending"


class WaitingGroup(msgspec.Struct, frozen=True):
    goods: GroupGoods
    group: OwnGroup


class HomeGroups(msgspec.Struct, frozen=True):
    nearly_full: Annotated[
        list[ListedGroup],
        Meta(description="of the 10 activities that end soonest; none of the asker's"),
    ]
    own: Annotated[list[WaitingGroup], Meta(description="the soonest due first")]
    shop_name: str
    categories: Annotated[list[ShopCategory], Meta(description="of the top level, in their order")]
    unread_messages: Annotated[
        int | None, Meta(description="100: more than 99; null: without a session")
    ]
    now_s: int


@api.operation("GET", "/merchants/{merchant_id}", audience=Audience.PUBLIC, refusals=[NotFound])
def read_shop(merchant_id: str) -> Shop:
    """A shop's name and how to reach it."""
    item = shop_cache.merchant(merchant_id, clock.now_s())
    return Shop(
        merchant_id=merchant_id,
        name=item.name,
        service_phone=item.service_phone,
        logo=item.logo,
        ship_within_h=item.ship_within_h,
        business_name=item.business_name,
        licence_number=item.licence_number,
        licences=list(item.licences),
    )


@api.operation(
    "GET", "/merchants/{merchant_id}/categories", audience=Audience.PUBLIC, refusals=[NotFound]
)
def list_shop_categories(merchant_id: str) -> ShopCategoryList:
    """A shop's categories, in the order it gave them."""
    shop_cache.merchant(merchant_id, clock.now_s())
    items = categories.everything(merchant_id)
    return ShopCategoryList([_category(item) for item in items])


@api.operation(
    "GET", "/merchants/{merchant_id}/activities", audience=Audience.PUBLIC, refusals=[NotFound]
)
def browse_activities(merchant_id: str, query: BrowseQuery) -> ActivityCardPage:
    """A shop's activities that are not over."""
    now_s = clock.now_s()
    shop_cache.merchant(merchant_id, now_s)
    coupon = query.coupon or ""
    wish = Wish(query.category, query.q, coupon, Sort(query.sort))
    scope = ("browse", merchant_id, query.category or "", query.q, query.sort, coupon)
    key = pages.key_of(query.next, *scope)
    page = shop_front.activities(merchant_id, wish, key=key, limit=query.limit, now_s=now_s)
    sold_out = availability.sold_out_among(page.items, now_s=now_s)
    cards = [
        _card(item, item.activity_id in sold_out, page.formed[item.activity_id], now_s)
        for item in page.items
    ]
    return ActivityCardPage(cards, pages.token_of(page.next_key, *scope), now_s)


@api.operation(
    "GET", "/merchants/{merchant_id}/groups", audience=Audience.PUBLIC, refusals=[NotFound]
)
def list_home_groups(merchant_id: str, who: Buyer | None) -> HomeGroups:
    """What a shop's first page shows beside its activities: its name, its shelves, groups that lack
    one member; with a session, the asker's that wait, too."""
    now_s = clock.now_s()
    shop = shop_cache.merchant(merchant_id, now_s)
    found = shop_front.groups(merchant_id, who.ids if who else (), now_s=now_s)
    return HomeGroups(
        [group_shapes.listed(group, now_s) for group in found.nearly_full],
        [
            WaitingGroup(group_shapes.goods(one[0], now_s), group_shapes.own_group(one))
            for one in found.own
        ],
        shop.name,
        [
            _category(item)
            for item in catalogue_cache.shelves(merchant_id, now_s)
            if item.parent_id is None
        ],
        inbox.unread_of(merchant_id, who.ids) if who else None,
        now_s,
    )


def _category(item: CategoryItem) -> ShopCategory:
    return ShopCategory(item.category_id, item.name, item.parent_id)


def _card(item: ActivityItem, sold_out: bool, formed: Sums, now_s: int) -> ActivityCard:
    offer = catalogue_cache.terms_of(item)
    sku, points_on = offer.cheapest, points.rule(item.merchant_id, now_s).on
    return ActivityCard(
        activity_id=item.activity_id,
        category_id=item.category_id,
        title=item.title,
        image=item.image,
        state=state_of(
            item.status, item.starts_at_s, item.ends_at_s, now_s=now_s, sold_out=sold_out
        ),
        seats_total=item.seats_total,
        seats_least=item.seats_least,
        groups_formed=formed.groups_formed,
        group_price_fen=sku.group_price_fen,
        price_varies=offer.price_varies,
        solo_price_fen=sku.solo_price_fen,
        list_price_fen=sku.list_price_fen,
        new_buyers=offer.new_buyers,
        leader_free=offer.leader_free,
        compensation=offer.compensation_words,
        compensation_points=offer.compensation_points if points_on else 0,
        points=offer.points and points_on,
        tiers=shapes.tiers(offer),
        members_from=shapes.members_from(offer, levels.rule(item.merchant_id, now_s)),
        crowd=group_shapes.crowd(item, formed, now_s),
        starts_at_s=item.starts_at_s,
        ends_at_s=item.ends_at_s,
    )
