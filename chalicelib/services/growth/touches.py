"""Touches of buyers: by whose shares they came, as far as the server has seen it.

A visit is counted for a visitor whom nobody knows. Once they are logged in, their client tells by
which shares it came; what the server has no visit of is no touch. Nothing that a purchase says
itself counts for anything.
"""

from collections.abc import Collection, Sequence

from chalicelib.domain.touches import Touch, VisitState, added
from chalicelib.errors import SessionSuperseded
from chalicelib.services.people import buyers, identities
from chalicelib.tables.base import LostRace, Writes, as_read, retried, transaction
from chalicelib.tables.shares import (
    ShareCountsItem,
    ShareItem,
    TouchesItem,
    VisitItem,
    counts_shards,
)
from chalicelib.tables.trade_item import TradeItem, buyer_pk


def record(
    merchant_id: str, buyer_id: str, visitor_id: str, share_ids: Collection[str], *, now_s: int
) -> None:
    """Note by which shares a buyer came as this visitor. Shares that are not there, that the
    visitor did not come by, and their own change nothing. Raises SessionSuperseded, Busy."""

    def step() -> None:
        person = identities.root(merchant_id, buyer_id)
        buyers.refuse_closed(person)
        new = [
            (touch, visit)
            for touch, visit in _visited(merchant_id, visitor_id, share_ids, now_s)
            if touch.sharer_id not in person.ids
        ]
        items = items_of(merchant_id, person.ids)
        item = items.get(person.buyer_id)
        known = item.view if item is not None else ()
        after = added(known, [touch for touch, _ in new], now_s=now_s)
        untold = [(touch, visit) for touch, visit in new if visit.is_new]
        if after == known and not untold:
            return
        came_before = {one.share_id for it in items.values() for one in it.view}
        revision = item.revision if item is not None else None
        with transaction() as writes:
            buyers.check_ids(writes, merchant_id, person.ids)
            writes.put(
                TouchesItem.at(
                    merchant_id,
                    person.buyer_id,
                    touches=TouchesItem.stored(after),
                    revision=(revision or 0) + 1,
                ),
                condition=as_read(TouchesItem.revision, revision),
                refuse=LostRace,
            )
            for touch, visit in untold:
                _take(writes, merchant_id, touch, visit, again=touch.share_id in came_before)

    def step_of_one_person() -> None:
        try:
            step()
        except SessionSuperseded:
            if identities.root(merchant_id, buyer_id).erased_at_s is not None:
                raise
            raise LostRace from None  # merged since they were read

    retried(step_of_one_person)


def items_of(merchant_id: str, ids: Sequence[str]) -> dict[str, TouchesItem]:
    """What there is under the ids of a person, as it is now, in one call."""
    keys = [(buyer_pk(merchant_id, one), "touches") for one in ids]
    found = TradeItem.batch_get(keys, consistent_read=True)
    return {item.buyer_id: item for item in found if isinstance(item, TouchesItem)}


def of_person(merchant_id: str, ids: Sequence[str]) -> list[Touch]:
    """By whose shares a person came, under any of their ids. Who shared may be the same person, as
    it turned out since."""
    return [one for item in items_of(merchant_id, ids).values() for one in item.view]


def _take(writes: Writes, merchant_id: str, touch: Touch, visit: VisitItem, *, again: bool) -> None:
    """Let a visit be somebody's. again: they had come by the share before, as another visitor."""
    state = VisitState.AGAIN if again else VisitState.TOLD
    writes.update(
        visit,
        [VisitItem.state.set(state.value)],
        condition=VisitItem.state == VisitState.NEW.value,
        refuse=LostRace,
    )
    if again:
        counts = ShareCountsItem.of(merchant_id, touch, next(counts_shards(touch.share_id)))
        writes.add(counts, counts.adding({"visits": -1}))


def _visited(
    merchant_id: str, visitor_id: str, share_ids: Collection[str], now_s: int
) -> list[tuple[Touch, VisitItem]]:
    """A touch for each of the shares that the visitor came by, with the times of their visits, and
    the visit."""
    places = {
        share_id: (
            ShareItem.at(merchant_id, share_id),
            VisitItem.at(merchant_id, share_id, visitor_id),
        )
        for share_id in share_ids
    }
    keys = [(key.pk, key.sk) for pair in places.values() for key in pair]
    found = {(item.pk, item.sk): item for item in TradeItem.batch_get(keys, consistent_read=True)}
    touches = []
    for share_key, visit_key in places.values():
        share = found.get((share_key.pk, share_key.sk))
        visit = found.get((visit_key.pk, visit_key.sk))
        if isinstance(share, ShareItem) and isinstance(visit, VisitItem):
            touch = Touch(
                share_id=share.share_id,
                sharer_id=share.sharer_id,
                channel=share.channel,
                group_id=share.group_id,
                activity_id=share.activity_id,
                at_s=visit.at_s,
                last_at_s=visit.last_at_s or visit.at_s,
                told_at_s=now_s,
            )
            touches.append((touch, visit))
    return touches
