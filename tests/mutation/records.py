"""Which tests run which line: measured once for a state of the sources, and kept.

One run of the suites under coverage, each test a context of its own. A test file that has changed
is measured again by itself; another state of anything else is measured anew.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SUITES = (
    "tests/api",
    "tests/laws",
    "tests/security",
    "tests/unit",
)
Line = tuple[str, int]  # path, line
Measure = Callable[[Sequence[str], Path], None]  # test files, where the record goes


@dataclass
class Record:
    """seconds: of each test; lines, refused: the tests that ran a line, or saw a function's
    conditional write refused."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[Line, set[str]] = field(default_factory=dict)
    refused: dict[str, set[str]] = field(default_factory=dict)  # path::function -> tests

    def running(self, lines: Iterable[Line]) -> set[str]:
        return set().union(*(self.lines.get(line, ()) for line in lines))

    def add(self, content: dict[str, Any]) -> None:
        """`content`: what tests.mutation.recorder wrote."""
        tests = content["tests"]
        self.seconds |= dict(zip(tests, content["seconds"], strict=True))
        for path, lines in content["lines"].items():
            for line, by in lines.items():
                self.lines.setdefault((path, int(line)), set()).update(tests[n] for n in by)
        for place, by in content["refused"].items():
            self.refused.setdefault(place, set()).update(tests[n] for n in by)

    def forget(self, files: set[str]) -> None:
        gone = {test for test in self.seconds if test.partition("::")[0] in files}
        for test in gone:
            del self.seconds[test]
        for by in (*self.lines.values(), *self.refused.values()):
            by -= gone

    def content(self) -> dict[str, Any]:
        """As the recorder writes it."""
        tests = list(self.seconds)
        known = {test: number for number, test in enumerate(tests)}
        lines: dict[str, dict[int, list[int]]] = {}
        for (path, line), by in self.lines.items():
            lines.setdefault(path, {})[line] = sorted(known[test] for test in by)
        refused = {place: sorted(known[test] for test in by) for place, by in self.refused.items()}
        seconds = list(self.seconds.values())
        return {"tests": tests, "seconds": seconds, "lines": lines, "refused": refused}


def of(root: Path, cache: Path, measure: Measure, *, workers: int) -> Record:
    """The record of the tree at `root`, measured where `cache` has none for it."""
    files = test_files(root)
    kept = cache / f"record-{_hash(root, _sources(root))}.json"
    record, before = Record(), {}
    if kept.exists():
        known = json.loads(kept.read_text())
        before = known["files"]
        record.add(known["record"])
    changed = {path for path, content in files.items() if before.get(path) != content}
    record.forget(changed | (before.keys() - files.keys()))
    if changed or before.keys() - files.keys():
        for content in _measured(sorted(changed), cache, measure, workers):
            record.add(content)
        cache.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({"files": files, "record": record.content()}))
    return record


def _measured(
    changed: Sequence[str], cache: Path, measure: Measure, workers: int
) -> Iterable[dict[str, Any]]:
    """The records of test files, a suite at a time, `workers` of them at once."""
    cache.mkdir(parents=True, exist_ok=True)

    def one(suite: str) -> list[dict[str, Any]]:
        files = [path for path in changed if path.startswith(f"{suite}/")]
        if not files:
            return []
        target = cache / f"measured-{suite.replace('/', '-')}.json"
        measure(files, target)
        content: dict[str, Any] = json.loads(target.read_text())
        target.unlink()
        return [content]

    with ThreadPoolExecutor(workers) as pool:
        return [content for found in pool.map(one, SUITES) for content in found]


def test_files(root: Path) -> dict[str, str]:
    """The suites' files, each with a hash of what is in it."""
    found = [file for suite in SUITES for file in sorted((root / suite).rglob("test_*.py"))]
    return {file.relative_to(root).as_posix(): _hash(root, [file]) for file in found}


def _sources(root: Path) -> list[Path]:
    """Whatever may change what tests run, test files and this check aside."""
    found = [root / "app.py"]
    for folder in ("chalicelib", "infra", "tests"):
        found += (file for file in (root / folder).rglob("*.py") if not _is_beside(file, root))
    return sorted(found)


def _is_beside(file: Path, root: Path) -> bool:
    return file.name.startswith("test_") or (root / "tests/mutation") in file.parents


def _hash(root: Path, files: Sequence[Path]) -> str:
    known = hashlib.sha256()
    for file in files:
        known.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return known.hexdigest()[:16]
