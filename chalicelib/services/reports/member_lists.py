"""Pages of members for staff: by when they came, when they last ordered, what they spent; those of
a tag; those who are found by a phone or a name.

A list has one small row per member, which says all that they are chosen by: one query reads a page,
or, where a tag or a level is wished, as many rows as it takes to fill one, LOOKS_MAX times ROWS_MAX
at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain import phone, recipient
from chalicelib.domain.identity import Identity, Way
from chalicelib.domain.ids import OrderId
from chalicelib.domain.member import MemberTag, MemberWish, has_tag
from chalicelib.services.orders import order_lists
from chalicelib.services.people import identities
from chalicelib.tables.base import PageKey, get_or_none
from chalicelib.tables.buyers import BuyerItem, IdentityItem
from chalicelib.tables.members import MemberItem, MemberRowItem, MemberTagsItem, members_list
from chalicelib.tables.trade import OrderDetailItem
from chalicelib.tables.trade_item import TradeItem, buyer_pk

ROWS_MAX = 1000  # of one query, where not every row fits
LOOKS_MAX = 5  # queries of one page
MATCHES_MAX = 100  # orders that a phone or a name is sought among, the newest


@dataclass(frozen=True)
class Member:
    """A member, who they are now, and for whom their last order was. tags: by hand and by rule."""

    stored: MemberItem | MemberRowItem
    buyer: BuyerItem
    last: OrderDetailItem | None
    tags: list[MemberTag]

    @property
    def phone(self) -> str:
        """Masked: of their account, else of their last order."""
        return self.buyer.phone or recipient.masked(self.address).get("phone", "")

    @property
    def address(self) -> dict[str, str]:
        return dict(self.last.address.as_dict()) if self.last else {}


@dataclass(frozen=True)
class Page:
    """next_key: what the next page starts after; None: there is none. left_out: more orders have
    the phone or the name than were looked at."""

    found: list[Member]
    next_key: PageKey | None = None
    left_out: bool = False


def find(
    merchant_id: str, wish: MemberWish, *, after: PageKey | None, limit: int, now_s: int
) -> Page:
    """A page of the members that fit. It may have fewer than `limit`, even none, while there is a
    next one; who is sought by a phone or a name is on the first page, or left out."""
    if wish.q:
        items, left_out = _sought(merchant_id, wish, now_s)
        return Page(shown(merchant_id, items[:limit], now_s), None, left_out or len(items) > limit)
    rows, next_key = rows_of(merchant_id, wish, after=after, limit=limit, now_s=now_s)
    return Page(shown(merchant_id, rows, now_s), next_key)


def rows_of(
    merchant_id: str, wish: MemberWish, *, after: PageKey | None, limit: int, now_s: int
) -> tuple[list[MemberRowItem], PageKey | None]:
    """(the rows of a page of a list, the key that the next one starts after)."""
    found: list[MemberRowItem] = []
    for _ in range(LOOKS_MAX):
        page = MemberRowItem.query(
            members_list(merchant_id, wish.sort),
            scan_index_forward=False,
            limit=ROWS_MAX if wish.narrows else limit - len(found),
            last_evaluated_key=after,
        )
        for row in page:
            if wish.fits(row.figures, row.tags, now_s):
                found.append(row)
                if len(found) == limit:
                    return found, {"pk": {"S": row.pk}, "sk": {"S": row.sk}}
        after = page.last_evaluated_key
        if after is None:
            break
    return found, after


def shown(
    merchant_id: str, items: Sequence[MemberItem | MemberRowItem], now_s: int
) -> list[Member]:
    """These as staff see them, with what they call themselves now: one call for 49, two for 50."""
    tags_key = MemberTagsItem.of(merchant_id)
    keys = {(tags_key.pk, tags_key.sk)}
    for item in items:
        keys |= {(buyer_pk(merchant_id, item.buyer_id), "buyer"), _detail_key(merchant_id, item)}
    found = {(it.pk, it.sk): it for it in TradeItem.batch_get(sorted(keys))} if items else {}
    stored = found.get((tags_key.pk, tags_key.sk))
    tags = stored.view() if isinstance(stored, MemberTagsItem) else []
    members: list[Member] = []
    for item in items:
        buyer = found.get((buyer_pk(merchant_id, item.buyer_id), "buyer"))
        detail = found.get(_detail_key(merchant_id, item))
        if isinstance(buyer, BuyerItem) and buyer.erased_at_s is None:
            last = detail if isinstance(detail, OrderDetailItem) else None
            theirs = [tag for tag in tags if has_tag(tag, item.figures, item.tags, now_s)]
            members.append(Member(item, buyer, last, theirs))
    return members


def _detail_key(merchant_id: str, item: MemberItem | MemberRowItem) -> tuple[str, str]:
    """Of the last order, whose recipient stands for one who has told no phone."""
    order_id = OrderId.parse(item.last_order_id)
    assert order_id is not None, "members have paid an order"
    key = OrderDetailItem.at(merchant_id, order_id)
    return key.pk, key.sk


def _sought(merchant_id: str, wish: MemberWish, now_s: int) -> tuple[list[MemberItem], bool]:
    """(who has or had that phone or name in an order, or logs in with that phone; whether more
    orders have it than were looked at)."""
    orders, left_out = order_lists.of_people(merchant_id, wish.q, most=MATCHES_MAX)
    ids = {one.order.buyer_id for one in orders} | _with_phone(merchant_id, wish.q)
    keys = [(buyer_pk(merchant_id, one), "buyer") for one in sorted(ids)]
    buyers = TradeItem.batch_get(keys) if keys else ()
    persons = {
        (identities.root(merchant_id, one.buyer_id) if one.merged_into else one).buyer_id
        for one in buyers
        if isinstance(one, BuyerItem)
    }
    keys = [(buyer_pk(merchant_id, one), "member") for one in sorted(persons)]
    items = [
        item
        for item in (MemberItem.batch_get(keys) if keys else ())
        if item.is_listed and wish.fits(item.figures, item.tags, now_s)
    ]
    return sorted(items, key=lambda item: item.rank(wish.sort), reverse=True), left_out


def _with_phone(merchant_id: str, q: str) -> set[str]:
    """The buyer who logs in with that phone, whole."""
    subject = phone.normal(q)
    identity_id = identities.identity_id(merchant_id, Identity(Way.PHONE, subject))
    item = get_or_none(IdentityItem.at(merchant_id, identity_id)) if subject.isdigit() else None
    return {item.buyer_id} if item else set()
