"""The local AWS: ministack as a child process, in a virtual environment of its own.

Tables are made from infra/template/tables.yaml, the very definition that is deployed, so that tests
and production cannot differ in a key or an index.
"""

import copy
import hashlib
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local import process
from infra.lock import alone
from infra.merge_template import merged

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / ".cache"
REQUIREMENTS = Path(__file__).parent / "requirements-ministack.txt"
REGION = "cn-north-1"
ACCOUNT_ID = "000000000000"  # whose resources the emulator makes for the credentials below

# Uvicorn, over C, serves the app of ministack for a quarter less CPU time than Hypercorn.
SERVER = (
    *("-m", "uvicorn", "infra.local.emulator.fast_dynamodb:app", "--app-dir", str(ROOT)),
    *("--host", "127.0.0.1"),
    *("--loop", "uvloop", "--http", "httptools", "--timeout-keep-alive", "75"),
    *("--no-access-log", "--no-server-header", "--no-date-header", "--log-level", "warning"),
    *("--timeout-graceful-shutdown", "1"),
    "--no-proxy-headers",  # a caller's address is where it calls from, as in the cloud
)
INHERITED = ("PATH", "HOME", "LANG")

# The tables by what they hold, with their logical ids in the template.
TABLES = {"catalogue": "CatalogueTable", "trade": "TradeTable", "records": "RecordsTable"}


def credentials(endpoint: str) -> dict[str, str]:
    """The environment that sends every AWS call of a process to the emulator."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def client(service: str, endpoint: str) -> Any:
    """A client of the emulator at `endpoint`, whatever the environment says."""
    return _session().create_client(
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=120),
    )


@cache
def _session() -> botocore.session.Session:
    """One for all clients: it reads what they need to know of AWS from its files once."""
    return botocore.session.get_session()


def start(*, port: int | None = None, log: Path | None = None) -> process.Server:
    """Start ministack on the loopback address. It keeps nothing when it stops."""
    port = port or process.free_port()
    url = f"http://127.0.0.1:{port}"
    # Every function that runs at the same time as another unpacks 36 MB, and leaves them there.
    scratch = Path(tempfile.mkdtemp(prefix="tuan-aws-"))
    return process.start(
        "ministack",
        [str(_python()), *SERVER, "--port", str(port)],
        url=url,
        log=log or CACHE / "ministack.log",
        # Functions inherit it, so nothing of the developer's own environment goes in.
        env={name: os.environ[name] for name in INHERITED if name in os.environ}
        | {
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",  # or a second port opens, on all interfaces
            "MINISTACK_REGION": REGION,
            "LOG_LEVEL": "WARNING",
            "TMPDIR": str(scratch),
        },
        scratch=scratch,
        is_up=lambda: process.answers(f"{url}/_ministack/health"),
    )


@contextmanager
def running(*, port: int | None = None) -> Iterator[process.Server]:
    """ministack for the length of the block."""
    server = start(port=port)
    try:
        yield server
    finally:
        server.stop()


def create_tables(endpoint: str, prefix: str = "") -> dict[str, str]:
    """Create the three tables of the template; a table that exists is left as it is.

    Returns their names by what they hold: {"trade": prefix + "trade", …}.
    """
    dynamodb = client("dynamodb", endpoint)
    names = {kind: prefix + kind for kind in TABLES}
    with ThreadPoolExecutor(len(TABLES)) as pool:
        made = [pool.submit(_create_table, dynamodb, kind, names[kind]) for kind in TABLES]
        for one in made:
            one.result()
    return names


def table_definition(kind: str) -> dict[str, Any]:
    """What CreateTable takes for the table of `kind`, from the template, without its name."""
    properties = _resource(TABLES[kind])["Properties"]
    definition = {
        key: properties[key]
        for key in ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        if key in properties
    }
    if "StreamSpecification" in properties:
        definition["StreamSpecification"] = properties["StreamSpecification"] | {
            "StreamEnabled": True
        }
    return definition


def _resource(name: str) -> dict[str, Any]:
    """Return a resource of the template, to be changed at will."""
    return copy.deepcopy(_resources()[name])


@cache
def _resources() -> dict[str, Any]:
    """The template's resources: tests make tables more often than YAML is quick to read."""
    return merged()["Resources"]


def create_bucket(endpoint: str, name: str) -> str:
    """Create the bucket of pictures, and return the address of what is in it."""
    s3 = client("s3", endpoint)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    bucket = _resource("MediaBucket")["Properties"]
    (rule,) = bucket["CorsConfiguration"]["CorsRules"]
    rule["MaxAgeSeconds"] = rule.pop("MaxAge")  # CloudFormation's word for it is another
    s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule]})
    return f"{endpoint}/{name}"


def media_bucket(stage: str) -> str:
    """The name that the template gives the bucket of pictures."""
    return f"tuan-{stage}-media-{ACCOUNT_ID}-{REGION}"


def put_parameters(endpoint: str, parameters: Mapping[str, str], *, secret: bool = True) -> None:
    """Write SSM parameters by their full names, over what is there."""
    ssm = client("ssm", endpoint)
    kind = "SecureString" if secret else "String"
    for name, value in parameters.items():
        ssm.put_parameter(Name=name, Value=value, Type=kind, Overwrite=True)


def _create_table(dynamodb: Any, kind: str, name: str) -> None:
    try:
        dynamodb.create_table(TableName=name, **table_definition(kind))
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] != "ResourceInUseException":
            raise
    # botocore asks every 20 s by default; a local engine is done in milliseconds.
    waiter = dynamodb.get_waiter("table_exists")
    waiter.wait(TableName=name, WaiterConfig={"Delay": 0.02, "MaxAttempts": 500})


def packages() -> Path:
    """The folder of ministack's environment that has its packages."""
    (folder,) = _python().parent.parent.glob("lib/python*/site-packages")
    return folder


def _python() -> Path:
    """The Python of ministack's environment, made on first use.

    The environment is named by what it holds, so that a changed pin or Python makes a new one.
    """
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = CACHE / f"ministack-venv-{wanted}"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    with alone(CACHE / "ministack-venv.lock"):
        if not ready.exists():
            print("Installing the local AWS emulator (once) …", flush=True)
            venv.create(folder, with_pip=True, clear=True)
            install = [str(python), "-m", "pip", "install", "-qq", "--no-deps", "--require-hashes"]
            subprocess.run([*install, "--requirement", str(REQUIREMENTS)], check=True)
            ready.touch()
    return python
