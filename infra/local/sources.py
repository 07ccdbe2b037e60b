"""The app as child processes that start again whenever one of its sources changes."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from infra.local import process

LOOK_EVERY_S = 0.5
READY_S = 20.0
ROOT = Path(__file__).resolve().parent.parent.parent


class Children:
    """The API (chalice local) and the jobs, with the output of both on our terminal."""

    def __init__(self, port: int, env: Mapping[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        python = sys.executable
        chalice = str(Path(python).parent / "chalice")
        where = ["--host", "127.0.0.1", "--port", str(port)]
        self._commands = {
            "接口": [chalice, "local", "--stage", "local", "--no-autoreload", *where],
            "后台任务": [python, "-m", "infra.local.jobs"],
        }
        # Read from the sources each time: two processes must not race for one compiled file.
        self._env = {**os.environ, **env, "PYTHONUNBUFFERED": "1"}
        self._running: list[process.Server] = []

    def start(self) -> bool:
        """Start both; False when one of them ends at once, after saying why on the terminal."""
        for name, command in self._commands.items():
            # A session of their own: Ctrl-C reaches us, and we end them by their ids.
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if name == "接口" else None,
                start_new_session=True,
            )
            self._running.append(process.Server(name, self.url, child))
        return self._wait()

    def stop(self) -> None:
        for child in self._running:
            child.process.terminate()  # all at once, then each is waited for
        for child in self._running:
            child.stop()
        self._running.clear()

    def _wait(self) -> bool:
        tick = threading.Event()
        for _ in range(int(READY_S / process.POLL_S)):
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
