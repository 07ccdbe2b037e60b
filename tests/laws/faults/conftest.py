"""Fixtures of every test that injects faults."""

import pytest

from chalicelib.services.groups import settlement
from tests.laws import run_statistics


@pytest.fixture(autouse=True)
def small_parts(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups are settled one order at a time, so that there is something between two parts."""
    monkeypatch.setattr(settlement, "SETTLE_MAX", 1)


@pytest.fixture(autouse=True)
def print_seed() -> None:
    """Print the variables that repeat the run; pytest shows them with a failure."""
    size = " TORTURE=full" if run_statistics.FULL else ""
    print(f"repeat with TORTURE_SEED={run_statistics.SEED}{size}")  # noqa: T201
