"""`make torture`: every harness at full size, in two processes, and what they tried in one table.

TORTURE_SEED=n     repeats a run
TORTURE_PIECES=a,b only these pieces
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.laws.run_statistics import SEED, as_table

HERE = "tests/laws/faults"
# The longest first, so that both processes end at about the same time.
PIECES: dict[str, tuple[str, ...]] = {
    "machine": (
        "tests/laws/properties",
        "--hypothesis-profile=torture",
        f"--hypothesis-seed={SEED}",
    ),
    "events": (f"{HERE}/test_event_sequences.py",),
    "pairs": (f"{HERE}/test_crashes.py", "-k", "three_more"),
    "simulation": (f"{HERE}/test_simulation.py",),
    "load": (f"{HERE}/test_load.py",),
    "crashes": (f"{HERE}/test_crashes.py", "-k", "three_job_runs"),
    "races": (
        "tests/laws/races/test_races.py",
        "tests/laws/races/test_races_with_faults.py",
        "tests/laws/races/test_lost_and_busy.py",
    ),
    "stream": (f"{HERE}/test_stream_batches.py",),
    "refunds": (f"{HERE}/test_refused_refunds.py",),
}
PROCESSES = 2
TAIL_LINES = 60


@dataclass(frozen=True)
class Done:
    """The result of one piece."""

    name: str
    green: bool
    elapsed_s: float
    said: str


def main() -> int:
    chosen = [name for name in os.environ.get("TORTURE_PIECES", "").split(",") if name]
    pieces = [(name, PIECES[name]) for name in chosen or PIECES]
    began_s = time.monotonic()
    _tell(f"torture with seed {SEED}: {', '.join(name for name, _ in pieces)}")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(PROCESSES) as pool:
        file = Path(folder, "figures")
        done = list(pool.map(lambda piece: _run(piece[0], piece[1], file), pieces))
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    counted = sum((Counter(json.loads(line)) for line in lines), Counter[str]())
    red = [one.name for one in done if not one.green]
    _tell(
        "",
        *as_table(counted),
        f"violations: {f'see {chr(44).join(red)} above' if red else 0}",
        f"elapsed: {(time.monotonic() - began_s) / 60:.1f} minutes",
    )
    if red:
        again = f"TORTURE_SEED={SEED} TORTURE_PIECES={','.join(red)}"
        _tell(f"repeat with: make torture {again}")
    return 1 if red else 0


def _run(name: str, what: Sequence[str], file: Path) -> Done:
    began_s = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *what]
    more = {"TORTURE": "full", "TORTURE_SEED": str(SEED), "TORTURE_FIGURES": str(file)}
    ran = subprocess.run(
        command, env={**os.environ, **more}, capture_output=True, text=True, check=False
    )
    done = Done(name, ran.returncode == 0, time.monotonic() - began_s, ran.stdout + ran.stderr)
    _tell(f"{name}: {'green' if done.green else 'RED'} after {done.elapsed_s:.0f} s")
    if not done.green:
        _tell(*done.said.splitlines()[-TAIL_LINES:])
    return done


def _tell(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
