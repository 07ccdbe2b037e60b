"""Put a website where people reach it: `python -m infra.deploy_website h5 --stage prod …`.

The merchants' console, or the buyers' shop (h5). Deploys infra/website.yaml beside the stage's
backend, and uploads what `make console` or `make client` made. The backend's outputs say where
the API is. A repeat updates; files of earlier builds stay, for browsers that still show an earlier
page.

The credentials are those of the AWS command line (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, …).
"""

import argparse
import json
import mimetypes
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from infra import website

ROOT = Path(__file__).resolve().parent.parent
ENTRY = "index.html"
CONFIG = "config.json"
# What red, green and blue add to how light a colour is, and how much it has to differ from the
# white text on it: WCAG 2.1, relative luminance and success criterion 1.4.3.
LUMINANCE = (0.2126, 0.7152, 0.0722)
CONTRAST_MIN = 4.5


class CannotDeploy(Exception):
    """The website was not deployed; the message says what to mend."""


@dataclass(frozen=True)
class Site:
    """name: for people. make: what builds it, into `built`."""

    name: str
    make: str
    built: Path


SITES = {
    "console": Site("商家后台", "make console", ROOT / "console/dist"),
    "h5": Site("买家商城", "make client", ROOT / "miniprogram/dist/build/h5"),
}


@dataclass(frozen=True)
class File:
    """One object of the bucket."""

    key: str
    body: bytes
    content_type: str
    cache_control: str


def files(site: Site, config: Mapping[str, str], extra: Sequence[Path] = ()) -> Iterator[File]:
    """What is uploaded: assets first, the page that names them last.

    config: what the page reads at its start, {"api", "media", "merchant_id"}. extra: files that
    lie beside the page, by which WeChat sees whose the domain is. Raises CannotDeploy.
    """
    if not (site.built / ENTRY).is_file():
        raise CannotDeploy(f"还没有构建：请先运行 {site.make}。")
    for path in extra:
        yield _file(path.name, path.read_bytes())
    assets = sorted(path for path in site.built.rglob("*") if path.is_file())
    for path in assets:
        key = path.relative_to(site.built).as_posix()
        if key not in (ENTRY, CONFIG) and not key.startswith("."):
            yield _file(key, path.read_bytes())
    yield _file(CONFIG, json.dumps(config).encode())
    yield _file(ENTRY, (site.built / ENTRY).read_bytes())


def _file(key: str, body: bytes) -> File:
    content_type = mimetypes.guess_type(key)[0] or "application/octet-stream"
    if content_type.startswith("text/") or content_type.endswith("javascript"):
        content_type += "; charset=utf-8"
    return File(key, body, content_type, website.cache_control(key))


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
    """Create or update the stack of a website. Raises CannotDeploy."""
    command = [
        str(Path(sys.executable).with_name("aws")),
        *("cloudformation", "deploy", "--no-fail-on-empty-changeset"),
        *("--template-file", str(website.TEMPLATE), "--stack-name", stack, "--parameter-overrides"),
        *(f"{name}={value}" for name, value in parameters.items()),
    ]
    if subprocess.run(command, check=False).returncode:
        raise CannotDeploy("CloudFormation 没有完成，原因在上面。")


def deploy(options: argparse.Namespace) -> list[str]:
    """Do all of it. Returns what to tell: where the website is, and what is left to do by hand.

    Raises CannotDeploy.
    """
    session, site = botocore.session.get_session(), SITES[options.site]
    cloudformation = session.create_client("cloudformation")
    backend = outputs_of(cloudformation, options.backend or f"tuan-{options.stage}")
    api = (options.api or backend["EndpointURL"]).rstrip("/")
    media, links = backend["MediaUrl"], backend.get("WebUrl", "")
    config = {"api": api, "media": f"{media}/"}
    if options.merchant_id:
        config["merchant_id"] = options.merchant_id
    if options.colour:
        config["colour"] = _colour(options.colour)
    if options.site == "h5":
        _check_shop(options, links)
    wanted = list(files(site, config, options.root_file))  # before anything is deployed
    parameters = {
        "Site": options.site,
        "Hosting": options.hosting,
        "ApiOrigin": origin_of(api),
        "ApiHost": urlsplit(api).hostname or "",
        "ApiPath": urlsplit(api).path,
        "MerchantId": options.merchant_id or "",
        "MediaOrigin": origin_of(media),
        "UploadOrigin": backend["UploadOrigin"],
        "DomainName": options.domain or "",
        "CertificateArn": options.certificate or "",
    }
    stack = f"tuan-{options.stage}-{options.site}"
    deploy_stack(stack, parameters)
    made = outputs_of(cloudformation, stack)
    upload(session.create_client("s3"), made["Bucket"], iter(wanted))
    told = [f"{site.name}：{made['Url']}"]
    if options.site == "h5" and made["Url"] != links:
        told.append(f"分享链接、登录和付款都回到后端的 WebUrl（{links}），它要打开的就是这个网店。")
    if options.domain:
        told.append(f"请把 {options.domain} 的 CNAME 记录指向 {made['Host']}。")
    if options.hosting == "website":
        told.append("它前面的 HTTPS 代理要给每个回答加上这些响应头：")
        told += [f"  {name}: {value}" for name, value in website.headers(parameters).items()]
        if options.site == "h5":
            page = website.page_of_link(options.merchant_id, "/g/ID/SHARE")
            told.append(
                "要让分享出去的链接显示标题和图片，代理还要把 /g/、/a/、/c/ 开头的地址转给接口，如"
                f" /g/ID/SHARE 转到 {api}{page}（没有 SHARE 时末尾写 -）。"
            )
    return told


def _check_shop(options: argparse.Namespace, links: str) -> None:
    """links: the backend's WebUrl. Raises CannotDeploy."""
    if not options.merchant_id:
        raise CannotDeploy("请用 --merchant-id 说明这是哪家店的商城。")
    if options.domain and links != f"https://{options.domain}":
        raise CannotDeploy(
            f"分享链接、登录和付款都回到后端的 WebUrl，它是 {links or '空的'}："
            f"请先用 WebUrl=https://{options.domain} 部署这一版后端。"
        )


def _colour(given: str) -> str:
    """A colour as #rrggbb; #1677ff may be written without #, which begins a comment in make and in
    .env files. Raises CannotDeploy for none, and for one on which white text cannot be read."""
    found = re.fullmatch(r"#?([0-9a-fA-F]{6})", given)
    if found is None:
        raise CannotDeploy(f"--colour 要写成六位十六进制数，如 1677ff，不是 {given}。")
    parts = [int(found[1][at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in parts]
    light = sum(share * it for share, it in zip(LUMINANCE, linear, strict=True))
    if 1.05 / (light + 0.05) < CONTRAST_MIN:
        raise CannotDeploy(f"{given} 太浅，按钮上的白字看不清，请换深一些的颜色。")
    return f"#{found[1]}"


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def main() -> None:
    parser = argparse.ArgumentParser(description="部署商家后台或买家商城的网页。")
    parser.add_argument("site", choices=list(SITES))
    parser.add_argument("--stage", required=True, help="环境，如 dev、prod")
    parser.add_argument("--backend", help="后端的 CloudFormation 栈名，默认 tuan-环境")
    parser.add_argument("--api", help="接口地址，默认取后端的 EndpointURL")
    parser.add_argument("--hosting", choices=["cloudfront", "website"], default="cloudfront")
    parser.add_argument("--domain", help="自己的域名")
    parser.add_argument("--certificate", help="这个域名在 ACM 的证书")
    parser.add_argument(
        "--merchant-id", help="店的编号：商城必填；后台只有一家店时填了，登录时就不用再填"
    )
    parser.add_argument("--colour", help="商城的主色，如 d42a20")
    parser.add_argument(
        "--root-file",
        type=Path,
        action="append",
        default=[],
        help="放在域名根目录的文件，如微信的 MP_verify_….txt；可以写几次",
    )
    try:
        told = deploy(parser.parse_args())
    except (CannotDeploy, BotoCoreError, ClientError, OSError) as failure:
        sys.exit(str(failure))
    sys.stdout.write("\n".join(told) + "\n")


if __name__ == "__main__":
    main()
