"""/v1/me/invitations: whom a buyer has brought to the shop, and what that brings them."""

from chalicelib import clock
from chalicelib.api import invitation_schemas as schemas
from chalicelib.api import invitation_shapes
from chalicelib.api.auth import Buyer
from chalicelib.api.http import Api, Audience
from chalicelib.services.growth import invitations
from chalicelib.services.people import buyers

api = Api(__name__, audience=Audience.BUYER)


@api.operation("GET", "/me/invitations")
def read_own_invitations(who: Buyer) -> schemas.OwnInvitations:
    """What an invitation brings, and those of the buyer with what has become of them."""
    buyers.read_open(who.merchant_id, who.buyer_id)
    now_s = clock.now_s()
    rule = invitations.rule(who.merchant_id, now_s)
    return schemas.OwnInvitations(
        on=rule.on,
        rules=rule.words,
        gives=invitation_shapes.gives(who.merchant_id, rule, now_s),
        gift=invitation_shapes.gift(who.merchant_id, rule, now_s),
        items=invitation_shapes.of_person(who.merchant_id, who.ids),
    )
