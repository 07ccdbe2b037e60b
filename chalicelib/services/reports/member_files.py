"""Everything that is kept of one member, for the staff who look after them."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.member import Note, has_tag
from chalicelib.errors import SessionSuperseded
from chalicelib.services.growth import coupons, member_notes, member_tags
from chalicelib.services.people import identities
from chalicelib.services.reports import member_lists
from chalicelib.services.reports.member_lists import Member
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.growth import CouponItem, PointsItem
from chalicelib.tables.members import MemberItem, MemberNotesItem, MemberTagsItem
from chalicelib.tables.trade_item import TradeItem, buyer_pk


@dataclass(frozen=True)
class MemberFile:
    member: Member
    notes: list[Note]  # the newest first
    points: int
    coupons: list[CouponItem]  # the newest first


def read(merchant_id: str, buyer_id: str, *, now_s: int) -> MemberFile:
    """The member, by any id of theirs, in four calls: who it is, what is stored of them, their
    coupons, and who they are called. Raises NotFound, also for a closed account."""
    try:
        person = identities.root(merchant_id, buyer_id)
        held = coupons.of_buyer(merchant_id, person.ids)
    except (BuyerItem.DoesNotExist, SessionSuperseded):
        raise member_tags.missing() from None
    kinds = ("member", "member_notes", "points")
    keys = [(buyer_pk(merchant_id, one), kind) for one in person.ids for kind in kinds]
    found = list(TradeItem.batch_get(keys, consistent_read=True))
    items = {item.buyer_id: item for item in found if isinstance(item, MemberItem)}
    item = items.get(person.buyer_id)
    if item is None or not item.is_listed:
        raise member_tags.missing()
    shown = member_lists.shown(merchant_id, [item], now_s)
    if not shown:
        raise member_tags.missing()
    accounts = [one.view().on(now_s) for one in found if isinstance(one, PointsItem)]
    return MemberFile(
        member=shown[0],
        notes=member_notes.of_person(it for it in found if isinstance(it, MemberNotesItem)),
        points=sum(account.balance for account in accounts),
        coupons=held,
    )


def own(merchant_id: str, ids: Sequence[str], *, now_s: int) -> tuple[list[str], list[Note]]:
    """(the names of a person's tags, what staff noted about them), for themselves, in one call."""
    tags_key = MemberTagsItem.of(merchant_id)
    keys = [
        (buyer_pk(merchant_id, one), kind) for one in ids for kind in ("member", "member_notes")
    ]
    found = list(TradeItem.batch_get([*keys, (tags_key.pk, tags_key.sk)], consistent_read=True))
    tags = [tag for item in found if isinstance(item, MemberTagsItem) for tag in item.view()]
    names = [
        tag.name
        for item in found
        if isinstance(item, MemberItem) and item.buyer_id == ids[0]
        for tag in tags
        if has_tag(tag, item.figures, item.tags, now_s)
    ]
    return names, member_notes.of_person(it for it in found if isinstance(it, MemberNotesItem))
