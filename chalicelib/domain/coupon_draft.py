"""A coupon template as staff wrote it: how many there are, for whom, until when, and its terms."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.beijing import DAY_S, day_of, midnight_s
from chalicelib.domain.coupon import CouponKind, CouponTerms, Scope
from chalicelib.domain.product import PRICE_FEN_MAX, Problem, trouble
from chalicelib.text import Text

NAME_MAX = 20
TOTAL_MAX = 1_000_000
PER_BUYER_MAX = 10
DAYS_MAX = 365
GRACE_DAYS_MAX = 30
SCOPE_MAX = 50
POINTS_MAX = 1_000_000  # that one can cost
PERCENT_MIN, PERCENT_MAX = 10, 99  # of the price, that is still paid


class CouponGiven(StrEnum):
    """How buyers come by it."""

    PUBLIC = "public"  # it stands in the coupon centre
    LINK = "link"  # whoever has its link
    CODE = "code"  # whoever has one of its codes, each good for one
    SHOP = "shop"  # to whom staff or a rule of the shop gives it


CLAIMED = (CouponGiven.PUBLIC, CouponGiven.LINK)  # buyers claim it of their own accord


class TemplateState(StrEnum):
    GIVEN_OUT = "given_out"
    GONE = "gone"  # all are claimed
    ENDED = "ended"  # their time is over
    WITHDRAWN = "withdrawn"  # no more are given out; those that were are good
    REVOKED = "revoked"  # and those that were are good no more


@dataclass(frozen=True)
class CouponDraft:
    """Good from `from_s` until before `until_s`; without these, for `days` after that of the claim.
    grace_days: how long a coupon is good that comes back when it has run out. points: that a buyer
    pays for one with; 0: none."""

    name: str
    terms: CouponTerms
    given: CouponGiven
    total: int
    per_buyer: int = 1
    from_s: int = 0
    until_s: int = 0
    days: int = 0
    grace_days: int = 3
    points: int = 0


def times_of_claim(from_s: int, until_s: int, days: int, *, now_s: int) -> tuple[int, int]:
    """(from, until before) of a coupon that is claimed now. By days: the rest of the day of the
    claim, and so many whole ones in Beijing after it, so that one day is never a minute."""
    if until_s:
        return from_s, until_s
    return now_s, midnight_s(day_of(now_s) + dt.timedelta(days=days + 1))


def problems_of(draft: CouponDraft, *, now_s: int) -> list[Problem]:
    """Everything that is wrong with a draft, each with its field; empty when it can be kept."""
    return [
        *_of_terms(draft.terms),
        *_of_scope(draft.terms),
        *_of_times(draft, now_s),
        *_of_points(draft),
    ]


def _of_terms(terms: CouponTerms) -> Iterator[Problem]:
    if terms.kind is CouponKind.AMOUNT:
        if terms.percent or terms.most_off_fen:
            yield trouble("percent", "减固定金额的券没有折扣和封顶，请清空。")
        if not 1 <= terms.off_fen <= PRICE_FEN_MAX:
            yield trouble("off_fen", "减的金额要大于 0，请修改。")
        elif terms.from_fen and terms.off_fen >= terms.from_fen:
            yield trouble("off_fen", "减的金额要小于门槛，请修改。")
        return
    if terms.off_fen:
        yield trouble("off_fen", "折扣券不填减的金额，请清空。")
    if not PERCENT_MIN <= terms.percent <= PERCENT_MAX:
        yield trouble("percent", "折扣要在 1 折到 9.9 折之间，请修改。")


def _of_scope(terms: CouponTerms) -> Iterator[Problem]:
    if terms.scope is Scope.SHOP:
        if terms.scope_ids:
            yield trouble("scope_ids", "全店可用的券不用选择范围。")
    elif not 1 <= len(set(terms.scope_ids)) == len(terms.scope_ids) <= SCOPE_MAX:
        yield trouble("scope_ids", Text("请选择 1 到 {max} 项，不要重复。", max=SCOPE_MAX))


def _of_times(draft: CouponDraft, now_s: int) -> Iterator[Problem]:
    if draft.days and draft.until_s:
        yield trouble("days", "有效期请选一种：固定日期，或领取后若干天。")
    elif draft.days:
        if not 1 <= draft.days <= DAYS_MAX:
            yield trouble("days", Text("领取后的有效天数要在 1 到 {max} 之间。", max=DAYS_MAX))
        if draft.from_s:
            yield trouble("from_s", "按天数的券从领取时开始有效，请清空开始时间。")
    elif not now_s < draft.until_s <= now_s + DAYS_MAX * DAY_S:
        yield trouble("until_s", "结束时间要在现在之后、一年之内，请修改。")
    elif draft.from_s >= draft.until_s:
        yield trouble("from_s", "开始时间要早于结束时间，请修改。")


def _of_points(draft: CouponDraft) -> Iterator[Problem]:
    if draft.points and draft.given not in CLAIMED:
        yield trouble("points", "用积分兑换的券由买家自己领取，请选公开领取或凭链接领取。")
