"""The rules of who may look at recipients, and what is told without a look."""

import pytest

from chalicelib.domain.recipient import Purpose, check_look, masked
from chalicelib.errors import Forbidden, InvalidRequest


def test_region_stays_and_the_person_does_not() -> None:
    address = {
        "name": "王小明",
        "phone": "13800138000",
        "province": "浙江省",
        "city": "杭州市",
        "district": "西湖区",
        "street": "文一西路969号",
    }

    assert masked(address) == {
        "name": "王*",
        "phone": "138****8000",
        "province": "浙江省",
        "city": "杭州市",
        "district": "西湖区",
        "street": "****",
    }


def test_field_that_nobody_has_thought_of_is_hidden() -> None:
    assert masked({"landmark": "西湖边"}) == {"landmark": "****"}
    assert masked({"name": "王小明", "phone": "13800138000"}) == {
        "name": "王*",
        "phone": "138****8000",
    }


@pytest.mark.parametrize("purpose", [Purpose.VIEW, Purpose.EDIT])
def test_everybody_looks_at_one_order(purpose: Purpose) -> None:
    check_look(purpose, 1, may_ship=False)

    for may_ship in (False, True):
        with pytest.raises(InvalidRequest):
            check_look(purpose, 2, may_ship=may_ship)


@pytest.mark.parametrize("purpose", [Purpose.PRINT, Purpose.SHIP])
def test_who_may_ship_looks_at_many(purpose: Purpose) -> None:
    check_look(purpose, 50, may_ship=True)

    with pytest.raises(Forbidden):
        check_look(purpose, 1, may_ship=False)
