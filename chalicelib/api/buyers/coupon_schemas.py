"""What buyers read of coupons. Money is whole fen, time epoch seconds UTC."""

from typing import Annotated

from msgspec import Meta

from chalicelib.api.schemas import Fen, RequestModel, ResponseModel, Seconds
from chalicelib.domain.coupon import CouponFor, CouponState, Scope
from chalicelib.domain.coupon_draft import TemplateState


class _CouponTerms(ResponseModel, frozen=True, kw_only=True):
    name: str
    words: Annotated[str, Meta(description="what it takes off: 满 59 减 10")]
    off_words: Annotated[str, Meta(description="the amount alone: ¥10, or 8.5 折")]
    from_words: Annotated[str, Meta(description="with the amount: 满 59 可用")]
    scope_words: Annotated[str, Meta(description="what it can be used for")]
    usable_for: CouponFor
    scope: Scope
    scope_ids: Annotated[
        list[str], Meta(description="of the scope's categories, products or activities")
    ]


class CouponCodeRequest(RequestModel, frozen=True):
    code: Annotated[str, Meta(min_length=1, max_length=40, description="as people type it")]


class CouponOffer(_CouponTerms, frozen=True, kw_only=True):
    """Coupons that can be claimed. Good from `from_s` until before `until_s`, or else for `days`
    after that of the claim."""

    template_id: str
    from_s: Seconds
    until_s: Annotated[Seconds, Meta(description="0: by `days`")]
    days: int
    per_buyer: Annotated[int, Meta(description="that one person may claim")]
    claimed: Annotated[int | None, Meta(description="that the asker has claimed; null: no session")]
    state: Annotated[TemplateState, Meta(description="given_out: there are some left")]
    points: Annotated[int, Meta(description="that claiming one costs; 0: none")]


class CouponOfferList(ResponseModel, frozen=True):
    items: list[CouponOffer]


class CouponShown(_CouponTerms, frozen=True, kw_only=True):
    """A coupon of the asker's own, good from `from_s` until before `until_s`."""

    coupon_id: str
    template_id: str
    state: CouponState
    from_s: Seconds
    until_s: Seconds
    claimed_at_s: Seconds
    order_id: Annotated[str | None, Meta(description="of the order that uses it")]


class CouponList(ResponseModel, frozen=True):
    items: list[CouponShown]
    now_s: Seconds


class CouponChoice(CouponShown, frozen=True, kw_only=True):
    """A coupon in the checkout. Those that can be used come first, the best of them first."""

    off_fen: Annotated[Fen, Meta(description="that it takes off this purchase; 0: it cannot")]
    refusal: Annotated[str, Meta(description="why it cannot be used; empty: it can")]
