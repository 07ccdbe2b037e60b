"""What anybody may read without logging in: activities, groups, and the way by a share."""

import hashlib
from collections.abc import Sequence

import msgspec

from chalicelib import clock
from chalicelib.api import group_shapes, languages, limits, schemas
from chalicelib.api.auth import Buyer
from chalicelib.api.group_shapes import Offered
from chalicelib.api.http import Answer, Api, Audience, Header, header_of
from chalicelib.domain.activity import ActivityState
from chalicelib.domain.reminder import Awaited
from chalicelib.errors import GatewayFailed, InvalidRequest, NotFound
from chalicelib.services.catalogue import availability, catalogue_cache
from chalicelib.services.groups import group_page, joinable_groups, quoting, reminders, shares
from chalicelib.services.growth import levels, points
from chalicelib.services.orders import counting, orders
from chalicelib.services.people import shop_cache, wechat_js_sdk
from chalicelib.tables.catalogue import ActivityItem
from chalicelib.tables.trade import GroupItem

api = Api(__name__)
ETAG = {"If-None-Match": Header("The ETag of the last answer; 304 when nothing has changed.")}


@api.operation(
    "GET",
    "/merchants/{merchant_id}/activities/{activity_id}",
    audience=Audience.PUBLIC,
    refusals=[NotFound],
)
def read_activity(merchant_id: str, activity_id: str, who: Buyer | None) -> schemas.ActivityDetail:
    """An activity with its terms and the groups that can be joined; with a session, the asker's
    own group too."""
    now_s = clock.now_s()
    activity = catalogue_cache.activity(merchant_id, activity_id, now_s)
    offer = catalogue_cache.terms_of(activity)
    open_now, own = joinable_groups.of_activity(
        merchant_id, activity_id, offer, _ids(who), now_s=now_s
    )
    formed = counting.formed(merchant_id, [activity_id], now_s)
    offered, reminded = _offered(activity, now_s), None
    if offered.state(now_s) is ActivityState.SCHEDULED:
        reminded = reminders.is_set(merchant_id, _ids(who), Awaited.ACTIVITY, activity_id)
    return group_shapes.activity(
        offered,
        offer,
        open_now,
        own,
        freight=catalogue_cache.freight_of(merchant_id, offered.product, now_s),
        formed=formed[activity_id],
        reminded=reminded,
        opens_seats=quoting.opens_seats(merchant_id, activity, _ids(who), now_s=now_s),
        now_s=now_s,
    )


@api.operation(
    "GET",
    "/merchants/{merchant_id}/groups/{group_id}",
    audience=Audience.PUBLIC,
    answer=schemas.GroupProgress,
    headers=ETAG,
    refusals=[NotFound],
)
def read_group(merchant_id: str, group_id: str) -> Answer:
    """The progress of a group, and in how many seconds to ask again."""
    now_s = clock.now_s()
    group = _visible(merchant_id, group_id)
    offer = catalogue_cache.version(merchant_id, group.activity_id, group.version)
    progress = group_shapes.progress(group, offer, now_s=now_s)
    return _unless_unchanged(progress, msgspec.structs.replace(progress, now_s=0))


@api.operation(
    "GET",
    "/merchants/{merchant_id}/groups/{group_id}/page",
    audience=Audience.PUBLIC,
    answer=schemas.GroupPage,
    headers=ETAG,
    refusals=[NotFound],
)
def read_group_page(merchant_id: str, group_id: str, who: Buyer | None) -> Answer:
    """All that the page of a group shows, to a stranger or, with a session, to who has a seat."""
    now_s = clock.now_s()
    seen = group_page.look(_visible(merchant_id, group_id), _ids(who), now_s=now_s)
    activity = catalogue_cache.activity(merchant_id, seen.group.activity_id, now_s)
    formed = None
    if activity.crowd_tiers:
        formed = counting.formed(merchant_id, [activity.activity_id], now_s)[activity.activity_id]
    page = group_shapes.page(seen, _offered(activity, now_s), formed=formed, now_s=now_s)
    still = msgspec.structs.replace(page.progress, now_s=0)
    unmoving = msgspec.structs.replace(page, progress=still)
    return _unless_unchanged(page, unmoving)


@api.operation(
    "POST",
    "/merchants/{merchant_id}/shares/{share_id}/visits",
    audience=Audience.PUBLIC,
    status=201,
    refusals=[NotFound],
    limited=[limits.VISITS],
)
def visit_share(
    merchant_id: str, share_id: str, body: schemas.VisitRequest
) -> schemas.VisitCounted:
    """Count a visit by a share, once per visitor."""
    share = shares.visit(merchant_id, share_id, body.visitor_id, now_s=clock.now_s())
    return schemas.VisitCounted(
        group_id=share.group_id, activity_id=share.activity_id, share_id=share.share_id
    )


@api.operation(
    "GET",
    "/merchants/{merchant_id}/wechat-page",
    audience=Audience.PUBLIC,
    refusals=[NotFound, InvalidRequest, GatewayFailed],
)
def read_wechat_page(merchant_id: str, query: schemas.WechatPageQuery) -> schemas.WechatPage:
    """What a page of the shop shows WeChat's browser, to say what is shared of it (JS-SDK)."""
    found = wechat_js_sdk.permission(merchant_id, query.url, now_s=clock.now_s())
    return schemas.from_attributes(schemas.WechatPage, found)


def _visible(merchant_id: str, group_id: str) -> GroupItem:
    """A group that others may see: its leader has paid."""
    group = orders.find_group(merchant_id, group_id, consistent=False)
    if group is None or group.expires_at_s is None:
        raise NotFound("没有找到这个团。")
    return group


def _offered(activity: ActivityItem, now_s: int) -> Offered:
    merchant_id = activity.merchant_id
    return Offered(
        activity,
        catalogue_cache.product(merchant_id, activity.product_id, now_s),
        availability.left(activity, now_s=now_s),
        catalogue_cache.deliveries(merchant_id, now_s),
        shop_cache.merchant(merchant_id, now_s).ship_within_h,
        points.rule(merchant_id, now_s).on,
        levels.rule(merchant_id, now_s),
    )


def _ids(who: Buyer | None) -> Sequence[str]:
    return () if who is None else who.ids


def _unless_unchanged(body: msgspec.Struct, unmoving: msgspec.Struct) -> Answer:
    """The answer, or 304 for who has it. unmoving: the body without the time of day, which changes
    in every answer. A browser that kept it would, on 304, count down from the time of then."""
    asked = api.current_request.headers
    reader = languages.Reader(asked)
    text = msgspec.json.encode(unmoving, enc_hook=reader.text_for)
    etag = f'"{hashlib.sha256(text).hexdigest()[:16]}"'
    headers = {"ETag": etag, "Cache-Control": "no-store", **reader.headers}
    known = header_of(asked, "If-None-Match") or ""
    if known.removeprefix("W/") == etag:  # a cache that compresses answers weakens their tags
        return Answer(None, status=304, headers=headers)
    return Answer(body, headers=headers)
