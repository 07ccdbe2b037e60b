"""What buyers read of what a shop offers for points."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.schemas import Fen, FreightShown, LevelShown, ResponseModel, Seconds
from chalicelib.domain.order import Delivery
from chalicelib.domain.points_offer import OfferState


class PointsOfferShown(ResponseModel, frozen=True, kw_only=True):
    """One unit costs `points`, and `price_fen` besides."""

    offer_id: str
    title: str
    sku_id: str
    spec: str
    image: str
    points: int
    price_fen: Fen
    solo_price_fen: Annotated[Fen, Meta(description="what a unit costs alone, without points")]
    state: OfferState
    per_buyer: Annotated[int, Meta(description="units, 0: no limit")]
    per_order: Annotated[int, Meta(description="units of one order at most")]
    level_from: Annotated[
        LevelShown | None, Meta(description="for members from that level on; null: for anybody")
    ]
    until_s: Annotated[Seconds, Meta(description="before when it can be had; 0: no end")]


class PointsOfferList(ResponseModel, frozen=True, kw_only=True):
    on: Annotated[bool, Meta(description="whether points can be exchanged in the shop now")]
    balance: Annotated[int | None, Meta(description="that the asker can spend; null: no session")]
    items: Annotated[list[PointsOfferShown], Meta(description="the newest first")]


class PointsOfferPage(PointsOfferShown, frozen=True, kw_only=True):
    on: Annotated[bool, Meta(description="whether points can be exchanged in the shop now")]
    balance: Annotated[int | None, Meta(description="that the asker can spend; null: no session")]
    images: list[str]
    description: Annotated[str, Meta(description="clean HTML: p, br, b, i, lists, h3, img")]
    unit: Annotated[str, Meta(description="what one of it is called; empty: not said")]
    deliveries: list[Delivery]
    freight: FreightShown
