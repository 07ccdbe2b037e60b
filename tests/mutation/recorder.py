"""A pytest plugin for the mutation check: which test runs which line, and sees which refusal.

Given RECORD (where to write), it measures; without, it only keeps random tests short and the same
each time. Only tests that pass are recorded: a mutant is caught by a test that fails because of it.
"""

import functools
import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import coverage
import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = os.environ.get("RECORD")
MACHINES_MAX = 6  # examples of a state machine
EXAMPLES_MAX = 20  # of another property

hypothesis.settings.register_profile(
    "mutation", deadline=None, derandomize=True, max_examples=EXAMPLES_MAX, database=None
)


class Recorder:
    """One run's tests: seconds of each, lines run by each, functions whose write was refused."""

    def __init__(self) -> None:
        self.coverage = coverage.Coverage(
            data_file=None, config_file=False, source=[str(ROOT / "chalicelib")]
        )
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: set[str] = set()
        self.refused: dict[str, set[str]] = defaultdict(set)
        self.test = ""

    def begin(self, test: str) -> None:
        self.test = test
        self.coverage.switch_context(test)

    def note(self, place: str) -> None:
        if self.test:
            self.refused[place].add(self.test)

    def write(self, target: Path) -> None:
        self.coverage.stop()
        tests = [test for test in self.seconds if test not in self.failed]
        known = {test: number for number, test in enumerate(tests)}
        data, lines = self.coverage.get_data(), {}
        for file in data.measured_files():
            runs = data.contexts_by_lineno(file)
            lines[str(Path(file).relative_to(ROOT))] = {
                line: sorted(known[test] for test in by if test in known)
                for line, by in runs.items()
            }
        refused = {
            place: sorted(known[test] for test in by if test in known)
            for place, by in self.refused.items()
        }
        seconds = [round(self.seconds[test], 3) for test in tests]
        content = {"tests": tests, "seconds": seconds, "lines": lines, "refused": refused}
        target.write_text(json.dumps(content))


recorder = Recorder()


def pytest_configure() -> None:
    if TARGET:
        recorder.coverage.start()
        _watch_refusals()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        machine = getattr(item, "cls", None)
        settings = getattr(machine, "settings", None)
        if isinstance(settings, hypothesis.settings):
            few = min(MACHINES_MAX, settings.max_examples)
            machine.settings = hypothesis.settings(  # type: ignore[union-attr]
                settings, max_examples=few, derandomize=True, database=None
            )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    if TARGET:
        recorder.begin(item.nodeid)
    try:
        return (yield)
    finally:
        if TARGET:
            recorder.begin("")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    recorder.seconds[report.nodeid] += report.duration
    if report.outcome != "passed":
        recorder.failed.add(report.nodeid)


def pytest_sessionfinish() -> None:
    if TARGET:
        recorder.write(Path(TARGET))


def _watch_refusals() -> None:
    """Note who asked for a write whose condition then failed, before anybody imports the writes."""
    from chalicelib.tables import base

    for name in ("put", "update", "check"):
        setattr(base.Writes, name, _noting(getattr(base.Writes, name)))
    base.update_one = _noting(base.update_one)
    put_new = base.put_new

    def noted_put_new(item: Any) -> bool:
        made = put_new(item)
        if not made:
            recorder.note(_caller())
        return made

    base.put_new = noted_put_new


def _noting(write: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(write)
    def noted(*args: Any, refuse: Callable[..., Exception], **more: Any) -> None:
        place = _caller()

        def refused(*old: Any) -> Exception:
            recorder.note(place)
            return refuse(*old)

        write(*args, refuse=refused, **more)

    return noted


def _caller() -> str:
    """`path::function` two frames up."""
    code = sys._getframe(2).f_code
    path = Path(code.co_filename)
    return f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}::{code.co_qualname}"
