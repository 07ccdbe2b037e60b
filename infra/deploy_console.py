"""Put the console where merchants reach it: `python -m infra.deploy_console --stage prod`.

Deploys infra/console.yaml beside the stage's backend, and uploads what `make console` made.
The backend's outputs say where the API is. A repeat updates; files of earlier builds stay, for
browsers that still show an earlier page.

The credentials are those of the AWS command line (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, …).
"""

import argparse
import json
import mimetypes
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "infra" / "console.yaml"
BUILT = ROOT / "console" / "dist"
FOR_EVER = "public, max-age=31536000, immutable"  # the name changes with the content
ASK_FIRST = "no-cache"
ENTRY = "index.html"
CONFIG = "config.json"


class CannotDeploy(Exception):
    """The console was not deployed; the message says what to mend."""


@dataclass(frozen=True)
class File:
    """One object of the bucket."""

    key: str
    body: bytes
    content_type: str
    cache_control: str


def files(built: Path, config: Mapping[str, str]) -> Iterator[File]:
    """What is uploaded: assets first, the page that names them last.

    config: what the page reads at its start, {"api", "media", "merchant_id"}. Raises CannotDeploy.
    """
    if not (built / ENTRY).is_file():
        raise CannotDeploy("还没有构建：请先运行 make console。")
    assets = sorted(path for path in built.rglob("*") if path.is_file())
    for path in assets:
        key = path.relative_to(built).as_posix()
        if key not in (ENTRY, CONFIG) and not key.startswith("."):
            yield _file(key, path.read_bytes())
    yield _file(CONFIG, json.dumps(config).encode())
    yield _file(ENTRY, (built / ENTRY).read_bytes())


def _file(key: str, body: bytes) -> File:
    content_type = mimetypes.guess_type(key)[0] or "application/octet-stream"
    if content_type.startswith("text/") or content_type.endswith("javascript"):
        content_type += "; charset=utf-8"
    return File(key, body, content_type, FOR_EVER if key.startswith("assets/") else ASK_FIRST)


def upload(s3: Any, bucket: str, wanted: Iterator[File]) -> int:
    """Put the files into the bucket, in their order. Returns how many."""
    count = 0
    for file in wanted:
        s3.put_object(
            Bucket=bucket,
            Key=file.key,
            Body=file.body,
            ContentType=file.content_type,
            CacheControl=file.cache_control,
        )
        count += 1
    return count


def outputs_of(cloudformation: Any, stack: str) -> dict[str, str]:
    """A stack's outputs by their names. Raises CannotDeploy when there is no such stack."""
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as refusal:
        raise CannotDeploy(f"没有找到 {stack}：请先部署后端。") from refusal
    return {it["OutputKey"]: it["OutputValue"] for it in found[0].get("Outputs", [])}


def deploy_stack(stack: str, parameters: Mapping[str, str]) -> None:
    """Create or update the stack of the console. Raises CannotDeploy."""
    command = [
        str(Path(sys.executable).with_name("aws")),
        *("cloudformation", "deploy", "--no-fail-on-empty-changeset"),
        *("--template-file", str(TEMPLATE), "--stack-name", stack, "--parameter-overrides"),
        *(f"{name}={value}" for name, value in parameters.items()),
    ]
    if subprocess.run(command, check=False).returncode:
        raise CannotDeploy("CloudFormation 没有完成，原因在上面。")


def deploy(options: argparse.Namespace) -> str:
    """Do all of it. Returns the console's address. Raises CannotDeploy."""
    session = botocore.session.get_session()
    cloudformation = session.create_client("cloudformation")
    backend = outputs_of(cloudformation, options.backend or f"tuan-{options.stage}")
    api = (options.api or backend["EndpointURL"]).rstrip("/")
    media = backend["MediaUrl"]
    config = {"api": api, "media": f"{media}/"}
    if options.merchant_id:
        config["merchant_id"] = options.merchant_id
    wanted = list(files(BUILT, config))  # before anything is deployed: it may not be built
    parameters = {
        "Hosting": options.hosting,
        "ApiOrigin": _origin(api),
        "MediaOrigin": _origin(media),
        "UploadOrigin": backend["UploadOrigin"],
        "DomainName": options.domain or "",
        "CertificateArn": options.certificate or "",
    }
    stack = f"tuan-{options.stage}-console"
    deploy_stack(stack, parameters)
    made = outputs_of(cloudformation, stack)
    upload(session.create_client("s3"), made["Bucket"], iter(wanted))
    return made["Url"]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def main() -> None:
    parser = argparse.ArgumentParser(description="部署商家后台的网页。")
    parser.add_argument("--stage", required=True, help="环境，如 dev、prod")
    parser.add_argument("--backend", help="后端的 CloudFormation 栈名，默认 tuan-环境")
    parser.add_argument("--api", help="接口地址，默认取后端的 EndpointURL")
    parser.add_argument("--hosting", choices=["cloudfront", "website"], default="cloudfront")
    parser.add_argument("--domain", help="自己的域名")
    parser.add_argument("--certificate", help="这个域名在 ACM 的证书")
    parser.add_argument("--merchant-id", help="只有一家店时填它的编号，登录时就不用再填")
    try:
        url = deploy(parser.parse_args())
    except (CannotDeploy, BotoCoreError, ClientError) as failure:
        sys.exit(str(failure))
    sys.stdout.write(f"商家后台：{url}\n")


if __name__ == "__main__":
    main()
