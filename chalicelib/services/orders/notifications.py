"""Messages to buyers: each told once, by a key, and never against what became of the order.

A message is an intent first: a due marker written with the change it tells of. What is told here
is put where there is none, so telling twice is telling once. Where the shop has a template at
WeChat for it, the message is itself due: subscribe_messages sends it to the buyer's WeChat, too.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain import carriers, crowd
from chalicelib.domain.coupon import last_day, terms_of
from chalicelib.domain.group import FailedReason, Group, GroupStatus, is_joinable
from chalicelib.domain.manual_refund import METHOD_WORDS, ManualRefundMethod
from chalicelib.domain.order import Intent, OrderStatus, Refund, RefundReason, reason_of
from chalicelib.domain.plain_text import within_sentence
from chalicelib.domain.shipping import Parcel
from chalicelib.domain.subscribe_message import KIND_OF
from chalicelib.domain.texts import TextKey
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.growth import coupons
from chalicelib.services.orders import orders
from chalicelib.services.people import shop_cache
from chalicelib.tables.base import LostRace, Writes, put_new, retried, transaction
from chalicelib.tables.buyers import AfterSaleItem, BuyerItem, MessageItem, messages_list
from chalicelib.tables.growth import CouponItem
from chalicelib.tables.invitations import InvitationItem
from chalicelib.tables.reminders import ReminderItem
from chalicelib.tables.trade import GroupItem, OrderItem
from chalicelib.tables.trade_item import buyer_pk

CLOSED_WITH_ACTIVITY = "活动提前结束"

# Stages sort in the order in which they can happen to one order.
STAGES = {
    TextKey.PRICE_LOWERED: "0price",
    TextKey.CLOSED_BY_SHOP: "0shop_closed",
    TextKey.OPENED: "1waiting",
    TextKey.WAITING: "1waiting",
    TextKey.ONE_LEFT: "2one_left",
    TextKey.COMBINED: "3combined",
    TextKey.FORMED: "3formed",
    TextKey.COMPENSATED: "3coupon",  # beneath what it is given for, in a list of the latest first
    TextKey.COMPENSATED_POINTS: "3coupon_points",
    TextKey.FAILED: "3failed",
    TextKey.CLOSED: "3failed",
    TextKey.REBATE: "4rebate",
    TextKey.TIER_REBATE: "4rebate",
    TextKey.CROWD_REBATE: "4rebate",
    TextKey.LATE: "4late",
    TextKey.PAID_TWICE: "4late",
    TextKey.OLD_PRICE: "4late",
    TextKey.AFTER_SALE: "4after_sale",
    TextKey.SHOP_REFUND: "4after_sale",
    TextKey.AFTER_SALE_REFUSED: "4after_sale_refused",
    TextKey.RETURN_AGREED: "4return_agreed",
    TextKey.RETURN_EXPIRED: "4return_expired",
    TextKey.EXCHANGE_AGREED: "4return_agreed",
    TextKey.EXCHANGE_EXPIRED: "4return_expired",
    TextKey.EXCHANGE_READY: "4return_ready",
    TextKey.EXCHANGE_SENT: "4return_sent",
    TextKey.REFUNDED: "5refunded",
    TextKey.REBATED: "5refunded",
    TextKey.REFUNDED_OUTSIDE: "5refunded",
    TextKey.READY: "4ready",
    TextKey.SHIPPED: "4shipped",
    TextKey.PARCEL_CORRECTED: "4shipped_corrected",
    TextKey.COUPON_GIVEN: "6coupon",
    TextKey.POINTS_GIVEN: "6points",
    TextKey.POINTS_EXPIRING: "7points",
    TextKey.BIRTHDAY: "7birthday",
    TextKey.LEADER_COUPON: "6reward_coupon",
    TextKey.GROUPS_COUPON: "6reward_coupon",
    TextKey.GROUPS_POINTS: "6reward_points",
    TextKey.REWARD_TAKEN_BACK: "7reward",
    TextKey.INVITED_COUPON: "6invited",
}


GIVEN = (TextKey.COUPON_GIVEN, TextKey.COMPENSATED, TextKey.COMPENSATED_POINTS)


class _AlreadyTold(Exception):
    """The buyer was told already."""


def tell_waiting(order: OrderItem, *, now_s: int) -> None:
    """Tell a buyer who has just paid how many are missing; and the others, when it is one."""
    group = _tell_while_joinable(order, TextKey.WAITING, now_s=now_s)
    if group is not None:
        tell_one_left(group, but=[order.buyer_id], now_s=now_s)


def tell_one_left(group: GroupItem, *, but: Collection[str], now_s: int) -> None:
    """Tell who has paid in a group when one seat is missing; `but` whom, since they know."""
    if group.view().seats_missing != 1:
        return
    for other in orders.of_group(group):
        if other.status == OrderStatus.PAID and other.buyer_id not in but:
            _tell_while_joinable(other, TextKey.ONE_LEFT, now_s=now_s)


def tell_outcome(group: GroupItem, *, now_s: int) -> None:
    """Tell every member who paid what became of the group, before it is settled.

    The group's state is final and its due marker still set: cut off here, it is told again.
    """
    key = TextKey.FORMED if group.status == GroupStatus.FORMED else TextKey.FAILED
    facts = {}
    if group.failed_reason == FailedReason.CLOSED_BY_MERCHANT:
        reason = within_sentence(group.closed_words or CLOSED_WITH_ACTIVITY)
        key, facts = TextKey.CLOSED, {"reason": reason}
    at_s = group.decided_at_s or now_s
    for order in orders.of_group(group):
        known = order.view()
        if known.status is OrderStatus.PENDING or known.seat_payment is None:
            continue
        amount_fen = known.seat_payment[1].amount_fen
        back = coupon_fact(key is not TextKey.FORMED and coupons.comes_back(order, now_s=now_s))
        _put(_message(order, key, at_s, now_s=now_s, amount_fen=amount_fen, **facts, **back))


def tell_late(order: OrderItem, refund_key: str, refund: Refund, *, now_s: int) -> None:
    """Tell a buyer whose payment found no seat, or was one too many, that it goes back."""
    stands = order.status not in (OrderStatus.PENDING, OrderStatus.CLOSED)
    key = TextKey.PAID_TWICE if stands else TextKey.LATE
    if order.view().payments[refund_key[:2]].amount_fen != order.total_fen:
        key = TextKey.OLD_PRICE
    back = coupon_fact(coupons.is_back(order, now_s=now_s))
    _put(_of_refund(order, key, refund_key, refund, at_s=refund.at_s, now_s=now_s, **back))


def tell_rebate(order: OrderItem, refund_key: str, refund: Refund, *, now_s: int) -> None:
    """Tell a buyer what goes back by the terms of a group that has formed, before it is sent."""
    key, facts = TextKey.REBATE, {}
    terms = catalogue_cache.version(order.merchant_id, order.activity_id, order.version)
    if tier := crowd.tier_of(refund_key, terms.crowd_tiers):
        key, facts = TextKey.CROWD_REBATE, {"seats": tier.seats}
    elif terms.tiers:
        group = orders.find_group(order.merchant_id, order.group_id or "")
        key, facts = TextKey.TIER_REBATE, {"seats": group.seats_paid if group else 0}
    at_s = refund.at_s
    _put(_of_refund(order, key, refund_key, refund, at_s=at_s, now_s=now_s, **facts))


def tell_after_sale(order: OrderItem, refund_key: str, refund: Refund, *, now_s: int) -> None:
    """Tell a buyer that staff have approved a request, or refunded of the shop's own accord, before
    the refund is sent."""
    asked = AfterSaleItem.at(order.merchant_id, order.order_id, refund_key[2:])
    asked = AfterSaleItem.get(asked.pk, asked.sk, consistent_read=True)
    key = TextKey.AFTER_SALE if asked.by_staff is None else TextKey.SHOP_REFUND
    reason = {} if asked.by_staff is None else {"reason": within_sentence(asked.words)}
    back = coupon_fact(coupons.is_back(order, now_s=now_s))
    at_s = refund.at_s
    _put(_of_refund(order, key, refund_key, refund, at_s=at_s, now_s=now_s, **reason, **back))


def coupon_fact(back: bool) -> dict[str, Any]:
    """What a message tells of the order's coupon: that it is back, or nothing."""
    return {"coupon_back": 1} if back else {}


def put(
    writes: Writes, order: OrderItem, key: TextKey, suffix: str = "", *, now_s: int, **facts: Any
) -> None:
    """Tell a buyer what has become of an order, in the write that makes it so.

    suffix: tells this message from others of its stage that the order may have.
    """
    writes.put(_message(order, key, now_s, now_s=now_s, suffix=suffix, **facts), refuse=LostRace)


def put_reminded(
    writes: Writes,
    person: BuyerItem,
    reminder: ReminderItem,
    key: TextKey,
    *,
    title: str,
    at_s: int,
    now_s: int,
) -> None:
    """Tell a buyer what they asked to be reminded of, in the write that ends the reminder."""
    message = MessageItem.of_reminder(
        person.merchant_id,
        person.buyer_id,
        reminder.sk,
        reminder.asked_at_s,
        group_id=reminder.group_id,
        activity_id=reminder.activity_id,
        text_key=key.value,
        facts={"title": title},
        at_s=at_s,
    )
    writes.put(_listed(message, person.merchant_id, key, now_s), refuse=LostRace)


def put_expiring(
    writes: Writes, person: BuyerItem, ending: Sequence[CouponItem], *, now_s: int
) -> None:
    """Tell a buyer of coupons that run out, in the write after which they are not due any more."""
    first, key = ending[0], TextKey.COUPONS_EXPIRING
    message = MessageItem.of_coupon(
        person.merchant_id,
        person.buyer_id,
        first.coupon_id,
        text_key=key.value,
        facts={
            "coupons": len(ending),
            "coupon": first.name,
            "worth": str(terms_of(first.terms.as_dict()).words),
            "day": last_day(first.until_s).isoformat(),
        },
        at_s=now_s,
    )
    writes.put(_listed(message, person.merchant_id, key, now_s), refuse=LostRace)


def put_invited(
    writes: Writes, invitation: InvitationItem, key: TextKey, *, now_s: int, **facts: Any
) -> None:
    """Tell who has invited somebody what that brought, in the write that does; it is about no order
    of theirs."""
    message = MessageItem.of_reminder(
        invitation.merchant_id,
        invitation.granted_to or "",
        f"reminder#{key}#{invitation.buyer_id}",
        now_s,
        text_key=key.value,
        facts=facts,
        at_s=now_s,
    )
    writes.put(_listed(message, invitation.merchant_id, key, now_s), refuse=LostRace)


def put_combined(
    writes: Writes, order: OrderItem, target: GroupItem, *, coming: int, now_s: int
) -> None:
    """Tell a buyer into which group they are moved, `coming` people together, in the write that
    moves them."""
    view = target.view()
    with_them = replace(view, seats_paid=view.seats_paid + coming)
    key, suffix, facts = TextKey.COMBINED, target.group_id, _missing(with_them)
    message = _message(order, key, now_s, now_s=now_s, suffix=suffix, **facts)
    message.group_id = target.group_id
    writes.put(message, refuse=LostRace)


def put_shipped(
    writes: Writes, order: OrderItem, parcel: Parcel, *, corrected: bool = False, now_s: int
) -> None:
    """Tell a buyer of a parcel, or of its right number, in the write that makes it so."""
    key = TextKey.PARCEL_CORRECTED if corrected else TextKey.SHIPPED
    suffix = f"{parcel.parcel_id:0>2}" + (f"#{parcel.corrections}" if corrected else "")
    carrier, units = carriers.by_code(parcel.carrier).name, parcel.units
    number = parcel.number
    put(writes, order, key, suffix, now_s=now_s, carrier=carrier, number=number, units=units)


def of_timeline(order: OrderItem) -> list[MessageItem]:
    """What the buyer was told of what nothing else keeps with an order: coupons that the shop gave,
    what it made up for, and groups that it was moved to."""
    place = MessageItem.at(order.merchant_id, order.order_id, "")
    mine = MessageItem.sk.startswith(place.sk)
    told = MessageItem.query(place.pk, mine, consistent_read=True)
    return [message for message in told if message.text_key in (*GIVEN, TextKey.COMBINED)]


def of_no_order(merchant_id: str, ids: Sequence[str]) -> list[MessageItem]:
    """What a person was told that they had asked to be reminded of, and of coupons that ran out."""
    mine = MessageItem.sk.between("message#coupon#", "message#reminder#~")
    pages = (MessageItem.query(buyer_pk(merchant_id, one), mine) for one in ids)
    return [message for page in pages for message in page]


def tell_refunded(order: OrderItem, refund_key: str, refund: Refund, *, now_s: int) -> None:
    """Tell a buyer that the gateway has confirmed a refund; before the refund is stored so."""
    is_rebate = reason_of(refund_key) is RefundReason.REBATE
    key = TextKey.REBATED if is_rebate else TextKey.REFUNDED
    _put(_of_refund(order, key, refund_key, refund, at_s=now_s, now_s=now_s))


def put_refunded_outside(
    writes: Writes, order: OrderItem, refund_key: str, refund: Refund, *, now_s: int
) -> None:
    """Tell a buyer how staff have paid a refund, in the write that puts it on record."""
    put(
        writes,
        order,
        TextKey.REFUNDED_OUTSIDE,
        refund_key,
        now_s=now_s,
        amount_fen=refund.amount_fen,
        way=METHOD_WORDS[ManualRefundMethod(refund.outside)],
        proof=refund.proof,
    )


def _of_refund(
    order: OrderItem,
    key: TextKey,
    refund_key: str,
    refund: Refund,
    *,
    at_s: int,
    now_s: int,
    **facts: Any,
) -> MessageItem:
    facts = {"amount_fen": refund.amount_fen, **facts}
    return _message(order, key, at_s, now_s=now_s, suffix=refund_key, **facts)


def _message(
    order: OrderItem, key: TextKey, at_s: int, *, now_s: int, suffix: str = "", **facts: Any
) -> MessageItem:
    """at_s: when what it tells of happened."""
    message = MessageItem.at(
        order.merchant_id,
        order.order_id,
        STAGES[key] + suffix,
        group_id=order.group_id,
        short_serial=order.short_serial,
        text_key=key.value,
        facts={"title": order.title, **facts},
        at_s=at_s,
    )
    return _listed(message, order.merchant_id, key, now_s)


def _listed(message: MessageItem, merchant_id: str, key: TextKey, now_s: int) -> MessageItem:
    """The message in its buyer's list, to be sent to their WeChat where the shop has a template for
    it. The shop's own sentence is kept with it: what was told stays as it was told."""
    message.list_key = messages_list(merchant_id, message.buyer_id)
    message.list_rank = f"{now_s:010d}#{message.name}"
    message.template = shop_cache.message_template(merchant_id, key, now_s)
    if KIND_OF.get(key) in shop_cache.subscribe_templates(merchant_id, now_s):
        message.marked(Intent.SUBSCRIBE_MESSAGE, now_s)
    return message


def _missing(group: Group) -> dict[str, Any]:
    """What a message tells of the seats that an open group lacks. A full one lacks none to form
    with, whatever it had promised."""
    facts: dict[str, Any] = {"missing": group.seats_lacking}
    if group.seats_least and group.seats_missing:
        facts |= {"least": group.seats_least, "more": group.seats_missing}
    return facts


def _tell_while_joinable(order: OrderItem, key: TextKey, *, now_s: int) -> GroupItem | None:
    """Tell a member how a group stands that still takes members; None when it does not.

    The group is checked in the transaction of the message: nobody reads "waiting" after "formed".
    Returns the group as it was told, or None also when the buyer was told before.
    """

    def step() -> GroupItem | None:
        group = orders.find_group(order.merchant_id, order.group_id) if order.group_id else None
        if group is None or not is_joinable(group.view(), now_s=now_s):
            return None
        view = group.view()
        if key is TextKey.ONE_LEFT and view.seats_missing != 1:
            return None
        leads = key is TextKey.WAITING and group.leader_id == order.buyer_id
        facts = _missing(view)
        message = _message(order, TextKey.OPENED if leads else key, now_s, now_s=now_s, **facts)
        with transaction() as writes:
            writes.put(message, refuse=lambda old: _AlreadyTold())
            writes.check(
                group,
                condition=(GroupItem.status == GroupStatus.OPEN.value)
                & (GroupItem.seats_paid == group.seats_paid),
                refuse=LostRace,
            )
        return group

    try:
        return retried(step)
    except _AlreadyTold:
        return None


def _put(message: MessageItem) -> None:
    retried(lambda: put_new(message))  # one busy put must not cost the others theirs
