"""What sending costs: by piece and by weight, by province, free from an amount or a number."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import freight
from chalicelib.domain.freight import Measure, Region, Rule, Template, fee_fen, province_of
from chalicelib.errors import NotDeliverable

BY_PIECE = Template(Measure.PIECE, Rule(first=1, first_fen=800, next=2, next_fen=300))
BY_WEIGHT = Template(Measure.WEIGHT, Rule(first=1000, first_fen=800, next=500, next_fen=200))
FAR = Rule(first=1, first_fen=2000, next=1, next_fen=1500)
WITH_REGIONS = replace(
    BY_PIECE, regions=(Region(("新疆", "西藏"), FAR),), not_delivered=("台湾", "香港", "澳门")
)


def by_piece(units: int, template: Template = BY_PIECE, goods_fen: int = 5000) -> int:
    return fee_fen(template, "浙江省", units=units, weight_g=0, goods_fen=goods_fen)


@pytest.mark.parametrize(("units", "fen"), [(1, 800), (2, 1100), (3, 1100), (4, 1400), (5, 1400)])
def test_pieces_cost_the_first_fee_and_one_for_every_step_begun(units: int, fen: int) -> None:
    assert by_piece(units) == fen


@pytest.mark.parametrize(
    ("grams", "fen"), [(0, 800), (1000, 800), (1001, 1000), (1500, 1000), (1501, 1200)]
)
def test_grams_cost_the_first_fee_and_one_for_every_step_begun(grams: int, fen: int) -> None:
    paid = fee_fen(BY_WEIGHT, "浙江省", units=9, weight_g=grams, goods_fen=1)

    assert paid == fen


def test_free_from_an_amount_or_from_a_number_of_pieces() -> None:
    template = replace(BY_PIECE, rule=replace(BY_PIECE.rule, free_from_fen=9900, free_from_units=3))

    assert by_piece(1, template, goods_fen=9899) == 800
    assert by_piece(1, template, goods_fen=9900) == 0
    assert by_piece(2, template) == 1100
    assert by_piece(3, template) == 0


def test_provinces_have_their_rules_and_some_are_not_delivered_to() -> None:
    def fee(province: str) -> int:
        return fee_fen(WITH_REGIONS, province, units=2, weight_g=0, goods_fen=5000)

    assert (fee("浙江省"), fee("新疆维吾尔自治区"), fee("西藏")) == (1100, 3500, 3500)
    with pytest.raises(NotDeliverable) as refusal:
        fee("香港特别行政区")
    assert refusal.value.message == "这件商品暂不配送到香港，请换一个收货地址。"
    assert refusal.value.details == {"province": "香港"}


@pytest.mark.parametrize("text", ["", "杭州市", "加州", "新 疆"])
def test_what_is_no_province_is_not_delivered_to(text: str) -> None:
    with pytest.raises(NotDeliverable) as refusal:
        fee_fen(BY_PIECE, text, units=1, weight_g=0, goods_fen=1)

    assert refusal.value.message == "没有认出收货省份，请重新选择地区。"


def test_provinces_are_known_by_their_long_names() -> None:
    long = ("广西壮族自治区", "内蒙古自治区", "北京市", " 黑龙江省", "宁夏回族自治区", "海南")

    assert [province_of(text) for text in long] == [
        "广西",
        "内蒙古",
        "北京",
        "黑龙江",
        "宁夏",
        "海南",
    ]
    assert len(set(freight.PROVINCES)) == 34
    assert all(province_of(name) == name for name in freight.PROVINCES)


def test_a_template_is_stored_and_read_again() -> None:
    stored = freight.stored_of(WITH_REGIONS)

    assert freight.template_of(stored) == WITH_REGIONS
    assert freight.problems_of(WITH_REGIONS) == []


def test_every_problem_of_a_template_is_told_with_its_field() -> None:
    wrong = Template(
        Measure.WEIGHT,
        Rule(first=0, first_fen=100_000, next=99, next_fen=0),
        regions=(Region((), FAR), Region(("浙江", "火星", "浙江"), replace(FAR, next=500))),
        not_delivered=("浙江",),
    )

    problems = freight.problems_of(wrong)

    assert [(problem["field"], problem["problem"]) for problem in problems] == [
        ("rule.first", "首重要在 1 到 1000000 克之间，请修改。"),
        ("rule.next", "续重要在 100 到 1000000 克之间，请修改。"),
        ("rule.first_fen", "首费要在 ¥0.00 到 ¥999.99 之间，请修改。"),
        ("regions[0].provinces", "请选择省份，或删除这一行。"),
        ("regions[1].provinces", "没有「火星」这个省份，请重新选择。"),
        ("regions[1].provinces", "「浙江」选了两次，请去掉一个。"),
        ("not_delivered", "「浙江」选了两次，请去掉一个。"),
        ("regions[0].rule.next", "续重要在 100 到 1000000 克之间，请修改。"),
    ]


def test_a_template_delivers_somewhere() -> None:
    problems = freight.problems_of(replace(BY_PIECE, not_delivered=freight.PROVINCES))

    assert problems == [{"field": "not_delivered", "problem": "至少要配送到一个省份。"}]


fees = st.integers(0, freight.FEE_FEN_MAX)
rules = st.builds(
    Rule, first=st.integers(1, 2000), first_fen=fees, next=st.integers(1, 2000), next_fen=fees
)
measures = st.sampled_from(Measure)
amounts = st.integers(0, 10_000)


@given(measure=measures, rule=rules, less=amounts, more=amounts)
def test_more_never_costs_less(measure: Measure, rule: Rule, less: int, more: int) -> None:
    template = Template(measure, rule)

    def fee(amount: int) -> int:
        return fee_fen(template, "浙江", units=amount, weight_g=amount, goods_fen=0)

    assert rule.first_fen <= fee(min(less, more)) <= fee(max(less, more))


@given(rule=rules, units=amounts, goods_fen=amounts, free_fen=amounts, free_units=amounts)
def test_never_negative_and_free_exactly_when_promised(
    rule: Rule, units: int, goods_fen: int, free_fen: int, free_units: int
) -> None:
    promised = replace(rule, free_from_fen=free_fen, free_from_units=free_units)

    def fee(one: Rule) -> int:
        template = Template(Measure.PIECE, one)
        return fee_fen(template, "浙江", units=units, weight_g=0, goods_fen=goods_fen)

    free = (free_fen and goods_fen >= free_fen) or (free_units and units >= free_units)
    assert fee(promised) == (0 if free else fee(rule))
    assert fee(promised) >= 0
