"""Rewards of buyers: the shop's rule, what a person has been given, and what they wait for.

An order that is completed, or has gone back since, marks its buyer (`mark`) in the transaction that
changes it; services.orders.reward_grants reckons what they are owed.
"""

from collections.abc import Sequence

from chalicelib.domain.order_transitions import Transition
from chalicelib.domain.rewards import RewardsRule, counting
from chalicelib.services.people import merchants, shop_cache
from chalicelib.tables.base import Writes
from chalicelib.tables.rewards import RewardItem, RewardsItem
from chalicelib.tables.shop import MerchantItem
from chalicelib.tables.trade import OrderItem
from chalicelib.tables.trade_item import TradeItem, buyer_pk


def rule(merchant_id: str, now_s: int) -> RewardsRule:
    """The shop's rule as it acts, as old as its other settings."""
    return _acting(shop_cache.merchant(merchant_id, now_s))


def present_rule(merchant_id: str) -> RewardsRule:
    """The rule as it acts now, for who takes off the mark: an old one would give nothing, and
    nothing would have it asked again."""
    return _acting(merchants.read(merchant_id))


def concern(order: OrderItem, change: Transition) -> bool:
    """Whether the change of an order may bring its buyer a reward, or take one back. A shop that
    has switched them off still takes back."""
    if not change.completes or order.group_id is None:
        return False
    if order.leader_coupon is not None:
        return True
    known = rule(order.merchant_id, change.happened_at_s)
    return known.on or known.since_s > 0


def mark(writes: Writes, merchant_id: str, buyer_id: str, *, now_s: int) -> None:
    """Have what a buyer is owed reckoned anew, with the write that changes an order of theirs."""
    item = RewardsItem.at(merchant_id, buyer_id)
    if not writes.has_added(item):
        writes.add(item, item.moved(now_s))


def items_of(merchant_id: str, ids: Sequence[str]) -> dict[str, RewardsItem]:
    """What there is under the ids of a person, as it is now, in one call."""
    keys = [(buyer_pk(merchant_id, one), "rewards") for one in ids]
    found = TradeItem.batch_get(keys, consistent_read=True)
    return {item.buyer_id: item for item in found if isinstance(item, RewardsItem)}


def given(merchant_id: str, ids: Sequence[str]) -> list[RewardItem]:
    """All rewards that a person was given, the newest first: one query per id."""
    found: list[RewardItem] = []
    for one in ids:
        among = RewardItem.sk.startswith("reward#")
        found += RewardItem.query(buyer_pk(merchant_id, one), among, consistent_read=True)
    return sorted(found, key=lambda item: (-item.at_s, item.pk, -item.number))


def progress(merchant_id: str, ids: Sequence[str], *, now_s: int) -> list[int]:
    """When the groups were completed that count towards a person's next reward now."""
    items = items_of(merchant_id, ids).values()
    waiting = sorted(at_s for item in items for at_s in item.waiting)
    return counting(rule(merchant_id, now_s), waiting, now_s=now_s)


def _acting(shop: MerchantItem) -> RewardsRule:
    return merchants.rewards_of_shop(shop).acting(has_points=merchants.rule_of_shop(shop).on)
