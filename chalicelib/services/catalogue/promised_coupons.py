"""The coupons that an activity promises: to who is in a group that fails, and to who opened one
that formed.

The promise ends with what its template has to give: withdrawn, over, or with none left, it is not
kept, so it is not told either. Staff read which activities promise a template before they withdraw
it.
"""

from dataclasses import dataclass

from chalicelib.domain.activity import Terms
from chalicelib.domain.activity_draft import Draft
from chalicelib.domain.coupon import terms_of
from chalicelib.domain.coupon_draft import CouponGiven, TemplateState
from chalicelib.domain.product import Problem, trouble
from chalicelib.services.catalogue import activity_lists, catalogue_cache, coupon_templates, crud
from chalicelib.services.catalogue.coupon_templates import KIND, state_of
from chalicelib.tables.catalogue import ActivityItem

PROMISING_MAX = 50  # that staff are told of


@dataclass(frozen=True)
class Promised:
    """What a coupon that an activity promises takes off; problems: why it cannot promise it."""

    words: str
    problems: list[Problem]


def promise(
    merchant_id: str,
    template_id: str,
    *,
    field: str = "compensation_id",
    ends_at_s: int,
    now_s: int,
) -> Promised:
    """The coupon that members of a failed group are to be given; no template: none.

    field: that names another promise. ends_at_s: until when groups may be decided, so that there
    have to be coupons.
    """
    if not template_id:
        return Promised("", [])
    item = crud.find(KIND, merchant_id, template_id)
    if item is None or state_of(item, 1, now_s=now_s) is not TemplateState.GIVEN_OUT:
        return Promised("", [trouble(field, "这种优惠券已停止发放，请换一种。")])
    if item.given == CouponGiven.CODE:
        words = "这种优惠券只能用兑换码领取，请换一种。"
        return Promised("", [trouble(field, words)])
    if item.until_s and item.until_s < ends_at_s:
        words = "这种优惠券在活动结束前就过期，请换一种，或改活动的结束时间。"
        return Promised("", [trouble(field, words)])
    if not coupon_templates.left(merchant_id, [template_id]).get(template_id, 0):
        words = "这种优惠券已领完，请先增加总数，或换一种。"
        return Promised("", [trouble(field, words)])
    return Promised(str(terms_of(item.terms.as_dict()).words), [])


def to_leaders(
    merchant_id: str, draft: Draft, before: Terms | None = None, *, now_s: int
) -> list[Problem]:
    """Why the draft cannot promise its coupon to who opens a group; a promise that stays as it was
    before is not looked at again."""
    template_id = draft.leader_coupon_id
    if before is not None and template_id == before.leader_coupon_id:
        return []
    field = "leader_coupon_id"
    return promise(
        merchant_id, template_id, field=field, ends_at_s=draft.ends_at_s, now_s=now_s
    ).problems


def words_of(merchant_id: str, template_id: str, now_s: int, *, kept_words: str = "") -> str:
    """What a promised coupon takes off, in the reader's language, given out or not; empty: none is
    promised. kept_words: of the version, where the template is there no more."""
    if not template_id:
        return ""
    item = catalogue_cache.coupon(merchant_id, template_id, now_s)
    return kept_words if item is None else terms_of(item.terms.as_dict()).words


def can_keep(merchant_id: str, template_id: str, *, now_s: int) -> bool:
    """Whether there are such coupons to give at this moment, for staff; true where none is
    promised."""
    return not promise(merchant_id, template_id, ends_at_s=now_s, now_s=now_s).problems


def told(merchant_id: str, template_id: str, now_s: int) -> str:
    """What buyers are told of the promise: words_of a coupon that would be given, as far as is
    known within the seconds for which templates are cached, or nothing."""
    item = catalogue_cache.coupon(merchant_id, template_id, now_s) if template_id else None
    if item is None:
        return ""
    left = catalogue_cache.coupons_left(merchant_id, template_id, now_s)
    kept = state_of(item, left, now_s=now_s) is TemplateState.GIVEN_OUT
    return words_of(merchant_id, template_id, now_s) if kept else ""


def promising(merchant_id: str, template_id: str, *, now_s: int) -> list[ActivityItem]:
    """The activities that are not over and promise coupons of a template, the soonest to end first;
    PROMISING_MAX at most."""
    promises = (ActivityItem.compensation_id == template_id) | (
        ActivityItem.leader_coupon_id == template_id
    )
    found, _ = activity_lists.browse(
        merchant_id, among=[promises], limit=PROMISING_MAX, now_s=now_s
    )
    return found
