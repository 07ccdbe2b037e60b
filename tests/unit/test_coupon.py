"""What coupons take off, when they are good, and why one cannot be used."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.beijing import BEIJING, DAY_S
from chalicelib.domain.coupon import (
    Bought,
    Coupon,
    CouponFor,
    CouponId,
    CouponKind,
    CouponState,
    CouponTerms,
    Scope,
    refusal_to_use,
    terms_of,
)
from chalicelib.domain.coupon_draft import times_of_claim
from chalicelib.domain.pricing import Price, price_of

FROM_S, UNTIL_S = 1_790_000_000, 1_790_600_000
TEN = CouponTerms(CouponKind.AMOUNT, off_fen=1000)
OF_90 = CouponTerms(CouponKind.PERCENT, percent=90)
COUPON = Coupon(TEN, FROM_S, UNTIL_S, grace_days=3)
BOUGHT = Bought("activity", "product", ("category",), in_group=True, takes_coupons=True)

fen = st.integers(0, 10_000_000)
all_terms = st.builds(
    CouponTerms,
    st.sampled_from(CouponKind),
    off_fen=fen,
    percent=st.integers(10, 99),
    most_off_fen=fen,
    from_fen=fen,
)


@pytest.mark.parametrize(
    ("terms", "words", "ticket"),
    [
        (TEN, "立减 10 元", "¥10 无门槛"),
        (replace(TEN, from_fen=5950, most_off_fen=1), "满 59.50 减 10", "¥10 满 59.50 可用"),
        (OF_90, "9 折", "9 折 无门槛"),
        (replace(OF_90, percent=85, from_fen=10000), "满 100 打 8.5 折", "8.5 折 满 100 可用"),
        (replace(OF_90, most_off_fen=2000), "9 折，最多减 20 元", "9 折 无门槛，最多减 20 元"),
    ],
)
def test_terms_in_words(terms: CouponTerms, words: str, ticket: str) -> None:
    assert (terms.words, f"{terms.off_words} {terms.from_words}") == (words, ticket)


@pytest.mark.parametrize(
    ("terms", "goods_fen", "off_fen"),
    [
        (TEN, 5900, 1000),
        (TEN, 1001, 1000),
        (TEN, 1000, 999),  # something is left to pay
        (TEN, 1, 0),
        (TEN, 0, 0),
        (CouponTerms(CouponKind.PERCENT, percent=85), 999, 149),  # 149.85: in whole fen
        (CouponTerms(CouponKind.PERCENT, percent=90, most_off_fen=300), 5900, 300),
    ],
)
def test_what_is_taken_off(terms: CouponTerms, goods_fen: int, off_fen: int) -> None:
    assert terms.off_of(goods_fen) == off_fen


@given(terms=all_terms, goods_fen=fen, more_fen=fen)
def test_less_is_paid_never_nothing_and_never_more_for_less_goods(
    terms: CouponTerms, goods_fen: int, more_fen: int
) -> None:
    off_fen = terms.off_of(goods_fen)

    assert 0 <= off_fen <= max(0, goods_fen - 1)
    assert goods_fen - off_fen <= goods_fen + more_fen - terms.off_of(goods_fen + more_fen)
    assert terms_of(terms.stored()) == terms


@given(
    unit_fen=st.integers(0, 1_000_000), units=st.integers(1, 9), terms=all_terms, freight_fen=fen
)
def test_lines_add_up_and_are_read_as_they_were_stored(
    unit_fen: int, units: int, terms: CouponTerms, freight_fen: int
) -> None:
    off_fen = terms.off_of(unit_fen * units)
    price = Price(
        unit_fen,
        units,
        coupon_fen=off_fen,
        coupon_name="券" if off_fen else "",
        freight_fen=freight_fen,
    )

    assert sum(line.amount_fen for line in price.lines) == price.total_fen
    assert price.total_fen == unit_fen * units - off_fen + freight_fen
    assert price_of(price.stored()) == price


@pytest.mark.parametrize(
    ("coupon", "at_s", "state"),
    [
        (COUPON, FROM_S - 1, CouponState.NOT_YET),
        (COUPON, FROM_S, CouponState.USABLE),
        (COUPON, UNTIL_S - 1, CouponState.USABLE),
        (COUPON, UNTIL_S, CouponState.EXPIRED),
        (replace(COUPON, order_id="x"), UNTIL_S, CouponState.USED),
        (replace(COUPON, revoked=True), FROM_S, CouponState.REVOKED),
        # It came back in time, and has no more than it had.
        (replace(COUPON, back_at_s=UNTIL_S - 1), UNTIL_S, CouponState.EXPIRED),
        (replace(COUPON, back_at_s=UNTIL_S), UNTIL_S + 3 * DAY_S - 1, CouponState.USABLE),
        (replace(COUPON, back_at_s=UNTIL_S), UNTIL_S + 3 * DAY_S, CouponState.EXPIRED),
        (replace(COUPON, back_at_s=UNTIL_S, grace_days=0), UNTIL_S, CouponState.EXPIRED),
    ],
)
def test_state_by_time(coupon: Coupon, at_s: int, state: CouponState) -> None:
    assert coupon.state(at_s) is state


@pytest.mark.parametrize(
    ("terms", "bought", "refusal"),
    [
        ({}, {}, None),
        ({}, {"takes_coupons": False}, "这个活动不能用优惠券"),
        ({"usable_for": CouponFor.GROUPS}, {"in_group": False}, "拼团时可用"),
        ({"usable_for": CouponFor.ALONE}, {"in_group": False}, None),
        ({"scope": Scope.CATEGORIES, "scope_ids": ("category", "other")}, {}, None),
        ({"scope": Scope.PRODUCTS, "scope_ids": ("activity",)}, {}, "这件商品不在可用范围"),
        ({"from_fen": 6000}, {}, "还差 1 元可用"),
        ({"from_fen": 5900}, {}, None),
    ],
)
def test_refusal_says_what_is_wrong(
    terms: dict[str, Any], bought: dict[str, Any], refusal: str | None
) -> None:
    coupon = replace(COUPON, terms=replace(TEN, **terms))

    assert refusal_to_use(coupon, replace(BOUGHT, **bought), 5900, now_s=FROM_S) == refusal


def test_days_after_that_of_the_claim_end_at_midnight_in_beijing() -> None:
    claimed = dt.datetime(2026, 11, 30, 23, 59, tzinfo=BEIJING)
    claimed_s = int(claimed.timestamp())

    from_s, until_s = times_of_claim(0, 0, 1, now_s=claimed_s)

    assert (from_s, until_s) == (claimed_s, claimed_s + 60 + 86_400)
    assert times_of_claim(5, 9, 0, now_s=claimed_s) == (5, 9)


@pytest.mark.parametrize("text", ["", "x" * 46, "x" * 44 + "1", "x" * 44 + "1²", "é" * 44 + "01"])
def test_what_is_no_coupon_id(text: str) -> None:
    assert CouponId.parse(text) is None
    assert CouponId.parse("x" * 44 + "07") == CouponId("x" * 22, "x" * 22, 7)
