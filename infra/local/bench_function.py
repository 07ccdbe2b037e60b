"""A packaged function in a process of its own, as `infra.local.bench` asks it: one JSON a line.

Run as Lambda's runtime would, with nothing but the package: `python -I -S -B bench_function.py
FOLDER HANDLER`. It measures the processor time of this process, so that the engine, the caller and
the machine's other work do not count.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

SECONDS = 60.0  # that an invocation has left

Json = dict[str, Any]


def main(folder: str, handler: str) -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # where the app writes its log and metrics
    sys.path.insert(0, folder)
    os.environ["_HANDLER"] = handler  # as Lambda says it
    began_ns = time.process_time_ns()
    module, _, name = handler.partition(".")
    function = getattr(importlib.import_module(module), name)
    answers.write(json.dumps({"cpu_ms": _since(began_ns)}) + "\n")
    floor: Callable[[str, Json], Any] | None = None
    for line in sys.stdin:
        asked = json.loads(line)
        if "floor" in asked:
            floor = floor or _bare_client()
            answer = _measured(floor, asked["operation"], asked["floor"])
        elif asked.get("recorded"):
            calls: list[tuple[str, str, int]] = []
            end = _recording(calls)
            answer = _measured(function, asked["event"], _context(name))
            end()
            answer["calls"] = calls
        else:
            answer = _measured(function, asked["event"], _context(name))
        answers.write(json.dumps(answer) + "\n")


def _measured(work: Callable[..., Any], *given: Any) -> Json:
    began_ns = time.process_time_ns()
    returned = work(*given)
    return {"cpu_ms": _since(began_ns), "answer": returned}


def _since(began_ns: int) -> float:
    return (time.process_time_ns() - began_ns) / 1e6


def _context(name: str) -> SimpleNamespace:
    """What Lambda passes beside the event."""
    ends_at_s = time.monotonic() + SECONDS
    return SimpleNamespace(
        function_name=name,
        memory_limit_in_mb=1024,
        invoked_function_arn=f"arn:aws:lambda:local:0:function:{name}",
        aws_request_id="bench",
        get_remaining_time_in_millis=lambda: (ends_at_s - time.monotonic()) * 1000,
    )


def _recording(calls: list[tuple[str, str, int]]) -> Callable[[], None]:
    """Put what DynamoDB is asked into `calls`: operation, body, the bytes of its answer. Returns
    what ends that."""
    client = importlib.import_module("chalicelib.tables.base").connection.client
    send = client.send

    def recorded(operation: str, body: bytes) -> Any:
        answer = send(operation, body)
        calls.append((operation, body.decode(), len(answer.body)))
        return answer

    client.send = recorded

    def end() -> None:
        client.send = send

    return end


def _bare_client() -> Callable[[str, Json], Any]:
    """botocore as it comes in the package, with a connection of its own."""
    session = importlib.import_module("botocore.session").get_session()
    client = session.create_client("dynamodb")

    def call(operation: str, parameters: Json) -> None:
        client._make_api_call(operation, parameters)

    return call


if __name__ == "__main__":
    main(*sys.argv[1:])
