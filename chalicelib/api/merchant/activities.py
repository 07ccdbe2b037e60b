"""/v1/merchant/activities: publishing, changing, pausing and ending them."""

from dataclasses import asdict
from typing import Any

from chalicelib import clock
from chalicelib.api import auth, pages
from chalicelib.api.http import Api
from chalicelib.api.merchant import catalogue_schemas as schemas
from chalicelib.api.once import HEADERS, once
from chalicelib.api.schemas import from_attributes
from chalicelib.domain.activity import ActivityState, LevelSeats, Tier, state_of
from chalicelib.domain.activity_draft import Draft, DraftSku
from chalicelib.domain.counts import Sums
from chalicelib.domain.pricing import Reduction
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import (
    ActivityClosed,
    ActivityOverlaps,
    Changed,
    Conflict,
    IdempotencyMismatch,
    InvalidRequest,
    NotFound,
    SoldOut,
)
from chalicelib.services.catalogue import (
    activities,
    activity_lists,
    adjustments,
    catalogue_cache,
    promised_coupons,
    publishing,
)
from chalicelib.services.groups import activity_closing, crowds
from chalicelib.services.orders import counting
from chalicelib.tables.catalogue import ActivityItem

api = Api(__name__)


@api.operation(
    "POST",
    "/merchant/activities",
    right=act(Area.ACTIVITIES),
    status=201,
    refusals=[InvalidRequest, ActivityOverlaps, IdempotencyMismatch],
    headers=HEADERS,
)
def publish_activity(who: auth.Staff, body: schemas.ActivityInput) -> schemas.Activity:
    """Publish an activity; its stock moves from the product."""
    made, now_s = once(api.current_request, who, "activity"), clock.now_s()
    item = publishing.publish(
        who.merchant_id,
        draft_of(body),
        staff=who.username,
        now_s=now_s,
        activity_id=made.item_id,
        body_hash=made.body_hash,
    )
    return _activity(item, now_s)


@api.operation("GET", "/merchant/activities", right=view(Area.ACTIVITIES))
def list_activities(who: auth.Staff, query: schemas.ActivityPageQuery) -> schemas.ActivityPage:
    """Activities in one state, or all of them."""
    now_s = clock.now_s()
    scope = ("activities", who.merchant_id, query.category or "", query.state or "", query.q)
    items, key = activity_lists.page(
        who.merchant_id,
        state=ActivityState(query.state) if query.state else None,
        category_id=query.category,
        q=query.q,
        key=pages.key_of(query.next, *scope),
        limit=query.limit,
        now_s=now_s,
    )
    sold_out = activity_lists.sold_out(items, now_s=now_s)
    groups = counting.tallies(who.merchant_id, [item.activity_id for item in items])
    found = [
        schemas.ActivitySummary(
            skus=[schemas.ActivitySku(**asdict(s)) for s in catalogue_cache.terms_of(item).skus],
            **_shown(item, groups[item.activity_id], item.activity_id in sold_out, now_s),
        )
        for item in items
    ]
    return schemas.ActivityPage(found, pages.token_of(key, *scope))


@api.operation(
    "GET", "/merchant/activities/{activity_id}", right=view(Area.ACTIVITIES), refusals=[NotFound]
)
def read_merchant_activity(activity_id: str, who: auth.Staff) -> schemas.Activity:
    """An activity with its present terms and the stock it has left."""
    return _activity(activities.read(who.merchant_id, activity_id), clock.now_s())


@api.operation(
    "PUT",
    "/merchant/activities/{activity_id}",
    right=act(Area.ACTIVITIES),
    refusals=[InvalidRequest, NotFound, ActivityClosed, ActivityOverlaps, Changed],
)
def change_activity(
    activity_id: str, who: auth.Staff, body: schemas.ActivityChange
) -> schemas.Activity:
    """Make a new version of the terms; groups that are open keep theirs."""
    now_s = clock.now_s()
    item = publishing.change(
        who.merchant_id,
        activity_id,
        _change(body),
        revision=body.revision,
        staff=who.username,
        now_s=now_s,
    )
    return _activity(item, now_s)


@api.operation(
    "POST",
    "/merchant/activities/{activity_id}/stock",
    right=act(Area.ACTIVITIES),
    refusals=[InvalidRequest, NotFound, ActivityClosed, SoldOut, IdempotencyMismatch],
    headers=HEADERS,
)
def add_activity_stock(
    activity_id: str, who: auth.Staff, body: schemas.NewActivityStock
) -> schemas.Activity:
    """Move more units from the product to the activity."""
    now_s = clock.now_s()
    adjustments.add_stock(
        who.merchant_id,
        activity_id,
        body.sku_id,
        quantity=body.quantity,
        staff=who.username,
        now_s=now_s,
        adjustment_id=once(api.current_request, who, "adjustment").item_id,
    )
    return _activity(activities.read(who.merchant_id, activity_id), now_s)


@api.operation(
    "POST",
    "/merchant/activities/{activity_id}/pause",
    right=act(Area.ACTIVITIES),
    refusals=[NotFound, ActivityClosed],
)
def pause_activity(activity_id: str, who: auth.Staff) -> schemas.Activity:
    """Let no new groups open; those that are open go on."""
    now_s = clock.now_s()
    item = activities.pause(who.merchant_id, activity_id, staff=who.username, now_s=now_s)
    return _activity(item, now_s)


@api.operation(
    "POST",
    "/merchant/activities/{activity_id}/resume",
    right=act(Area.ACTIVITIES),
    refusals=[NotFound, ActivityClosed, Conflict],
)
def resume_activity(activity_id: str, who: auth.Staff) -> schemas.Activity:
    """Let groups open again."""
    now_s = clock.now_s()
    item = activities.resume(who.merchant_id, activity_id, staff=who.username, now_s=now_s)
    return _activity(item, now_s)


@api.operation(
    "POST",
    "/merchant/activities/{activity_id}/end",
    right=act(Area.ACTIVITIES),
    refusals=[NotFound],
)
def end_activity(activity_id: str, who: auth.Staff, body: schemas.ActivityEnd) -> schemas.Activity:
    """End an activity for good; its open groups keep their deadlines, or are closed."""
    now_s = clock.now_s()
    item = activity_closing.end(
        who.merchant_id,
        activity_id,
        close_groups=body.groups == "close",
        staff=who.username,
        now_s=now_s,
    )
    return _activity(item, now_s)


def draft_of(body: schemas.ActivityInput) -> Draft:
    skus = tuple(from_attributes(DraftSku, sku) for sku in body.skus)
    return from_attributes(Draft, body, skus=skus, **_steps(body))


def _change(body: schemas.ActivityChange) -> Draft:
    return from_attributes(
        Draft,
        body,
        product_id="",  # an activity never changes its product
        skus=tuple(from_attributes(DraftSku, sku, stock=None) for sku in body.skus),
        starts_at_s=body.starts_at_s or 0,
        **_steps(body),
    )


def _steps(body: schemas.ActivityRules) -> dict[str, Any]:
    """What staff write in rows."""
    return {
        "reductions": tuple(from_attributes(Reduction, one) for one in body.reductions),
        "tiers": tuple(from_attributes(Tier, one) for one in body.tiers),
        "level_seats": tuple(from_attributes(LevelSeats, one) for one in body.level_seats),
        "crowd_tiers": tuple(from_attributes(Tier, one) for one in body.crowd_tiers),
    }


def _activity(item: ActivityItem, now_s: int) -> schemas.Activity:
    left = activity_lists.stock_left(item)
    terms = catalogue_cache.terms_of(item)
    skus = [
        schemas.StockedActivitySku(**asdict(sku), available=left[sku.sku_id]) for sku in terms.skus
    ]
    groups = counting.tallies(item.merchant_id, [item.activity_id])[item.activity_id]
    return schemas.Activity(
        skus=skus,
        crowd=_crowd(item),
        compensation_words=promised_coupons.words_of(
            item.merchant_id, terms.compensation_id, now_s, kept_words=terms.compensation_words
        ),
        compensation_kept=promised_coupons.can_keep(
            item.merchant_id, terms.compensation_id, now_s=now_s
        ),
        leader_coupon_words=promised_coupons.words_of(
            item.merchant_id, terms.leader_coupon_id, now_s
        ),
        leader_coupon_kept=promised_coupons.can_keep(
            item.merchant_id, terms.leader_coupon_id, now_s=now_s
        ),
        **_shown(item, groups, not any(left.values()), now_s),
    )


def _crowd(item: ActivityItem) -> schemas.Crowd | None:
    found = crowds.read(item.merchant_id, item.activity_id) if item.crowd_tiers else None
    if found is None:
        return None
    return from_attributes(schemas.Crowd, found, is_over=found.due_at_s is None)


def _shown(item: ActivityItem, groups: Sums, sold_out: bool, now_s: int) -> dict[str, Any]:
    """Every field that a summary and the whole have in common."""
    others = {"skus", "state", "groups", "reductions", "tiers", "level_seats", "crowd_tiers"}
    names = set(schemas.ActivitySummary.__struct_fields__) - others
    state = state_of(item.status, item.starts_at_s, item.ends_at_s, now_s=now_s, sold_out=sold_out)
    counted = schemas.ActivityGroups(
        opened=groups.groups_opened,
        open=groups.groups_open,
        formed=groups.groups_formed,
        failed=groups.groups_failed,
        formed_permille=groups.formed_permille,
    )
    return {
        **{name: getattr(item, name) for name in names},
        "reductions": [schemas.Reduction(**one) for one in item.reductions],
        "tiers": [schemas.Tier(**one) for one in item.tiers],
        "level_seats": [schemas.LevelSeats(**one) for one in item.level_seats],
        "crowd_tiers": [schemas.Tier(**one) for one in item.crowd_tiers],
        "state": state,
        "groups": counted,
    }
