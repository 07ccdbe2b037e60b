"""Start and stop the servers of the one-machine stack: free ports, health, end by process id."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.local import pace

START_S = 30.0  # how long a server may take to answer
STOP_S = 5.0  # how long it may take to end when asked, before it is killed
POLL_S = 0.02


class ServerFailed(Exception):
    """A server did not start; the message carries the end of what it said."""


@dataclass(frozen=True)
class Server:
    """A child process that listens on `url`, and only there."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    scratch: Path | None = None  # its folder for temporary files, removed when it stops

    def stop(self) -> None:
        """End the process, its children and its temporary files; done twice it does nothing."""
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_S)
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)  # it began a session of its own
            self.process.wait()
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)


def held_port() -> socket.socket:
    """A port that nobody listens on, and that nobody else is given while the socket is open: the
    servers that we start may listen on it all the same."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(
    name: str,
    command: list[str],
    *,
    url: str,
    log: Path,
    env: Mapping[str, str] | None = None,
    scratch: Path | None = None,
    is_up: Callable[[], bool],
) -> Server:
    """Start `command` and wait until `is_up`. Raises ServerFailed after START_S (on an
    idle machine), or if it ends."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        # A session of its own: Ctrl-C in the terminal reaches us first, and we end our servers.
        process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(name, url, process, scratch)
    deadline_s = time.monotonic() + pace.patient(START_S)
    while not is_up():
        if process.poll() is not None or time.monotonic() > deadline_s:
            server.stop()
            said = log.read_text(errors="replace")[-2000:]
            raise ServerFailed(f"{name} did not start (exit {process.returncode}):\n{said}")
        time.sleep(POLL_S)
    return server


def answers(url: str) -> bool:
    """Whether an HTTP server answers at `url`, with whatever status."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return True
    except (OSError, ValueError):
        return False
