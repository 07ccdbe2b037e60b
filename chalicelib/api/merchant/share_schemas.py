"""What staff read of shares, and of what these have brought."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.schemas import Id, RequestModel, ResponseModel
from chalicelib.services.groups import shop_shares
from chalicelib.services.groups.shares import ShareChannel

SHOP_CHANNEL = rf"^({'|'.join(shop_shares.CHANNELS)})\Z"


class ShopShareRequest(RequestModel, frozen=True, kw_only=True):
    """Where the shop spreads an activity."""

    channel: Annotated[str, Meta(pattern=SHOP_CHANNEL)]
    name: Annotated[str, Meta(min_length=1, max_length=shop_shares.NAME_MAX)]


class ShopShare(ResponseModel, frozen=True, kw_only=True):
    share_id: str
    channel: ShareChannel
    name: str
    path: Annotated[str, Meta(description="opens the activity in the mini-program")]
    link: Annotated[str, Meta(description="opens it in a browser")]


class LinksQuery(RequestModel, frozen=True, kw_only=True):
    share_id: Annotated[Id | None, Meta(description="of the shop's own")] = None


class BroughtShown(ResponseModel, frozen=True, kw_only=True):
    """Seats that shares have brought."""

    taken: Annotated[int, Meta(description="groups opened or joined, paid or not")]
    paid: int
    formed: Annotated[int, Meta(description="paid ones, in groups that formed")]
    refunded: Annotated[int, Meta(description="paid ones of which nothing is left")]
    paid_fen: Annotated[int | None, Meta(description="Null without the right statistics:view.")]
    refunded_fen: Annotated[
        int | None, Meta(description="of paid ones. Null without the right statistics:view.")
    ]


class ShareFigures(ResponseModel, frozen=True, kw_only=True):
    visits: Annotated[int, Meta(description="people who came, each once by each share")]
    last: Annotated[BroughtShown, Meta(description="by who came by them last before they bought")]
    first: Annotated[BroughtShown, Meta(description="by who came by them first")]


class ChannelFigures(ResponseModel, frozen=True, kw_only=True):
    channel: ShareChannel
    figures: ShareFigures


class OwnShareFigures(ResponseModel, frozen=True, kw_only=True):
    share: ShopShare
    figures: ShareFigures


class SharerFigures(ResponseModel, frozen=True, kw_only=True):
    buyer_id: str
    name: Annotated[str, Meta(description="empty: none, or the account is closed")]
    figures: ShareFigures


class BuyersShareFigures(ResponseModel, frozen=True, kw_only=True):
    share_id: str
    channel: ShareChannel
    name: Annotated[str, Meta(description="of who shared it")]
    figures: ShareFigures


class ActivityShareFigures(ResponseModel, frozen=True, kw_only=True):
    """What the shares of an activity have brought; what brought most comes first."""

    days: Annotated[int, Meta(description="before a purchase, in which a visit counts")]
    total: ShareFigures
    channels: list[ChannelFigures]
    own: Annotated[list[OwnShareFigures], Meta(description="the shop's, the newest first")]
    sharers: Annotated[list[SharerFigures], Meta(description="50 at most")]
    sharers_total: int
    shares: Annotated[list[BuyersShareFigures], Meta(description="buyers', 50 at most")]
    complete: Annotated[bool, Meta(description="false: there are more shares than are added up")]
