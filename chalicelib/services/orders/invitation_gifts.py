"""What an invitation brings: the inviter's coupon and points, and the coupon of who was invited.

Who was invited is given theirs first, with its number in the invitation; then the inviter, in the
transaction that grants it. Cut off between the two, the next run goes on, or takes the first back.
"""

from chalicelib import observability
from chalicelib.domain import points_account
from chalicelib.domain.coupon import CouponId, terms_of
from chalicelib.domain.points_account import PointsEntry, PointsKind
from chalicelib.domain.texts import TextKey
from chalicelib.errors import Conflict, NotFound
from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.growth import coupon_grants, coupons, points
from chalicelib.services.orders import notifications
from chalicelib.services.orders.invitation_cases import Parties
from chalicelib.services.people import buyers
from chalicelib.tables.base import LostRace, Writes, as_read, get_or_none, transaction
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.growth import CouponItem
from chalicelib.tables.invitations import InvitationItem, InviterItem
from chalicelib.tables.trade import OrderItem


class _Again(Exception):
    """Something has moved since the invitation was read: it is decided anew."""


def put(writes: Writes, item: InvitationItem) -> None:
    """Write an invitation on condition that it is as it was read."""
    before = item.revision
    item.revision = before + 1
    writes.put(item, condition=as_read(InvitationItem.revision, before), refuse=LostRace)


def give_to_invited(
    person: BuyerItem, item: InvitationItem, order: OrderItem, *, now_s: int
) -> bool:
    """Give who was invited their coupon, if there is one to give. False: they have it, or it cannot
    be given: nothing waits for it."""
    if not item.gift_template or item.gift_coupon_id is not None:
        return False

    def also(writes: Writes, coupon: CouponItem) -> None:
        if coupon.place.buyer_id != person.buyer_id:
            raise _Again
        item.gift_coupon_id, item.gift = coupon.coupon_id, coupon.name
        put(writes, item)
        notifications.put(writes, order, TextKey.INVITED_COUPON, now_s=now_s, **_facts(coupon))

    if _granted(item, person.buyer_id, item.gift_template, "invited", also, now_s):
        return True
    item.gift_template = ""
    return False


def give_to_inviter(
    person: BuyerItem, item: InvitationItem, parties: Parties, *, now_s: int
) -> None:
    """Grant an invitation, with what it brings who invited: both or neither. Where the coupon
    cannot be given, the rest does not wait for it."""
    merchant_id, inviter = person.merchant_id, parties.inviter
    item.granted_to, item.granted_at_s = inviter.buyer_id, now_s
    item.points_given = item.points if points.rule(merchant_id, now_s).on else 0

    def also(writes: Writes, coupon: CouponItem) -> None:
        if coupon.place.buyer_id != inviter.buyer_id:
            raise _Again
        item.coupon_id, item.coupon = coupon.coupon_id, coupon.name
        _put_granted(writes, person, item, parties, now_s)
        tell(writes, item, TextKey.INVITER_COUPON, now_s=now_s, **_facts(coupon))

    template_id = item.coupon_template
    if template_id and _granted(item, inviter.buyer_id, template_id, "invitation", also, now_s):
        return
    with transaction() as writes:
        buyers.check_ids(writes, merchant_id, inviter.ids)
        _put_granted(writes, person, item, parties, now_s)


def take_back(writes: Writes, item: InvitationItem, order: OrderItem, *, now_s: int) -> None:
    """Take back what an invitation brought: the points, though they were spent, and the coupons
    that are not used."""
    reward, gift = _coupon(item, item.coupon_id), _coupon(item, item.gift_coupon_id)
    if reward is not None:
        item.coupon_kept = _take(writes, reward, now_s)
    if gift is not None:
        item.gift_kept = _take(writes, gift, now_s)
    if item.points_given and item.granted_to is not None:
        [account] = points.read(item.merchant_id, [item.granted_to]).values()
        if account.closed_at_s is None:
            kind = PointsKind.INVITATION_TAKEN_BACK
            entry = PointsEntry(now_s, -item.points_given, kind)
            points.put(writes, account, account.view().on(now_s).taken(entry))
    if item.granted_at_s is not None and (item.points_given or item.coupon_kept is False):
        tell(writes, item, TextKey.INVITATION_TAKEN_BACK, now_s=now_s)


def tell(
    writes: Writes, item: InvitationItem, key: TextKey, *, now_s: int, **facts: str | int
) -> None:
    """Tell an inviter of an invitation that was granted."""
    notifications.put_invited(writes, item, key, now_s=now_s, **facts)


def _put_granted(
    writes: Writes, person: BuyerItem, item: InvitationItem, parties: Parties, now_s: int
) -> None:
    merchant_id, inviter = person.merchant_id, parties.inviter
    buyers.check_ids(writes, merchant_id, person.ids)
    for one in inviter.ids:  # that they were not invited by the person meanwhile
        known = parties.by_whom.get(one)
        writes.check(
            InvitationItem.at(merchant_id, one),
            condition=as_read(InvitationItem.revision, known.revision if known else None),
            refuse=LostRace,
        )
    month = parties.months[inviter.buyer_id]
    as_it_was = as_read(InviterItem.granted, month.granted or None)
    one_more = InviterItem(month.pk, month.sk, granted=month.granted + 1)
    writes.put(one_more, condition=as_it_was, refuse=LostRace)
    put(writes, item)
    if item.points_given:
        [account] = points.read(merchant_id, [inviter.buyer_id]).values()
        lot = points_account.lot_of(points.rule(merchant_id, now_s), now_s)
        entry = PointsEntry(now_s, item.points_given, PointsKind.INVITED)
        after = account.view().on(now_s).added({lot: item.points_given}, entry)
        points.put(writes, account, after)
        tell(writes, item, TextKey.INVITER_POINTS, now_s=now_s, points=item.points_given)


def _granted(
    item: InvitationItem,
    buyer_id: str,
    template_id: str,
    why: str,
    also: coupon_grants.Also,
    now_s: int,
) -> bool:
    """Give a coupon for the invitation. False where there is none left, or the buyer has as many as
    one person may."""
    given: list[CouponItem] = []
    revision = item.revision

    def once(writes: Writes, coupon: CouponItem) -> None:
        if given:
            raise _Again
        given.append(coupon)
        also(writes, coupon)

    try:
        coupon_grants.grant(
            item.merchant_id,
            buyer_id,
            template_id,
            f"{why}#{item.buyer_id}",
            also=once,
            now_s=now_s,
        )
    except _Again:
        raise LostRace from None
    except (Conflict, NotFound) as refusal:
        item.revision = revision
        observability.logger.info(
            "no coupon for an invitation",
            extra={"details": {"buyer_id": item.buyer_id, "why": refusal.code}},
        )
        template = catalogue_cache.coupon(item.merchant_id, template_id, now_s)
        name = template.name if template is not None else ""
        if why == "invited":
            item.gift_coupon_id, item.gift = None, name
        else:
            item.coupon_id, item.coupon = None, name
        return False
    if not given:  # somebody else has given it: the invitation is not as it was read
        raise LostRace
    return True


def _take(writes: Writes, coupon: CouponItem, now_s: int) -> bool:
    """Take a coupon back. True: it is used, and stays."""
    if coupon.order_id is not None:
        return True
    coupons.take_back(writes, coupon, now_s=now_s)
    return False


def _coupon(item: InvitationItem, coupon_id: str | None) -> CouponItem | None:
    place = CouponId.parse(coupon_id or "")
    return get_or_none(CouponItem.at(item.merchant_id, place)) if place is not None else None


def _facts(coupon: CouponItem) -> dict[str, str]:
    return {"coupon": coupon.name, "worth": str(terms_of(coupon.terms.as_dict()).words)}
