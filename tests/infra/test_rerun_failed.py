"""The plugin that runs failed tests of the whole system again, alone."""

import os
import subprocess
import sys
from pathlib import Path

from infra.package import ROOT

TESTS = """
from pathlib import Path

import pytest

def test_passes():
    pass

def test_is_slow_once():
    seen = Path(__file__).with_name("seen")
    first = not seen.exists()
    seen.touch()
    assert not first
"""
MARKED = TESTS.replace("def test_is_slow", "@pytest.mark.by_the_clock\ndef test_is_slow")
BROKEN = """
def test_is_broken():
    assert False
"""


def run(folder: Path, **files: str) -> tuple[int, str]:
    """(exit code, what was said) of a run in two processes; files by folder."""
    (folder / "conftest.py").write_text('pytest_plugins = ["tests.fixtures.rerun_failed"]\n')
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = by_the_clock: of the system\n")
    for name, content in files.items():
        (folder / name).mkdir()
        (folder / name / f"test_{name}.py").write_text(content)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "xdist", "-n", "2", "--dist", "loadfile"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # which takes longer than the tests
    outcome = subprocess.run(
        command, cwd=folder, env=env | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    return outcome.returncode, outcome.stdout


def test_one_that_passes_alone_is_listed_as_flaky(tmp_path: Path) -> None:
    code, said = run(tmp_path, browser=TESTS, infra=MARKED)

    assert code == 0, said
    assert "FLAKY browser/test_browser.py::test_is_slow_once (call)" in said
    assert "FLAKY infra/test_infra.py::test_is_slow_once (call)" in said
    assert "2 passed, 2 again" in said


def test_one_that_fails_again_fails_the_run_as_others_do_at_once(tmp_path: Path) -> None:
    code, said = run(tmp_path, browser=TESTS + BROKEN, unit=BROKEN)

    assert code == 1, said
    assert "failed again, alone" in said
    assert "FAILED browser/test_browser.py::test_is_broken" in said
    assert "1 failed, 1 passed, 2 again" in said
