"""Table `catalogue`: what staff write and buyers read through a cache.

| item                 | pk                 | sk                |
|----------------------|--------------------|-------------------|
| merchant             | m#M                | merchant          |
| staff                | m#M                | staff#username    |
| payment account      | m#M                | account#method    |
| message templates    | m#M                | messages          |
| agreements in force  | m#M                | agreements        |
| agreement's version  | m#M                | agreement#kind#000001 |
| login failures       | m#L#username       | failures          |
| WeChat access token  | m#L#appid          | wechat_token      |
| WeChat page ticket   | m#L#appid          | wechat_ticket     |
| mini-program code    | m#L#scene          | code#appid        |
| link into it         | m#L#scene          | link#appid        |
| category             | m#M                | category#id       |
| pickup store         | m#M                | store#id          |
| freight template     | m#M                | freight#id        |
| coupon template      | m#M                | coupon#id         |
| points offer         | m#M                | points_offer#id   |
| product              | m#P#product_id     | product           |
| product in lists     | m#products         | time#product_id   |
| SKU's product stock  | m#P#product_id     | stock#sku_id      |
| activity             | m#A#activity_id    | activity          |
| activity version     | m#A#activity_id    | v#00001           |
| minute of an activity | m#A#activity_id#minute | seats         |
| picture              | m#U#owner#id       | picture           |
"""

from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)

from chalicelib.tables.base import IntAttribute
from chalicelib.tables.catalogue_item import CatalogueItem


class ProductItem(CatalogueItem, discriminator="product"):
    """What is sold.

    skus: [{sku_id, specs {name: value}, image, code, list_price_fen, solo_price_fen, cost_fen,
    weight_g, member_price_fen}].
    """

    product_id = UnicodeAttribute()
    category_id = UnicodeAttribute()
    title = UnicodeAttribute()
    description = UnicodeAttribute(default="")
    images: ListAttribute[Any] = ListAttribute(default=list)
    skus: ListAttribute[Any] = ListAttribute(default=list)
    on_sale = BooleanAttribute(default=True)
    selling_point = UnicodeAttribute(default="")
    unit = UnicodeAttribute(default="")  # what one of it is called
    warn_below = IntAttribute(default=0)  # units of any SKU; 0: never
    freight_template_id = UnicodeAttribute(default="")  # empty: free
    created_at_s = IntAttribute()
    body_hash = UnicodeAttribute(default="")  # of the request that created it

    @classmethod
    def at(cls, merchant_id: str, product_id: str, **more: Any) -> "ProductItem":
        return cls(
            f"{merchant_id}#P#{product_id}",
            "product",
            merchant_id=merchant_id,
            product_id=product_id,
            **more,
        )


class ProductCardItem(CatalogueItem, discriminator="product_card"):
    """What lists look for a product by. Some 300 bytes: 1,000 products are read in a third of
    the 1 MB that one query may read, their descriptions and prices being left alone."""

    product_id = UnicodeAttribute()
    category_id = UnicodeAttribute()
    on_sale = BooleanAttribute()
    words = UnicodeAttribute()  # domain.product.found_by
    sku_ids: ListAttribute[str] = ListAttribute(default=list)
    warn_below = IntAttribute()

    @classmethod
    def at(
        cls, merchant_id: str, product_id: str, created_at_s: int, **more: Any
    ) -> "ProductCardItem":
        return cls(
            products_list(merchant_id),
            rank(created_at_s, product_id),
            merchant_id=merchant_id,
            product_id=product_id,
            **more,
        )


class ProductStockItem(CatalogueItem, discriminator="product_stock"):
    """Stock of one SKU that no activity holds; solo purchases take from it.

    `activities`: {activity_id: {"starts_at_s", "ends_at_s", "name"}}, the activities that sell
    the SKU, so that two overlapping ones are refused. `revision` guards that map alone.
    `offers`: ids of the points offers that have units of it, beside whatever activities do.
    """

    product_id = UnicodeAttribute()
    sku_id = UnicodeAttribute()
    available = IntAttribute()
    activities: MapAttribute[str, Any] = MapAttribute(default=dict)
    offers = UnicodeSetAttribute(null=True)

    @classmethod
    def at(cls, merchant_id: str, product_id: str, sku_id: str, **more: Any) -> "ProductStockItem":
        return cls(
            f"{merchant_id}#P#{product_id}",
            f"stock#{sku_id}",
            merchant_id=merchant_id,
            product_id=product_id,
            sku_id=sku_id,
            **more,
        )


class PictureItem(CatalogueItem, discriminator="picture"):
    """An upload that was accepted, so that a repeat gets the same answer."""

    name = UnicodeAttribute()
    width = IntAttribute()  # pixels
    height = IntAttribute()
    ttl_s = IntAttribute()  # when DynamoDB may delete it

    @classmethod
    def at(cls, merchant_id: str, owner: str, picture_id: str, **more: Any) -> "PictureItem":
        pk = f"{merchant_id}#U#{owner}#{picture_id}"
        return cls(pk, "picture", merchant_id=merchant_id, **more)


class _Terms(CatalogueItem):
    """What an activity promises. Copied into the activity, kept for ever in each version."""

    activity_id = UnicodeAttribute()
    version = IntAttribute()
    product_id = UnicodeAttribute()
    category_id = UnicodeAttribute()
    title = UnicodeAttribute()
    image = UnicodeAttribute(default="")
    skus: ListAttribute[Any] = (
        ListAttribute()
    )  # [{sku_id, spec, list_price_fen, solo_price_fen, group_price_fen, leader_price_fen,
    # member_price_fen}]
    seats_total = IntAttribute()
    life_h = IntAttribute()  # as the merchant wrote it
    life_s = IntAttribute()  # as this stage waits it
    starts_at_s = IntAttribute()
    ends_at_s = IntAttribute()
    limit_per_buyer = IntAttribute()  # units over the activity; 0: no limit
    limit_per_order = IntAttribute()  # units of one seat
    buckets = IntAttribute()  # of stock, per SKU
    list_shards = IntAttribute(default=1)  # of the list of open groups
    reductions: ListAttribute[Any] = ListAttribute(default=list)  # [{from_fen, off_fen}]
    coupons = BooleanAttribute(default=True)  # whether they can be used for its groups
    points = BooleanAttribute(default=False)  # whether they can
    new_buyers = UnicodeAttribute(default="nobody")  # domain.activity.NewBuyers
    compensation_id = UnicodeAttribute(default="")  # coupon template, for groups that fail
    compensation_words = UnicodeAttribute(default="")  # what its coupons take off
    compensation_points = IntAttribute(default=0)  # for the same
    seats_least = IntAttribute(default=0)  # paid seats that form a group when it is due; 0: all
    leader_free = BooleanAttribute(default=False)  # the leader's goods, once the group has formed
    tiers: ListAttribute[Any] = ListAttribute(default=list)  # [{seats, off_fen}]
    member_prices = BooleanAttribute(default=False)  # whether members' prices count in its groups
    members_from = IntAttribute(default=0)  # the level that buying in its groups takes; 0: none
    level_seats: ListAttribute[Any] = ListAttribute(default=list)  # [{level, seats}]
    leader_points = IntAttribute(default=0)  # earned by who opened a group
    leader_coupon_id = UnicodeAttribute(default="")  # coupon template, for the same
    combines = BooleanAttribute(default=False)  # groups that are due, of whose members agree
    crowd_tiers: ListAttribute[Any] = ListAttribute(default=list)  # the same, of all its groups
    per_minute = IntAttribute(default=0)  # seats that are taken in a minute at most; 0: any


class SeatMinuteItem(CatalogueItem, discriminator="seat_minute"):
    """How many seats of an activity were taken in one minute; only where it has a pace."""

    taken = IntAttribute()
    ttl_s = IntAttribute()  # when DynamoDB may delete it

    @classmethod
    def at(cls, merchant_id: str, activity_id: str, minute: int, **more: Any) -> "SeatMinuteItem":
        return cls(f"{merchant_id}#A#{activity_id}#{minute}", "seats", **more)


class ActivityItem(_Terms, discriminator="activity"):
    """The activity as it is now: its present terms, and whether groups can be opened."""

    status = UnicodeAttribute()
    life_max_s = IntAttribute()  # of all versions: how long a group that is open may last
    ended_at_s = IntAttribute(null=True)  # when staff ended it early
    body_hash = UnicodeAttribute(default="")  # of the request that published it
    words = UnicodeAttribute(default="")  # domain.activity_draft.found_by

    @classmethod
    def at(cls, merchant_id: str, activity_id: str, **more: Any) -> "ActivityItem":
        return cls(
            f"{merchant_id}#A#{activity_id}",
            "activity",
            merchant_id=merchant_id,
            activity_id=activity_id,
            **more,
        )


class VersionItem(_Terms, discriminator="version"):
    """Terms that never change again; groups and orders name them by number."""

    @classmethod
    def at(cls, merchant_id: str, activity_id: str, version: int, **more: Any) -> "VersionItem":
        return cls(
            f"{merchant_id}#A#{activity_id}",
            f"v#{version:05d}",
            merchant_id=merchant_id,
            activity_id=activity_id,
            version=version,
            **more,
        )


def products_list(merchant_id: str, category_id: str | None = None) -> str:
    """The list of a merchant's products, or of those in one category."""
    return f"{merchant_id}#products" + (f"#{category_id}" if category_id else "")


def activities_list(merchant_id: str, category_id: str | None = None) -> str:
    """The list of a merchant's activities, or of those in one category."""
    return f"{merchant_id}#activities" + (f"#{category_id}" if category_id else "")


def rank(at_s: int, item_id: str = "") -> str:
    """Sorts by second. Products rank by creation, activities by the second they end."""
    return f"{at_s:010d}#{item_id}"
