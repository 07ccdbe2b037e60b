"""Identifiers: what they hold, and that nothing else passes for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.ids import (
    BASE62,
    OrderId,
    base62,
    derived_id,
    is_id,
    new_id,
    new_order_no,
    out_trade_no,
    split_out_refund_no,
    split_out_trade_no,
)

ORDER_ID = OrderId("b" * 22, "1aB2cD3e")


def test_numbers_for_gateways_fit_their_maximum_and_lead_back() -> None:
    number = out_trade_no(ORDER_ID, "01")

    assert len(number) == 32
    assert split_out_trade_no(number) == (ORDER_ID, "01")
    assert split_out_refund_no(number + "F") == (ORDER_ID, "01F", 0)
    assert split_out_refund_no(number + "F2") == (ORDER_ID, "01F", 2)


@pytest.mark.parametrize("text", ["", "x", "b" * 31, "b" * 33, "b" * 30 + "xx", "ｂ" * 30 + "01"])
def test_numbers_that_are_not_ours_lead_nowhere(text: str) -> None:
    assert split_out_trade_no(text) is None


@given(st.text(max_size=40))
def test_no_text_breaks_the_parsers(text: str) -> None:
    for parse in (OrderId.parse, split_out_trade_no, split_out_refund_no):
        parse(text)


@given(st.integers(0, 62**6 - 1), st.integers(0, 62**6 - 1))
def test_base62_sorts_as_its_numbers_do(a: int, b: int) -> None:
    assert (base62(a, 6) < base62(b, 6)) == (a < b)


def test_order_numbers_sort_by_their_second() -> None:
    assert new_order_no(1_790_000_000) < new_order_no(1_790_000_001)


def test_fresh_ids_are_ids_and_differ() -> None:
    ids = {new_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(is_id(one) for one in ids)
    assert set("".join(ids)) <= set(BASE62)


def test_derived_ids_depend_on_every_part_and_on_where_parts_end() -> None:
    assert derived_id(b"k", "a", "bc") == derived_id(b"k", "a", "bc")
    assert derived_id(b"k", "a", "bc") != derived_id(b"k", "ab", "c")
    assert derived_id(b"k", "a", "bc") != derived_id(b"l", "a", "bc")


@given(st.integers(0, 9_999_999_999))
def test_number_of_an_order_tells_when_it_was_placed(now_s: int) -> None:
    assert OrderId("b" * 22, new_order_no(now_s)).placed_at_s == now_s
