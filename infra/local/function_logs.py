"""What the deployed functions complain of, brought to our terminal while it happens."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.engine import client
from infra.local.printing import say

LOG_GROUP = "/tuan/local/functions"
LOOK_EVERY_S = 2.0
LOUD = frozenset({"WARNING", "ERROR", "CRITICAL"})
# What Lambda itself writes when a function fails before it could log.
FATAL = ("[ERROR]", "Task timed out", "Runtime.")


@contextmanager
def followed(aws_url: str) -> Iterator[None]:
    """Say every warning and error of the functions for the length of the block."""
    ended = threading.Event()
    thread = threading.Thread(target=_follow, args=(client("logs", aws_url), ended))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def complaint(line: str) -> str:
    """A line of a function's log as people read it; empty when it is no complaint."""
    try:
        record: Any = json.loads(line)
    except ValueError:
        return line.strip() if any(mark in line for mark in FATAL) else ""
    if not isinstance(record, dict) or record.get("level") not in LOUD:
        return ""
    more = {key: record[key] for key in ("item", "why", "code", "details") if key in record}
    said = [f"{record['level']} {record.get('function_name', '')} {record.get('message', '')}"]
    said += [json.dumps(more, ensure_ascii=False)] if more else []
    said += [str(record["exception"])] if "exception" in record else []
    return "\n".join(said)


def _follow(logs: Any, ended: threading.Event) -> None:
    seen: set[tuple[int, str]] = set()
    since_ms = 0
    while not ended.wait(LOOK_EVERY_S):
        try:
            found = logs.filter_log_events(logGroupName=LOG_GROUP, startTime=since_ms)["events"]
        except (BotoCoreError, ClientError):
            continue  # nothing has been logged yet, or the emulator is ending
        for event in found:
            if _identity(event) not in seen:
                words = complaint(event["message"])
                if words:
                    say(words)
        since_ms = max((event["timestamp"] for event in found), default=since_ms)
        seen = {_identity(event) for event in found if event["timestamp"] == since_ms}


def _identity(event: Any) -> tuple[int, str]:
    """The emulator does not give every event an id."""
    return event["timestamp"], event["message"]
