"""What anybody may see of a shop: its name, its categories, its activities."""

from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib import clock
from chalicelib.api import pages
from chalicelib.api.http import Api, Audience
from chalicelib.api.merchant.catalogue_schemas import CategoryPageQuery
from chalicelib.domain.activity import ActivityState, state_of
from chalicelib.errors import NotFound
from chalicelib.services.catalogue import activity_lists, availability, catalogue_cache, categories
from chalicelib.services.people import shop_cache
from chalicelib.tables.catalogue import ActivityItem

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
    group_price_fen: Annotated[int, Meta(description="The lowest of its SKUs.")]
    solo_price_fen: Annotated[int, Meta(description="Of the same SKU.")]
    list_price_fen: Annotated[int, Meta(description="Of the same SKU.")]
    starts_at_s: int
    ends_at_s: int


class ActivityCardPage(msgspec.Struct, frozen=True):
    items: list[ActivityCard]
    next: str | None


@api.operation(
    "GET",
    "/merchants/{merchant_id}",
    audience=Audience.PUBLIC,
    answer=Shop,
    refusals=[NotFound],
)
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
    "GET",
    "/merchants/{merchant_id}/categories",
    audience=Audience.PUBLIC,
    answer=ShopCategoryList,
    refusals=[NotFound],
)
def list_shop_categories(merchant_id: str) -> ShopCategoryList:
    """A shop's categories, in the order it gave them."""
    shop_cache.merchant(merchant_id, clock.now_s())
    items = categories.everything(merchant_id)
    return ShopCategoryList(
        [ShopCategory(item.category_id, item.name, item.parent_id) for item in items]
    )


@api.operation(
    "GET",
    "/merchants/{merchant_id}/activities",
    audience=Audience.PUBLIC,
    query=CategoryPageQuery,
    answer=ActivityCardPage,
    refusals=[NotFound],
)
def browse_activities(merchant_id: str, query: CategoryPageQuery) -> ActivityCardPage:
    """A shop's activities that are not over, the soonest to end first."""
    now_s = clock.now_s()
    shop_cache.merchant(merchant_id, now_s)
    scope = ("browse", merchant_id, query.category or "")
    key = pages.key_of(query.next, *scope)
    items, after = activity_lists.browse(
        merchant_id, category_id=query.category, key=key, limit=query.limit, now_s=now_s
    )
    sold_out = availability.sold_out_among(items, now_s=now_s)
    cards = [_card(item, item.activity_id in sold_out, now_s) for item in items]
    return ActivityCardPage(cards, pages.token_of(after, *scope))


def _card(item: ActivityItem, sold_out: bool, now_s: int) -> ActivityCard:
    sku = catalogue_cache.terms_of(item).cheapest
    return ActivityCard(
        activity_id=item.activity_id,
        category_id=item.category_id,
        title=item.title,
        image=item.image,
        state=state_of(
            item.status, item.starts_at_s, item.ends_at_s, now_s=now_s, sold_out=sold_out
        ),
        seats_total=item.seats_total,
        group_price_fen=sku.group_price_fen,
        solo_price_fen=sku.solo_price_fen,
        list_price_fen=sku.list_price_fen,
        starts_at_s=item.starts_at_s,
        ends_at_s=item.ends_at_s,
    )
