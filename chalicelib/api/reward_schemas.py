"""What buyers and staff read of rewards for groups that formed."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.schemas import PageQuery, ResponseModel, Seconds
from chalicelib.domain.rewards import RewardFor, RewardState


class RewardShown(ResponseModel, frozen=True, kw_only=True):
    at_s: Seconds
    why: RewardFor
    words: Annotated[str, Meta(description="what it was given for")]
    orders: Annotated[list[str], Meta(description="that it was given for, the earliest first")]
    coupon: Annotated[str, Meta(description="its name; empty: it brought none")]
    points: int
    state: RewardState
    state_words: str


class OwnRewards(ResponseModel, frozen=True, kw_only=True):
    """What the shop gives for groups that formed, and what the buyer has got."""

    on: Annotated[bool, Meta(description="whether so many groups bring a reward now")]
    rules: list[str]
    gives: Annotated[str, Meta(description="what a reward is; empty: there is none to give now")]
    every: int
    counted: Annotated[int, Meta(description="groups that count towards the next one")]
    items: Annotated[list[RewardShown], Meta(description="the newest first")]


class RewardOfBuyer(RewardShown, frozen=True, kw_only=True):
    """A reward as staff see it."""

    buyer_id: str
    name: Annotated[str, Meta(description="that the buyer goes by; empty: none, or closed")]
    taken_back_at_s: Seconds | None


class RewardsQuery(PageQuery, frozen=True):
    """A page of the shop's rewards."""


class RewardPage(ResponseModel, frozen=True, kw_only=True):
    items: Annotated[list[RewardOfBuyer], Meta(description="the newest first")]
    next: str | None
