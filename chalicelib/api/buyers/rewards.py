"""/v1/me/rewards: what a buyer has been given for groups that formed, and what comes next."""

from chalicelib import clock
from chalicelib.api import reward_schemas as schemas
from chalicelib.api import reward_shapes
from chalicelib.api.auth import Buyer
from chalicelib.api.http import Api, Audience
from chalicelib.services.growth import rewards
from chalicelib.services.people import buyers

api = Api(__name__, audience=Audience.BUYER)


@api.operation("GET", "/me/rewards")
def read_own_rewards(who: Buyer) -> schemas.OwnRewards:
    """The buyer's rewards, and how many groups are missing from the next one."""
    buyers.read_open(who.merchant_id, who.buyer_id)
    now_s = clock.now_s()
    rule = rewards.rule(who.merchant_id, now_s)
    return schemas.OwnRewards(
        on=rule.on,
        rules=rule.words,
        gives=reward_shapes.gives(who.merchant_id, rule, now_s),
        every=rule.every,
        counted=len(rewards.progress(who.merchant_id, who.ids, now_s=now_s)),
        items=reward_shapes.of_person(who.merchant_id, who.ids),
    )
