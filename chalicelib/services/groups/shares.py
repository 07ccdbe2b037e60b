"""Shares: an invitation that knows its sharer and its channel, and counts who comes by it.

Buyers share groups. The shop spreads its activities by shares of its own, each with a name: what
hangs in a store, a flyer, an article.
"""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.ids import new_id
from chalicelib.domain.touches import VisitState
from chalicelib.errors import NotFound
from chalicelib.services.catalogue import links
from chalicelib.services.catalogue.links import Links
from chalicelib.services.orders import orders
from chalicelib.services.people import buyers
from chalicelib.settings import settings
from chalicelib.tables.base import LostRace, get_or_none, retried, transaction, update_one
from chalicelib.tables.shares import ShareCountsItem, ShareItem, VisitItem, counts_shards
from chalicelib.tables.trade import GroupItem

PAGE = "pages/group/group"  # of the mini-program
AGAIN_S = 3600  # a visitor who comes again within an hour has not come again


class ShareChannel(StrEnum):
    FRIEND = "friend"  # a card sent in a chat
    CHAT = "chat"  # a card sent to a group chat
    MOMENTS = "moments"
    POSTER = "poster"
    QR = "qr"  # face to face
    LINK = "link"
    STORE = "store"  # what hangs in a store
    FLYER = "flyer"
    OFFICIAL_ACCOUNT = "official_account"
    COMMUNITY = "community"  # groups of neighbours, which the shop posts to


@dataclass(frozen=True)
class Invitation(Links):
    """What leads to a group through one share."""

    share_id: str


class _Visited(Exception):
    """This visitor came before."""

    def __init__(self, old: VisitItem) -> None:
        super().__init__("visited")
        self.last_at_s = old.last_at_s or old.at_s


def share(
    merchant_id: str, group_id: str, sharer_id: str, channel: ShareChannel
) -> tuple[Invitation, GroupItem]:
    """An invitation to a group, and the group. Raises NotFound when there is no such group,
    SessionSuperseded for a closed account."""
    group = orders.find_group(merchant_id, group_id, consistent=False)
    if group is None or group.expires_at_s is None:  # not seen by others before its leader pays
        raise NotFound("没有找到这个团。")
    item = ShareItem.at(
        merchant_id,
        new_id(),
        group_id=group_id,
        activity_id=group.activity_id,
        sharer_id=sharer_id,
        channel=channel.value,
    )
    retried(lambda: _put(item))
    return invitation(item), group


def _put(item: ShareItem) -> None:
    with transaction() as writes:
        writes.put(item, refuse=LostRace)
        buyers.check_open(writes, item.merchant_id, item.sharer_id)


def invitation(item: ShareItem) -> Invitation:
    """What leads to a share's group; of the shop's own, to its activity."""
    if not item.group_id:
        leads = links.to_activity(item.merchant_id, item.activity_id, item.share_id)
        return Invitation(share_id=item.share_id, **vars(leads))
    return Invitation(
        share_id=item.share_id,
        path=f"{PAGE}?m={item.merchant_id}&g={item.group_id}&s={item.share_id}",
        link=f"{settings.web_url}/g/{item.group_id}/{item.share_id}",
        scene=f"s={item.share_id}",
    )


def visit(merchant_id: str, share_id: str, visitor_id: str, *, now_s: int) -> ShareItem:
    """Count a visit, once per visitor, and return the share it came by. Raises NotFound."""
    found = share_of(merchant_id, share_id)
    state = VisitState.NEW.value
    visit = VisitItem.at(merchant_id, share_id, visitor_id, at_s=now_s, state=state)
    shards = counts_shards(share_id)

    def step() -> None:
        counts = ShareCountsItem.of(merchant_id, found, next(shards))
        with transaction() as writes:
            writes.put(visit, refuse=_Visited)
            writes.add(counts, counts.adding({"visits": 1}))

    try:
        retried(step)
    except _Visited as before:
        if now_s - before.last_at_s >= AGAIN_S:
            again = [VisitItem.last_at_s.set(now_s)]
            update_one(visit, again, condition=VisitItem.pk.exists(), refuse=LostRace)
    return found


def share_of(merchant_id: str, share_id: str) -> ShareItem:
    """A share, which never changes. Raises NotFound."""
    found = get_or_none(ShareItem.at(merchant_id, share_id))
    if found is None:
        raise NotFound("这个邀请已失效。")
    return found
