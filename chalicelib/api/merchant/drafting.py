"""/v1/merchant/activities: checking a draft, copying an activity, what ending one would mean, and
spreading it."""

from dataclasses import asdict
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib import clock
from chalicelib.api import auth, shapes
from chalicelib.api.http import Api
from chalicelib.api.merchant import catalogue_schemas as schemas
from chalicelib.api.merchant.activities import draft_of
from chalicelib.api.merchant.share_schemas import LinksQuery
from chalicelib.api.schemas import from_attributes
from chalicelib.domain.activity import NewBuyers
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import GatewayFailed, NotFound
from chalicelib.services.catalogue import activities, drafting, links, mini_program_links
from chalicelib.services.groups import activity_closing, shop_shares
from chalicelib.services.people import subscriptions

api = Api(__name__)


class DraftProblem(msgspec.Struct, frozen=True):
    field: str
    problem: str


class Overlap(msgspec.Struct, frozen=True):
    """Another activity that sells one of the SKUs at the same time."""

    activity_id: str
    name: str
    starts_at_s: int
    ends_at_s: int


class LowestPrice(msgspec.Struct, frozen=True):
    """The least that one unit of a SKU may be sold for, in an order of `quantity` units."""

    sku_id: str
    unit_price_fen: int
    quantity: int
    coupon_name: Annotated[str, Meta(description="Of the coupon it takes; empty: none.")]
    is_below_cost: Annotated[
        bool | None, Meta(description="Null without the right statistics:view.")
    ]


class DraftChecked(msgspec.Struct, frozen=True):
    problems: list[DraftProblem]
    overlaps: list[Overlap]
    lowest: Annotated[list[LowestPrice], Meta(description="Empty while there are problems.")]


class CopiedSku(msgspec.Struct, frozen=True):
    sku_id: str
    group_price_fen: int
    leader_price_fen: int | None
    stock: int


class CopiedActivity(msgspec.Struct, frozen=True, kw_only=True):
    """A body for publishing, not stored; `stock` is 0 until staff say how many."""

    product_id: str
    title: str
    skus: list[CopiedSku]
    seats_total: int
    life_h: int
    starts_at_s: int
    ends_at_s: int
    limit_per_buyer: int
    limit_per_order: int
    reductions: list[schemas.Reduction]
    coupons: bool
    points: bool
    new_buyers: NewBuyers
    compensation_id: str
    compensation_points: int
    seats_least: int
    leader_free: bool
    leader_points: int
    leader_coupon_id: str
    tiers: list[schemas.Tier]
    member_prices: bool
    members_from: int
    level_seats: list[schemas.LevelSeats]
    combines: bool
    crowd_tiers: list[schemas.Tier]
    per_minute: int


class ActivityLinks(msgspec.Struct, frozen=True, kw_only=True):
    """How buyers get to an activity."""

    path: Annotated[str, Meta(description="opens the mini-program")]
    link: Annotated[str, Meta(description="opens a browser")]
    scene: Annotated[str, Meta(description="of a mini-program code")]
    qr_png: Annotated[str, Meta(description="the link as a QR code, a PNG data URI")]


class MiniProgramWays(msgspec.Struct, frozen=True, kw_only=True):
    """How buyers get to an activity in the shop's mini-program."""

    has_one: Annotated[bool, Meta(description="whether the shop has a mini-program")]
    code_image: Annotated[
        str | None, Meta(description="a code, a JPEG; null while WeChat has not released it")
    ]
    url_link: Annotated[str | None, Meta(description="opens it from text messages and browsers")]
    url_link_ends_at_s: int | None


class OpenGroups(msgspec.Struct, frozen=True):
    """What closing the open groups now would mean. complete: false when there are more."""

    groups: int
    payments: int
    amount_fen: int
    complete: bool


@api.operation("POST", "/merchant/activities/check", right=act(Area.ACTIVITIES))
def check_activity(who: auth.Staff, body: schemas.ActivityInput) -> DraftChecked:
    """What would keep this body from being published now; nothing is written."""
    checked = drafting.check(who.merchant_id, draft_of(body), now_s=clock.now_s())
    sees_cost = who.may(view(Area.STATISTICS))
    return DraftChecked(
        problems=[DraftProblem(**problem) for problem in checked.problems],
        overlaps=[Overlap(**asdict(claim)) for claim in checked.overlaps],
        lowest=[
            from_attributes(
                LowestPrice, one, is_below_cost=one.is_below_cost if sees_cost else None
            )
            for one in checked.lowest
        ],
    )


@api.operation(
    "POST",
    "/merchant/activities/{activity_id}/copy",
    right=act(Area.ACTIVITIES),
    refusals=[NotFound],
)
def copy_activity(activity_id: str, who: auth.Staff) -> CopiedActivity:
    """A body for publishing an activity like this one; nothing is written."""
    draft = drafting.copied(who.merchant_id, activity_id, now_s=clock.now_s())
    return msgspec.convert(asdict(draft), CopiedActivity)


@api.operation(
    "GET",
    "/merchant/activities/{activity_id}/open-groups",
    right=view(Area.ACTIVITIES),
    refusals=[NotFound],
)
def count_open_groups(activity_id: str, who: auth.Staff) -> OpenGroups:
    """How many groups, payments and fen closing the open groups would concern."""
    return OpenGroups(**asdict(activity_closing.concerned(who.merchant_id, activity_id)))


@api.operation(
    "GET",
    "/merchant/activities/{activity_id}/links",
    right=view(Area.ACTIVITIES),
    refusals=[NotFound],
)
def read_activity_links(activity_id: str, who: auth.Staff, query: LinksQuery) -> ActivityLinks:
    """How buyers get to an activity: a mini-program path, a link and its QR code."""
    leads = _leading(who.merchant_id, activity_id, query)
    _, png = shapes.qr_codes(leads.link)
    return ActivityLinks(path=leads.path, link=leads.link, scene=leads.scene, qr_png=png)


@api.operation(
    "GET",
    "/merchant/activities/{activity_id}/mini-program",
    right=view(Area.ACTIVITIES),
    refusals=[NotFound, GatewayFailed],
)
def read_activity_in_mini_program(
    activity_id: str, who: auth.Staff, query: LinksQuery
) -> MiniProgramWays:
    """How buyers get to an activity in the mini-program: a code, and a link that ends and is
    renewed a week before."""
    merchant_id, now_s = who.merchant_id, clock.now_s()
    leads = _leading(merchant_id, activity_id, query)
    link = mini_program_links.url_link(merchant_id, leads, now_s=now_s)
    url, ends_at_s = link or (None, None)
    return MiniProgramWays(
        has_one=subscriptions.appid_of(merchant_id) is not None,
        code_image=mini_program_links.code(merchant_id, leads, now_s=now_s),
        url_link=url,
        url_link_ends_at_s=ends_at_s,
    )


def _leading(merchant_id: str, activity_id: str, query: LinksQuery) -> links.Links:
    """What leads to an activity, or to it by a share of the shop's. Raises NotFound."""
    activities.read(merchant_id, activity_id)
    if query.share_id is not None:
        shop_shares.read(merchant_id, activity_id, query.share_id)
    return links.to_activity(merchant_id, activity_id, query.share_id or "")
