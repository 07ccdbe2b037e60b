"""Birthdays that buyers told, and the coupon that their level gives on it, once a year."""

from collections.abc import Sequence

from chalicelib import observability
from chalicelib.domain.beijing import day_of
from chalicelib.domain.birthday import KEPT_S, Birthday
from chalicelib.domain.coupon import terms_of
from chalicelib.domain.ids import OrderId
from chalicelib.domain.order import Intent
from chalicelib.domain.texts import TextKey
from chalicelib.errors import Conflict, NotFound, SessionSuperseded
from chalicelib.services.growth import coupon_grants, levels, points
from chalicelib.services.orders import notifications, orders
from chalicelib.services.people import buyers, identities
from chalicelib.tables.base import (
    LostRace,
    Writes,
    as_read,
    get_or_none,
    retried,
    transaction,
    update_one,
)
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.growth import BirthdayItem, CouponItem
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem

TOO_SOON = "生日一年只能填写一次，现在还不能修改。"


def read(merchant_id: str, ids: Sequence[str]) -> BirthdayItem | None:
    """The birthday of a person: the one that was told last under any of their ids."""
    keys = [BirthdayItem.at(merchant_id, one) for one in ids]
    found = TradeItem.batch_get([(key.pk, key.sk) for key in keys], consistent_read=True)
    told = [item for item in found if isinstance(item, BirthdayItem)]
    return max(told, key=lambda item: (item.told_at_s, item.pk), default=None)


def tell(merchant_id: str, buyer_id: str, birthday: Birthday, *, now_s: int) -> None:
    """Keep the birthday of a buyer; the same again changes nothing.

    Raises Conflict for another one within a year, SessionSuperseded for a closed account, Busy.
    """

    def step() -> None:
        person = identities.root(merchant_id, buyer_id)
        buyers.refuse_closed(person)
        known = read(merchant_id, person.ids)
        if known is not None and known.birthday == birthday:
            return
        if known is not None and now_s < known.told_at_s + KEPT_S:
            raise Conflict(TOO_SOON, until_s=known.told_at_s + KEPT_S)
        there = known is not None and known.buyer_id == person.buyer_id
        item = BirthdayItem.at(
            merchant_id,
            person.buyer_id,
            month=birthday.month,
            day=birthday.day,
            told_at_s=now_s,
        ).marked(Intent.POINTS, birthday.next_s(now_s))
        as_it_was = as_read(BirthdayItem.told_at_s, known.told_at_s if known and there else None)
        with transaction() as writes:
            buyers.keep_open(writes, merchant_id, person.buyer_id)
            writes.put(item, condition=as_it_was, refuse=LostRace)

    retried(step)


def process_due(merchant_id: str, buyer_id: str, *, now_s: int) -> None:
    """Give who has a birthday the coupon of their level, then wait for the next one. Safe to run
    twice: its year is the reason that the coupon is given for."""

    def step() -> None:
        item = get_or_none(BirthdayItem.at(merchant_id, buyer_id))
        if item is None or item.due_at_s is None or item.due_at_s > now_s:
            return
        person = identities.root(merchant_id, buyer_id)
        present = read(merchant_id, person.ids)
        # Another one counts for a person who was merged: this one comes round with it.
        if present is not None and present.pk == item.pk:
            _give(person, item, now_s)
        again = [TradeItem.due_at_s.set(item.birthday.after_s(item.due_at_s))]
        update_one(item, again, condition=item.marker_as_read(), refuse=LostRace)

    retried(step)


def _give(person: BuyerItem, item: BirthdayItem, now_s: int) -> None:
    """What cannot be given, because there is none left or the buyer has as many as one person may,
    is left out."""
    level = levels.standing(person.merchant_id, person.ids, now_s=now_s).level
    if level is None or not level.birthday_coupon_id or item.due_at_s is None:
        return
    about = _last_order(person)
    if about is None:
        return

    def also(writes: Writes, coupon: CouponItem) -> None:
        worth = str(terms_of(coupon.terms.as_dict()).words)
        key, facts = TextKey.BIRTHDAY, {"coupon": coupon.name, "worth": worth}
        notifications.put(writes, about, key, coupon.coupon_id, now_s=now_s, **facts)

    try:
        coupon_grants.grant(
            person.merchant_id,
            person.buyer_id,
            level.birthday_coupon_id,
            f"birthday#{day_of(item.due_at_s).year}",
            also=also,
            now_s=now_s,
        )
    except (Conflict, NotFound, SessionSuperseded) as refusal:
        observability.logger.info(
            "no birthday coupon",
            extra={"details": {"buyer_id": person.buyer_id, "why": refusal.code}},
        )


def _last_order(person: BuyerItem) -> OrderItem | None:
    """The order with which the person has grown last, about which they are told."""
    accounts = points.read(person.merchant_id, person.ids).values()
    about = [OrderId.parse(account.order_id) for account in accounts if account.order_id]
    found = [order_id for order_id in about if order_id is not None]
    last = max(found, key=lambda order_id: order_id.placed_at_s, default=None)
    return orders.get(person.merchant_id, last) if last is not None else None
