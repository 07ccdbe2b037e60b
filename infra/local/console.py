"""The merchant's console beside the API: built when its sources changed, served as its host will.

The host of a stage sends the same headers; only the addresses in them are others.
"""

import functools
import hashlib
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.local import engine
from infra.local.demo_data import MERCHANT_ID
from infra.local.printing import say
from infra.local.system import STAGE, System, step
from infra.lock import alone
from infra.package import ROOT

CONSOLE = ROOT / "console"
DIST = CONSOLE / "dist"
NODE_MODULES = CONSOLE / "node_modules"
NOT_SOURCES = ("node_modules", "dist")
MISSING = "没有 npm，商家后台没有启动。请安装 Node.js 20.19 或更新的版本（https://nodejs.org），再试一次。"
NO_CACHE, FOR_EVER = "no-cache", "public, max-age=31536000, immutable"


class NoConsole(Exception):
    """The console was not built; the message says what to do about it."""


@contextmanager
def beside(system: System) -> Iterator[str | None]:
    """The console of `system` for the length of the block: its address, None when npm is missing.

    Everything else works without it, so what is missing is told and no more.
    """
    try:
        step("商家后台", build)
    except NoConsole as reason:
        say(f"  {reason}")
        yield None
        return
    port = urlsplit(system.alipay.base_url).port
    with served(config_of(system), port=port + 1 if port else 0) as url:
        yield url


def install() -> str:
    """Install the packages of the lock file, unless they are. Returns npm. Raises NoConsole."""
    npm = shutil.which("npm")
    if npm is None:
        raise NoConsole(MISSING)
    lock = CONSOLE / "package-lock.json"
    _once(NODE_MODULES / ".installed-for", [lock], [npm, "ci", "--no-audit", "--no-fund"])
    return npm


def build() -> None:
    """Bring dist up to date with the sources; quick when it is. Raises NoConsole."""
    npm = install()
    _once(engine.CACHE / "console-built-from", _sources(), [npm, "run", "build"], made=DIST)


def config_of(system: System) -> dict[str, str]:
    """What the console fetches when it starts: where everything of this stage is."""
    return {
        "api": system.api_url,
        "merchant_id": MERCHANT_ID,
        "media": f"{system.aws_url}/{engine.media_bucket(STAGE)}/",
    }


def security_headers(config: dict[str, str]) -> dict[str, str]:
    """What the console's host sends with everything: scripts are its own, and nobody frames it."""
    media = _origin(config["media"])
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": f"'self' data: blob: {media}",
        "connect-src": f"'self' {' '.join(sorted({_origin(config['api']), media}))}",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=()",
    }


@contextmanager
def served(config: dict[str, str], *, port: int = 0) -> Iterator[str]:
    """dist on 127.0.0.1 for the length of the block; its address. port: any, when it is taken."""
    handler = functools.partial(_Handler, config)
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


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, config: dict[str, str], *args: Any) -> None:
        self._config = config
        super().__init__(*args, directory=str(DIST))

    def do_GET(self) -> None:
        if urlsplit(self.path).path != "/config.json":
            super().do_GET()
            return
        body = json.dumps(self._config).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        hashed = urlsplit(self.path).path.startswith("/assets/")
        self.send_header("Cache-Control", FOR_EVER if hashed else NO_CACHE)
        for name, value in security_headers(self._config).items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal is for the API's requests."""


def _once(stamp: Path, sources: Iterable[Path], command: list[str], made: Path = CONSOLE) -> None:
    """Run `command` unless it was run for the same sources and `made` is there."""
    wanted = _digest(sources)
    with alone(engine.CACHE / "console.lock"):  # two test processes want it at the same time
        if stamp.is_file() and stamp.read_text() == wanted and made.is_dir():
            return
        done = subprocess.run(command, cwd=CONSOLE, capture_output=True, text=True)
        if done.returncode:
            said = (done.stdout + done.stderr)[-2000:]
            raise NoConsole(f"商家后台没有建成（{' '.join(command[1:])}）：\n{said}")
        stamp.write_text(wanted)


def _sources() -> list[Path]:
    tops = [entry for entry in CONSOLE.iterdir() if entry.name not in NOT_SOURCES]
    files = [file for top in tops for file in (top.rglob("*") if top.is_dir() else [top])]
    return sorted(file for file in files if file.is_file())


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file.relative_to(CONSOLE)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def main() -> None:
    """`python -m infra.local.console`: build it; `… packages`: only install what that needs."""
    try:
        install() if sys.argv[1:] == ["packages"] else build()
    except NoConsole as reason:
        sys.exit(str(reason))


if __name__ == "__main__":
    main()
