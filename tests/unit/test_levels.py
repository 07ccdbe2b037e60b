"""What levels give, and what an order adds to its buyer's growth."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.activity import TermsSku
from chalicelib.domain.beijing import BEIJING
from chalicelib.domain.birthday import birthday_of
from chalicelib.domain.levels import LevelsRule, MemberLevel, check, growth_of, rule_of
from chalicelib.domain.order import GrowthRates, OrderStatus
from chalicelib.domain.pricing import PriceKind
from chalicelib.errors import InvalidRequest
from tests.unit.test_points import LETTERS, paid, received, refunded

SILVER = MemberLevel(1, "银卡会员", 100)
GOLD = MemberLevel(2, "黄金会员", 500, price_percent=95, member_prices=True, free_from_fen=0)
RULE = LevelsRule(on=True, per_yuan=2, per_group=10, levels=(SILVER, GOLD))


@given(
    st.integers(2, 1_000_000),
    st.lists(st.integers(1, 1_000_000), max_size=20),
    st.integers(0, 999_999),
    st.integers(0, 22),
)
def test_any_sequence_of_refunds_ends_at_the_growth_of_what_is_kept(
    paid_fen: int, amounts: list[int], rebate_fen: int, received_after: int
) -> None:
    order = paid(paid_fen, rebate_fen=min(rebate_fen, paid_fen))
    order, grown = replace(order, growth=GrowthRates(2, 10)), 0
    for letter, wanted in zip(LETTERS, [*amounts, paid_fen], strict=False):
        if LETTERS.index(letter) == received_after and order.status is OrderStatus.FULFILLING:
            change = received(order)
            order, grown = change.after, grown + change.growth
        amount_fen = min(wanted, order.refundable_fen)
        if not amount_fen:
            break
        change = refunded(order, letter, amount_fen)
        order, grown = change.after, grown + change.growth
        kept_fen, done = order.refundable_fen, order.status is OrderStatus.COMPLETED
        assert grown == growth_of(order) == (2 * (kept_fen // 100) + 10 if done else 0)
    assert grown == 0


@pytest.mark.parametrize(
    ("growth", "no", "following"), [(0, 0, 1), (99, 0, 1), (100, 1, 2), (499, 1, 2), (500, 2, 0)]
)
def test_level_is_the_highest_that_is_reached(growth: int, no: int, following: int) -> None:
    reached, after = RULE.reached(growth), RULE.after(growth)
    assert (reached.no if reached else 0, after.no if after else 0) == (no, following)
    off = replace(RULE, on=False)
    assert (off.reached(growth), off.after(growth), off.wanted(1)) == (None, None, None)


def test_number_of_a_level_that_is_gone_means_the_highest() -> None:
    assert (RULE.wanted(1), RULE.wanted(2), RULE.wanted(6)) == (SILVER, GOLD, GOLD)


@pytest.mark.parametrize(
    ("per_yuan", "per_group", "words"),
    [(2, 10, "还差 ¥13"), (0, 10, "还差拼成 3 单"), (0, 0, "还差 25 成长值")],
)
def test_what_is_missing_is_told_in_what_brings_it(
    per_yuan: int, per_group: int, words: str
) -> None:
    rule = replace(RULE, per_yuan=per_yuan, per_group=per_group)
    assert rule.missing_words(75, SILVER) == words


@given(st.integers(1, 10_000_000), st.integers(10, 100), st.booleans(), st.data())
def test_member_price_is_the_lower_one_and_never_nothing(
    solo_fen: int, percent: int, own: bool, data: st.DataObject
) -> None:
    member_fen = data.draw(st.none() | st.integers(1, solo_fen))
    level = replace(SILVER, price_percent=percent, member_prices=own)
    price_fen = level.price_fen(solo_fen, member_fen)
    assert 1 <= price_fen <= solo_fen
    if own and member_fen is not None:
        assert price_fen <= member_fen
    assert price_fen >= min(solo_fen * percent // 100, member_fen or solo_fen)


@pytest.mark.parametrize(
    ("levels", "field"),
    [
        ((), "levels.levels"),
        ((replace(SILVER, name=""),), "levels.levels[0].name"),
        ((SILVER, replace(GOLD, name="银卡会员")), "levels.levels[1].name"),
        ((SILVER, replace(GOLD, from_growth=100)), "levels.levels[1].from_growth"),
    ],
)
def test_rule_that_says_nothing_clear_is_refused(
    levels: tuple[MemberLevel, ...], field: str
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        check(replace(RULE, levels=levels))
    assert refusal.value.details["field"] == field


def test_rule_is_kept_as_it_was_written() -> None:
    check(RULE)
    assert rule_of(RULE.stored()) == RULE
    assert not rule_of(None).on
    assert RULE.rates(in_group=False) == GrowthRates(2, 0)
    assert replace(RULE, on=False).rates(in_group=True) == GrowthRates()


@pytest.mark.parametrize(
    ("told", "now", "due"),
    [
        ((11, 30), "2026-11-30 08:00", "2026-11-30 09:00"),
        ((11, 30), "2026-11-30 23:00", "2026-11-30 09:00"),
        ((11, 29), "2026-11-30 00:00", "2027-11-29 09:00"),
        ((2, 29), "2026-11-30 00:00", "2027-02-28 09:00"),
        ((2, 29), "2027-03-01 00:00", "2028-02-29 09:00"),
    ],
)
def test_birthday_is_due_on_its_day_of_each_year(told: tuple[int, int], now: str, due: str) -> None:
    def at_s(text: str) -> int:
        moment = dt.datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=BEIJING)
        return int(moment.timestamp())

    birthday = birthday_of(*told)

    assert birthday.next_s(at_s(now)) == at_s(due)
    after = dt.datetime.fromtimestamp(birthday.after_s(at_s(due)), BEIJING)
    assert after.date() == birthday.in_year(int(due[:4]) + 1)


@pytest.mark.parametrize(("month", "day"), [(2, 30), (4, 31), (11, 31)])
def test_day_that_no_year_has_is_no_birthday(month: int, day: int) -> None:
    with pytest.raises(InvalidRequest):
        birthday_of(month, day)


@given(
    st.integers(2, 1_000_000),
    st.integers(10, 100),
    st.booleans(),
    st.booleans(),
    st.data(),
)
def test_unit_in_a_group_costs_the_least_of_what_its_buyer_is_entitled_to(
    solo_fen: int, percent: int, own: bool, leads: bool, data: st.DataObject
) -> None:
    group_fen = data.draw(st.integers(1, solo_fen - 1))
    leader_fen = data.draw(st.none() | st.integers(1, group_fen))
    member_fen = data.draw(st.none() | st.integers(1, solo_fen - 1))
    sku = TermsSku("s", "", solo_fen, solo_fen, group_fen, leader_fen, member_fen)
    level = replace(SILVER, price_percent=percent, member_prices=own)

    price_fen, kind = sku.price_of(leads=leads, level=level)

    entitled = [group_fen, level.price_fen(solo_fen, member_fen)]
    entitled += [leader_fen] if leads and leader_fen is not None else []
    assert price_fen == min(entitled) >= 1
    assert (kind is PriceKind.MEMBER) == (price_fen < sku.price_fen(leads=leads))
    assert sku.price_of(leads=leads, level=None)[0] == sku.price_fen(leads=leads)
