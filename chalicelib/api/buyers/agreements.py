"""What a shop asks its buyers to agree to, and their consent."""

from chalicelib import clock
from chalicelib.api.auth import Buyer
from chalicelib.api.buyers import me_schemas as schemas
from chalicelib.api.http import Api, Audience
from chalicelib.domain.agreements import TITLES
from chalicelib.errors import Changed, NotFound
from chalicelib.services.people import agreements
from chalicelib.text import Text

api = Api(__name__, audience=Audience.BUYER)


@api.operation(
    "GET", "/merchants/{merchant_id}/agreements", audience=Audience.PUBLIC, refusals=[NotFound]
)
def read_agreements(merchant_id: str) -> schemas.AgreementList:
    """The texts in force: user agreement, privacy policy, rules of group buying."""
    in_force, _ = agreements.read(merchant_id)
    return schemas.AgreementList(
        items=[
            schemas.Agreement(
                kind=one.kind, title=Text(TITLES[one.kind]), version=one.version, text=one.text
            )
            for one in in_force
        ]
    )


@api.operation("POST", "/me/consents", status=201, refusals=[Changed])
def accept_agreements(who: Buyer, body: schemas.ConsentRequest) -> schemas.ConsentState:
    """Accept versions of agreements, on record with the time."""
    to_accept = agreements.consent(
        who.merchant_id,
        who.ids,
        [(one.kind, one.version) for one in body.accepted],
        now_s=clock.now_s(),
    )
    return schemas.ConsentState(to_accept=to_accept)
