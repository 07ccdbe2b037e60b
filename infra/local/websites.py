"""A client that npm builds into a folder of files: built when its sources changed, served as its
host will. The host of a stage sends the same headers; only the addresses in them are others."""

import functools
import hashlib
import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.local import engine
from infra.local.printing import say
from infra.local.system import step
from infra.lock import alone

NOT_SOURCES = ("node_modules", "dist", ".cache")
MISSING = (
    "没有 npm，{name}没有启动。请安装 Node.js 20.19 或更新的版本（https://nodejs.org），再试一次。"
)
NO_CACHE, FOR_EVER = "no-cache", "public, max-age=31536000, immutable"

Config = Mapping[str, str]


@dataclass(frozen=True)
class Extra:
    """A file beside what was built. policy: its own, where it is allowed something else."""

    content_type: str
    text: str
    policy: str = ""


Files = Mapping[str, Extra]  # by path


class NotBuilt(Exception):
    """A website was not built; the message says what to do about it."""


@dataclass(frozen=True)
class Website:
    """name: for people. script: of npm, that writes `dist`. headers: that its host sends with
    everything, by the configuration that it fetches as config.json."""

    name: str
    folder: Path
    dist: Path
    script: str
    headers: Callable[[Config], Mapping[str, str]]

    def install(self) -> str:
        """Install the packages of the lock file, unless they are. Returns npm. Raises NotBuilt."""
        npm = shutil.which("npm")
        if npm is None:
            raise NotBuilt(MISSING.format(name=self.name))
        modules = self.folder / "node_modules"
        wanted = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        self._once(modules / ".installed-for", [self.folder / "package-lock.json"], wanted, modules)
        return npm

    def build(self) -> None:
        """Bring dist up to date with the sources; quick when it is. Raises NotBuilt."""
        npm = self.install()
        stamp = engine.CACHE / f"{self.folder.name}-built-from"
        self._once(stamp, self._sources(), [npm, "run", self.script], self.dist)

    @contextmanager
    def beside(
        self, config: Config, *, port: int, files: Files | None = None
    ) -> Iterator[str | None]:
        """The website for the length of the block: its address, None when npm is missing.

        Everything else works without it, so what is missing is told and no more.
        """
        try:
            step(self.name, self.build)
        except NotBuilt as reason:
            say(f"  {reason}")
            yield None
            return
        with self.served(config, port=port, files=files) as url:
            yield url

    @contextmanager
    def served(self, config: Config, *, port: int = 0, files: Files | None = None) -> Iterator[str]:
        """dist on 127.0.0.1 for the length of the block; its address. port: any, if it is taken."""
        made = {
            "/config.json": Extra("application/json", json.dumps(dict(config))),
            **(files or {}),
        }
        handler = functools.partial(_Handler, self, config, made)
        try:
            server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        except OSError:
            server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            server.server_close()

    def _once(self, stamp: Path, sources: Iterable[Path], command: list[str], made: Path) -> None:
        """Run `command` unless it was run for the same sources and `made` is there."""
        wanted = self._digest(sources)
        with alone(engine.CACHE / f"{self.folder.name}.lock"):  # two test processes want it at once
            if stamp.is_file() and stamp.read_text() == wanted and made.is_dir():
                return
            done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
            if done.returncode:
                said = (done.stdout + done.stderr)[-2000:]
                raise NotBuilt(f"{self.name}没有建成（{' '.join(command[1:])}）：\n{said}")
            stamp.write_text(wanted)

    def _sources(self) -> list[Path]:
        tops = [entry for entry in self.folder.iterdir() if entry.name not in NOT_SOURCES]
        files = [file for top in tops for file in (top.rglob("*") if top.is_dir() else [top])]
        return sorted(file for file in files if file.is_file())

    def _digest(self, files: Iterable[Path]) -> str:
        digest = hashlib.sha256()
        for file in files:
            digest.update(str(file.relative_to(self.folder)).encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()


def policy_of(**directives: str) -> str:
    """A content security policy that allows what is named, scripts of its own and nothing else."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "base-uri": "'none'",
        "form-action": "'none'",
        **{name.replace("_", "-"): sources for name, sources in directives.items()},
    }
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, website: Website, config: Config, files: Files, *args: Any) -> None:
        self._website, self._config, self._files = website, config, files
        super().__init__(*args, directory=str(website.dist))

    def do_GET(self) -> None:
        made = self._files.get(urlsplit(self.path).path)
        if made is None:
            super().do_GET()
            return
        body = made.text.encode()
        self.send_response(200)
        self.send_header("Content-Type", f"{made.content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        hashed = urlsplit(self.path).path.startswith("/assets/")
        self.send_header("Cache-Control", FOR_EVER if hashed else NO_CACHE)
        headers = dict(self._website.headers(self._config))
        made = self._files.get(urlsplit(self.path).path)
        if made is not None and made.policy:
            headers["Content-Security-Policy"] = made.policy
        for name, value in headers.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal is for the API's requests."""
