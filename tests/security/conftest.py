"""Every case here is refused and changes nothing, or says exactly what it adds:
`@pytest.mark.leaves("added refused_callback")`. A case that is tried with every operation may
leave the count of one wrong pickup code, where it is tried with one, and what WeChat made."""

from collections import Counter
from collections.abc import Iterator

import pytest

from chalicelib.api import limits
from tests.fixtures.two_merchants import TwoMerchants, built

GUESSED_AT = {"look_up_pickup", "hand_over"}
MADE_BY_WECHAT = ("wechat_token", "mini_program_code", "url_link")  # kept so that it is asked once


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "leaves(*changes): what the case changes in the tables")


@pytest.fixture(scope="package")
def shared_merchants(engine: str) -> Iterator[TwoMerchants]:
    with built() as merchants:
        yield merchants


@pytest.fixture
def merchants(
    shared_merchants: TwoMerchants, request: pytest.FixtureRequest
) -> Iterator[TwoMerchants]:
    marks = request.node.iter_markers("leaves")
    wanted = Counter(change for mark in marks for change in mark.args)
    limits.reset()
    yield shared_merchants
    shared_merchants.merchant.wechat.faults.clear()
    changes = shared_merchants.changes()
    if _tried(request) in GUESSED_AT:
        changes.pop("added guesses", None)
        changes.pop("changed guesses", None)
    for kind in MADE_BY_WECHAT:
        changes.pop(f"added {kind}", None)
    assert changes == wanted


def _tried(request: pytest.FixtureRequest) -> str | None:
    """The operation that a case is tried with."""
    parameters = getattr(getattr(request.node, "callspec", None), "params", {})
    return getattr(parameters.get("operation"), "name", None)
