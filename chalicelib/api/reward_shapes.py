"""Rewards for groups that formed, as answers show them."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.api import reward_schemas as schemas
from chalicelib.api.schemas import from_attributes
from chalicelib.domain.rewards import RewardFor, RewardsRule, RewardState
from chalicelib.services.catalogue import catalogue_cache, promised_coupons
from chalicelib.services.growth import points, rewards
from chalicelib.tables.rewards import RewardItem
from chalicelib.text import Text

SHOWN_MAX = 100  # of one buyer, the newest
STATES: Mapping[RewardState, str] = {
    RewardState.GIVEN: "已发放",
    RewardState.NONE_LEFT: "优惠券已发完，或已达每人上限，没有发放",
    RewardState.TAKEN_BACK: "已收回",
    RewardState.USED: "已收回，用掉的优惠券除外",
}


def of_person(merchant_id: str, ids: Sequence[str]) -> list[schemas.RewardShown]:
    """The rewards that a person was given, the newest first."""
    items = rewards.given(merchant_id, ids)[:SHOWN_MAX]
    return [schemas.RewardShown(**fields(item)) for item in items]


def fields(item: RewardItem) -> dict[str, Any]:
    """What buyers and staff are shown of a reward."""
    words = Text("拼成 {groups} 个团", groups=len(item.orders))
    if item.why == RewardFor.LEADER:
        words = Text("开的团拼成了")
    return {
        "at_s": item.at_s,
        "why": RewardFor(item.why),
        "words": words,
        "orders": list(item.orders),
        "coupon": item.coupon,
        "points": item.points,
        "state": item.state,
        "state_words": Text(STATES[item.state]),
    }


def of_buyer(found: tuple[RewardItem, str]) -> schemas.RewardOfBuyer:
    """A reward as staff see it, with what its buyer goes by."""
    item, name = found
    return from_attributes(schemas.RewardOfBuyer, item, **fields(item), name=name)


def gives(merchant_id: str, rule: RewardsRule, now_s: int) -> str:
    """What so many groups bring now; empty: nothing."""
    return brought(merchant_id, rule.on, rule.coupon_id, rule.points, now_s)


def brought(merchant_id: str, on: bool, coupon_id: str, count: int, now_s: int) -> str:
    """A coupon and points that a rule gives now, in words; empty: nothing."""
    worth = promised_coupons.told(merchant_id, coupon_id, now_s) if on else ""
    count = count if on and points.rule(merchant_id, now_s).on else 0
    coupon = catalogue_cache.coupon(merchant_id, coupon_id, now_s) if worth else None
    name = coupon.name if coupon is not None else ""
    if worth and count:
        words = "优惠券「{name}」（{worth}）和 {points} 积分"
        return Text(words, name=name, worth=worth, points=count)
    if worth:
        return Text("优惠券「{name}」（{worth}）", name=name, worth=worth)
    return Text("{points} 积分", points=count) if count else ""
