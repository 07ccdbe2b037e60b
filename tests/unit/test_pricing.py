"""What a purchase costs: the lines add up, and no order of a shop's rules changes a fen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.coupon import CouponTerms
from chalicelib.domain.pricing import (
    Price,
    PriceCode,
    Reduction,
    lowest,
    price_of,
    priced,
    with_coupon,
)
from tests.unit.test_coupon import all_terms

FEN = st.integers(0, 1_000_000)
UNITS = st.integers(1, 999)


@st.composite
def steps(draw: st.DrawFn) -> list[Reduction]:
    """满减 as a draft of an activity may have it: each step above the one before."""
    found: list[Reduction] = []
    for _ in range(draw(st.integers(0, 5))):
        before = found[-1] if found else Reduction(1, 0)
        off_fen = draw(st.integers(before.off_fen + 1, before.off_fen + 50_000))
        least = max(before.from_fen, off_fen) + 1
        found.append(Reduction(draw(st.integers(least, least + 300_000)), off_fen))
    return found


@given(FEN, UNITS, st.data(), steps(), FEN)
def test_lines_add_up_and_nothing_is_below_zero(
    unit_price_fen: int, quantity: int, data: st.DataObject, reductions: list[Reduction], more: int
) -> None:
    price = priced(unit_price_fen, quantity, reductions)
    shuffled = priced(unit_price_fen, quantity, data.draw(st.permutations(reductions)))
    sent = Price(price.unit_price_fen, price.quantity, price.reduction, freight_fen=more)

    assert price == shuffled
    assert 0 <= price.total_fen <= unit_price_fen * quantity
    assert (price.total_fen == 0) == (unit_price_fen == 0)
    assert sum(line.amount_fen for line in sent.lines) == sent.total_fen == price.total_fen + more
    assert price_of(sent.stored()) == sent


@given(FEN, UNITS, steps())
def test_best_step_that_is_reached_is_taken_off(
    unit_price_fen: int, quantity: int, reductions: list[Reduction]
) -> None:
    price = priced(unit_price_fen, quantity, reductions)
    goods_fen = unit_price_fen * quantity
    off = [one.off_fen for one in reductions if one.from_fen <= goods_fen]

    assert price.goods_fen == goods_fen - max(off, default=0)


@given(st.integers(0, 50_000), st.integers(1, 60), steps())
def test_no_number_of_units_costs_less_each_than_the_lowest_price(
    unit_price_fen: int, units_max: int, reductions: list[Reduction]
) -> None:
    least = lowest(unit_price_fen, units_max, reductions)
    each = [priced(unit_price_fen, n, reductions).goods_fen / n for n in range(1, units_max + 1)]

    assert least.quantity <= units_max
    assert least.goods_fen / least.quantity == min(each)


@given(st.integers(1, 50_000), st.integers(1, 60), steps(), st.lists(all_terms, max_size=3))
def test_no_number_of_units_costs_a_fen_less_each_with_any_coupon(
    unit_price_fen: int, units_max: int, reductions: list[Reduction], coupons: list[CouponTerms]
) -> None:
    least = lowest(unit_price_fen, units_max, reductions, [("券", one) for one in coupons])

    plain = [priced(unit_price_fen, n, reductions) for n in range(1, units_max + 1)]
    used = [
        with_coupon(price, "券", terms)
        for price in plain
        for terms in coupons
        if terms.from_fen <= price.goods_fen
    ]
    each = min(price.goods_fen / price.quantity for price in [*plain, *used])
    assert least.goods_fen / least.quantity < each + 1


@pytest.mark.parametrize(
    ("reduction", "words"),
    [(Reduction(10000, 2000), "满 100 减 20"), (Reduction(9950, 1005), "满 99.50 减 10.05")],
)
def test_what_is_taken_off_is_said_as_people_say_it(reduction: Reduction, words: str) -> None:
    price = priced(10000, 1, [reduction])

    assert [(line.code, line.amount_fen, str(line.words)) for line in price.lines] == [
        (PriceCode.GOODS, 10000, "商品金额"),
        (PriceCode.REDUCTION, -reduction.off_fen, words),
        (PriceCode.FREIGHT, 0, "运费"),
    ]
