"""Where the console and the buyers' shop are put: both ways of hosting, deployed into a local AWS,
whose CloudFront answers by the template's function and headers."""

import http.client
import json
import os
import shutil
import subprocess
import time
import urllib.request
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from infra import deploy_website, website
from infra.deploy_website import SITES, CannotDeploy, Site, files
from infra.local import engine as local_aws
from infra.website import ASK_FIRST, FOR_EVER

OPTIONS: dict[str, object] = {
    "site": "console",
    "stage": "test",
    "backend": "backend",
    "api": None,
    "hosting": "website",
    "domain": None,
    "certificate": None,
    "merchant_id": "m1",
    "colour": None,
    "root_file": [],
}
API = "https://abc.execute-api.cn-north-1.amazonaws.com.cn"
PICTURES = "https://media.example.com"
UPLOADS = "https://pictures.s3.cn-north-1.amazonaws.com.cn"
SHOP = "shop.example.cn"
BACKEND = {
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    "Outputs": {
        "EndpointURL": {"Value": f"{API}/api/"},
        "MediaUrl": {"Value": PICTURES},
        "UploadOrigin": {"Value": UPLOADS},
        "WebUrl": {"Value": f"https://{SHOP}"},
    },
}
ORIGINS = {"ApiOrigin": API, "MediaOrigin": PICTURES, "UploadOrigin": UPLOADS}
ASSET = "assets/index-abc123.js"


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / ASSET).write_text("1")
    (tmp_path / "config.json").write_text('{"api": "of somebody\'s machine"}')
    for name, site in SITES.items():
        monkeypatch.setitem(SITES, name, replace(site, built=tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """A local AWS that has a backend, and that this process' environment leads to."""
    with local_aws.running() as server:
        client = local_aws.client("cloudformation", server.url)
        client.create_stack(StackName="backend", TemplateBody=json.dumps(BACKEND))
        with pytest.MonkeyPatch.context() as environment:
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                environment.delenv(name)
            for name, value in local_aws.credentials(server.url).items():
                environment.setenv(name, value)
            yield server.url


def test_page_is_uploaded_after_everything_that_it_names(built: Path) -> None:
    verification = built.parent / "MP_verify_abc.txt"
    verification.write_text("abc")

    listed = list(files(SITES["h5"], {"api": "https://api"}, [verification]))

    found = {file.key: file for file in listed}
    assert list(found) == ["MP_verify_abc.txt", ASSET, "config.json", "index.html"]
    assert json.loads(found["config.json"].body) == {"api": "https://api"}
    assert found["index.html"].content_type == "text/html; charset=utf-8"
    assert found["index.html"].cache_control == ASK_FIRST
    assert found[ASSET].content_type == "text/javascript; charset=utf-8"
    assert found[ASSET].cache_control == FOR_EVER
    assert found["MP_verify_abc.txt"].cache_control == ASK_FIRST


def test_nothing_is_deployed_before_it_is_built(tmp_path: Path) -> None:
    with pytest.raises(CannotDeploy, match="make client"):
        list(files(Site("买家商城", "make client", tmp_path), {"api": "https://api"}))


@pytest.mark.usefixtures("built")
def test_plain_website_can_be_read_by_anybody(aws: str) -> None:
    told = _deploy()

    bucket = _outputs(aws)["Bucket"]
    with urllib.request.urlopen(f"{aws}/{bucket}/config.json") as answer:
        config = json.load(answer)
        assert answer.headers["Cache-Control"] == ASK_FIRST
    assert config == {"api": f"{API}/api", "media": f"{PICTURES}/", "merchant_id": "m1"}
    policy = _policy(aws, bucket)
    assert policy["Principal"] == "*"
    assert policy["Action"] == "s3:GetObject"
    # It sends no headers itself, so whoever deploys it is told which the proxy has to.
    wanted = website.headers({"Site": "console", **ORIGINS})
    assert told[2:] == [f"  {name}: {value}" for name, value in wanted.items()]


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("site", list(SITES))
def test_cloudfront_alone_reads_its_bucket_and_answers_with_the_headers_of_the_template(
    aws: str, site: str
) -> None:
    _deploy(site=site, stage="behind", hosting="cloudfront")

    made = _outputs(aws, f"tuan-behind-{site}")
    policy = _policy(aws, made["Bucket"])
    assert policy["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert list(policy["Condition"]["StringEquals"]) == ["AWS:SourceArn"]
    blocked = local_aws.client("s3", aws).get_public_access_block(Bucket=made["Bucket"])
    assert set(blocked["PublicAccessBlockConfiguration"].values()) == {True}
    for path, kept in (("/", ASK_FIRST), ("/config.json", ASK_FIRST), (f"/{ASSET}", FOR_EVER)):
        status, headers = _ask(aws, made["Host"], path)
        assert (status, headers["cache-control"]) == (200, kept)
        # What the local server sends is read from the template by ourselves.
        for name, value in website.headers({"Site": site, **ORIGINS}).items():
            assert headers[name.lower()] == value, name
    assert _ask(aws, made["Host"], "/assets/gone.js")[0] == 403


def test_shop_runs_no_script_and_asks_no_host_but_what_is_named() -> None:
    shop = website.headers({"Site": "h5", **ORIGINS})["Content-Security-Policy"]
    console = website.headers({"Site": "console", **ORIGINS})["Content-Security-Policy"]

    assert shop == (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src 'self' data: blob: {PICTURES} https://*.qlogo.cn; "
        f"connect-src 'self' {API} {UPLOADS}; frame-src weixin: wvjbscheme:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    assert console == (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob: {PICTURES}; connect-src 'self' {API} {PICTURES} {UPLOADS}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@pytest.mark.usefixtures("built")
@pytest.mark.skipif(shutil.which("node") is None, reason="node runs CloudFront's functions")
def test_short_links_lead_to_the_page_wherever_the_shop_is_put(aws: str) -> None:
    _deploy(site="h5", stage="links", hosting="cloudfront")
    _deploy(site="h5", stage="plain", domain=SHOP)
    host = _outputs(aws, "tuan-links-h5")["Host"]

    for path, page in (
        ("/g/4Kq0aZ/Xy12", "g/4Kq0aZ/Xy12"),
        ("/a/4Kq0aZ", "a/4Kq0aZ/-"),
        ("/c/4Kq0aZ.", "c/4Kq0aZ/-"),
        ("/g/4Kq0aZ/Xy12/。", "g/4Kq0aZ/Xy12"),
    ):
        sent = _sent_on(aws, "tuan-links-h5-short-links", path)
        assert sent == website.page_of_link("m1", path) == f"/v1/merchants/m1/links/{page}"
        assert website.redirect({"Site": "h5"}, path) == f"/#{path}"
        # The local CloudFront asks no host of AWS's.
        assert _ask(aws, host, quote(path))[0] == 502
    behaviours = _distribution(aws, host)["CacheBehaviors"]["Items"]
    assert [it["TargetOriginId"] for it in behaviours] == ["files", "api"]
    origin = _distribution(aws, host)["Origins"]["Items"][1]
    assert (origin["DomainName"], origin["OriginPath"]) == (urlsplit(API).netloc, "/api")
    # Other addresses of no file are told to the page; those of the console are what they are.
    assert _ask(aws, host, "/pages/no/such")[1]["location"] == "/#/pages/no/such"
    assert _ask(aws, host, "/x/no/such")[1]["location"] == "/#/x/no/such"
    assert website.page_of_link("m1", "/x/4Kq0aZ") is None
    assert _ask(aws, host, "//evil.example/g")[1]["location"] == "/#//evil.example/g"
    assert website.redirect({"Site": "console"}, "/g/4Kq0aZ") is None
    bucket = _outputs(aws, "tuan-plain-h5")["Bucket"]
    rules = local_aws.client("s3", aws).get_bucket_website(Bucket=bucket)["RoutingRules"]
    assert [(it["Condition"]["KeyPrefixEquals"], it["Redirect"]) for it in rules] == [
        (
            f"{kind}/",
            {
                "HostName": SHOP,
                "Protocol": "https",
                "HttpRedirectCode": "302",
                "ReplaceKeyPrefixWith": f"#/{kind}/",
            },
        )
        for kind in "gac"
    ]


def test_page_of_an_earlier_build_finds_its_assets_after_a_deploy(aws: str, built: Path) -> None:
    _deploy(site="h5", stage="again", hosting="cloudfront")
    (built / ASSET).rename(built / "assets/index-def456.js")
    time.sleep(1)  # the CLI names a change set of a stack by the second

    _deploy(site="h5", stage="again", hosting="cloudfront")

    host = _outputs(aws, "tuan-again-h5")["Host"]
    assert [_ask(aws, host, f"/{it}")[0] for it in (ASSET, "assets/index-def456.js")] == [200, 200]


@pytest.mark.usefixtures("built")
def test_shop_is_put_at_the_domain_that_its_links_lead_to(aws: str) -> None:
    given = {"site": "h5", "stage": "own", "hosting": "cloudfront", "colour": "d42a20"}
    with pytest.raises(CannotDeploy, match="--merchant-id"):
        _deploy(**given, merchant_id=None)
    with pytest.raises(CannotDeploy, match=r"WebUrl=https://other\.cn 部署这一版后端"):
        _deploy(**given, domain="other.cn", certificate="arn:aws:acm:us-east-1:0:certificate/1")
    for colour in ("red", "#12345", "ffd400", "#ffffff"):
        with pytest.raises(CannotDeploy, match=r"六位十六进制|太浅"):
            _deploy(**given | {"colour": colour})
    with pytest.raises(CannotDeploy):
        _outputs(aws, "tuan-own-h5")  # nothing was made

    told = _deploy(**given, domain=SHOP, certificate="arn:aws:acm:us-east-1:0:certificate/1")

    host = _outputs(aws, "tuan-own-h5")["Host"]
    assert told == [f"买家商城：https://{SHOP}", f"请把 {SHOP} 的 CNAME 记录指向 {host}。"]
    made = _distribution(aws, host)
    assert made["Aliases"]["Items"] == [SHOP]
    assert made["ViewerCertificate"]["ACMCertificateArn"].endswith("certificate/1")
    without = _deploy(**{**given, "stage": "none"})
    assert without[1] == (
        f"分享链接、登录和付款都回到后端的 WebUrl（https://{SHOP}），它要打开的就是这个网店。"
    )


@pytest.mark.usefixtures("built", "aws")
def test_missing_backend_is_told() -> None:
    with pytest.raises(CannotDeploy, match="请先部署后端"):
        _deploy(backend="no-such-stack")


def _deploy(**options: object) -> list[str]:
    return deploy_website.deploy(Namespace(**{**OPTIONS, **options}))


def _ask(aws: str, host: str, path: str) -> tuple[int, Mapping[str, str]]:
    """What CloudFront answers at that host of its."""
    connection = http.client.HTTPConnection(urlsplit(aws).netloc)
    try:
        connection.request("GET", path, headers={"Host": host, "X-Forwarded-Proto": "https"})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


def _sent_on(aws: str, function: str, path: str) -> str:
    """The path that a function of CloudFront makes of one. (The local one lets nobody test it.)"""
    cloudfront = local_aws.client("cloudfront", aws)
    code = cloudfront.get_function(Name=function, Stage="LIVE")["FunctionCode"].read().decode()
    event = json.dumps({"request": {"uri": path}})
    run = ["node", "-e", f"{code}; console.log(handler({event}).uri)"]
    return subprocess.run(run, capture_output=True, check=True, text=True).stdout.strip()


def _distribution(aws: str, host: str) -> dict[str, Any]:
    listed = local_aws.client("cloudfront", aws).list_distributions()["DistributionList"]["Items"]
    found: dict[str, Any] = next(it for it in listed if it["DomainName"] == host)
    return found


def _outputs(aws: str, stack: str = "tuan-test-console") -> dict[str, str]:
    return deploy_website.outputs_of(local_aws.client("cloudformation", aws), stack)


def _policy(aws: str, bucket: str) -> dict[str, Any]:
    text = local_aws.client("s3", aws).get_bucket_policy(Bucket=bucket)["Policy"]
    statement: dict[str, Any] = json.loads(text)["Statement"][0]
    return statement
