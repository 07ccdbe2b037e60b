"""A street to fuzz in, of its own: what is asked at random changes it."""

from collections.abc import Iterator

import pytest

from tests.security.street import Street, furnished


@pytest.fixture(scope="package")
def street(engine: str) -> Iterator[Street]:
    with furnished() as street:
        yield street
