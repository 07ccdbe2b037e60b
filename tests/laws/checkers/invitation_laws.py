"""Laws of invitations: one of a person's is granted at most, for a first purchase that a visited
share came before; what it brought is what the books say."""

from collections import Counter
from collections.abc import Callable, Iterator

from chalicelib.domain.invitations import InvitationState
from chalicelib.domain.order import OrderStatus
from chalicelib.domain.points_account import PointsKind
from chalicelib.tables.invitations import InvitationItem
from chalicelib.tables.shares import ShareItem, VisitItem
from tests.fixtures.table_snapshot import TableSnapshot
from tests.laws.checkers.points_laws import entries_of, root_of

Violations = Iterator[str]


def granted(snapshot: TableSnapshot) -> Violations:
    """One invitation of a person is granted at most, by another, whose share was visited before the
    order, which was paid."""
    shares = {it.share_id: it for it in snapshot.items if isinstance(it, ShareItem)}
    seen = {it.pk.rpartition("#")[0] for it in snapshot.items if isinstance(it, VisitItem)}
    for item in invitations_of(snapshot):
        if item.granted_at_s is None:
            continue
        what = f"37 invitations: that of {item.buyer_id} was granted"
        share, order = shares.get(item.share_id or ""), snapshot.orders.get(item.order_id or "")
        if share is None or share.sharer_id != item.inviter_id or share.pk not in seen:
            yield f"{what} for a share that nobody visited"
        if order is None or root_of(snapshot, order.buyer_id) != root_of(snapshot, item.buyer_id):
            yield f"{what} for another's order"
        elif order.group_id is None or order.order_id.placed_at_s < (item.touched_at_s or 0):
            yield f"{what} for order {item.order_id}, which it did not bring"


def coupons(snapshot: TableSnapshot) -> Violations:
    """What an invitation brought is gone once that is over, unless it is used."""
    for item in invitations_of(snapshot):
        for coupon_id, kept in (
            (item.coupon_id, item.coupon_kept),
            (item.gift_coupon_id, item.gift_kept),
        ):
            if not coupon_id:
                continue
            coupon = snapshot.coupons.get(coupon_id)
            gone = coupon is not None and coupon.taken_back_at_s is not None
            if coupon is None or gone != (item.ended_at_s is not None and not kept):
                yield f"37 invitations: coupon {coupon_id} of one {item.state} is gone: {gone}"


def points(snapshot: TableSnapshot) -> Violations:
    """The accounts have got, and given back, what the invitations say."""
    owed: Counter[tuple[str, PointsKind]] = Counter()
    for item in invitations_of(snapshot):
        to = item.granted_to or ""
        owed[to, PointsKind.INVITED] += item.points_given
        if item.state == InvitationState.TAKEN_BACK and not _is_closed(snapshot, to, item):
            owed[to, PointsKind.INVITATION_TAKEN_BACK] -= item.points_given
    for buyer_id, account in snapshot.points.items():
        for entry in entries_of(snapshot, account):
            if entry.kind in (PointsKind.INVITED, PointsKind.INVITATION_TAKEN_BACK):
                owed[buyer_id, entry.kind] -= entry.points
    for (buyer_id, kind), count in owed.items():
        if count:
            yield f"37 invitations: {buyer_id} has {-count} points more {kind} than were given"


def _is_closed(snapshot: TableSnapshot, buyer_id: str, item: InvitationItem) -> bool:
    """Whether the account was closed before the invitation ended: it has nothing to give back."""
    account = snapshot.points.get(buyer_id)
    closed_at_s = account.closed_at_s if account is not None else None
    return closed_at_s is not None and closed_at_s <= (item.ended_at_s or 0)


def decided(snapshot: TableSnapshot) -> Violations:
    """What is granted stands: for the first purchase of a person, who is not their inviter, of an
    order that has not gone back; once. Nothing that is due is undecided."""
    standing: Counter[str] = Counter()
    for item in invitations_of(snapshot):
        what = f"37 invitations: that of {item.buyer_id} is {item.state}"
        if item.due_at_s is not None and item.due_at_s <= snapshot.now_s:
            yield f"{what} and yet to be decided"
        if item.state == InvitationState.GRANTED:
            person = root_of(snapshot, item.buyer_id)
            standing[person] += 1
            if person == root_of(snapshot, item.inviter_id or ""):
                yield f"{what}, by themselves"
            if item.order_id != _first_of(snapshot, person):
                yield f"{what}, who had bought before, or whose order went back"
    for person, count in standing.items():
        if count > 1:
            yield f"37 invitations: {count} of {person} are granted"


def _first_of(snapshot: TableSnapshot, person: str) -> str:
    """The first purchase of a person, if it is completed."""
    bought = [
        order
        for order in snapshot.orders.values()
        if root_of(snapshot, order.buyer_id) == person
        and order.view().is_purchase
        and order.status != OrderStatus.PENDING
    ]
    first = min(bought, key=lambda it: (it.order_id.placed_at_s, str(it.order_id)))
    return str(first.order_id) if first.status == OrderStatus.COMPLETED else ""


def invitations_of(snapshot: TableSnapshot) -> list[InvitationItem]:
    return [item for item in snapshot.items if isinstance(item, InvitationItem)]


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (granted, coupons, points)
FINAL: tuple[Law, ...] = (decided,)
