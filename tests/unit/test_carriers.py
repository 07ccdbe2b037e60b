"""Carriers by whatever people call them, and the numbers that each gives out."""

import re

import pytest

from chalicelib.domain import carriers
from chalicelib.errors import InvalidRequest


@pytest.mark.parametrize(
    "text", ["SF", "sf", "ＳＦ", "顺丰", " 顺丰速运 ", "顺 丰 快 递", "ShunFeng"]
)
def test_carrier_is_found_by_code_name_and_alias(text: str) -> None:
    assert carriers.find(text).name == "顺丰速运"


def test_no_name_means_two_carriers() -> None:
    names = [
        carriers.plain(name)
        for one in carriers.CARRIERS
        for name in {carriers.plain(n) for n in (one.code, one.name, *one.aliases)}
    ]

    assert len(names) == len(set(names))
    assert all(carriers.by_code(one.code) is one for one in carriers.CARRIERS)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("顺疯", "没有找到快递公司「顺疯」。请从列表里选，或选「其他快递」。"),
        (" ", "请填写快递公司。"),
    ],
)
def test_unknown_carrier_is_refused_with_its_name(typed: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        carriers.find(typed)

    assert refusal.value.details == {"field": "carrier"}
    assert refusal.value.message == words


@pytest.mark.parametrize(
    ("code", "typed", "number"),
    [
        ("SF", " sf1234567890123 ", "SF1234567890123"),
        ("SF", "123456789012", "123456789012"),
        ("ZTO", "7812 3456 7890 12", "78123456789012"),
        ("YTO", "YT1234567890123", "YT1234567890123"),
        ("JTSD", "JT1234567890123", "JT1234567890123"),
        ("JD", "JDVA00012345678-1-1-", "JDVA00012345678-1-1"),
        ("EMS", "EA123456789CN", "EA123456789CN"),
        ("YZPY", "９８６０１２３４５６７８９", "9860123456789"),
        ("DBL", "DPK123456789012", "DPK123456789012"),
        ("OTHER", "abc-123456", "ABC-123456"),
    ],
)
def test_number_is_taken_as_it_is_meant(code: str, typed: str, number: str) -> None:
    assert carriers.number_of(carriers.find(code), typed) == number


@pytest.mark.parametrize(
    ("code", "typed"),
    [
        ("SF", "ZT1234567890123"),
        ("SF", "SF12345"),
        ("ZTO", "7812345678901a"),
        ("EMS", "123456789012"),
        ("OTHER", "12345678"),
        ("OTHER", "-12345678901"),
        ("OTHER", "1" * 31),
        ("OTHER", "快递单号123456"),
        ("OTHER", "12345678;drop"),
        ("SF", ""),
    ],
)
def test_number_of_another_form_is_refused_with_the_right_one(code: str, typed: str) -> None:
    carrier = carriers.find(code)

    with pytest.raises(InvalidRequest) as refusal:
        carriers.number_of(carrier, typed)

    assert refusal.value.details == {"field": "number", "form": carrier.form}


def test_number_that_a_table_has_spoilt_says_so() -> None:
    with pytest.raises(InvalidRequest, match="科学计数"):
        carriers.number_of(carriers.find("ZTO"), "7.81235E+13")


def test_every_number_of_a_carrier_can_be_searched_for() -> None:
    for number in ("123456789", "SF1234567890123", "JDVA00012345678-1-1", "EA123456789CN"):
        assert re.fullmatch(carriers.ANY_NUMBER, number), number
