"""Two merchants for the fuzzer alone: random requests change them."""

from collections.abc import Iterator

import pytest

from tests.fixtures.two_merchants import TwoMerchants, two_merchants


@pytest.fixture(scope="package")
def merchants(engine: str) -> Iterator[TwoMerchants]:
    with two_merchants() as merchants:
        yield merchants
