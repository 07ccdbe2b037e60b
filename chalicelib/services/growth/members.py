"""Members of a shop: what their orders come to, in one item per person and its place in the lists.

Whatever moves their money marks the item (`mark`), in the same transaction; the job of the next
minute adds their orders up anew. So a figure is never added twice, and no purchase
waits for it. Of a person who was merged, everything is under the first of their ids: an item under
another id is marked with the merge, and folded into that one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from chalicelib.domain.member import Figures, figures_of
from chalicelib.errors import SessionSuperseded
from chalicelib.services.people import buyers, identities
from chalicelib.tables.base import LostRace, Writes, as_read, retried, transaction
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.growth import PointsItem
from chalicelib.tables.members import MemberItem, MemberNotesItem, MemberRowItem
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import buyer_pk


def mark(writes: Writes, merchant_id: str, buyer_id: str, *, now_s: int) -> None:
    """Have the figures of a buyer reckoned anew, with the write that moves them. Of several in one
    transaction the first marks them."""
    item = MemberItem.at(merchant_id, buyer_id)
    if not writes.has_added(item):
        writes.add(item, item.moved(now_s))


def process(merchant_id: str, buyer_id: str, *, now_s: int) -> None:
    """Reckon the figures of a person who is marked, under whichever of their ids. Safe to run twice
    and at once: what it writes is conditional on every item that it read."""

    def step() -> None:
        person = identities.root(merchant_id, buyer_id)
        items = read(merchant_id, person.ids)
        marked = items.get(buyer_id)
        if marked is None or marked.due_at_s is None or marked.due_at_s > now_s:
            return
        try:
            with transaction() as writes:
                if person.erased_at_s is None:
                    # A mark that a merge has made since the person was read is not to be taken off.
                    buyers.check_ids(writes, merchant_id, person.ids)
                _fold(writes, person, items)
        except SessionSuperseded:
            raise LostRace from None

    retried(step)


def read(merchant_id: str, ids: Iterable[str]) -> dict[str, MemberItem]:
    """The items that are there under these ids, as they are now, in one call."""
    keys = [(buyer_pk(merchant_id, one), "member") for one in ids]
    found = MemberItem.batch_get(keys, consistent_read=True)
    return {item.buyer_id: item for item in found}


def put(writes: Writes, before: MemberItem | None, after: MemberItem) -> None:
    """Store what has become of an item as it was read, and its place in the lists."""
    after.revision = (before.revision if before else 0) + 1
    as_it_was = as_read(MemberItem.revision, before.revision if before else None)
    writes.put(after, condition=as_it_was, refuse=LostRace)
    _put_rows(writes, before.rows() if before else [], after.rows())


def erase(writes: Writes, merchant_id: str, ids: Sequence[str]) -> None:
    """Forget a person who closes their account: figures, tags, notes."""
    items = read(merchant_id, ids)
    for one in ids:
        if one in items:
            _delete(writes, items[one])
        writes.delete(MemberNotesItem.at(merchant_id, one))


def _fold(writes: Writes, person: BuyerItem, items: dict[str, MemberItem]) -> None:
    """Write the one item of a person, in place of all that there are."""
    first = items.get(person.buyer_id)
    for item in items.values():
        if item is not first:
            _delete(writes, item)
    figures = _figures(person)
    if person.erased_at_s is not None or not figures.last_order_id:
        if first is not None:
            _delete(writes, first)
        return
    tags = [tag for one in person.ids if one in items for tag in items[one].tags]
    after = MemberItem.at(
        person.merchant_id,
        person.buyer_id,
        since_s=person.since_s,
        tags=list(dict.fromkeys(tags)),
        **asdict(figures),
    )
    put(writes, first, after)


def _figures(person: BuyerItem) -> Figures:
    """What the orders of all ids of a person come to, and how much they have grown, as of now."""
    pages = (
        OrderItem.query(
            buyer_pk(person.merchant_id, one),
            OrderItem.sk.startswith("order#"),
            consistent_read=True,
        )
        for one in person.ids
    )
    keys = [(buyer_pk(person.merchant_id, one), "points") for one in person.ids]
    accounts = PointsItem.batch_get(keys, consistent_read=True)
    return figures_of(
        ((order.order_id, order.entries()) for page in pages for order in page),
        growth=sum(account.growth for account in accounts),
    )


def _delete(writes: Writes, item: MemberItem) -> None:
    writes.delete(item, condition=MemberItem.revision == item.revision)
    _put_rows(writes, item.rows(), [])


def _put_rows(
    writes: Writes, before: Sequence[MemberRowItem], after: Sequence[MemberRowItem]
) -> None:
    """Write the rows that differ; they are as their member says, whose revision is conditional."""
    stored = {(row.pk, row.sk): row.attribute_values for row in before}
    places = {(row.pk, row.sk) for row in after}
    for row in before:
        if (row.pk, row.sk) not in places:
            writes.delete(row)
    for row in after:
        if stored.get((row.pk, row.sk)) != row.attribute_values:
            writes.replace(row)
