"""/v1/merchant/activities/…/shares: where the shop spreads an activity, and what shares bring."""

from chalicelib import clock
from chalicelib.api import auth
from chalicelib.api.http import Api
from chalicelib.api.merchant import share_schemas as schemas
from chalicelib.api.once import HEADERS, once
from chalicelib.api.schemas import from_attributes
from chalicelib.domain.attribution import Brought, ShareSums
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import Conflict, IdempotencyMismatch, InvalidRequest, NotFound
from chalicelib.services.catalogue import links
from chalicelib.services.groups import shop_shares
from chalicelib.services.groups.shares import ShareChannel
from chalicelib.services.people import shop_cache
from chalicelib.services.reports import share_figures
from chalicelib.services.reports.share_figures import OneShare

api = Api(__name__, prefix="/v1/merchant")


@api.operation(
    "POST",
    "/activities/{activity_id}/shares",
    right=act(Area.ACTIVITIES),
    status=201,
    refusals=[NotFound, InvalidRequest, Conflict, IdempotencyMismatch],
    headers=HEADERS,
)
def make_shop_share(
    activity_id: str, who: auth.Staff, body: schemas.ShopShareRequest
) -> schemas.ShopShare:
    """Spread an activity by a share of the shop's own, which what it brings is counted for."""
    made = once(api.current_request, who, "shop share")
    item = shop_shares.make(
        who.merchant_id,
        activity_id,
        made.item_id,
        ShareChannel(body.channel),
        body.name,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _own(who.merchant_id, activity_id, item.share_id, item.channel, item.name or "")


@api.operation(
    "GET",
    "/activities/{activity_id}/shares",
    right=view(Area.ACTIVITIES),
    refusals=[NotFound],
)
def read_share_figures(activity_id: str, who: auth.Staff) -> schemas.ActivityShareFigures:
    """What the shares of an activity have brought: by channel, by the shop's own, by who shared."""
    merchant_id, money = who.merchant_id, who.may(view(Area.STATISTICS))
    found = share_figures.of_activity(merchant_id, activity_id)

    def own(one: OneShare) -> schemas.ShopShare:
        return _own(merchant_id, activity_id, one.share_id, one.channel, one.name)

    def figures(sums: ShareSums) -> schemas.ShareFigures:
        last, first = _brought(sums.last, money), _brought(sums.first, money)
        return schemas.ShareFigures(visits=sums.visits, last=last, first=first)

    return schemas.ActivityShareFigures(
        days=shop_cache.merchant(merchant_id, clock.now_s()).attribution_days,
        total=figures(found.total),
        channels=[
            schemas.ChannelFigures(channel=ShareChannel(channel), figures=figures(sums))
            for channel, sums in found.channels.items()
        ],
        own=[
            schemas.OwnShareFigures(share=own(one), figures=figures(one.sums)) for one in found.own
        ],
        sharers=[
            schemas.SharerFigures(buyer_id=one.buyer_id, name=one.name, figures=figures(one.sums))
            for one in found.sharers
        ],
        sharers_total=found.sharers_total,
        shares=[
            schemas.BuyersShareFigures(
                share_id=one.share_id,
                channel=ShareChannel(one.channel),
                name=one.name,
                figures=figures(one.sums),
            )
            for one in found.shares
        ],
        complete=found.complete,
    )


def _brought(of: Brought, money: bool) -> schemas.BroughtShown:
    """money: whether the asker may know what the shop takes in."""
    hidden = {} if money else {"paid_fen": None, "refunded_fen": None}
    return from_attributes(schemas.BroughtShown, of, **hidden)


def _own(
    merchant_id: str, activity_id: str, share_id: str, channel: str, name: str
) -> schemas.ShopShare:
    leads = links.to_activity(merchant_id, activity_id, share_id)
    return schemas.ShopShare(
        share_id=share_id,
        channel=ShareChannel(channel),
        name=name,
        path=leads.path,
        link=leads.link,
    )
