"""Every workflow there is. A new one is a few lines in one of these modules."""

from tests.torture import (
    workflows_of_accounts,
    workflows_of_delivery,
    workflows_of_exchanges,
    workflows_of_groups,
    workflows_of_money,
    workflows_of_returns,
    workflows_of_shipping,
    workflows_of_staff,
    workflows_of_the_shop,
)
from tests.torture.workflow import WORKFLOWS

__all__ = [
    "WORKFLOWS",
    "workflows_of_accounts",
    "workflows_of_delivery",
    "workflows_of_exchanges",
    "workflows_of_groups",
    "workflows_of_money",
    "workflows_of_returns",
    "workflows_of_shipping",
    "workflows_of_staff",
    "workflows_of_the_shop",
]
