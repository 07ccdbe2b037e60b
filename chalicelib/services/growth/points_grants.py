"""Points that a shop gives to a person, or takes from one, outside of what orders move: at staff's
word, or because its activity promised some.

Every grant has a reason, which is the key of an item that is written with the points: they move
once for one reason, however often it is asked for.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from chalicelib.domain import points_account
from chalicelib.domain.points_account import PointsEntry
from chalicelib.errors import Conflict, IdempotencyMismatch, SessionSuperseded
from chalicelib.services.growth import points
from chalicelib.services.people import buyers, identities
from chalicelib.tables.base import LostRace, Writes, retried, transaction
from chalicelib.tables.growth import PointsGrantItem
from chalicelib.tables.trade_item import TradeItem
from chalicelib.text import Text

Also = Callable[[Writes, int], None]


def grant(
    merchant_id: str,
    buyer_id: str,
    entry: PointsEntry,
    reason: str,
    *,
    body_hash: str = "",
    also: Also,
) -> bool:
    """Give the points of an entry (below zero: take them) to the person whose buyer this is, under
    the id that they buy with now.

    also: adds what is written with it, knowing what they had before. Returns False for a closed
    account; True also when it was done before. Raises Conflict when there are fewer to take,
    IdempotencyMismatch for another `body_hash`, Busy.
    """

    def step() -> bool:
        person = identities.root(merchant_id, buyer_id)
        if person.erased_at_s is not None:
            return False
        done = _done(merchant_id, person.ids, reason)
        if done is not None:
            if done.body_hash != body_hash:
                raise IdempotencyMismatch
            return True
        place = PointsGrantItem.at(
            merchant_id, person.buyer_id, reason, points=entry.points, body_hash=body_hash
        )
        try:
            with transaction() as writes:
                writes.put(place, refuse=LostRace)
                buyers.check_ids(writes, merchant_id, person.ids)
                also(writes, _write(writes, merchant_id, person.ids, entry))
        except SessionSuperseded:  # merged, or closed, since the person was read
            raise LostRace from None
        return True

    return retried(step)


def _write(writes: Writes, merchant_id: str, ids: Sequence[str], entry: PointsEntry) -> int:
    """Write an entry into a person's accounts. Returns what they had before."""
    count, now_s = entry.points, entry.at_s
    items = points.read(merchant_id, ids)
    accounts = {one: item.view().on(now_s) for one, item in items.items()}
    there = sum(account.balance for account in accounts.values())
    if count > 0:
        lot = points_account.lot_of(points.rule(merchant_id, now_s), now_s)
        points.put(writes, items[ids[0]], accounts[ids[0]].added({lot: count}, entry))
        return there
    if there < -count:
        words = "这位买家现在有 {balance} 积分，最多扣这么多。"
        raise Conflict(Text(words, balance=max(there, 0)), balance=max(there, 0))
    for one, lots in points_account.spread(accounts, -count).items():
        taken = replace(entry, points=-sum(lots.values()))
        points.put(writes, items[one], accounts[one].taken(taken))
    return there


def _done(merchant_id: str, ids: Sequence[str], reason: str) -> PointsGrantItem | None:
    keys = [PointsGrantItem.at(merchant_id, one, reason) for one in ids]
    found = TradeItem.batch_get([(key.pk, key.sk) for key in keys], consistent_read=True)
    return next((item for item in found if isinstance(item, PointsGrantItem)), None)
