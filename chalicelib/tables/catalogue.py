"""Table `catalogue`: what staff write and buyers read through a cache.

| item                 | pk                 | sk                |
|----------------------|--------------------|-------------------|
| merchant             | m#M                | merchant          |
| staff                | m#M                | staff#username    |
| payment account      | m#M                | account#method    |
| login failures       | m#L#username       | failures          |
| category             | m#M                | category#id       |
| pickup store         | m#M                | store#id          |
| freight template     | m#M                | freight#id        |
| product              | m#P#product_id     | product           |
| product in lists     | m#products         | time#product_id   |
| SKU's product stock  | m#P#product_id     | stock#sku_id      |
| activity             | m#A#activity_id    | activity          |
| activity version     | m#A#activity_id    | v#00001           |
| picture              | m#U#owner#id       | picture           |
"""

from typing import Any, TypeVar

from pynamodb.attributes import (
    BooleanAttribute,
    DiscriminatorAttribute,
    ListAttribute,
    MapAttribute,
    UnicodeAttribute,
)
from pynamodb.exceptions import DoesNotExist
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.settings import settings
from chalicelib.tables.base import IntAttribute, StoredItem


class ByList(GlobalSecondaryIndex["CatalogueItem"]):
    """Sparse: `products_list` and `activities_list` of a merchant, in `list_rank` order."""

    class Meta:
        index_name = "by_list"
        projection = AllProjection()

    list_key = UnicodeAttribute(hash_key=True)
    list_rank = UnicodeAttribute(range_key=True)


class ByCategory(GlobalSecondaryIndex["CatalogueItem"]):
    """Sparse: the same lists of one category, in the same order."""

    class Meta:
        index_name = "by_category"
        projection = AllProjection()

    category_key = UnicodeAttribute(hash_key=True)
    list_rank = UnicodeAttribute(range_key=True)


class CatalogueItem(StoredItem):
    """Any item of the table; reads give the class that `kind` names."""

    class Meta:
        table_name = settings.catalogue_table

    kind = DiscriminatorAttribute()
    merchant_id = UnicodeAttribute()
    revision = IntAttribute(default=1)  # counts edits; an edit conditions on the one it read
    list_key = UnicodeAttribute(null=True)
    category_key = UnicodeAttribute(null=True)
    list_rank = UnicodeAttribute(null=True)
    by_list = ByList()
    by_category = ByCategory()


class MerchantItem(CatalogueItem, discriminator="merchant"):
    name = UnicodeAttribute()
    service_phone = UnicodeAttribute(default="")
    pay_by_s = IntAttribute()  # how long a seat is held for payment
    logo = UnicodeAttribute(default="")  # its address
    receipt_after_d = IntAttribute(default=10)  # days from shipping; then an order is received
    ship_within_h = IntAttribute(default=48)  # hours from forming
    after_sale_days = IntAttribute(default=360)  # from the payment; what buyers may ask for

    @classmethod
    def at(cls, merchant_id: str, **more: Any) -> "MerchantItem":
        return cls(f"{merchant_id}#M", "merchant", merchant_id=merchant_id, **more)


class StaffItem(CatalogueItem, discriminator="staff"):
    username = UnicodeAttribute()
    name = UnicodeAttribute()
    role = UnicodeAttribute()
    password_hash = UnicodeAttribute()  # argon2id, with its parameters and salt
    must_change = BooleanAttribute(default=False)  # the password was made for them: not yet theirs
    disabled = BooleanAttribute(default=False)
    session_version = IntAttribute(default=1)  # of the sessions that are good; a step ends them
    last_login_at_s = IntAttribute(null=True)
    totp_secret = UnicodeAttribute(null=True)  # sealed (gateways.sealed); null: not in use
    totp_pending = UnicodeAttribute(null=True)  # the same, until its first code has come
    totp_step = IntAttribute(null=True)  # of the last code taken: each is taken once
    body_hash = UnicodeAttribute(default="")  # of the request that invited them

    @classmethod
    def at(cls, merchant_id: str, username: str, **more: Any) -> "StaffItem":
        return cls(
            f"{merchant_id}#M",
            f"staff#{username}",
            merchant_id=merchant_id,
            username=username,
            **more,
        )


class PaymentAccountItem(CatalogueItem, discriminator="payment_account"):
    """Who last changed an account at a gateway; the account itself is a parameter, encrypted.

    mark: keyed hash of what was to be stored, so that a repeat, or a save that was cut off,
    can be told from another's.
    """

    method = UnicodeAttribute()
    mark = UnicodeAttribute()
    staff = UnicodeAttribute()
    changed_at_s = IntAttribute()

    @classmethod
    def at(cls, merchant_id: str, method: str, **more: Any) -> "PaymentAccountItem":
        return cls(
            f"{merchant_id}#M",
            f"account#{method}",
            merchant_id=merchant_id,
            method=method,
            **more,
        )


class LoginFailuresItem(CatalogueItem, discriminator="login_failures"):
    """Wrong passwords for one username, whether or not anybody has it.

    In a partition of its own: guesses must not slow down who reads the merchant.
    """

    failures = IntAttribute()
    since_s = IntAttribute()
    last_at_s = IntAttribute()
    ttl_s = IntAttribute()  # when DynamoDB may delete it

    @classmethod
    def at(cls, merchant_id: str, username: str, **more: Any) -> "LoginFailuresItem":
        return cls(f"{merchant_id}#L#{username}", "failures", merchant_id=merchant_id, **more)


class BelongingItem(CatalogueItem):
    """Something small of the merchant's own that staff make, change and remove.

    A removed one stays for a while (or for ever), so that a repeat finds what it did.
    """

    name = UnicodeAttribute()
    body_hash = UnicodeAttribute(default="")  # of the request that created it
    removed_at_s = IntAttribute(null=True)
    ttl_s = IntAttribute(null=True)  # when DynamoDB may delete it


class CategoryItem(BelongingItem, discriminator="category"):
    category_id = UnicodeAttribute()
    position = IntAttribute(default=0)  # smaller comes first
    parent_id = UnicodeAttribute(null=True)  # None: of the top level
    children = IntAttribute(default=0)  # categories below it; counted, so that conditions can tell

    @classmethod
    def at(cls, merchant_id: str, category_id: str, **more: Any) -> "CategoryItem":
        return cls(
            f"{merchant_id}#M",
            f"category#{category_id}",
            merchant_id=merchant_id,
            category_id=category_id,
            **more,
        )


class StoreItem(BelongingItem, discriminator="store"):
    """Where buyers collect what they bought. hours: [{days, hours}], texts for people."""

    store_id = UnicodeAttribute()
    address = UnicodeAttribute()
    phone = UnicodeAttribute()
    hours: ListAttribute[Any] = ListAttribute(default=list)
    is_open = BooleanAttribute(default=True)  # False: takes no new orders

    @classmethod
    def at(cls, merchant_id: str, store_id: str, **more: Any) -> "StoreItem":
        return cls(
            f"{merchant_id}#M",
            f"store#{store_id}",
            merchant_id=merchant_id,
            store_id=store_id,
            **more,
        )


class FreightItem(BelongingItem, discriminator="freight"):
    """A freight template: `rules` is domain.freight.Template as a map."""

    template_id = UnicodeAttribute()
    rules: MapAttribute[str, Any] = MapAttribute()

    @classmethod
    def at(cls, merchant_id: str, template_id: str, **more: Any) -> "FreightItem":
        return cls(
            f"{merchant_id}#M",
            f"freight#{template_id}",
            merchant_id=merchant_id,
            template_id=template_id,
            **more,
        )


class ProductItem(CatalogueItem, discriminator="product"):
    """What is sold.

    skus: [{sku_id, specs {name: value}, image, code, list_price_fen, solo_price_fen, cost_fen,
    weight_g}].
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
    """

    product_id = UnicodeAttribute()
    sku_id = UnicodeAttribute()
    available = IntAttribute()
    activities: MapAttribute[str, Any] = MapAttribute(default=dict)

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
    )  # [{sku_id, spec, list_price_fen, solo_price_fen, group_price_fen}]
    seats_total = IntAttribute()
    life_h = IntAttribute()  # as the merchant wrote it
    life_s = IntAttribute()  # as this stage waits it
    starts_at_s = IntAttribute()
    ends_at_s = IntAttribute()
    limit_per_buyer = IntAttribute()  # units over the activity; 0: no limit
    limit_per_order = IntAttribute()  # units of one seat
    buckets = IntAttribute()  # of stock, per SKU
    list_shards = IntAttribute(default=1)  # of the list of open groups


class ActivityItem(_Terms, discriminator="activity"):
    """The activity as it is now: its present terms, and whether groups can be opened."""

    status = UnicodeAttribute()
    life_max_s = IntAttribute()  # of all versions: how long a group that is open may last
    ended_at_s = IntAttribute(null=True)  # when staff ended it early
    body_hash = UnicodeAttribute(default="")  # of the request that published it

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


_Item = TypeVar("_Item", bound=StoredItem)


def stored(item: _Item) -> _Item | None:
    """The item with the key of `item`, read consistently; None when there is none."""
    try:
        return type(item).get(item.pk, item.sk, consistent_read=True)
    except DoesNotExist:
        return None
