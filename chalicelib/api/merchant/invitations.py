"""/v1/merchant/invitations: who invited whom, and those that staff decide about."""

from functools import partial

from chalicelib import clock
from chalicelib.api import invitation_schemas as schemas
from chalicelib.api import invitation_shapes, pages
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import Conflict, InvalidRequest, NotFound
from chalicelib.services.orders import invitation_decisions
from chalicelib.services.reports import invitation_lists
from chalicelib.tables.invitations import InvitationItem

api = Api(__name__, prefix="/v1/merchant")


@api.operation("GET", "/invitations", right=view(Area.MEMBERS))
def list_invitations(who: Staff, query: schemas.InvitationsQuery) -> schemas.InvitationPage:
    """The shop's invitations of one state, the latest first; the rule is a setting of the shop."""
    read = partial(invitation_lists.page, who.merchant_id, query.state)
    scope = ("invitations", who.merchant_id, query.state)
    return pages.page(schemas.InvitationPage, query, scope, read, invitation_shapes.shown)


@api.operation(
    "POST",
    "/invitations/{buyer_id}/allowance",
    right=act(Area.MEMBERS),
    refusals=[NotFound, Conflict],
)
def allow_invitation(who: Staff, buyer_id: str) -> schemas.InvitationShown:
    """Let an invitation count that was held; a repeat changes nothing."""
    return _shown(
        invitation_decisions.allow(
            who.merchant_id, buyer_id, staff=who.username, now_s=clock.now_s()
        )
    )


@api.operation(
    "POST",
    "/invitations/{buyer_id}/refusal",
    right=act(Area.MEMBERS),
    refusals=[NotFound, Conflict, InvalidRequest],
)
def refuse_invitation(
    who: Staff, buyer_id: str, body: schemas.InvitationRefusal
) -> schemas.InvitationShown:
    """Let an invitation that was held come to nothing; a repeat changes nothing."""
    return _shown(
        invitation_decisions.refuse(
            who.merchant_id, buyer_id, body.reply, staff=who.username, now_s=clock.now_s()
        )
    )


def _shown(item: InvitationItem) -> schemas.InvitationShown:
    [listed] = invitation_lists.with_names(item.merchant_id, [item])
    return invitation_shapes.shown(listed)
