"""Coupons of buyers: claimed, used by an order, given back by it.

A claim takes one from its template's stock, and its price in points from the buyer, in the
transaction that makes it; claims by a code are in coupon_codes, what the shop gives of its own
accord in coupon_grants. Its number among the
buyer's coupons of the template is its key, so that no buyer has more than the template says. Using
it and giving it back are part of the order's own transactions (services.orders).
"""

from collections.abc import Mapping, Sequence

from pynamodb.expressions.update import Action

from chalicelib.domain.coupon import Coupon, CouponId, terms_of, warn_at_s
from chalicelib.domain.coupon_draft import CLAIMED, TemplateState, times_of_claim
from chalicelib.domain.ids import OrderId, derived_id
from chalicelib.domain.order import Intent
from chalicelib.errors import CouponRefused, CouponsGone, LimitReached
from chalicelib.gateways import secrets
from chalicelib.services.catalogue import catalogue_cache, coupon_templates
from chalicelib.services.growth import levels, points
from chalicelib.services.people import buyers
from chalicelib.tables.base import LostRace, Writes, as_read, get_or_none, retried, transaction
from chalicelib.tables.growth import CouponItem, CouponStockItem, unused_list
from chalicelib.tables.shop import CouponTemplateItem
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem, buyer_pk, listed
from chalicelib.text import Text

_OVER: Mapping[TemplateState, str] = {
    TemplateState.ENDED: "这张优惠券已过期，看看其他优惠券。",
    TemplateState.WITHDRAWN: "这张优惠券已停止领取，看看其他优惠券。",
    TemplateState.REVOKED: "这张优惠券已停止领取，看看其他优惠券。",
}


def claim(
    merchant_id: str, ids: Sequence[str], template_id: str, *, key: str, now_s: int
) -> CouponItem:
    """Claim one coupon of a template for a buyer; a repeat under the same key gets the same one.

    ids: of the person, the first of which it is for. Raises NotFound, CouponsGone, LimitReached,
    MembersOnly, PointsRefused, SessionSuperseded, Busy.
    """
    keys = claim_keys(merchant_id, ids, template_id, key)

    def step() -> CouponItem:
        held = of_template(merchant_id, ids, template_id)
        first = next((item for item in held if item.claim_key in keys), None)
        if first is not None:
            return first
        template = coupon_templates.read(merchant_id, template_id)
        if template.given not in CLAIMED:
            raise coupon_templates.missing()
        check_level(template, ids, now_s=now_s)
        coupon = next_of(template, ids, held, claim_key=keys[0], now_s=now_s)
        coupon.points = template.points or None
        with transaction() as writes:
            put(writes, coupon, ids)
            if template.points:
                points.exchange(
                    writes, merchant_id, ids, template.points, template.name, now_s=now_s
                )
        return coupon

    return retried(step)


def check_level(template: CouponTemplateItem, ids: Sequence[str], *, now_s: int) -> None:
    """Raise MembersOnly when the template's coupons are for a higher level than the person's."""
    terms = terms_of(template.terms.as_dict())
    if terms.level_from:
        buyer = levels.standing(template.merchant_id, ids, now_s=now_s)
        words = "这张优惠券只有「{name}」可以领，你{missing}。看看其他优惠券。"
        levels.check(template.merchant_id, buyer, terms.level_from, words, now_s=now_s)


def claim_keys(merchant_id: str, ids: Sequence[str], template_id: str, key: str) -> list[str]:
    """What a claim under this key is known by, for each id of the person: a repeat after a merge
    comes under another."""
    secret = secrets.secret("id-key").encode()
    return [derived_id(secret, "coupon", merchant_id, one, template_id, key) for one in ids]


def next_of(
    template: CouponTemplateItem,
    ids: Sequence[str],
    held: Sequence[CouponItem],
    *,
    claim_key: str,
    now_s: int,
) -> CouponItem:
    """The next coupon of a template for a person, not yet stored. held: theirs of the template.
    Raises CouponsGone, LimitReached."""
    state = coupon_templates.state_of(template, 1, now_s=now_s)
    if state is not TemplateState.GIVEN_OUT:
        raise CouponsGone(_OVER[state])
    if len(held) >= template.per_buyer:
        words = "这张优惠券每人限领 {max} 张，你已经领过了。"
        raise LimitReached(Text(words, max=template.per_buyer), limit=template.per_buyer)
    number = 1 + sum(item.place.buyer_id == ids[0] for item in held)
    coupon_id = CouponId(ids[0], template.template_id, number)
    return _claimed(template, coupon_id, claim_key, now_s)


def put(writes: Writes, coupon: CouponItem, ids: Sequence[str], *, coded: bool = False) -> None:
    """Give a person the coupon that `next_of` made for them. coded: its code was taken out of the
    template's stock when it was written."""
    merchant_id = coupon.merchant_id
    stock = CouponStockItem.at(merchant_id, coupon.template_id)
    is_given_out = CouponStockItem.withdrawn.does_not_exist()
    writes.put(coupon, refuse=LostRace)
    if coded:
        withdrawn = CouponsGone(_OVER[TemplateState.WITHDRAWN])
        in_use = CouponStockItem.left.exists() & is_given_out
        writes.check(stock, condition=in_use, refuse=lambda old: withdrawn)
    else:
        one_less, some = [CouponStockItem.left.add(-1)], CouponStockItem.left >= 1
        writes.update(stock, one_less, condition=some & is_given_out, refuse=_gone)
    buyers.check_ids(writes, merchant_id, ids)


def of_buyer(merchant_id: str, ids: Sequence[str]) -> list[CouponItem]:
    """All coupons of a person, the newest first. Raises SessionSuperseded for a closed account,
    whose item stands before them: one query per id."""
    found: list[CouponItem] = []
    for one in ids:
        pk = buyer_pk(merchant_id, one)
        for item in TradeItem.query(pk, TradeItem.sk.between("buyer", "coupon#~")):
            buyers.refuse_closed(item)
            if isinstance(item, CouponItem):
                found.append(item)
    return sorted(found, key=lambda item: (-item.claimed_at_s, item.coupon_id))


def views(merchant_id: str, items: Sequence[CouponItem], *, now_s: int) -> list[Coupon]:
    """These coupons as the domain sees them, in the same order."""
    ids = {item.template_id for item in items}
    templates = catalogue_cache.coupons(merchant_id, ids, now_s)
    return [
        item.view(revoked=bool(template and template.revoked))
        for item in items
        for template in [templates.get(item.template_id)]
    ]


def of_purchase(merchant_id: str, ids: Sequence[str], coupon_id: str) -> CouponItem | None:
    """The coupon that a purchase names, one of the person's own, as it is now; None: it names
    none. Raises CouponRefused."""
    if not coupon_id:
        return None
    item = get_or_none(key_of(merchant_id, ids, coupon_id))
    if item is None:
        raise not_found()
    return item


def key_of(merchant_id: str, ids: Sequence[str], coupon_id: str) -> CouponItem:
    """Where a coupon of the person's own is. Raises CouponRefused for what is none."""
    place = CouponId.parse(coupon_id)
    if place is None or place.buyer_id not in ids:
        raise not_found()
    return CouponItem.at(merchant_id, place)


def not_found() -> CouponRefused:
    """The refusal of a coupon that is not there for who asks."""
    return CouponRefused("没有找到这张优惠券，请重新选择。")


def is_back(order: OrderItem, *, now_s: int) -> bool:
    """Whether the order's coupon is its buyer's again, and was good when it came back: there was
    no sale, it had not run out, and it was not revoked."""
    is_lost = order.view().holds_coupon or order.coupon_late
    return not is_lost and _is_standing(order, now_s)


def comes_back(order: OrderItem, *, now_s: int) -> bool:
    """Whether the order's coupon is good once the order, which ends without a sale now, has given
    it back."""
    return not is_late(order, now_s) and _is_standing(order, now_s)


def is_late(order: OrderItem, at_s: int) -> bool:
    """Whether the order's coupon has run out for good, if it came back then."""
    return order.coupon_by_s is not None and at_s >= order.coupon_by_s


def _is_standing(order: OrderItem, now_s: int) -> bool:
    """Whether the order has a coupon which was not revoked, as far as is known within the seconds
    for which templates are cached."""
    place = CouponId.parse(order.coupon or "")
    if place is None:
        return False
    template = catalogue_cache.coupon(order.merchant_id, place.template_id, now_s)
    return not (template and template.revoked)


def use(writes: Writes, item: CouponItem, order_id: OrderId) -> None:
    """Let the order that is placed in the same transaction use the coupon; no other does.

    One that is good because it came back late has had its days of grace: they end when they end,
    however often it comes back.
    """
    actions: list[Action] = [CouponItem.order_id.set(str(order_id)), *listed(None)]
    good_until_s = item.view().good_until_s
    if good_until_s > item.until_s:
        actions += [CouponItem.until_s.set(good_until_s), CouponItem.grace_days.set(0)]
    writes.update(
        item,
        actions,
        condition=CouponItem.claimed_at_s.exists()
        & CouponItem.order_id.does_not_exist()
        & CouponItem.taken_back_at_s.does_not_exist()
        & as_read(CouponItem.back_at_s, item.back_at_s),
        refuse=lambda old: CouponRefused("这张优惠券刚刚用于另一笔订单，请重新选择。"),
    )


def give_back(
    writes: Writes, merchant_id: str, coupon_id: str, order_id: OrderId, *, now_s: int
) -> None:
    """Give the coupon of an order back, which ends without a sale in the same transaction."""
    place = CouponId.parse(coupon_id)
    if place is None:
        raise ValueError(coupon_id)
    item = CouponItem.at(merchant_id, place)
    in_list = listed(unused_list(merchant_id, place.template_id), f"{now_s:010d}#{coupon_id}")
    writes.update(
        item,
        [CouponItem.order_id.remove(), CouponItem.back_at_s.set(now_s), *in_list],
        condition=CouponItem.order_id == str(order_id),
        refuse=LostRace,
    )


def take_back(writes: Writes, item: CouponItem, *, now_s: int) -> None:
    """Take a coupon that no order uses from its buyer for good. Raises LostRace for a used one."""
    writes.update(
        item,
        [CouponItem.taken_back_at_s.set(now_s), *listed(None)],
        condition=CouponItem.claimed_at_s.exists()
        & CouponItem.order_id.does_not_exist()
        & CouponItem.taken_back_at_s.does_not_exist(),
        refuse=LostRace,
    )


def _gone(old: CouponStockItem | None) -> CouponsGone:
    withdrawn = old is not None and old.withdrawn
    return CouponsGone(_OVER[TemplateState.WITHDRAWN] if withdrawn else None)


def of_template(merchant_id: str, ids: Sequence[str], template_id: str) -> list[CouponItem]:
    """A person's coupons of one template, as they are now: one query per id."""
    found: list[CouponItem] = []
    for one in ids:
        among = CouponItem.sk.startswith(f"coupon#{template_id}")
        found += CouponItem.query(buyer_pk(merchant_id, one), among, consistent_read=True)
    return found


def _claimed(
    template: CouponTemplateItem, coupon_id: CouponId, claim_key: str, now_s: int
) -> CouponItem:
    merchant_id = template.merchant_id
    from_s, until_s = times_of_claim(template.from_s, template.until_s, template.days, now_s=now_s)
    coupon = CouponItem.at(
        merchant_id,
        coupon_id,
        name=template.name,
        terms=template.terms.as_dict(),
        from_s=from_s,
        until_s=until_s,
        grace_days=template.grace_days,
        claimed_at_s=now_s,
        claim_key=claim_key,
        list_key=unused_list(merchant_id, coupon_id.template_id),
        list_rank=f"{now_s:010d}#{coupon_id}",
    )
    due_at_s = warn_at_s(until_s)
    return coupon.marked(Intent.POINTS, due_at_s) if due_at_s > now_s else coupon
