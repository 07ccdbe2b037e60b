"""What `make bench` measures: a packaged function with an engine and a shop of its own.

Two commits are two of these in one run: each has its package, its tables and its process.
"""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from chalice.local import LambdaEventConverter, RouteMatcher

from infra.local import engine, process, system
from infra.local.api_client import Api, Reply, Unexpected
from infra.local.bench_function import Json
from infra.package import ROOT, ZIP_NAME

FUNCTION = Path(__file__).with_name("bench_function.py")
API = "app.app"
STAGE = system.STAGE


@dataclass(frozen=True)
class Measured:
    """What one invocation returned, and the processor time that its process took for it."""

    cpu_ms: float
    answer: Any
    calls: list[tuple[str, str, int]]


class Function:
    """A process that runs one handler of an unpacked package."""

    def __init__(self, package: Path, handler: str, env: Mapping[str, str]) -> None:
        command = [sys.executable, "-I", "-S", "-B", str(FUNCTION), str(package), handler]
        self._process = subprocess.Popen(
            command, cwd=package, env=dict(env), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.import_ms = self._read().cpu_ms

    def run(self, event: Json, *, recorded: bool = False) -> Measured:
        """Invoke the handler. recorded: with the calls that it makes of DynamoDB."""
        return self._ask({"event": event, "recorded": recorded})

    def floor(self, operation: str, parameters: Json) -> Measured:
        """Call DynamoDB by botocore alone."""
        return self._ask({"operation": operation, "floor": parameters})

    def stop(self) -> None:
        self._pipe(self._process.stdin).close()  # which ends it
        try:
            self._process.wait(process.STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._pipe(self._process.stdout).close()

    def _ask(self, asked: Json) -> Measured:
        pipe = self._pipe(self._process.stdin)
        pipe.write(json.dumps(asked).encode() + b"\n")
        pipe.flush()
        return self._read()

    def _read(self) -> Measured:
        line = self._pipe(self._process.stdout).readline()
        if not line:
            raise process.ServerFailed("The function ended; what it said is above.")
        said = json.loads(line)
        return Measured(said["cpu_ms"], said.get("answer"), said.get("calls", []))

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe


@dataclass(frozen=True)
class FunctionApi(Api):
    """Calls the API's function with the events of API Gateway, as if over HTTP."""

    function: Function = field(kw_only=True)
    converter: LambdaEventConverter = field(kw_only=True)

    def call(self, method: str, path: str, body: Any = None, *, key: str = "") -> Reply:
        raw = None if body is None else json.dumps(body)
        answer = self.function.run(self.event(method, path, raw, key=key)).answer
        text = answer["body"]
        return Reply(answer["statusCode"], json.loads(text) if text else None)

    def event(
        self,
        method: str,
        path: str,
        body: str | None = None,
        *,
        key: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """The event of a request by the holder of the token."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if key:
            sent["Idempotency-Key"] = key
        event: Json = self.converter.create_lambda_event(method, path, sent, None)
        event["requestContext"]["requestId"] = "bench"
        return event | {"body": body}

    def measured(self, event: Json, *, recorded: bool = False) -> Measured:
        """Raises Unexpected for an answer that is no success."""
        done = self.function.run(event, recorded=recorded)
        if not 200 <= done.answer["statusCode"] < 300:
            where = event["requestContext"]["resourcePath"]
            raise Unexpected(f"{where}: {done.answer['statusCode']} {done.answer['body']}")
        return done


@contextmanager
def unpacked(project: Path) -> Iterator[Path]:
    """The package of a project's sources, made by its own tools, for the length of the block."""
    command = [sys.executable, "-m", "infra.package", "--stage", STAGE]
    subprocess.run(command, cwd=project, check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix="tuan-bench-") as folder:
        with zipfile.ZipFile(project / "out" / STAGE / ZIP_NAME) as zipped:
            zipped.extractall(folder)
        yield Path(folder)


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """The sources of another commit, with the packages that are fetched here."""
    with tempfile.TemporaryDirectory(prefix="tuan-base-") as folder:
        where = Path(folder) / "base"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "-q", "--detach", str(where), commit], check=True)
        try:
            (where / ".cache").symlink_to(engine.CACHE)
            yield where
        finally:
            subprocess.run([*git, "remove", "--force", str(where)], check=True)


@contextmanager
def environment(gateways: tuple[Any, Any, Any]) -> Iterator[dict[str, str]]:
    """A local AWS with an open shop; what a function of it is told."""
    with engine.running() as server:
        tables = engine.create_tables(server.url)
        bucket = engine.media_bucket(STAGE)
        env = engine.credentials(server.url) | {
            **{f"{kind.upper()}_TABLE": name for kind, name in tables.items()},
            "STAGE": STAGE,
            "PARAMETERS_PREFIX": f"/tuan/{STAGE}",
            "MEDIA_BUCKET": bucket,
            "MEDIA_URL": engine.create_bucket(server.url, bucket),
            **system.addresses(*gateways),
        }
        address = {f"/tuan/{STAGE}/public-api-url": "http://127.0.0.1:9"}  # nobody calls back
        engine.put_parameters(server.url, address, secret=False)
        system.open_shop(env, *gateways)
        yield {"PATH": os.defpath, **env}


def api_of(package: Path, project: Path, env: Mapping[str, str], running: ExitStack) -> FunctionApi:
    """The API's function of an unpacked package, started."""
    function = Function(package, API, env)
    running.callback(function.stop)
    template = json.loads((project / "out" / STAGE / "sam.json").read_text())
    paths = list(template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"])
    converter = LambdaEventConverter(RouteMatcher(paths))
    return FunctionApi("", function=function, converter=converter)
