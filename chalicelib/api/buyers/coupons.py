"""Coupons as buyers see them: what a shop gives out, what they have claimed."""

from collections.abc import Sequence
from typing import Any

from chalicelib import clock
from chalicelib.api import limits
from chalicelib.api.auth import Buyer
from chalicelib.api.buyers import coupon_schemas as schemas
from chalicelib.api.buyers.buyer import KEY_HEADER, idempotency_key
from chalicelib.api.http import Api, Audience
from chalicelib.api.schemas import from_attributes
from chalicelib.domain.coupon import Coupon, CouponState, CouponTerms, terms_of
from chalicelib.domain.coupon_draft import CLAIMED
from chalicelib.errors import (
    CouponCodeRefused,
    CouponsGone,
    LimitReached,
    MembersOnly,
    NotFound,
    PointsRefused,
    SessionSuperseded,
)
from chalicelib.services.catalogue import catalogue_cache, coupon_templates
from chalicelib.services.growth import coupon_codes, coupons
from chalicelib.services.people import shop_cache
from chalicelib.tables.growth import CouponItem
from chalicelib.tables.shop import CouponTemplateItem

api = Api(__name__)


@api.operation(
    "GET", "/merchants/{merchant_id}/coupons", audience=Audience.PUBLIC, refusals=[NotFound]
)
def list_shop_coupons(merchant_id: str, who: Buyer | None) -> schemas.CouponOfferList:
    """What a shop's coupon centre offers; with a session, how many of each the asker has."""
    now_s = clock.now_s()
    shop_cache.merchant(merchant_id, now_s)
    items = catalogue_cache.public_coupons(merchant_id, now_s)
    return schemas.CouponOfferList(_offers(merchant_id, items, who, now_s))


@api.operation(
    "GET",
    "/merchants/{merchant_id}/coupons/{coupon_template_id}",
    audience=Audience.PUBLIC,
    refusals=[NotFound],
)
def read_shop_coupon(
    merchant_id: str, coupon_template_id: str, who: Buyer | None
) -> schemas.CouponOffer:
    """What the link to a coupon offers, whether it stands in the coupon centre or not."""
    item = coupon_templates.read(merchant_id, coupon_template_id)
    if item.given not in CLAIMED:
        raise coupon_templates.missing()
    return _offers(merchant_id, [item], who, clock.now_s())[0]


@api.operation(
    "POST",
    "/coupons/{coupon_template_id}/claims",
    audience=Audience.BUYER,
    status=201,
    headers=KEY_HEADER,
    refusals=[NotFound, CouponsGone, LimitReached, MembersOnly, PointsRefused, SessionSuperseded],
    limited=[limits.COUPON_CLAIMS],
)
def claim_coupon(who: Buyer, coupon_template_id: str) -> schemas.CouponShown:
    """Claim a coupon, for the points that it costs."""
    now_s = clock.now_s()
    key = idempotency_key(api.current_request)
    item = coupons.claim(who.merchant_id, who.ids, coupon_template_id, key=key, now_s=now_s)
    return shown(item, coupons.views(who.merchant_id, [item], now_s=now_s)[0], now_s)


@api.operation(
    "POST",
    "/coupon-codes/claims",
    audience=Audience.BUYER,
    status=201,
    refusals=[
        CouponCodeRefused,
        CouponsGone,
        LimitReached,
        MembersOnly,
        NotFound,
        SessionSuperseded,
    ],
    limited=[limits.COUPON_CLAIMS, limits.WRONG_COUPON_CODES],
)
def claim_by_code(who: Buyer, body: schemas.CouponCodeRequest) -> schemas.CouponShown:
    """Claim the coupon that a code stands for; a repeat gets the same one."""
    now_s = clock.now_s()
    item = coupon_codes.claim(who.merchant_id, who.ids, body.code, now_s=now_s)
    return shown(item, coupons.views(who.merchant_id, [item], now_s=now_s)[0], now_s)


@api.operation("GET", "/me/coupons", audience=Audience.BUYER)
def list_own_coupons(who: Buyer) -> schemas.CouponList:
    """All coupons of the buyer, the newest first."""
    now_s = clock.now_s()
    items = coupons.of_buyer(who.merchant_id, who.ids)
    return schemas.CouponList(all_shown(who.merchant_id, items, now_s), now_s)


def all_shown(
    merchant_id: str, items: Sequence[CouponItem], now_s: int
) -> list[schemas.CouponShown]:
    views = coupons.views(merchant_id, items, now_s=now_s)
    return [shown(item, view, now_s) for item, view in zip(items, views, strict=True)]


def shown(item: CouponItem, view: Coupon, now_s: int) -> schemas.CouponShown:
    state = view.state(now_s)
    return from_attributes(
        schemas.CouponShown,
        item,
        **_of_terms(view.terms),
        until_s=view.good_until_s,
        state=state,
        order_id=view.order_id if state is CouponState.USED else None,
    )


def _of_terms(terms: CouponTerms) -> dict[str, Any]:
    return {
        "words": terms.words,
        "off_words": terms.off_words,
        "from_words": terms.from_words,
        "scope_words": terms.scope_words,
        "usable_for": terms.usable_for,
        "scope": terms.scope,
        "scope_ids": list(terms.scope_ids),
    }


def _offers(
    merchant_id: str, items: Sequence[CouponTemplateItem], who: Buyer | None, now_s: int
) -> list[schemas.CouponOffer]:
    left = coupon_templates.left(merchant_id, [item.template_id for item in items])
    own = coupons.of_buyer(merchant_id, who.ids) if who else []
    offers = []
    for item in items:
        state = coupon_templates.state_of(item, left.get(item.template_id, 0), now_s=now_s)
        has = sum(one.template_id == item.template_id for one in own)
        offers.append(
            from_attributes(
                schemas.CouponOffer,
                item,
                **_of_terms(terms_of(item.terms.as_dict())),
                state=state,
                claimed=has if who else None,
            )
        )
    return offers
