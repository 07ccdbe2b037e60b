"""The seed, size and counts of a run of the law tests, printed at its end."""

import json
import os
import random
import secrets
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

FULL = os.environ.get("TORTURE") == "full"  # everything; else a sample that fits into CI
SEED = int(os.environ.get("TORTURE_SEED") or secrets.randbelow(10**9))
os.environ["TORTURE_SEED"] = str(SEED)  # of the processes that this one starts, too
SHARED_FILE = os.environ.get("TORTURE_FIGURES")  # where several processes put theirs together

counted: Counter[str] = Counter()


def count(what: str, number: int = 1) -> None:
    counted[what] += number


def chance(*names: object) -> random.Random:
    """Return a random generator that repeats itself for the same seed and names."""
    return random.Random("/".join(str(name) for name in (SEED, *names)))


def sized(full: int, sample: int) -> int:
    return full if FULL else sample


def as_table(numbers: Mapping[str, int]) -> list[str]:
    """Format the numbers, and the seed."""
    width = max((len(what) for what in numbers), default=0)
    lines = [f"{what:{width}}  {number:>9,}" for what, number in sorted(numbers.items())]
    return [*lines, f"seed {SEED}: repeat with TORTURE_SEED={SEED}"]


# Hooks of pytest, which tests/conftest.py takes over.


def pytest_sessionfinish(session: Any) -> None:
    """Hand this process's counts to the process that started it, or to the shared file as JSON."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["torture"] = dict(counted)
    elif SHARED_FILE and counted:
        with open(SHARED_FILE, "a", encoding="utf-8") as file:
            file.write(json.dumps(counted) + "\n")


@pytest.hookimpl(optionalhook=True)  # of xdist, which may be left out
def pytest_testnodedown(node: Any) -> None:
    """Add the counts of a worker process; one that crashed has none."""
    counted.update(getattr(node, "workeroutput", {}).get("torture", {}))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if counted:
        terminalreporter.section("torture")
        for line in as_table(counted):
            terminalreporter.write_line(line)
