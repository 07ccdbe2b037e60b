"""What staff send and receive about points offers. Amounts are whole fen, times epoch seconds UTC.

What an offer may say is decided by the domain, which tells all problems at once.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.api.merchant.catalogue_schemas import Revision
from chalicelib.api.schemas import Fen, Id, RequestModel, Seconds
from chalicelib.domain.levels import LEVELS_MAX
from chalicelib.domain.points_offer import NAME_MAX, OfferState

OfferName = Annotated[str, Meta(min_length=1, max_length=NAME_MAX)]
Count = Annotated[int, Meta(ge=0, le=99_999_999)]


class PointsOfferInput(RequestModel, frozen=True, kw_only=True):
    """A unit costs `points`, and `price_fen` besides. `total` units are moved from the product."""

    name: OfferName
    product_id: Id
    sku_id: Id
    points: Count
    price_fen: Count = 0
    total: Count
    per_buyer: Annotated[Count, Meta(description="units, 0: no limit")] = 0
    level_from: Annotated[
        int, Meta(ge=0, le=LEVELS_MAX, description="for members from it on; 0: for anybody")
    ] = 0
    until_s: Annotated[int, Meta(ge=0, le=9_999_999_999, description="0: no end")] = 0


class PointsOfferChange(RequestModel, frozen=True, kw_only=True):
    name: OfferName
    total: Annotated[int, Meta(ge=1, le=99_999_999)]
    revision: Revision


class PointsOffer(msgspec.Struct, frozen=True, kw_only=True):
    offer_id: str
    name: str
    product_id: str
    product_title: Annotated[str, Meta(description="empty: there is no such product any more")]
    sku_id: str
    spec: str
    image: str
    on_sale: Annotated[bool, Meta(description="false: its product is not, so that nobody gets it")]
    points: int
    price_fen: Fen
    total: int
    taken: Annotated[int, Meta(description="units that were exchanged, and have not come back")]
    points_taken: Annotated[int, Meta(description="what these units cost in points")]
    per_buyer: int
    level_from: int
    until_s: Seconds
    created_at_s: Seconds
    state: OfferState
    revision: int


class PointsOffersOfShop(msgspec.Struct, frozen=True):
    on: Annotated[bool, Meta(description="whether the shop has points: else nobody gets any")]
    items: Annotated[list[PointsOffer], Meta(description="the newest first")]
