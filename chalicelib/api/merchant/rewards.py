"""/v1/merchant/rewards: what buyers have been given for groups that formed."""

from functools import partial

from chalicelib.api import pages, reward_shapes
from chalicelib.api import reward_schemas as schemas
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api
from chalicelib.domain.rights import Area, view
from chalicelib.services.reports import reward_lists

api = Api(__name__, prefix="/v1/merchant")


@api.operation("GET", "/rewards", right=view(Area.MEMBERS))
def list_rewards(who: Staff, query: schemas.RewardsQuery) -> schemas.RewardPage:
    """The shop's rewards, the newest first; what is given is a setting of the shop."""
    read = partial(reward_lists.page, who.merchant_id)
    scope = ("rewards", who.merchant_id)
    return pages.page(schemas.RewardPage, query, scope, read, reward_shapes.of_buyer)
