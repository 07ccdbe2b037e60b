"""/v1/merchant/agreements: what the shop asks its buyers to agree to."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from chalicelib import clock
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api
from chalicelib.api.schemas import RequestModel, ResponseModel
from chalicelib.domain.agreements import TEXT_MAX, TITLES, AgreementKind
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import Changed
from chalicelib.services.people import agreements
from chalicelib.text import Text

api = Api(__name__, prefix="/v1/merchant")


class AgreementsChange(RequestModel, frozen=True, kw_only=True):
    texts: Annotated[
        dict[AgreementKind, Annotated[str, Meta(max_length=TEXT_MAX)]],
        Meta(description="What is left out stays; a blank one is the usual text."),
    ]
    revision: Annotated[int, Meta(ge=0, description="As read; 0: never changed.")]


class ShopAgreement(ResponseModel, frozen=True, kw_only=True):
    kind: AgreementKind
    title: str
    version: Annotated[int, Meta(description="0: the usual text, which was never changed.")]
    text: str
    usual: Annotated[str, Meta(description="The text that comes with the product.")]


class ShopAgreements(ResponseModel, frozen=True, kw_only=True):
    items: list[ShopAgreement]
    text_max: int
    revision: int


@api.operation("GET", "/agreements", right=view(Area.SETTINGS))
def read_shop_agreements(who: Staff) -> ShopAgreements:
    """The agreements in force, and the texts that come with the product."""
    return _shown(*agreements.read(who.merchant_id))


@api.operation("PUT", "/agreements", right=act(Area.SETTINGS), refusals=[Changed])
def change_agreements(who: Staff, body: AgreementsChange) -> ShopAgreements:
    """Put other texts in force: each is another version, which buyers are asked to accept."""
    changed = agreements.change(
        who.merchant_id,
        body.texts,
        revision=body.revision,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _shown(*changed)


def _shown(in_force: Sequence[agreements.Agreement], revision: int) -> ShopAgreements:
    return ShopAgreements(
        items=[
            ShopAgreement(
                kind=one.kind,
                title=Text(TITLES[one.kind]),
                version=one.version,
                text=one.text,
                usual=one.usual,
            )
            for one in in_force
        ],
        text_max=TEXT_MAX,
        revision=revision,
    )
