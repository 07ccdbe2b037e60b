"""What staff send and receive about coupons. Amounts are whole fen, times epoch seconds UTC.

What a template may say is decided by the domain, which tells all problems at once.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, field

from chalicelib.api.merchant.catalogue_schemas import Revision
from chalicelib.api.schemas import Fen, RequestModel, Seconds
from chalicelib.domain.coupon import CouponFor, CouponKind, Scope
from chalicelib.domain.coupon_code import CODES_MAX
from chalicelib.domain.coupon_draft import (
    GRACE_DAYS_MAX,
    NAME_MAX,
    PER_BUYER_MAX,
    POINTS_MAX,
    TOTAL_MAX,
    CouponGiven,
    TemplateState,
)
from chalicelib.domain.levels import LEVELS_MAX

Name = Annotated[str, Meta(min_length=1, max_length=NAME_MAX)]
Total = Annotated[int, Meta(ge=1, le=TOTAL_MAX, description="how many there are")]
Amount = Annotated[int, Meta(ge=0, le=99_999_999)]
When = Annotated[int, Meta(ge=0, le=9_999_999_999)]


class CouponInput(RequestModel, frozen=True, kw_only=True):
    """`off_fen` of an amount; `percent` of a percentage: what is still paid, 85 is 8.5 折, and
    `most_off_fen` is its cap, 0: none. `from_fen`: what the goods have to cost, 0: anything. Good
    from `from_s` until before `until_s`, or else for `days` after that of the claim."""

    name: Name
    kind: CouponKind
    off_fen: Amount = 0
    percent: Annotated[int, Meta(ge=0, le=100)] = 0
    most_off_fen: Amount = 0
    from_fen: Amount = 0
    usable_for: CouponFor = CouponFor.ANY
    scope: Scope = Scope.SHOP
    scope_ids: Annotated[
        list[Annotated[str, Meta(max_length=22)]],
        Meta(max_length=500, description="1 to 50, of categories, products or activities"),
    ] = field(default_factory=list)
    first_order: Annotated[bool, Meta(description="of who has bought nothing yet")] = False
    level_from: Annotated[
        int, Meta(ge=0, le=LEVELS_MAX, description="of members from that level on; 0: of anybody")
    ] = 0
    given: CouponGiven = CouponGiven.PUBLIC
    total: Total
    per_buyer: Annotated[int, Meta(ge=1, le=PER_BUYER_MAX)] = 1
    from_s: When = 0
    until_s: When = 0
    days: Annotated[int, Meta(ge=0, le=9_999)] = 0
    grace_days: Annotated[
        int,
        Meta(ge=0, le=GRACE_DAYS_MAX, description="more, if it comes back after it has run out"),
    ] = 3
    points: Annotated[
        int, Meta(ge=0, le=POINTS_MAX, description="that a buyer pays for one with; 0: none")
    ] = 0


class CouponChange(RequestModel, frozen=True, kw_only=True):
    name: Name
    total: Total
    revision: Revision


class CouponWithdrawal(RequestModel, frozen=True):
    revoke: Annotated[bool, Meta(description="claimed coupons that are not used, too")] = False


class CodesWanted(RequestModel, frozen=True):
    count: Annotated[int, Meta(ge=1, le=CODES_MAX)]


class CodeBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Codes that were written at once; each is good for one coupon."""

    batch: Annotated[str, Meta(description="what its codes begin with")]
    codes: Annotated[int, Meta(description="how many")]
    used: Annotated[int, Meta(description="coupons that were claimed with them")]
    made_at_s: Seconds
    made_by: Annotated[str, Meta(description="the username of who had them written")]


class CodeBatchList(msgspec.Struct, frozen=True):
    items: Annotated[list[CodeBatch], Meta(description="the newest first")]


class CodeShown(msgspec.Struct, frozen=True):
    code: str
    used_at_s: Annotated[Seconds | None, Meta(description="null: nobody has used it")]


class CodeList(msgspec.Struct, frozen=True):
    items: list[CodeShown]


class CouponTemplate(msgspec.Struct, frozen=True, kw_only=True):
    template_id: str
    name: str
    words: Annotated[str, Meta(description="what it takes off, for people")]
    scope_words: str
    kind: CouponKind
    off_fen: Fen
    percent: int
    most_off_fen: Fen
    from_fen: Fen
    usable_for: CouponFor
    scope: Scope
    scope_ids: list[str]
    first_order: bool
    level_from: int
    given: CouponGiven
    total: int
    per_buyer: int
    from_s: Seconds
    until_s: Seconds
    days: int
    grace_days: int
    points: Annotated[int, Meta(description="that one costs; 0: none")]
    created_at_s: Seconds
    withdrawn_at_s: Seconds | None
    state: TemplateState
    claimed: int
    orders: Annotated[int, Meta(description="paid with one of them")]
    paid_fen: Annotated[Fen, Meta(description="what these orders paid")]
    off_sum_fen: Annotated[Fen, Meta(description="what was taken off these orders")]
    path: Annotated[str, Meta(description="its page in the mini-program")]
    link: Annotated[str, Meta(description="its page in a browser")]
    revision: int


class PromisingActivity(msgspec.Struct, frozen=True):
    activity_id: str
    title: str


class CouponTemplateDetail(CouponTemplate, frozen=True, kw_only=True):
    unused: Annotated[
        int, Meta(description="claimed and not used, expired ones too; 10,000: or more")
    ]
    promised_by: Annotated[
        list[PromisingActivity],
        Meta(description="activities not over that promise one to members of a failed group"),
    ]


class CouponTemplateList(msgspec.Struct, frozen=True):
    items: Annotated[list[CouponTemplate], Meta(description="the newest first")]
