"""Browser tests that fail beside other tests run once more, alone, when the others are done.

On a busy machine a browser may miss what it was to see. A test that then passes is listed as flaky:
the list should be empty, for what it names waits for a time instead of a state. One that fails
again fails the run. In a run of one process nothing is run again.
"""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

BROWSERS = "console"  # the folder of tests that are given a second look
AGAIN = "again"  # the outcome of a first failure
AGAIN_MAX = 20  # more than that fail for another reason than a slow machine
REPEAT_S = 1800

_repeated: dict[pytest.Config, tuple[int, str]] = {}  # (exit code, what pytest said)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    beside_others = hasattr(item.config, "workerinput")
    if report.failed and beside_others and BROWSERS in item.path.parts:
        report.outcome = AGAIN
    return report


def pytest_report_teststatus(report: Any) -> tuple[str, str, str] | None:
    return (AGAIN, "R", "AGAIN") if report.outcome == AGAIN else None


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    tests = _to_repeat(session.config)
    if not tests or exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return
    code, said = _repeat(session.config, tests)
    _repeated[session.config] = code, said
    if code:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if config not in _repeated:
        return
    code, said = _repeated.pop(config)
    tests = _to_repeat(config)
    if code:
        terminalreporter.section("failed again, alone", red=True)
        terminalreporter.write_line(said)
        return
    terminalreporter.section("flaky: failed beside others, passed alone", yellow=True)
    for report in terminalreporter.stats[AGAIN]:
        terminalreporter.write_line(f"FLAKY {report.nodeid} ({report.when})")
        terminalreporter.write_line(report.longreprtext)
    terminalreporter.write_line(f"{len(tests)} flaky")


def _to_repeat(config: pytest.Config) -> list[str]:
    """The tests that failed first; none in a worker, which does not see them all."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return []
    return sorted({report.nodeid for report in reporter.stats.get(AGAIN, [])})


def _repeat(config: pytest.Config, tests: list[str]) -> tuple[int, str]:
    if len(tests) > AGAIN_MAX:
        return 1, "\n".join([f"{len(tests)} tests failed: too many for a slow machine.", *tests])
    command = [sys.executable, "-m", "pytest", "-q", *tests]
    outcome = subprocess.run(
        command,
        cwd=config.rootpath,
        capture_output=True,
        text=True,
        timeout=REPEAT_S,
    )
    return outcome.returncode, outcome.stdout + outcome.stderr
