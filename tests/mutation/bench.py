"""Where mutants are tried: copies of the tree in a temporary folder, each with an engine."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from infra.local import engine, process
from tests.mutation.mutants import Mutant
from tests.mutation.warm import Warm

SHARED = (".venv", ".cache")  # by a link
LEFT_OUT = shutil.ignore_patterns(
    ".git", *SHARED, ".hypothesis", "*_cache", "__pycache__", "node_modules", "out"
)
RUNS_MAX = 40  # of one engine, which forgets nothing
TIME_OUT_MIN_S = 60.0
TIME_OUT_FACTOR = 5
MEASURING_S = 3600.0
_NOT_FOUND = re.compile(r"^ERROR: not found: (\S+)$", re.MULTILINE)
SEED = "1"  # of the tests that play with chance
PLUGINS = ("no:cacheprovider", "_hypothesis_pytestplugin", "tests.mutation.recorder")
OPTIONS = (
    *(word for plugin in PLUGINS for word in ("-p", plugin)),
    "--hypothesis-profile=mutation",
    "-q",
    "--no-header",
)


class Verdict(StrEnum):
    CAUGHT = "caught"
    HUNG = "hung"  # counts as caught
    SURVIVED = "survived"


class CannotRun(Exception):
    """pytest did not run the tests, for a reason that is not the mutant."""


class Bench:
    """One copy of the tree; one mutant at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._engine: process.Server | None = None
        self._warm = Warm(folder)
        self._runs = 0
        self._written_s = int(time.time())

    def verdict(self, mutant: Mutant, tests: Sequence[str], *, expected_s: float) -> Verdict:
        """What the tests say of the mutant. `expected_s`: how long they take without it.

        Cases that the mutant itself has taken away, being made from what it changes, say nothing:
        nobody would miss them.
        """
        if not tests:
            return Verdict.SURVIVED
        file = self.folder / mutant.path
        source = file.read_bytes()
        said = self.folder / "said"
        time_out_s = TIME_OUT_MIN_S + TIME_OUT_FACTOR * expected_s
        self._replace(file, mutant.applied_to(source))
        try:
            options = ["-x", *OPTIONS, f"@{self._listed(tests)}"]
            env = self._environment()
            code = self._warm.pytest(options, env, said=said, time_out_s=time_out_s)
        finally:
            self._replace(file, source)
        if code is None:
            self.stop()  # the engine may have been held up, too
            return Verdict.HUNG
        if code == 0:
            return Verdict.SURVIVED
        words = said.read_text(errors="replace")
        if code in (1, 2) or "ImportError while loading conftest" in words:
            return Verdict.CAUGHT
        gone = {name.rpartition("/tests/")[2] for name in _NOT_FOUND.findall(words)}
        left = [test for test in tests if test.removeprefix("tests/").split("[")[0] not in gone]
        if len(left) < len(tests):
            return self.verdict(mutant, left, expected_s=expected_s)
        raise CannotRun(f"{mutant.id}: pytest ended with {code}:\n{words[-2000:]}")

    def measure(self, files: Sequence[str], target: Path) -> None:
        """Run whole files without a mutant, and record what they run."""
        command = [sys.executable, "-m", "pytest", *OPTIONS, f"@{self._listed(files)}"]
        said = self.folder / "said"
        with said.open("wb") as output:
            subprocess.run(
                command,
                cwd=self.folder,
                env={**os.environ, **self._environment(), "RECORD": str(target)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=MEASURING_S,
                check=False,  # tests that fail are not recorded
            )
        if not target.exists():
            raise CannotRun(f"nothing recorded:\n{said.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        if self._engine is not None:
            self._engine.stop()
            self._engine = None

    def close(self) -> None:
        self.stop()
        self._warm.stop()

    def _listed(self, tests: Sequence[str]) -> Path:
        """Tests in a file, for there may be more than a command line takes."""
        names = self.folder / "chosen-tests"
        names.write_text("\n".join(tests))
        return names

    def _replace(self, file: Path, content: bytes) -> None:
        """Write a source with a time of its own, by which Python knows its bytecode."""
        file.write_bytes(content)
        self._written_s += 1
        os.utime(file, (self._written_s, self._written_s))

    def _environment(self) -> dict[str, str]:
        """Where the engine is, a new one now and then."""
        if self._runs % RUNS_MAX == 0:
            self.stop()
        if self._engine is None:
            self._engine = engine.start(log=self.folder / "engine.log")
        self._runs += 1
        return {
            "TUAN_TEST_ENDPOINT": self._engine.url,
            "TORTURE_SEED": SEED,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }


@contextmanager
def benches(root: Path, number: int) -> Iterator[list[Bench]]:
    """So many copies of the tree as it is now, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="tuan-mutation-") as folder:
        made: list[Bench] = []
        try:
            for place in (Path(folder) / str(n) for n in range(number)):
                shutil.copytree(
                    made[0].folder if made else root, place, ignore=LEFT_OUT, symlinks=True
                )
                for name in SHARED:
                    (place / name).symlink_to(root / name)
                made.append(Bench(place))
            yield made
        finally:
            for bench in made:
                bench.close()
