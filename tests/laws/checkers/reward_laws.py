"""Laws of rewards: given once for groups that formed, and gone with what brought them."""

from collections import Counter
from collections.abc import Callable, Iterator

from chalicelib.domain.order import OrderStatus
from chalicelib.domain.points import rule_of as points_rule_of
from chalicelib.domain.points_account import PointsKind
from chalicelib.domain.rewards import Counted, RewardFor, RewardState, reckon, rule_of
from chalicelib.tables.invitations import InvitationItem
from chalicelib.tables.rewards import RewardItem, RewardsItem
from chalicelib.tables.shop import MerchantItem
from tests.fixtures.table_snapshot import TableSnapshot
from tests.laws.checkers.points_laws import entries_of, root_of

Violations = Iterator[str]


def once(snapshot: TableSnapshot) -> Violations:
    """An order is in one reward of its buyer's that stands, and in one for its leader ever."""
    seen: Counter[tuple[str, str]] = Counter()
    for item in _rewards(snapshot):
        what = f"36 rewards: {item.why} {item.number} of {item.buyer_id}"
        for order_id in item.orders:
            order = snapshot.orders.get(order_id)
            if order is None or not _same(snapshot, order.buyer_id, item.buyer_id):
                yield f"{what} is for another's order {order_id}"
            if item.why == RewardFor.LEADER or item.taken_back_at_s is None:
                seen[item.why, order_id] += 1
    for (why, order_id), count in seen.items():
        if count > 1:
            yield f"36 rewards: order {order_id} is in {count} for {why}"


def coupons(snapshot: TableSnapshot) -> Violations:
    """A reward's coupon is taken back with it unless it is used, and no other is."""
    given = {item.coupon_id: item for item in _rewards(snapshot) if item.coupon_id}
    for coupon_id, item in given.items():
        coupon = snapshot.coupons.get(coupon_id)
        gone = coupon is not None and coupon.taken_back_at_s is not None
        if coupon is None or gone != (item.state == RewardState.TAKEN_BACK):
            yield f"36 rewards: coupon {coupon_id} of a reward {item.state} is gone: {gone}"
    of_invitations = {
        coupon_id
        for item in snapshot.items
        if isinstance(item, InvitationItem)
        for coupon_id in (item.coupon_id, item.gift_coupon_id)
    }
    for coupon_id, coupon in snapshot.coupons.items():
        if coupon.taken_back_at_s is not None and coupon_id not in {*given, *of_invitations}:
            yield f"36 rewards: coupon {coupon_id} was taken back and is no reward"


def points(snapshot: TableSnapshot) -> Violations:
    """The accounts have got, and given back, what the rewards say."""
    owed: Counter[tuple[str, PointsKind]] = Counter()
    for item in _rewards(snapshot):
        owed[item.buyer_id, PointsKind.REWARDED] += item.points
        if item.taken_back_at_s is not None:
            owed[item.buyer_id, PointsKind.REWARD_TAKEN_BACK] -= item.points
    for buyer_id, account in snapshot.points.items():
        for entry in entries_of(snapshot, account):
            if entry.kind in (PointsKind.REWARDED, PointsKind.REWARD_TAKEN_BACK):
                owed[buyer_id, entry.kind] -= entry.points
    for (buyer_id, kind), count in owed.items():
        if count:
            yield f"36 rewards: {buyer_id} has {-count} points more {kind} than their rewards say"


def reckoned(snapshot: TableSnapshot) -> Violations:
    """Nobody is owed a reward, or has one for an order that has gone back; nobody is marked."""
    shop = next((item for item in snapshot.items if isinstance(item, MerchantItem)), None)
    rule = rule_of(shop.rewards.as_dict() if shop is not None and shop.rewards else None)
    points = points_rule_of(shop.points.as_dict() if shop is not None and shop.points else None)
    rule = rule.acting(has_points=points.on)
    for buyer_id, buyer in snapshot.buyers.items():
        if buyer.merged_into is not None or buyer.erased_at_s is not None:
            continue
        counted = [
            Counted(order_id, order.received_at_s or 0, order.leader_coupon or "")
            for order_id, order in snapshot.orders.items()
            if order.buyer_id in buyer.ids
            and order.status == OrderStatus.COMPLETED
            and order.group_id is not None
        ]
        given = [item.view() for item in _rewards(snapshot) if item.buyer_id in buyer.ids]
        found = reckon(rule, counted, given, now_s=snapshot.now_s)
        if found.owed or found.broken:
            yield f"36 rewards: {buyer_id} is owed {found.owed}, has to give back {found.broken}"
    for item in snapshot.items:
        if isinstance(item, RewardsItem) and item.due_at_s is not None:
            yield f"36 rewards: what {item.buyer_id} is owed is yet to be reckoned"


def _rewards(snapshot: TableSnapshot) -> list[RewardItem]:
    return [item for item in snapshot.items if isinstance(item, RewardItem)]


def _same(snapshot: TableSnapshot, one: str, other: str) -> bool:
    return root_of(snapshot, one) == root_of(snapshot, other)


Law = Callable[[TableSnapshot], Violations]
LAWS: tuple[Law, ...] = (once, coupons, points)
FINAL: tuple[Law, ...] = (reckoned,)
