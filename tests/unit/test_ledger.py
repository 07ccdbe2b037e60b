"""The ledger of an order: entries with both legs, balances that add up to nothing."""

from typing import Any

import pytest

from chalicelib.domain.ledger import Account, Entry, Movement, balances, entries_of
from chalicelib.domain.order import AFTER_SALE_LETTERS, RefundReason, reason_of

STORED = {
    "01A requested": [900, 30],
    "01 captured": [5900, 10],
    "01A refunded": [900, 40],
    "01 earned": [5900, 20],
    "01B requested": [300, 31],
    "01B outside": [300, 45],
    "01 fee": [35, 50],
}


def test_entries_come_in_the_order_in_which_they_happened() -> None:
    keys = [entry.key for entry in entries_of(STORED)]

    assert keys == [
        "01 captured",
        "01 earned",
        "01A requested",
        "01B requested",
        "01A refunded",
        "01B outside",
        "01 fee",
    ]


def test_entry_is_stored_as_it_was_read() -> None:
    assert {entry.key: entry.stored for entry in entries_of(STORED)} == STORED


def test_balances_add_up_to_nothing() -> None:
    left = balances(entries_of(STORED))

    assert left == {
        Account.GATEWAY: 5900 - 900 - 35,
        Account.HELD: 0,
        Account.SALES: -4700,
        Account.REFUNDS_DUE: 0,
        Account.FEES: 35,
        Account.OUTSIDE: -300,
    }
    assert sum(left.values()) == 0


def test_refund_of_a_failed_group_comes_from_what_is_held() -> None:
    failed = Entry("01F", Movement.REFUND_REQUESTED, 5900, 1)
    after_sale = Entry("01B", Movement.REFUND_REQUESTED, 5900, 1)

    assert failed.legs == (Account.HELD, Account.REFUNDS_DUE)
    assert after_sale.legs == (Account.SALES, Account.REFUNDS_DUE)


@pytest.mark.parametrize("letter", AFTER_SALE_LETTERS)
def test_letters_of_after_sale_are_no_other_reason(letter: Any) -> None:
    assert reason_of(f"01{letter}") is RefundReason.AFTER_SALE


@pytest.mark.parametrize("key", ["01", "01g", "01FF", "01AB", "010", "017", "0112"])
def test_key_of_no_refund_has_no_reason(key: str) -> None:
    with pytest.raises(ValueError, match="RefundReason"):
        reason_of(key)
