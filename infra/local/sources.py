"""The app as child processes that start again whenever one of its sources changes."""

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from infra.local import pace, process
from infra.local.system import environment

LOOK_EVERY_S = 0.5
READY_S = 20.0
ROOT = Path(__file__).resolve().parent.parent.parent
# What libraries say as they start, and metrics, which CloudWatch reads from the log.
NOISE = re.compile(
    rb'Serving on|\{"_aws"|Found (credentials|endpoint)|Override settings|Using Default settings'
)
REQUEST = re.compile(rb"127\.0\.0\.1 - - \[")


class Children:
    """The API (chalice local) and the jobs; what they say goes to our terminal."""

    def __init__(self, port: int, env: Mapping[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        chalice = str(Path(sys.executable).parent / "chalice")
        where = ["--host", "127.0.0.1", "--port", str(port)]
        self._commands = {
            "api": [chalice, "local", "--stage", "local", "--no-autoreload", *where],
            "jobs": [sys.executable, "-m", "infra.local.jobs"],
        }
        quiet = {"PYTHONWARNINGS": "ignore:No application metrics", "PYTHONUNBUFFERED": "1"}
        self._env = environment({**env, **quiet})
        self._running: list[process.Server] = []
        self._requests_shown = False

    def start(self) -> bool:
        """Start both; False when one of them ends at once, after saying why on the terminal."""
        for name, command in self._commands.items():
            # A session of their own: Ctrl-C reaches us, and we end them by their ids.
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.append(process.Server(name, self.url, child))
            threading.Thread(target=self._relay, args=(child.stdout,), daemon=True).start()
        return self._wait()

    def stop(self) -> None:
        for child in self._running:
            child.process.terminate()  # all at once, then each is waited for
        for child in self._running:
            child.stop()
        self._running.clear()

    def show_requests(self) -> None:
        """From now on every request is shown."""
        self._requests_shown = True

    def _relay(self, said: IO[bytes]) -> None:
        with said:
            for line in said:
                if NOISE.match(line) or (REQUEST.match(line) and not self._requests_shown):
                    continue
                sys.stdout.write(line.decode(errors="replace"))
                sys.stdout.flush()

    def _wait(self) -> bool:
        tick = threading.Event()
        for _ in range(int(pace.patient(READY_S) / process.POLL_S)):
            if any(child.process.poll() is not None for child in self._running):
                return False
            if process.answers(f"{self.url}/v1/openapi.json"):
                return True
            tick.wait(process.POLL_S)
        return False


def watch(changed: Callable[[], None]) -> None:
    """Call `changed` after every change of the app's sources, for ever."""
    seen = _times()
    tick = threading.Event()
    while not tick.wait(LOOK_EVERY_S):
        now = _times()
        if now != seen:
            seen = now
            changed()


def _times() -> dict[str, int]:
    times = {}
    for file in _files():
        try:
            times[str(file)] = file.stat().st_mtime_ns
        except FileNotFoundError:
            continue  # an editor is replacing it
    return times


def _files() -> Iterator[Path]:
    yield ROOT / "app.py"
    yield from (ROOT / "chalicelib").rglob("*.py")
