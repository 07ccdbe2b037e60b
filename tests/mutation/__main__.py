"""Remove every guard once and see whether the tests notice; exit 1 when too few are noticed.

ONLY=path[,path…]   mutants of these files or folders alone
SAMPLE=n, SEED=n    so many of them, by chance; the same for the same seed
WORKERS=n           how many are tried at once (2)
"""

import os
import random
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutation import conditions, edge, explained, guards, records, report
from tests.mutation.bench import Bench, Verdict, benches
from tests.mutation.choosing import chosen
from tests.mutation.mutants import Mutant, numbered
from tests.mutation.records import Record
from tests.mutation.sources import App
from tests.mutation.warm import ends_in_order

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / ".cache" / "mutation"


def main() -> int:
    workers = int(os.environ.get("WORKERS", "2"))
    with benches(ROOT, workers) as made:
        tree = made[0].folder  # nobody edits it while it is looked at
        every = _mutants(App(tree))
        reasons = explained.read((tree / explained.FILE.relative_to(ROOT)).read_text())
        outdated = explained.stale(reasons, every)
        wanted = _wanted(every)
        known = [mutant for mutant in wanted if mutant.name in reasons]
        tried = [mutant for mutant in wanted if mutant.name not in reasons]
        _say("measuring which tests run what, where it is not known …")
        record = records.of(tree, CACHE, _measuring(made), workers=workers)
        verdicts = _try_all(tried, record, made)
    for line in report.lines(verdicts, known):
        _say(line)
    for name in outdated:
        _say(f"explains nothing any more: {name}")
    return int(report.share_caught(verdicts) < report.CAUGHT_MIN or bool(outdated))


def _mutants(app: App) -> list[Mutant]:
    return numbered([*conditions.mutants(app), *guards.mutants(app), *edge.mutants(app)])


def _wanted(every: Sequence[Mutant]) -> list[Mutant]:
    only = tuple(path for path in os.environ.get("ONLY", "").split(",") if path)
    wanted = [mutant for mutant in every if not only or mutant.path.startswith(only)]
    sample = int(os.environ.get("SAMPLE", "0"))
    if sample and sample < len(wanted):
        chance = random.Random(os.environ.get("SEED", "0"))
        wanted = chance.sample(wanted, sample)
    return wanted


def _free(made: Sequence[Bench]) -> "SimpleQueue[Bench]":
    free: SimpleQueue[Bench] = SimpleQueue()
    for bench in made:
        free.put(bench)
    return free


def _measuring(made: Sequence[Bench]) -> records.Measure:
    free = _free(made)

    def measure(files: Sequence[str], target: Path) -> None:
        bench = free.get()
        try:
            bench.measure(files, target)
        finally:
            free.put(bench)

    return measure


def _try_all(
    mutants: Sequence[Mutant], record: Record, made: Sequence[Bench]
) -> dict[Mutant, Verdict]:
    free, telling = _free(made), threading.Lock()
    done = 0

    def attempt(mutant: Mutant) -> Verdict:
        nonlocal done
        bench, began_s = free.get(), time.monotonic()
        try:
            verdict, tests = _verdict(bench, mutant, record)
        finally:
            free.put(bench)
        with telling:
            done += 1
            took_s = time.monotonic() - began_s
            _say(f"{done}/{len(mutants)} {verdict} {mutant.id} ({tests} tests, {took_s:.0f} s)")
        return verdict

    with ThreadPoolExecutor(len(made)) as pool:
        try:
            return dict(zip(mutants, pool.map(attempt, mutants), strict=True))
        except BaseException:  # Ctrl-C, too: nothing more is begun, nothing is waited for
            pool.shutdown(wait=False, cancel_futures=True)
            for bench in made:
                bench.close()
            raise


def _verdict(bench: Bench, mutant: Mutant, record: Record) -> tuple[Verdict, int]:
    """The verdict, and how many tests it was shown to at most."""
    tests = chosen(mutant, record)
    shown = 0
    for part in (tests.quick, tests.slow):
        shown += len(part)
        expected_s = sum(record.seconds[test] for test in part)
        verdict = bench.verdict(mutant, part, expected_s=expected_s)
        if verdict is not Verdict.SURVIVED:
            return verdict, shown
    return Verdict.SURVIVED, shown


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    ends_in_order()
    sys.exit(main())
