"""A client that npm builds into a folder of files: built when its sources changed, served as its
host will. Headers and redirects are those of infra/website.yaml, with this machine's addresses."""

import functools
import hashlib
import json
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra import website
from infra.deploy_website import SITES, origin_of
from infra.local import engine
from infra.local.printing import say
from infra.local.system import step
from infra.lock import alone

PAGE_S = 10  # what the API may take for the page of a short link
NOT_SOURCES = ("node_modules", "dist", ".cache")
MISSING = (
    "没有 npm，{name}没有启动。请安装 Node.js 20.19 或更新的版本（https://nodejs.org），再试一次。"
)

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
    """site: its name for the template. script: of npm, that builds it."""

    site: str
    folder: Path
    script: str

    @property
    def name(self) -> str:
        return SITES[self.site].name

    @property
    def dist(self) -> Path:
        return SITES[self.site].built

    def parameters(self, config: Config) -> Mapping[str, str]:
        """Those of the template, by the configuration that the website fetches as config.json."""
        api, media = origin_of(config["api"]), origin_of(config["media"])
        origins = {"ApiOrigin": api, "MediaOrigin": media, "UploadOrigin": media}
        return {"Site": self.site, **origins}

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
        say(f"正在构建{self.name}……")
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


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, served: Website, config: Config, files: Files, *args: Any) -> None:
        self._parameters, self._files, self._config = served.parameters(config), files, config
        super().__init__(*args, directory=str(served.dist))

    def handle(self) -> None:
        with suppress(ConnectionError):  # a page that was left before it had everything
            super().handle()

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        there, made = website.redirect(self._parameters, path), self._files.get(path)
        if there is not None and (made := self._page_of_link(path)) is None:
            self.send_response(302)
            self.send_header("Location", there)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if made is None:
            super().do_GET()
            return
        body = made.text.encode()
        self.send_response(200)
        self.send_header("Content-Type", f"{made.content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _page_of_link(self, path: str) -> Extra | None:
        """The API's page of a short link; None while the API has none."""
        page = website.page_of_link(self._config["merchant_id"], path)
        try:
            with urllib.request.urlopen(f"{self._config['api']}{page}", timeout=PAGE_S) as answer:
                return Extra("text/html", answer.read().decode())
        except OSError:
            return None

    def end_headers(self) -> None:
        path = urlsplit(self.path).path
        self.send_header("Cache-Control", website.cache_control(path.removeprefix("/")))
        headers, made = website.headers(self._parameters), self._files.get(path)
        if made is not None and made.policy:
            headers["Content-Security-Policy"] = made.policy
        for name, value in headers.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal is for the API's requests."""
