"""A process that has imported what every test run imports, and forks one pytest run after another.

Starting pytest anew for each mutant takes longer than most of its tests. Nothing of the app or of
the tests is imported here, so a run sees the files as they are when it begins.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

POLL_S = 0.02
COMMAND = (sys.executable, "-m", "tests.mutation.warm")


class Warm:
    """Such a process in `folder`, started when first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._child: subprocess.Popen[str] | None = None

    def pytest(
        self, options: Sequence[str], env: dict[str, str], *, said: Path, time_out_s: float
    ) -> int | None:
        """pytest's exit code, None when it took too long; what it said is in `said`."""
        if self._child is None:
            self._child = subprocess.Popen(
                COMMAND,
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        asked, answers = self._child.stdin, self._child.stdout
        assert asked is not None
        assert answers is not None
        job = {"options": list(options), "env": env, "said": str(said), "time_out_s": time_out_s}
        asked.write(json.dumps(job) + "\n")
        asked.flush()
        code: int | None = json.loads(answers.readline())  # fails when it was stopped
        return code

    def stop(self) -> None:
        """End it, and with it the run that it may be waiting for."""
        if self._child is not None:
            self._child.terminate()
            self._child.wait()


def serve(jobs: IO[str], answers: IO[str]) -> None:
    """One run per line of `jobs`, until they end."""
    for line in jobs:
        json.dump(_run(json.loads(line)), answers)
        answers.write("\n")
        answers.flush()


def ends_in_order() -> None:
    """Let SIGTERM end the process as an exception does: what it started is ended first."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _run(job: dict[str, Any]) -> int | None:
    child = os.fork()
    if child == 0:
        _become_pytest(job)
    deadline_s = time.monotonic() + job["time_out_s"]
    try:
        while time.monotonic() < deadline_s:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(POLL_S)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what the run started and did not end


def _become_pytest(job: dict[str, Any]) -> None:
    """The forked process: its own group, its own output, no way back."""
    code = 3
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        said = os.open(job["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(said, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.update(job["env"])
        sys.dont_write_bytecode = False  # or every run compiles, and rewrites, every test again
        import pytest

        code = int(pytest.main(job["options"]))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _import_what_every_run_imports() -> None:
    import argon2  # noqa: F401
    import aws_lambda_powertools  # noqa: F401
    import botocore.session  # noqa: F401
    import chalice.test  # noqa: F401
    import hypothesis.stateful  # noqa: F401
    import jwt  # noqa: F401
    import msgspec  # noqa: F401
    import pynamodb.models  # noqa: F401
    import pytest  # noqa: F401
    import wechatpayv3.utils  # noqa: F401


if __name__ == "__main__":
    ends_in_order()
    _import_what_every_run_imports()
    serve(sys.stdin, sys.stdout)
