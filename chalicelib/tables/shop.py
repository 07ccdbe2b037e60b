"""Items of table `catalogue` that are of the shop itself: its settings, people, accounts, and the
small things that it keeps.

Their keys stand in the map of chalicelib.tables.catalogue.
"""

from typing import Any, Self

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)

from chalicelib.domain.agreements import USUAL, AgreementKind
from chalicelib.domain.attribution import DAYS
from chalicelib.tables.base import IntAttribute
from chalicelib.tables.catalogue_item import CatalogueItem


class MerchantItem(CatalogueItem, discriminator="merchant"):
    name = UnicodeAttribute()
    service_phone = UnicodeAttribute(default="")
    pay_by_s = IntAttribute()  # how long a seat is held for payment
    logo = UnicodeAttribute(default="")  # its address
    receipt_after_d = IntAttribute(default=10)  # days from shipping; then an order is received
    ship_within_h = IntAttribute(default=48)  # hours from forming
    # From the payment, what buyers may ask for; 360 of shops opened before there was a setting.
    after_sale_days = IntAttribute(default=360)
    unpaid_orders_max = IntAttribute(default=3)  # of one buyer at a time
    return_address = UnicodeAttribute(default="")  # for goods sent back, with name and phone
    business_name = UnicodeAttribute(default="")  # as its licence has it
    licence_number = UnicodeAttribute(default="")
    licences: ListAttribute[Any] = ListAttribute(default=list)  # addresses of its pictures
    points: MapAttribute[str, Any] = MapAttribute(null=True)  # domain.points.PointsRule.stored
    levels: MapAttribute[str, Any] = MapAttribute(null=True)  # domain.levels.LevelsRule.stored
    rewards: MapAttribute[str, Any] = MapAttribute(null=True)  # domain.rewards.RewardsRule.stored
    invitations: MapAttribute[str, Any] = MapAttribute(null=True)  # InvitationsRule.stored
    attribution_days = IntAttribute(
        default=DAYS
    )  # before a purchase, in which a share has led to it
    payments_off = UnicodeSetAttribute(null=True)  # methods that no new payment is begun with

    @classmethod
    def at(cls, merchant_id: str, **more: Any) -> "MerchantItem":
        return cls(f"{merchant_id}#M", "merchant", merchant_id=merchant_id, **more)


class StaffItem(CatalogueItem, discriminator="staff"):
    username = UnicodeAttribute()
    name = UnicodeAttribute()
    role = UnicodeAttribute()
    # Area -> level, where it differs from the role's preset; null: nowhere.
    rights: MapAttribute[str, Any] = MapAttribute(null=True)
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


class MessageTemplatesItem(CatalogueItem, discriminator="message_templates"):
    """What buyers are told in the shop's own words: texts {domain.texts.TextKey: template}; and in
    which templates at WeChat: subscribe {domain.subscribe_message.SubscribeKind: its `stored`}."""

    texts: MapAttribute[str, Any] = MapAttribute(default=dict)
    subscribe: MapAttribute[str, Any] = MapAttribute(default=dict)

    @classmethod
    def at(cls, merchant_id: str, **more: Any) -> "MessageTemplatesItem":
        return cls(f"{merchant_id}#M", "messages", merchant_id=merchant_id, **more)


class AgreementsItem(CatalogueItem, discriminator="agreements"):
    """Which versions of the agreements are in force: {domain.agreements.AgreementKind: version}."""

    versions: MapAttribute[str, Any] = MapAttribute(default=dict)

    @classmethod
    def at(cls, merchant_id: str, **more: Any) -> "AgreementsItem":
        return cls(f"{merchant_id}#M", "agreements", merchant_id=merchant_id, **more)

    @property
    def versions_in_force(self) -> dict[AgreementKind, int]:
        versions = self.versions.as_dict()
        return {kind: versions.get(kind.value, USUAL) for kind in AgreementKind}


class AgreementItem(CatalogueItem, discriminator="agreement"):
    """One version of an agreement, which stays as it is."""

    text = UnicodeAttribute()
    staff = UnicodeAttribute()
    at_s = IntAttribute()

    @classmethod
    def at(cls, merchant_id: str, kind: str, version: int, **more: Any) -> "AgreementItem":
        key = f"agreement#{kind}#{version:06d}"
        return cls(f"{merchant_id}#M", key, merchant_id=merchant_id, **more)


class GuessesItem(CatalogueItem, discriminator="guesses"):
    """Guesses of one kind by or at one subject (services.people.brute_force_guard).

    In a partition of its own: guesses must not slow down who reads the merchant. The kind is in
    the sort key, so that no name that somebody types is the subject of another kind.
    """

    failures = IntAttribute()
    since_s = IntAttribute()
    last_at_s = IntAttribute()
    ttl_s = IntAttribute()  # when DynamoDB may delete it

    @classmethod
    def at(cls, merchant_id: str, subject: str, kind: str, **more: Any) -> "GuessesItem":
        return cls(f"{merchant_id}#L#{subject}", kind, merchant_id=merchant_id, **more)


class PhoneCodeItem(CatalogueItem, discriminator="phone_code"):
    """The code that was last sent to a phone, and when codes were sent to it, asked for by whom.

    identity_id: of the phone (services.people.identities).
    """

    code_hash = UnicodeAttribute(null=True)  # until it is used
    used_by = UnicodeAttribute(null=True)  # the request that used it
    expires_at_s = IntAttribute()
    tries_left = IntAttribute()  # from the address that asked for it
    tries_of_others_left = IntAttribute()
    sent: ListAttribute[Any] = ListAttribute(
        default=list
    )  # {at_s, askers: marks}, the oldest first
    ttl_s = IntAttribute()  # when DynamoDB may delete it

    @classmethod
    def at(cls, merchant_id: str, identity_id: str, **more: Any) -> "PhoneCodeItem":
        return cls(f"{merchant_id}#L#{identity_id}", "phone_code", merchant_id=merchant_id, **more)


class UsedStateItem(CatalogueItem, discriminator="used_state"):
    """A login on another's page that has come back: its state is good once."""

    ttl_s = IntAttribute()  # when DynamoDB may delete it

    @classmethod
    def at(cls, merchant_id: str, state: str, **more: Any) -> "UsedStateItem":
        return cls(f"{merchant_id}#L#{state}", "used_state", merchant_id=merchant_id, **more)


class WechatTokenItem(CatalogueItem, discriminator="wechat_token"):
    """The access token of a mini-program or official account, or the latter's ticket, which all
    functions share, and the lease of whoever is renewing it (services.people.wechat_tokens).
    token: sealed with the app's secret."""

    token = UnicodeAttribute(null=True)
    expires_at_s = IntAttribute(null=True)
    lease = UnicodeAttribute(null=True)
    lease_until_s = IntAttribute(null=True)

    @classmethod
    def at(
        cls, merchant_id: str, appid: str, what: str = "wechat_token", **more: Any
    ) -> "WechatTokenItem":
        return cls(f"{merchant_id}#L#{appid}", what, merchant_id=merchant_id, **more)


class MiniProgramCodeItem(CatalogueItem, discriminator="mini_program_code"):
    """A mini-program code that WeChat has drawn, until its picture may go; by what it carries."""

    name = UnicodeAttribute()  # of the picture
    ttl_s = IntAttribute()  # when DynamoDB may delete it

    @classmethod
    def at(cls, merchant_id: str, appid: str, scene: str, **more: Any) -> "MiniProgramCodeItem":
        return cls(f"{merchant_id}#L#{scene}", f"code#{appid}", merchant_id=merchant_id, **more)


class UrlLinkItem(CatalogueItem, discriminator="url_link"):
    """A link into the mini-program for text messages and browsers, which WeChat lets end."""

    url = UnicodeAttribute()
    ttl_s = IntAttribute()  # when it ends, and DynamoDB may delete it

    @classmethod
    def at(cls, merchant_id: str, appid: str, scene: str, **more: Any) -> "UrlLinkItem":
        return cls(f"{merchant_id}#L#{scene}", f"link#{appid}", merchant_id=merchant_id, **more)


class AdditionsItem(CatalogueItem, discriminator="additions"):
    """How often something was added to a list of the merchant's; `revision` is the number."""

    @classmethod
    def at(cls, merchant_id: str, what: str, **more: Any) -> "AdditionsItem":
        return cls(f"{merchant_id}#M", f"additions#{what}", merchant_id=merchant_id, **more)


class CrudItem(CatalogueItem):
    """Something small of the merchant's own that staff make, change and remove.

    A removed one stays for a while (or for ever), so that a repeat finds what it did.
    PREFIX: of its sort key, and in audit rows. ID: the attribute that has its id.
    """

    PREFIX, ID = "", ""
    name = UnicodeAttribute()
    body_hash = UnicodeAttribute(default="")  # of the request that created it
    removed_at_s = IntAttribute(null=True)
    ttl_s = IntAttribute(null=True)  # when DynamoDB may delete it

    @classmethod
    def at(cls, merchant_id: str, item_id: str, **more: Any) -> Self:
        key: dict[str, Any] = {"merchant_id": merchant_id, cls.ID: item_id}
        return cls(f"{merchant_id}#M", f"{cls.PREFIX}#{item_id}", **key, **more)


class CategoryItem(CrudItem, discriminator="category"):
    PREFIX, ID = "category", "category_id"
    category_id = UnicodeAttribute()
    position = IntAttribute(default=0)  # smaller comes first
    parent_id = UnicodeAttribute(null=True)  # None: of the top level
    children = IntAttribute(default=0)  # categories below it; counted, so that conditions can tell


class CouponTemplateItem(CrudItem, discriminator="coupon_template"):
    """Coupons as the shop gives them out: terms as domain.coupon.CouponTerms.stored, the rest as
    domain.coupon_draft.CouponDraft. How many are left is in tables.growth.CouponStockItem."""

    PREFIX, ID = "coupon", "template_id"
    template_id = UnicodeAttribute()
    terms: MapAttribute[str, Any] = MapAttribute()
    given = UnicodeAttribute()
    total = IntAttribute()
    per_buyer = IntAttribute()
    from_s = IntAttribute()
    until_s = IntAttribute()
    days = IntAttribute()
    grace_days = IntAttribute()
    created_at_s = IntAttribute()
    withdrawn_at_s = IntAttribute(null=True)  # no more are given out
    revoked = BooleanAttribute(null=True)  # and those that were are good no more
    points = IntAttribute(default=0)  # that one costs


class PointsOfferItem(CrudItem, discriminator="points_offer"):
    """What a shop offers for points: domain.points_offer.PointsOfferDraft. How many units are left
    is in tables.trade.StockItem, of the only bucket that it has under its own id."""

    PREFIX, ID = "points_offer", "offer_id"
    offer_id = UnicodeAttribute()
    product_id = UnicodeAttribute()
    sku_id = UnicodeAttribute()
    points = IntAttribute()
    price_fen = IntAttribute()
    total = IntAttribute()
    per_buyer = IntAttribute()
    level_from = IntAttribute()
    until_s = IntAttribute()
    created_at_s = IntAttribute()


class StoreItem(CrudItem, discriminator="store"):
    """Where buyers collect what they bought. hours: [{days, hours}], texts for people."""

    PREFIX, ID = "store", "store_id"
    store_id = UnicodeAttribute()
    address = UnicodeAttribute()
    phone = UnicodeAttribute()
    hours: ListAttribute[Any] = ListAttribute(default=list)
    is_open = BooleanAttribute(default=True)  # False: takes no new orders


class FreightItem(CrudItem, discriminator="freight"):
    """A freight template: `rules` is domain.freight.Template as a map."""

    PREFIX, ID = "freight", "template_id"
    template_id = UnicodeAttribute()
    rules: MapAttribute[str, Any] = MapAttribute()
