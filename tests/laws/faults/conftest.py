"""What is so in every torture."""

import pytest

from chalicelib.services.groups import settlement
from tests.laws import run_statistics


@pytest.fixture(autouse=True)
def small_parts(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups are settled one order at a time, so that there is something between two parts."""
    monkeypatch.setattr(settlement, "SETTLE_MAX", 1)


@pytest.fixture(autouse=True)
def seed_is_told() -> None:
    """Shown with a failure: what to set to see it again."""
    print(
        f"repeat with TORTURE_SEED={run_statistics.SEED}{' TORTURE=full' if run_statistics.FULL else ''}"
    )  # noqa: T201
