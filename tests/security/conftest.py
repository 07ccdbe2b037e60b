"""Every case here is refused and changes nothing, or says exactly what it adds:
`@pytest.mark.leaves("added refused_callback")`."""

from collections import Counter
from collections.abc import Iterator

import pytest

from chalicelib.api import limits
from tests.security.street import Street, built


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "leaves(*changes): what the case changes in the tables")


@pytest.fixture(scope="package")
def only_street(engine: str) -> Iterator[Street]:
    with built() as street:
        yield street


@pytest.fixture
def street(only_street: Street, request: pytest.FixtureRequest) -> Iterator[Street]:
    marks = request.node.iter_markers("leaves")
    wanted = Counter(change for mark in marks for change in mark.args)
    limits.forget()
    yield only_street
    only_street.town.wechat.faults.clear()
    assert only_street.changes() == wanted
