"""What the shares of an activity have brought: by share, by who shared, by channel, in all.

All of it is added up from the same rows, one for nearly every share that somebody came by.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from chalicelib import deadline
from chalicelib.domain.attribution import ShareSums, together
from chalicelib.domain.identity import IDS_MAX
from chalicelib.services.catalogue import activities
from chalicelib.services.groups import shop_shares
from chalicelib.tables.buyers import BuyerItem
from chalicelib.tables.shares import COUNTS_SHARDS, ShareCountsItem, counts_pk
from chalicelib.tables.trade_item import TradeItem, buyer_pk

ROWS_MAX = 32_000  # of an activity; beyond that the figures say that they are not complete
WORKERS = 8
SHARERS_MAX = 50  # that are told of, those who have brought most
SHARES_MAX = 50  # of buyers, in the same way


@dataclass(frozen=True)
class OneSharer:
    """buyer_id: the person's first. name: empty, when they have none or closed their account."""

    buyer_id: str
    name: str
    sums: ShareSums


@dataclass(frozen=True)
class OneShare:
    """name: the shop's, for a share of its own; else that of who shared it."""

    share_id: str
    channel: str
    name: str
    sums: ShareSums


@dataclass(frozen=True)
class ActivityShares:
    """channels, sharers, shares: those that have brought most come first. own: the shop's shares,
    the newest first; shares: buyers'. sharers_total: how many there are."""

    total: ShareSums
    channels: Mapping[str, ShareSums]
    own: list[OneShare]
    sharers: list[OneSharer]
    sharers_total: int
    shares: list[OneShare]
    complete: bool


@dataclass(frozen=True)
class _Share:
    share_id: str
    sharer_id: str
    channel: str
    sums: ShareSums


def of_activity(merchant_id: str, activity_id: str) -> ActivityShares:
    """What the shares of an activity have brought. Raises NotFound, Busy."""
    activities.read(merchant_id, activity_id)
    shares, complete = _shares(merchant_id, activity_id)
    by_id = {one.share_id: one.sums for one in shares}
    channels, sharers = _by(shares, "channel"), _by(shares, "sharer_id")
    sharers.pop("", None)  # the shop's own
    best = sorted((one for one in shares if one.sharer_id), key=lambda one: one.sums.rank)
    best = best[:SHARES_MAX]
    # Ids of one person come together once they are read: there may be fewer people than ids.
    most = sorted(sharers, key=lambda one: sharers[one].rank)[: 2 * SHARERS_MAX]
    people = _people(merchant_id, {*most, *(one.sharer_id for one in best)})
    return ActivityShares(
        total=together(channels.values()),
        channels=dict(sorted(channels.items(), key=lambda it: it[1].rank)),
        own=[
            OneShare(it.share_id, it.channel, it.name or "", by_id.get(it.share_id, ShareSums()))
            for it in shop_shares.of_activity(merchant_id, activity_id)
        ],
        sharers=_sharers([people[one] for one in most if one in people], sharers),
        sharers_total=len(sharers),
        shares=[
            OneShare(one.share_id, one.channel, _name(people.get(one.sharer_id)), one.sums)
            for one in best
        ],
        complete=complete,
    )


def _shares(merchant_id: str, activity_id: str) -> tuple[list[_Share], bool]:
    """(what each share has brought, whether these are all)."""
    most = ROWS_MAX // COUNTS_SHARDS

    def read(shard: int) -> list[ShareCountsItem]:
        pk = counts_pk(merchant_id, activity_id, shard)
        return list(ShareCountsItem.query(pk, limit=most))

    with deadline.Threads(WORKERS) as pool:
        shards = list(pool.map(read, range(COUNTS_SHARDS)))
    rows: dict[str, list[ShareCountsItem]] = defaultdict(list)
    for row in (row for shard in shards for row in shard):
        rows[row.share_id].append(row)
    shares = [
        _Share(share_id, of[0].sharer_id, of[0].channel, together(row.sums() for row in of))
        for share_id, of in rows.items()
    ]
    return shares, all(len(shard) < most for shard in shards)


def _by(shares: Collection[_Share], name: str) -> dict[str, ShareSums]:
    grouped: dict[str, list[ShareSums]] = defaultdict(list)
    for one in shares:
        grouped[getattr(one, name)].append(one.sums)
    return {key: together(sums) for key, sums in grouped.items()}


def _people(merchant_id: str, ids: Collection[str]) -> dict[str, BuyerItem]:
    """Who has each of these ids now: a call, and another where some were merged."""
    known: dict[str, BuyerItem] = {}
    wanted = set(ids)
    for _ in range(IDS_MAX):
        keys = [(buyer_pk(merchant_id, one), "buyer") for one in sorted(wanted - known.keys())]
        if not keys:
            break
        for item in TradeItem.batch_get(keys):
            if isinstance(item, BuyerItem):
                known[item.buyer_id] = item
        wanted = {it.merged_into for it in known.values() if it.merged_into}
    return {one: person for one in ids if (person := _root(one, known)) is not None}


def _root(buyer_id: str, known: Mapping[str, BuyerItem]) -> BuyerItem | None:
    person = known.get(buyer_id)
    while person is not None and person.merged_into:
        person = known.get(person.merged_into)
    return person


def _sharers(people: Collection[BuyerItem], sharers: Mapping[str, ShareSums]) -> list[OneSharer]:
    """What each of these people has brought, under all of their ids."""
    found = [
        OneSharer(
            buyer_id, person.name, together(sharers[one] for one in person.ids if one in sharers)
        )
        for buyer_id, person in {one.buyer_id: one for one in people}.items()
    ]
    return sorted(found, key=lambda one: one.sums.rank)[:SHARERS_MAX]


def _name(person: BuyerItem | None) -> str:
    return person.name if person is not None else ""
