"""What anybody may read without logging in: activities, groups, and the way by a share."""

import hashlib

import msgspec

from chalicelib import clock
from chalicelib.api import limits, schemas, shapes
from chalicelib.api.http import Answer, Api, Audience, Header, header_of
from chalicelib.errors import NotFound
from chalicelib.services.catalogue import availability, catalogue_cache
from chalicelib.services.groups import seats, shares
from chalicelib.services.orders import orders
from chalicelib.services.people import buyers
from chalicelib.tables.trade import GroupItem

api = Api(__name__)
JOINABLE_MAX = 10
FACES_KEPT = "public, max-age=60"  # names and pictures may be a minute old


@api.operation(
    "GET",
    "/merchants/{merchant_id}/activities/{activity_id}",
    audience=Audience.PUBLIC,
    answer=schemas.ActivityDetail,
    refusals=[NotFound],
)
def read_activity(merchant_id: str, activity_id: str) -> schemas.ActivityDetail:
    """An activity with its terms and the groups that can be joined."""
    now_s = clock.now_s()
    activity = catalogue_cache.activity(merchant_id, activity_id, now_s)
    offer = catalogue_cache.terms_of(activity)
    open_now = seats.joinable(merchant_id, activity_id, offer, now_s=now_s, limit=JOINABLE_MAX)
    sold_out = availability.sold_out_skus(activity, now_s=now_s)
    product = catalogue_cache.product(merchant_id, activity.product_id, now_s)
    return shapes.activity(
        activity, offer, open_now, sold_out, solo_on_sale=product.on_sale, now_s=now_s
    )


@api.operation(
    "GET",
    "/merchants/{merchant_id}/groups/{group_id}",
    audience=Audience.PUBLIC,
    answer=schemas.GroupProgress,
    headers={"If-None-Match": Header("The ETag of the last answer; 304 when nothing has changed.")},
    refusals=[NotFound],
)
def read_group(merchant_id: str, group_id: str) -> Answer:
    """The progress of a group, and in how many seconds to ask again."""
    now_s = clock.now_s()
    group = _visible(merchant_id, group_id)
    offer = catalogue_cache.version(merchant_id, group.activity_id, group.version)
    progress = shapes.progress(group, offer, now_s=now_s)
    etag = _etag(progress)
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if header_of(api.current_request.headers, "If-None-Match") == etag:
        return Answer(None, status=304, headers=headers)
    return Answer(progress, headers=headers)


@api.operation(
    "GET",
    "/merchants/{merchant_id}/groups/{group_id}/members",
    audience=Audience.PUBLIC,
    answer=schemas.MemberList,
    refusals=[NotFound],
)
def read_members(merchant_id: str, group_id: str) -> Answer:
    """Names (masked) and pictures of a group's members, the leader first."""
    group = _visible(merchant_id, group_id)
    faces = buyers.faces(merchant_id, list(group.members.as_dict()))
    return Answer(shapes.members(group, faces), headers={"Cache-Control": FACES_KEPT})


@api.operation(
    "POST",
    "/merchants/{merchant_id}/shares/{share_id}/visits",
    audience=Audience.PUBLIC,
    body=schemas.VisitRequest,
    answer=schemas.VisitCounted,
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


def _visible(merchant_id: str, group_id: str) -> GroupItem:
    """A group that others may see: its leader has paid."""
    group = orders.find_group(merchant_id, group_id, consistent=False)
    if group is None or group.expires_at_s is None:
        raise NotFound("没有找到这个团。")
    return group


def _etag(progress: schemas.GroupProgress) -> str:
    """Of everything but the time of day, which changes in every answer."""
    unmoving = msgspec.structs.replace(progress, now_s=0)
    return f'"{hashlib.sha256(msgspec.json.encode(unmoving)).hexdigest()[:16]}"'
