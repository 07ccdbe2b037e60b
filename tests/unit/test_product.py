"""What a product may be."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.money import yuan
from chalicelib.domain.product import ProductDraft, SkuDraft, found_by, problems_of, spec_text

RED = SkuDraft({"颜色": "红色"}, list_price_fen=5900, solo_price_fen=3990, stock=10)
GREEN = SkuDraft({"颜色": "绿色"}, list_price_fen=3990, solo_price_fen=3990, stock=0)
APPLES = ProductDraft("红富士苹果", "c1", (RED, GREEN))


def fields_of(draft: ProductDraft, known: tuple[str, ...] = ()) -> list[str]:
    return [problem["field"] for problem in problems_of(draft, known=known)]


def with_sku(**changes: object) -> ProductDraft:
    return replace(APPLES, skus=(replace(RED, **changes), GREEN))  # type: ignore[arg-type]


def test_a_whole_product_has_no_problems() -> None:
    assert problems_of(APPLES) == []


def test_a_product_without_specs_is_one_sku() -> None:
    only = SkuDraft({}, list_price_fen=100, solo_price_fen=100, stock=1)

    assert problems_of(replace(APPLES, skus=(only,))) == []
    assert spec_text({}) == "默认规格"
    assert spec_text({"颜色": "红色", "尺码": "XL"}) == "红色 / XL"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "果" * 61}, "title"),
        ({"description": "果" * 10_001}, "description"),
        ({"selling_point": "甜" * 41}, "selling_point"),
        ({"unit": "一二三四五六七"}, "unit"),
        ({"warn_below": -1}, "warn_below"),
        ({"warn_below": 10_000_000}, "warn_below"),
        ({"images": ("https://img.example.com/1.jpg",) * 10}, "images"),
        ({"skus": ()}, "skus"),
        ({"skus": (RED, RED)}, "skus[1].specs"),
    ],
)
def test_each_limit_of_a_product_names_its_field(changes: dict[str, Any], field: str) -> None:
    assert fields_of(replace(APPLES, **changes)) == [field]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"solo_price_fen": 0}, "skus[0].solo_price_fen"),
        ({"list_price_fen": 3989}, "skus[0].list_price_fen"),
        ({"list_price_fen": 100_000_000}, "skus[0].list_price_fen"),
        ({"stock": -1}, "skus[0].stock"),
        ({"stock": None}, "skus[0].stock"),
        ({"stock": 10_000_000}, "skus[0].stock"),
        ({"code": "x" * 33}, "skus[0].code"),
        ({"cost_fen": -1}, "skus[0].cost_fen"),
        ({"cost_fen": 100_000_000}, "skus[0].cost_fen"),
        ({"specs": {"颜色": "红" * 21}}, "skus[0].specs"),
        ({"specs": {"颜色": " "}}, "skus[0].specs"),
    ],
)
def test_each_limit_of_a_sku_names_its_field(changes: dict[str, Any], field: str) -> None:
    assert fields_of(with_sku(**changes)) == [field]


def test_all_skus_have_the_same_spec_names() -> None:
    assert fields_of(with_sku(specs={"尺码": "XL"})) == ["skus[1].specs"]


def test_values_that_differ_in_spaces_only_are_the_same_sku() -> None:
    assert fields_of(with_sku(specs={"颜色": " 绿色 "})) == ["skus[1].specs"]


def test_there_are_at_most_three_spec_names() -> None:
    specs = {"颜色": "红", "尺码": "大", "口味": "甜", "产地": "烟台"}
    only = replace(RED, specs=specs)

    assert fields_of(replace(APPLES, skus=(only,))) == ["skus"]


def test_two_hundred_skus_are_allowed_and_one_more_is_not() -> None:
    skus = tuple(replace(RED, specs={"编号": str(number)}) for number in range(201))

    assert problems_of(replace(APPLES, skus=skus[:200])) == []
    assert fields_of(replace(APPLES, skus=skus)) == ["skus"]


def test_a_known_sku_is_named_once_and_keeps_its_stock() -> None:
    known = replace(RED, sku_id="s1", stock=None)

    assert problems_of(replace(APPLES, skus=(known, GREEN)), known=["s1"]) == []
    assert fields_of(replace(APPLES, skus=(known, GREEN)), known=()) == ["skus[0].sku_id"]
    overwriting = replace(APPLES, skus=(replace(known, stock=5), GREEN))
    assert fields_of(overwriting, known=("s1",)) == ["skus[0].stock"]
    twice = replace(APPLES, skus=(known, replace(GREEN, sku_id="s1", stock=None)))
    assert fields_of(twice, known=("s1",)) == ["skus[1].sku_id"]


def test_all_problems_are_told_at_once() -> None:
    bad = replace(with_sku(solo_price_fen=0, stock=-1), title="")

    assert fields_of(bad) == ["title", "skus[0].stock", "skus[0].solo_price_fen"]


@pytest.mark.parametrize(
    ("fen", "words"), [(0, "¥0.00"), (5, "¥0.05"), (3990, "¥39.90"), (99_999_999, "¥999999.99")]
)
def test_fen_are_shown_as_yuan(fen: int, words: str) -> None:
    assert yuan(fen) == words


def test_two_skus_of_a_product_have_two_codes() -> None:
    skus = (replace(RED, code="A-1 "), replace(GREEN, code="A-1"))

    assert fields_of(replace(APPLES, skus=skus)) == ["skus[1].code"]
    assert fields_of(replace(APPLES, skus=(RED, GREEN))) == []  # neither has one


def test_product_is_found_by_its_title_and_its_codes() -> None:
    skus = (replace(RED, code="ＡＢ-1"), replace(GREEN, code="ab-2"))

    assert found_by(replace(APPLES, skus=skus)) == "红富士苹果\nab-1\nab-2"
