"""Phone numbers: as people write them, as a courier dials them."""

import re

import pytest

from chalicelib.domain import phone
from chalicelib.domain.recipient import masked_phone


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("13900139001", "13900139001"),
        ("+86 139 0013 9001", "13900139001"),
        ("008613900139001", "13900139001"),
        ("8613900139001", "13900139001"),
        ("139-0013-9001", "13900139001"),
        ("１３９ ００１３ ９００１", "13900139001"),
        ("13800138000-1234", "13800138000-1234"),
        ("13800138000转1234", "13800138000-1234"),
        ("0571-88880000", "0571-88880000"),
        ("(0571) 8888 0000", "057188880000"),
        ("0571—88880000—801", "0571-88880000-801"),
        ("400-800-1234", "400-800-1234"),
        ("+852 9123 4567", "+85291234567"),
        ("00853 6612-3456", "+85366123456"),
        ("+886 0912 345 678", "+886912345678"),
    ],
)
def test_honest_numbers_are_taken(written: str, number: str) -> None:
    assert phone.normal(written) == phone.normal(number) == number
    assert re.match(phone.PATTERN, number)


@pytest.mark.parametrize(
    "wrong",
    ["", "12345", "23900139001", "1390013900", "139001390012", "88880000", "9123 4567", "手机"],
)
def test_what_nobody_can_dial_is_not(wrong: str) -> None:
    assert not re.match(phone.PATTERN, phone.normal(wrong))


def test_an_extension_is_no_part_of_what_people_call_their_number() -> None:
    assert phone.main_part("13800138000-1234") == "13800138000"
    assert phone.main_part("0571-88880000-801") == "0571-88880000"
    assert phone.main_part("0571-88880000") == "0571-88880000"
    assert phone.main_part("+85291234567") == "+85291234567"


@pytest.mark.parametrize("number", ["13800138000-1234", "0571-88880000", "+85291234567"])
def test_every_kind_is_masked(number: str) -> None:
    shown = masked_phone(number)

    assert "****" in shown
    assert number[3:-4] not in shown


def test_a_shop_may_have_a_short_number() -> None:
    assert re.match(phone.SERVICE_PATTERN, "95588")
    assert not re.match(phone.PATTERN, "95588")
