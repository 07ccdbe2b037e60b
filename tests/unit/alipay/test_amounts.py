"""Amounts as Alipay writes them."""

import pytest

from chalicelib.gateways.alipay_statements import fen, signed_fen, yuan
from chalicelib.gateways.verification import VerificationError


@pytest.mark.parametrize(
    ("text", "amount_fen"),
    [("0.01", 1), ("19.90", 1990), ("19.9", 1990), ("88", 8800), ("99999999.99", 9_999_999_999)],
)
def test_yuan_become_fen_by_their_digits(text: str, amount_fen: int) -> None:
    assert fen("total_amount", text) == amount_fen


def test_every_amount_comes_back_as_it_went() -> None:
    for amount_fen in (*range(1, 300), 2_899, 100_000_000, 1_109):
        assert fen("total_amount", yuan(amount_fen)) == amount_fen


@pytest.mark.parametrize(
    "text",
    ["", ".5", "1.", "1.999", "-1.00", "+1.00", "1e2", "1,000.00", " 1.00", "1.00\n", "１.00"],
)
def test_amount_that_is_no_exact_number_of_fen_is_not_believed(text: str) -> None:
    with pytest.raises(VerificationError) as why:
        fen("total_amount", text)

    assert why.value.details["field"] == "total_amount"


def test_amounts_of_bills_may_be_below_nothing() -> None:
    assert (signed_fen("x", "-19.90"), signed_fen("x", "0.12")) == (-1990, 12)
    with pytest.raises(VerificationError):
        signed_fen("x", "--1.00")
