"""`make bench-cold`: the processor time of a function's start, and of its first work.

Each handler of the package is imported as Lambda does, nine times, in a process of its own that
finds nothing but the package; then it does its first work: the API a public read, a job a run
with nothing due. The floor is the import of `pynamodb.models` from the same package.

    make bench-cold            the sources as they are
    make bench-cold BASE=commit    and those of a commit beside them; ROUNDS=n
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from infra.local import bench_system, demo_data, system
from infra.local.bench_function import Json
from infra.local.printing import padded
from infra.package import ROOT

ROUNDS = 9
FLOOR = "pynamodb.models"
FIRST_READ = f"/v1/merchants/{demo_data.MERCHANT_ID}/activities"
STREAM = "on_trade_change"
_IMPORT = (
    "import sys, time; sys.path.insert(0, sys.argv[1]); began = time.process_time_ns(); "
    f"import {FLOOR}; print((time.process_time_ns() - began) / 1e6)"
)

Start = Callable[[], tuple[float, float]]  # CPU ms of the import, and of the first work


def main() -> None:
    system.end_on_signals()
    rounds = int(os.environ.get("ROUNDS", str(ROUNDS)))
    base = os.environ.get("BASE", "")
    took: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    with ExitStack() as running:
        projects = {"here": ROOT}
        if base:
            projects["base"] = running.enter_context(bench_system.worktree(base))
        env = running.enter_context(
            bench_system.environment(running.enter_context(system.gateways_beside(0, 1)))
        )
        starts: dict[tuple[str, str], Start] = {}
        for name, project in projects.items():
            package = running.enter_context(bench_system.unpacked(project))
            starts |= {(what, name): s for what, s in _starts(package, project, env).items()}
        for _ in range(rounds):
            for what, start in starts.items():
                took[what].append(start())
    _tell(took, list(projects))


def _starts(package: Path, project: Path, env: Mapping[str, str]) -> dict[str, Start]:
    """How to start whatever is measured of a package, by what it is."""
    functions = json.loads((project / ".chalice" / "config.json").read_text())["lambda_functions"]
    starts: dict[str, Start] = {FLOOR: lambda: (_imported(package, env), 0.0)}
    for name in functions:
        if name == "api_handler":
            event = _reading(package, project, env)
            starts["api"] = _start(package, bench_system.API, env, event)
        else:
            event = _change() if name == STREAM else _scheduled()
            starts[name] = _start(package, f"app.{name}", env, event)
    return starts


def _start(package: Path, handler: str, env: Mapping[str, str], event: Json) -> Start:
    def start() -> tuple[float, float]:
        function = bench_system.Function(package, handler, env)
        try:
            return function.import_ms, function.run(event).cpu_ms
        finally:
            function.stop()

    return start


def _reading(package: Path, project: Path, env: Mapping[str, str]) -> Json:
    with ExitStack() as running:
        api = bench_system.api_of(package, project, env, running)
        event = api.event("GET", FIRST_READ)
        api.measured(event)  # it is no refusal that is measured
    return event


def _scheduled() -> Json:
    """What EventBridge sends every minute."""
    return {
        "version": "0",
        "id": "bench",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "0",
        "time": "2026-01-01T00:00:00Z",
        "region": "local",
        "resources": [],
        "detail": {},
    }


def _change() -> Json:
    """What the stream sends when an item is gone."""
    record = {
        "eventID": "bench",
        "eventName": "REMOVE",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "local",
        "eventSourceARN": "arn:aws:dynamodb:local:0:table/trade/stream/now",
        "dynamodb": {"Keys": {"pk": {"S": "bench"}}, "SequenceNumber": "1", "SizeBytes": 1},
    }
    return {"Records": [record]}


def _imported(package: Path, env: Mapping[str, str]) -> float:
    command = [sys.executable, "-I", "-S", "-B", "-c", _IMPORT, str(package)]
    outcome = subprocess.run(command, env=dict(env), check=True, capture_output=True, text=True)
    return float(outcome.stdout)


def _tell(took: Mapping[tuple[str, str], list[tuple[float, float]]], names: list[str]) -> None:
    def median(what: str, name: str, number: Callable[[tuple[float, float]], float]) -> float:
        return statistics.median(number(one) for one in took[what, name])

    floor = median(FLOOR, names[0], lambda it: it[0])
    head = "".join(f"{name:>12}{'x floor':>9}{'+ first':>9}{'x floor':>9}" for name in names)
    print(f"{'CPU ms, median':<28}{head}")
    for what in dict.fromkeys(what for what, _ in took):
        cells = ""
        for name in names:
            if (what, name) in took:
                alone, with_first = median(what, name, lambda it: it[0]), median(what, name, sum)
                cells += f"{alone:12.0f}{alone / floor:9.2f}"
                cells += f"{with_first:9.0f}{with_first / floor:9.2f}"
        print(f"{padded(what, 28)}{cells}")


if __name__ == "__main__":
    began_s = time.monotonic()
    main()
    print(f"{time.monotonic() - began_s:.0f} s")
