"""Items of table `trade` that belong to one buyer.

Their keys stand in the map of chalicelib.tables.trade.
"""

from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)

from chalicelib.domain.after_sale import RESERVED, Kind
from chalicelib.domain.ids import OrderId
from chalicelib.domain.short_number import short_of
from chalicelib.tables.base import IntAttribute
from chalicelib.tables.trade_item import TradeItem, buyer_pk


class BuyerItem(TradeItem, discriminator="buyer"):
    """A buyer of one merchant. A person whose logins were found to belong together has several:
    all but the oldest are merged into it, and their orders stay where they are.

    openids: at WeChat and Alipay, by app. identities: slot (domain.identity) -> identity_id, of the
    whole person. revision: counts the links, merges, requests for after-sale and reminders; links,
    merges, reminders and the end of the account are conditional on it as it was read.
    """

    merchant_id = UnicodeAttribute()
    buyer_id = UnicodeAttribute()
    openid = UnicodeAttribute(default="")  # of the mini-program, in which it pays
    openids: MapAttribute[str, Any] = MapAttribute(default=dict)
    identities: MapAttribute[str, Any] = MapAttribute(default=dict)
    absorbed: ListAttribute[Any] = ListAttribute(null=True)  # buyer ids that were merged into it
    merged_into = UnicodeAttribute(null=True)
    merged_at_s = IntAttribute(null=True)
    since_s = IntAttribute(default=0)
    revision = IntAttribute(default=0)
    phone = UnicodeAttribute(null=True)  # that was proven, masked
    name = UnicodeAttribute(default="")
    avatar = UnicodeAttribute(default="")
    read_up_to_s = IntAttribute(default=0)  # messages told until then
    erased_at_s = IntAttribute(null=True)  # the account was closed: nobody logs in to it any more

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, **more: Any) -> "BuyerItem":
        return cls(
            buyer_pk(merchant_id, buyer_id),
            "buyer",
            merchant_id=merchant_id,
            buyer_id=buyer_id,
            **more,
        )

    @property
    def other_ids(self) -> tuple[str, ...]:
        """The other buyer ids of the same person."""
        return tuple(self.absorbed or ())

    @property
    def ids(self) -> tuple[str, ...]:
        """All buyer ids of the person, this one first."""
        return (self.buyer_id, *self.other_ids)


class IdentityItem(TradeItem, discriminator="identity"):
    """Whose an identity is: an account at WeChat or Alipay, a phone. Its id is a keyed hash, so
    that the table has no number in a key. buyer_id: who had it first; perhaps merged since."""

    slot = UnicodeAttribute()  # domain.identity.Identity.slot
    buyer_id = UnicodeAttribute()

    @classmethod
    def at(cls, merchant_id: str, identity_id: str, **more: Any) -> "IdentityItem":
        return cls(f"{merchant_id}#I#{identity_id}", "identity", **more)


class SubscriptionsItem(TradeItem, discriminator="subscriptions"):
    """How many messages of each template a person lets the mini-program send to their WeChat: one
    for each time they agreed. It is of their openid there, so a merge of buyers moves nothing.

    left: {template id at WeChat: number, 1 or more}.
    """

    left: MapAttribute[str, Any] = MapAttribute(default=dict)
    revision = IntAttribute(default=1)  # counts changes; each is conditional on the one it read

    @classmethod
    def at(cls, merchant_id: str, identity_id: str, **more: Any) -> "SubscriptionsItem":
        return cls(f"{merchant_id}#I#{identity_id}", "subscriptions", **more)


class AddressBookItem(TradeItem, discriminator="address_book"):
    """All addresses of a buyer: who orders reads them in one call, and that there are so many at
    most and one of them the default is true of one item. addresses: [{address_id, name, …}].
    revision: services.people.address_book.CLOSED once the account is closed or merged."""

    addresses: ListAttribute[Any] = ListAttribute(default=list)
    default_id = UnicodeAttribute(default="")
    revision = IntAttribute(default=0)  # counts edits; an edit conditions on the one it read

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, **more: Any) -> "AddressBookItem":
        return cls(buyer_pk(merchant_id, buyer_id), "addresses", **more)


class ConsentsItem(TradeItem, discriminator="consents"):
    """Which versions of the shop's agreements a buyer accepted, and when: given
    {domain.agreements.key_of: {at_s, digest of the text}}."""

    given: MapAttribute[str, Any] = MapAttribute(default=dict)
    revision = IntAttribute(default=0)  # counts edits; an edit conditions on the one it read

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, **more: Any) -> "ConsentsItem":
        return cls(buyer_pk(merchant_id, buyer_id), "consents", **more)


class UnpaidOrdersItem(TradeItem, discriminator="holds"):
    """Orders of a buyer that were placed unpaid; those that are paid or closed may still be here
    (services.orders.unpaid_order_limit). Every purchase writes it, so it also refuses those of a
    session from before a merge. ids: how many the person has, if several; 0: merged into another.
    """

    orders = UnicodeSetAttribute(null=True)  # order_no
    ids = IntAttribute(null=True)

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, **more: Any) -> "UnpaidOrdersItem":
        return cls(buyer_pk(merchant_id, buyer_id), "holds", **more)


class MessageItem(TradeItem, discriminator="message"):
    """One message to a buyer, about one order, what they asked to be reminded of, or coupons that
    run out. The key makes it once: order and stage, the reminder and when it was asked for, or the
    first of the coupons.

    In the buyer's list it stands by when it was told, not by when what it tells of happened: what
    was told late is new all the same.
    """

    order_id = UnicodeAttribute(null=True)  # None: of a reminder, or of coupons
    group_id = UnicodeAttribute(null=True)
    activity_id = UnicodeAttribute(null=True)  # of a reminder
    text_key = UnicodeAttribute()
    short_serial = IntAttribute(null=True)  # of the order's short number, as it was then
    template = UnicodeAttribute(null=True)  # the shop's own sentence, as it was when it was told
    facts: MapAttribute[str, Any] = MapAttribute()
    at_s = IntAttribute()
    # Of the subscribe message at WeChat (services.orders.subscribe_messages): how far it came, and
    # WeChat's errcode if it refused it. Null: it was not sent, or is still due.
    wechat_state = UnicodeAttribute(null=True)
    wechat_errcode = UnicodeAttribute(null=True)

    @classmethod
    def at(cls, merchant_id: str, order_id: OrderId, stage: str, **more: Any) -> "MessageItem":
        return cls(
            buyer_pk(merchant_id, order_id.buyer_id),
            f"message#{order_id.order_no}#{stage}",
            order_id=str(order_id),
            **more,
        )

    @classmethod
    def of_reminder(
        cls, merchant_id: str, buyer_id: str, reminder_sk: str, asked_at_s: int, **more: Any
    ) -> "MessageItem":
        sk = f"message#{reminder_sk}#{asked_at_s:010d}"
        return cls(buyer_pk(merchant_id, buyer_id), sk, **more)

    @classmethod
    def of_coupon(
        cls, merchant_id: str, buyer_id: str, coupon_id: str, **more: Any
    ) -> "MessageItem":
        return cls(buyer_pk(merchant_id, buyer_id), f"message#coupon#{coupon_id}", **more)

    @property
    def buyer_id(self) -> str:
        return str(self.pk.rpartition("#")[2])

    @property
    def name(self) -> str:
        """What tells it from the buyer's other messages."""
        return str(self.sk.removeprefix("message#"))

    @property
    def short_no(self) -> str:
        """The order's number for people; empty where it is about none."""
        return short_of(self.order_id, self.short_serial or 0) if self.order_id else ""


class AfterSaleItem(TradeItem, discriminator="after_sale"):
    """A buyer's request for money back on an order that is to be fulfilled, or was; or money that
    the shop gave back of its own accord.

    letter: the last of its refund's number, once it is approved.
    """

    merchant_id = UnicodeAttribute()
    order_id = UnicodeAttribute()
    letter = UnicodeAttribute()
    short_serial = IntAttribute(null=True)  # of the order's short number, as it was then
    status = UnicodeAttribute()  # domain.after_sale.AfterSaleStatus
    title = UnicodeAttribute()
    amount_fen = IntAttribute()  # asked for; once approved, what goes back. Of an exchange: what
    # may be refunded instead
    reason = UnicodeAttribute()  # domain.after_sale.Reason
    words = UnicodeAttribute(default="")
    pictures: ListAttribute[Any] = ListAttribute(default=list)
    requested_at_s = IntAttribute()
    decided_at_s = IntAttribute(null=True)
    decided_by = UnicodeAttribute(null=True)  # of the staff; None: its buyer, or its time was over
    reply = UnicodeAttribute(default="")  # of the staff, which the buyer reads
    units_back = IntAttribute(default=0)  # returned to the stock
    units = IntAttribute(null=True)  # of a return or an exchange: what its buyer sends back
    exchange = BooleanAttribute(null=True)  # for other goods, not for money
    pickup = BooleanAttribute(null=True)  # of an exchange: the replacement is collected
    return_to = UnicodeAttribute(null=True)  # the shop's address for returns, as it was then
    return_by_s = IntAttribute(null=True)
    agreed_at_s = IntAttribute(null=True)  # to the return or the exchange
    agreed_by = UnicodeAttribute(null=True)
    carrier = UnicodeAttribute(null=True)  # of the parcel, domain.carriers.Carrier.code
    number = UnicodeAttribute(null=True)
    sent_at_s = IntAttribute(null=True)
    # Of an exchange: when the shop had the goods, and what became of the replacement.
    goods_at_s = IntAttribute(null=True)
    goods_by = UnicodeAttribute(null=True)
    replacement_carrier = UnicodeAttribute(null=True)
    replacement_number = UnicodeAttribute(null=True)
    replacement_at_s = IntAttribute(null=True)  # sent, or handed over
    replacement_by = UnicodeAttribute(null=True)
    replacement_corrections = IntAttribute(null=True)
    receive_by_s = IntAttribute(null=True)  # received by itself then
    by_staff = UnicodeAttribute(null=True)  # who refunded it of the shop's own accord
    key = UnicodeAttribute(null=True)  # of that: the same again is the same refund

    @classmethod
    def at(cls, merchant_id: str, order_id: OrderId, letter: str, **more: Any) -> "AfterSaleItem":
        return cls(
            buyer_pk(merchant_id, order_id.buyer_id),
            f"after_sale#{order_id.order_no}#{letter}",
            merchant_id=merchant_id,
            order_id=str(order_id),
            letter=letter,
            **more,
        )

    @property
    def audit_subject(self) -> str:
        return f"after_sale#{self.order_id}{self.letter}"

    @property
    def asks_for(self) -> Kind:
        if self.exchange:
            return Kind.EXCHANGE
        return Kind.RETURN if self.units else Kind.REFUND

    @property
    def reserved(self) -> int:
        """Units that lie in the shop as the replacement of an exchange."""
        return (self.units or 0) if self.exchange and self.status in RESERVED else 0

    @property
    def short_no(self) -> str:
        """The order's number for people."""
        return short_of(self.order_id, self.short_serial or 0)


class KeyItem(TradeItem, discriminator="key"):
    """An Idempotency-Key that placed an order: a repeat meets it and gets the same order."""

    order_no = UnicodeAttribute()
    body_hash = UnicodeAttribute()

    @classmethod
    def at(cls, merchant_id: str, buyer_id: str, key_id: str, **more: Any) -> "KeyItem":
        return cls(buyer_pk(merchant_id, buyer_id), f"key#{key_id}", **more)

    @property
    def buyer_id(self) -> str:
        return str(self.pk.rpartition("#")[2])


def messages_list(merchant_id: str, buyer_id: str) -> str:
    return f"{merchant_id}#messages#{buyer_id}"


def after_sales_list(merchant_id: str, status: str) -> str:
    return f"{merchant_id}#after_sales#{status}"
