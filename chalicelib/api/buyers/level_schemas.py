"""What buyers, and staff with an order of theirs, read of a person's level."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.buyers.points_schemas import PointsAccountShown
from chalicelib.api.schemas import LevelShown, RequestModel, ResponseModel


class NextLevelShown(LevelShown, frozen=True, kw_only=True):
    from_growth: int
    missing: Annotated[int, Meta(description="growth")]
    words: Annotated[str, Meta(description="what is missing")]


class LevelOffered(LevelShown, frozen=True, kw_only=True):
    from_growth: int
    benefits: list[str]


class BirthdayTold(RequestModel, frozen=True, kw_only=True):
    month: Annotated[int, Meta(ge=1, le=12)]
    day: Annotated[int, Meta(ge=1, le=31)]


class BirthdayShown(ResponseModel, frozen=True, kw_only=True):
    month: int
    day: int


class OwnLevel(ResponseModel, frozen=True, kw_only=True):
    on: Annotated[bool, Meta(description="whether the shop has levels now")]
    no: Annotated[int, Meta(description="0: none yet")]
    name: Annotated[str, Meta(description="empty: none yet")]
    growth: int
    next: Annotated[NextLevelShown | None, Meta(description="null: there is no higher one")]
    rules: Annotated[list[str], Meta(description="how one grows")]
    levels: Annotated[list[LevelOffered], Meta(description="the lowest first")]
    birthday: Annotated[BirthdayShown | None, Meta(description="null: not told yet")]
    invitations: Annotated[
        bool, Meta(description="whether new buyers bring something now: GET /v1/me/invitations")
    ]
    rewards: Annotated[
        bool, Meta(description="whether groups bring rewards in the shop now: GET /v1/me/rewards")
    ]
    birthday_gift: Annotated[bool, Meta(description="whether a level gives a coupon on that day")]


class BuyersAccountShown(PointsAccountShown, frozen=True, kw_only=True):
    """What staff read of the points and the level of who placed an order."""

    growth: int
    level: Annotated[LevelShown | None, Meta(description="null: none")]
