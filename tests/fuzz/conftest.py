"""A merchants to fuzz in, of its own: what is asked at random changes it."""

from collections.abc import Iterator

import pytest

from tests.fixtures.two_merchants import TwoMerchants, two_merchants


@pytest.fixture(scope="package")
def merchants(engine: str) -> Iterator[TwoMerchants]:
    with two_merchants() as merchants:
        yield merchants
