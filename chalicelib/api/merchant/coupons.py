"""/v1/merchant: coupon templates, and what their coupons did."""

from typing import Any

from chalicelib import clock
from chalicelib.api import auth
from chalicelib.api.http import Api
from chalicelib.api.merchant import coupon_schemas as schemas
from chalicelib.api.once import HEADERS, once
from chalicelib.api.schemas import Done, from_attributes
from chalicelib.domain.coupon import CouponTerms, terms_of
from chalicelib.domain.coupon_draft import CouponDraft
from chalicelib.domain.rights import Area, act, view
from chalicelib.errors import (
    Changed,
    Conflict,
    IdempotencyMismatch,
    InvalidRequest,
    LimitReached,
    NotFound,
)
from chalicelib.services.catalogue import coupon_templates, links, promised_coupons
from chalicelib.services.catalogue.coupon_templates import Tally
from chalicelib.services.growth import coupon_codes
from chalicelib.tables.shop import CouponTemplateItem

api = Api(__name__, prefix="/v1/merchant")


@api.operation("GET", "/coupons", right=view(Area.ACTIVITIES))
def list_coupons(who: auth.Staff) -> schemas.CouponTemplateList:
    """All coupon templates, the newest first, with how many were claimed and used."""
    items = coupon_templates.everything(who.merchant_id)
    ids = [item.template_id for item in items]
    left = coupon_templates.left(who.merchant_id, ids)
    tallies = coupon_templates.tallies(who.merchant_id, ids)
    now_s = clock.now_s()
    return schemas.CouponTemplateList(
        [
            schemas.CouponTemplate(
                **_shown(it, left.get(it.template_id, 0), tallies[it.template_id], now_s)
            )
            for it in items
        ]
    )


@api.operation(
    "POST",
    "/coupons",
    right=act(Area.ACTIVITIES),
    status=201,
    refusals=[InvalidRequest, LimitReached, IdempotencyMismatch],
    headers=HEADERS,
)
def create_coupon(who: auth.Staff, body: schemas.CouponInput) -> schemas.CouponTemplateDetail:
    """Create a coupon template; buyers can claim its coupons at once."""
    made = once(api.current_request, who, "coupon")
    terms = from_attributes(
        CouponTerms, body, scope_ids=tuple(body.scope_ids), scope_name="", level_name=""
    )
    item = coupon_templates.create(
        who.merchant_id,
        made.item_id,
        from_attributes(CouponDraft, body, terms=terms),
        body_hash=made.body_hash,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _detail(item)


@api.operation(
    "GET", "/coupons/{coupon_template_id}", right=view(Area.ACTIVITIES), refusals=[NotFound]
)
def read_coupon(coupon_template_id: str, who: auth.Staff) -> schemas.CouponTemplateDetail:
    """One coupon template, with how many of its coupons are claimed and not used."""
    return _detail(coupon_templates.read(who.merchant_id, coupon_template_id))


@api.operation(
    "PUT",
    "/coupons/{coupon_template_id}",
    right=act(Area.ACTIVITIES),
    refusals=[NotFound, Changed, Conflict],
)
def change_coupon(
    coupon_template_id: str, who: auth.Staff, body: schemas.CouponChange
) -> schemas.CouponTemplateDetail:
    """Rename a coupon template, or change how many coupons it has; its terms stay as they are."""
    item = coupon_templates.change(
        who.merchant_id,
        coupon_template_id,
        body.name,
        body.total,
        revision=body.revision,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _detail(item)


@api.operation(
    "POST",
    "/coupons/{coupon_template_id}/withdrawal",
    right=act(Area.ACTIVITIES),
    refusals=[NotFound, Changed, Conflict],
)
def withdraw_coupon(
    coupon_template_id: str, who: auth.Staff, body: schemas.CouponWithdrawal
) -> schemas.CouponTemplateDetail:
    """Give no more of a template's coupons out; claimed ones stay good, or are revoked."""
    item = coupon_templates.withdraw(
        who.merchant_id,
        coupon_template_id,
        revoke=body.revoke,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _detail(item)


@api.operation(
    "DELETE",
    "/coupons/{coupon_template_id}",
    right=act(Area.ACTIVITIES),
    refusals=[NotFound, Conflict],
)
def remove_coupon(coupon_template_id: str, who: auth.Staff) -> Done:
    """Remove a coupon template that is over from the lists; what was claimed stays as it is."""
    now_s = clock.now_s()
    coupon_templates.remove(who.merchant_id, coupon_template_id, staff=who.username, now_s=now_s)
    return Done()


@api.operation(
    "GET", "/coupons/{coupon_template_id}/codes", right=view(Area.ACTIVITIES), refusals=[NotFound]
)
def list_coupon_codes(coupon_template_id: str, who: auth.Staff) -> schemas.CodeBatchList:
    """The batches of codes that were written of a coupon template, the newest first."""
    coupon_templates.read(who.merchant_id, coupon_template_id)
    found = coupon_codes.batches(who.merchant_id, coupon_template_id)
    return schemas.CodeBatchList([from_attributes(schemas.CodeBatch, item) for item in found])


@api.operation(
    "POST",
    "/coupons/{coupon_template_id}/codes",
    right=act(Area.ACTIVITIES),
    status=201,
    refusals=[NotFound, InvalidRequest, Conflict, LimitReached, IdempotencyMismatch],
    headers=HEADERS,
)
def write_coupon_codes(
    coupon_template_id: str, who: auth.Staff, body: schemas.CodesWanted
) -> schemas.CodeBatch:
    """Write codes, each of which a buyer can claim one of the template's coupons with."""
    made = once(api.current_request, who, f"coupon codes {coupon_template_id}")
    batch = coupon_codes.write_batch(
        who.merchant_id,
        coupon_template_id,
        made.item_id,
        body.count,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return from_attributes(schemas.CodeBatch, batch)


@api.operation("GET", "/coupon-codes/{batch}", right=act(Area.ACTIVITIES), refusals=[NotFound])
def read_coupon_codes(batch: str, who: auth.Staff) -> schemas.CodeList:
    """All codes of a batch, with when each was used: they are worth what the coupons are."""
    found = coupon_codes.codes(who.merchant_id, batch)
    return schemas.CodeList([schemas.CodeShown(one.text, one.used_at_s) for one in found])


def _detail(item: CouponTemplateItem) -> schemas.CouponTemplateDetail:
    merchant_id, template_id = item.merchant_id, item.template_id
    left = coupon_templates.left(merchant_id, [template_id]).get(template_id, 0)
    tally = coupon_templates.tallies(merchant_id, [template_id])[template_id]
    unused = coupon_templates.unused(merchant_id, template_id)
    now_s = clock.now_s()
    promising = promised_coupons.promising(merchant_id, template_id, now_s=now_s)
    return schemas.CouponTemplateDetail(
        unused=unused,
        promised_by=[from_attributes(schemas.PromisingActivity, one) for one in promising],
        **_shown(item, left, tally, now_s),
    )


def _shown(item: CouponTemplateItem, left: int, tally: Tally, now_s: int) -> dict[str, Any]:
    """Every field that a row of the list and the whole have in common."""
    terms = terms_of(item.terms.as_dict())
    leads = links.to_coupon(item.merchant_id, item.template_id)
    own = ["template_id", "name", "given", "total", "per_buyer", "from_s", "until_s", "days"]
    own += ["grace_days", "points", "created_at_s", "withdrawn_at_s", "revision"]
    names = ("scope_name", "level_name")  # which stand in its words
    return {
        **{name: value for name, value in vars(terms).items() if name not in names},
        "scope_ids": list(terms.scope_ids),
        **{name: getattr(item, name) for name in own},
        "words": terms.words,
        "scope_words": terms.scope_words,
        "state": coupon_templates.state_of(item, left, now_s=now_s),
        "claimed": item.total - left,
        "orders": tally.orders,
        "paid_fen": tally.paid_fen,
        "off_sum_fen": tally.off_fen,
        "path": leads.path,
        "link": leads.link,
    }
