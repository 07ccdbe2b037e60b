"""Freight: what it costs to send an order to a province, by a template of the merchant's.

A template measures by piece or by weight (grams). Of each rule the first units cost one fee,
every further step another; from an amount or a number of pieces on, nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chalicelib.domain.money import yuan
from chalicelib.domain.product import Problem, trouble
from chalicelib.errors import NotDeliverable
from chalicelib.text import Text

FEE_FEN_MAX = 99_999
AMOUNT_FEN_MAX = 99_999_999
STEP_MAX = 999  # pieces
STEP_G_MAX = 1_000_000
NEXT_G_MIN = 100  # a step of less is a slip of the pen
REGIONS_MAX = 34

PROVINCES = (
    *("北京", "天津", "河北", "山西", "内蒙古", "辽宁", "吉林", "黑龙江", "上海", "江苏", "浙江"),
    *("安徽", "福建", "江西", "山东", "河南", "湖北", "湖南", "广东", "广西", "海南", "重庆"),
    *("四川", "贵州", "云南", "西藏", "陕西", "甘肃", "青海", "宁夏", "新疆"),
    *("台湾", "香港", "澳门"),
)


class Measure(StrEnum):
    PIECE = "piece"
    WEIGHT = "weight"  # grams


@dataclass(frozen=True)
class Rule:
    """What sending costs. first, next: pieces or grams; free_from_…: 0 is never."""

    first: int
    first_fen: int
    next: int
    next_fen: int
    free_from_fen: int = 0
    free_from_units: int = 0


@dataclass(frozen=True)
class Region:
    """Provinces that have a rule of their own."""

    provinces: tuple[str, ...]
    rule: Rule


@dataclass(frozen=True)
class Template:
    measure: Measure
    rule: Rule  # of every province that is named nowhere else
    regions: tuple[Region, ...] = ()
    not_delivered: tuple[str, ...] = ()


def fee_fen(template: Template, province: str, *, units: int, weight_g: int, goods_fen: int) -> int:
    """What sending `units` pieces of together `weight_g` grams costs, in fen, never negative.

    province: as the address has it, 浙江省 or 浙江. goods_fen: what the pieces cost, for rules
    that are free from an amount. Raises NotDeliverable for a province that is not delivered to,
    or is no province.
    """
    rule = rule_for(template, province)
    free_by_amount = rule.free_from_fen and goods_fen >= rule.free_from_fen
    if free_by_amount or (rule.free_from_units and units >= rule.free_from_units):
        return 0
    measured = units if template.measure is Measure.PIECE else weight_g
    steps = -(-max(0, measured - rule.first) // rule.next)
    return rule.first_fen + steps * rule.next_fen


def span_fen(template: Template, *, weight_g: int, goods_fen: int) -> tuple[int, int]:
    """Return the least and the most that sending one piece costs, over the provinces that are
    delivered to; arguments as in `fee_fen`."""
    fees_fen = [
        fee_fen(template, name, units=1, weight_g=weight_g, goods_fen=goods_fen)
        for name in PROVINCES
        if name not in template.not_delivered
    ]
    return min(fees_fen), max(fees_fen)


def rule_for(template: Template, province: str) -> Rule:
    """The rule of a province. Raises NotDeliverable."""
    name = province_of(province)
    if name is None:
        raise NotDeliverable("没有认出收货省份，请重新选择地区。", province=province)
    if name in template.not_delivered:
        raise NotDeliverable(
            Text("这件商品暂不配送到{name}，请换一个收货地址。", name=Text(name)), province=name
        )
    for region in template.regions:
        if name in region.provinces:
            return region.rule
    return template.rule


def province_of(text: str) -> str | None:
    """The short name of a province as addresses write it: 广西壮族自治区 is 广西."""
    return next((name for name in PROVINCES if text.strip().startswith(name)), None)


def problems_of(template: Template) -> list[Problem]:
    """Everything that is wrong with `template`, each with its field; empty when it can be kept."""
    problems = [*_of_rule(template.rule, template.measure, "rule"), *_of_provinces(template)]
    for i, region in enumerate(template.regions):
        problems += _of_rule(region.rule, template.measure, f"regions[{i}].rule")
    return problems


def _of_provinces(template: Template) -> Iterator[Problem]:
    """Each province is named once, and not every one among those that are not delivered to."""
    seen: set[str] = set()
    for i, region in enumerate(template.regions):
        field = f"regions[{i}].provinces"
        if not region.provinces:
            yield trouble(field, "请选择省份，或删除这一行。")
        yield from _of_names(region.provinces, seen, field)
    yield from _of_names(template.not_delivered, seen, "not_delivered")
    if set(PROVINCES) <= set(template.not_delivered):
        yield trouble("not_delivered", "至少要配送到一个省份。")


def _of_names(provinces: Iterable[str], seen: set[str], field: str) -> Iterator[Problem]:
    for province in provinces:
        if province not in PROVINCES:
            yield trouble(
                field, Text("没有「{province}」这个省份，请重新选择。", province=province)
            )
        elif province in seen:
            yield trouble(
                field, Text("「{province}」选了两次，请去掉一个。", province=Text(province))
            )
        seen.add(province)


def _of_rule(rule: Rule, measure: Measure, field: str) -> Iterator[Problem]:
    by_piece = measure is Measure.PIECE
    most, unit, least = (STEP_MAX, "件", 1) if by_piece else (STEP_G_MAX, "克", NEXT_G_MIN)
    bounds = (
        ("first", rule.first, 1, most, "首件" if by_piece else "首重"),
        ("next", rule.next, least, most, "续件" if by_piece else "续重"),
        ("free_from_units", rule.free_from_units, 0, STEP_MAX, "包邮件数"),
    )
    for name, value, low, high, words in bounds:
        if not low <= value <= high:
            of = Text("件" if name == "free_from_units" else unit)
            yield trouble(
                f"{field}.{name}",
                Text(
                    "{words}要在 {min} 到 {max} {unit}之间，请修改。",
                    words=Text(words),
                    min=low,
                    max=high,
                    unit=of,
                ),
            )
    fees = (
        ("first_fen", rule.first_fen, FEE_FEN_MAX, "首费"),
        ("next_fen", rule.next_fen, FEE_FEN_MAX, "续费"),
        ("free_from_fen", rule.free_from_fen, AMOUNT_FEN_MAX, "包邮金额"),
    )
    for name, value, high, words in fees:
        if not 0 <= value <= high:
            text = Text(
                "{words}要在 {min} 到 {max} 之间，请修改。",
                words=Text(words),
                min=yuan(0),
                max=yuan(high),
            )
            yield trouble(f"{field}.{name}", text)


def template_of(stored: Mapping[str, Any]) -> Template:
    """The template that `stored_of` made a map of."""
    return Template(
        measure=Measure(stored["measure"]),
        rule=Rule(**stored["rule"]),
        regions=tuple(
            Region(tuple(region["provinces"]), Rule(**region["rule"]))
            for region in stored["regions"]
        ),
        not_delivered=tuple(stored["not_delivered"]),
    )


def stored_of(template: Template) -> dict[str, Any]:
    """The template as a map of plain values."""
    return {
        "measure": template.measure.value,
        "rule": vars(template.rule),
        "regions": [
            {"provinces": list(region.provinces), "rule": vars(region.rule)}
            for region in template.regions
        ],
        "not_delivered": list(template.not_delivered),
    }
