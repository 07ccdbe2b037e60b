"""Fixtures of the tests that go through the API or call the services."""

import pytest

from tests.fixtures.catalogue import CatalogueFixture, new_catalogue


@pytest.fixture
def catalogue() -> CatalogueFixture:
    """A new merchant with one category and one product of two SKUs."""
    return new_catalogue()
