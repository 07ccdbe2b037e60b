"""Every workflow there is. A new one is a few lines in one of these modules."""

from tests.laws.faults.workflows import (
    accounts,
    delivery,
    exchanges,
    groups,
    invitations,
    money,
    points,
    returns,
    rewards,
    shipping,
    shop,
    spreading,
    staff,
)
from tests.laws.faults.workflows.registry import WORKFLOWS

__all__ = [
    "WORKFLOWS",
    "accounts",
    "delivery",
    "exchanges",
    "groups",
    "invitations",
    "money",
    "points",
    "returns",
    "rewards",
    "shipping",
    "shop",
    "spreading",
    "staff",
]
