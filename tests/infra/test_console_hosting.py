"""Where the console is put: both ways of hosting, deployed into a local AWS."""

import json
import os
import urllib.request
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra import deploy_console
from infra.deploy_console import ASK_FIRST, FOR_EVER, CannotDeploy, files
from infra.local import engine as local_aws

OPTIONS = Namespace(
    stage="test",
    backend="backend",
    api=None,
    hosting="website",
    domain=None,
    certificate=None,
    merchant_id="m1",
)
BACKEND = {
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    "Outputs": {
        "EndpointURL": {"Value": "https://abc.execute-api.cn-north-1.amazonaws.com.cn/api/"},
        "MediaUrl": {"Value": "https://media.example.com"},
        "UploadOrigin": {"Value": "https://pictures.s3.cn-north-1.amazonaws.com.cn"},
    },
}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "assets" / "index-abc123.js").write_text("1")
    (tmp_path / "config.json").write_text('{"api": "of somebody\'s machine"}')
    monkeypatch.setattr(deploy_console, "BUILT", tmp_path)
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
    found = {file.key: file for file in files(built, {"api": "https://api"})}

    assert list(found) == ["assets/index-abc123.js", "config.json", "index.html"]
    assert json.loads(found["config.json"].body) == {"api": "https://api"}
    assert found["index.html"].content_type == "text/html; charset=utf-8"
    assert found["index.html"].cache_control == ASK_FIRST
    assert found["assets/index-abc123.js"].content_type == "text/javascript; charset=utf-8"
    assert found["assets/index-abc123.js"].cache_control == FOR_EVER


def test_nothing_is_deployed_before_it_is_built(tmp_path: Path) -> None:
    with pytest.raises(CannotDeploy, match="make console"):
        list(files(tmp_path, {"api": "https://api"}))


@pytest.mark.usefixtures("built")
def test_plain_website_can_be_read_by_anybody(aws: str) -> None:
    deploy_console.deploy(OPTIONS)

    bucket = _outputs(aws)["Bucket"]
    with urllib.request.urlopen(f"{aws}/{bucket}/config.json") as answer:
        config = json.load(answer)
        assert answer.headers["Cache-Control"] == ASK_FIRST
    assert config == {
        "api": "https://abc.execute-api.cn-north-1.amazonaws.com.cn/api",
        "media": "https://media.example.com/",
        "merchant_id": "m1",
    }
    policy = _policy(aws, bucket)
    assert policy["Principal"] == "*"
    assert policy["Action"] == "s3:GetObject"


@pytest.mark.usefixtures("built")
def test_cloudfront_alone_reads_its_bucket_and_answers_with_the_policy_of_its_stage(
    aws: str,
) -> None:
    url = deploy_console.deploy(
        Namespace(**{**vars(OPTIONS), "stage": "behind", "hosting": "cloudfront"})
    )

    made = _outputs(aws, "tuan-behind-console")
    assert url == made["Url"]
    assert url.startswith("https://")
    policy = _policy(aws, made["Bucket"])
    assert policy["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert list(policy["Condition"]["StringEquals"]) == ["AWS:SourceArn"]
    blocked = local_aws.client("s3", aws).get_public_access_block(Bucket=made["Bucket"])
    assert set(blocked["PublicAccessBlockConfiguration"].values()) == {True}
    content_policy = _content_policy(aws, "tuan-behind-console")
    api = "https://abc.execute-api.cn-north-1.amazonaws.com.cn"
    pictures = "https://media.example.com"
    uploads = "https://pictures.s3.cn-north-1.amazonaws.com.cn"
    assert f"img-src 'self' data: blob: {pictures};" in content_policy
    assert f"connect-src 'self' {api} {pictures} {uploads};" in content_policy
    assert "script-src 'self';" in content_policy
    assert "frame-ancestors 'none'" in content_policy


@pytest.mark.usefixtures("built")
def test_missing_backend_is_told(aws: str) -> None:
    with pytest.raises(CannotDeploy, match="请先部署后端"):
        deploy_console.deploy(Namespace(**{**vars(OPTIONS), "backend": "no-such-stack"}))


def _outputs(aws: str, stack: str = "tuan-test-console") -> dict[str, str]:
    return deploy_console.outputs_of(local_aws.client("cloudformation", aws), stack)


def _policy(aws: str, bucket: str) -> dict[str, Any]:
    text = local_aws.client("s3", aws).get_bucket_policy(Bucket=bucket)["Policy"]
    statement: dict[str, Any] = json.loads(text)["Statement"][0]
    return statement


def _content_policy(aws: str, name: str) -> str:
    """The Content-Security-Policy that CloudFront adds to every answer."""
    client = local_aws.client("cloudfront", aws)
    found = client.list_response_headers_policies(Type="custom")["ResponseHeadersPolicyList"]
    configs = [it["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"] for it in found["Items"]]
    headers = next(it for it in configs if it["Name"] == name)["SecurityHeadersConfig"]
    return str(headers["ContentSecurityPolicy"]["ContentSecurityPolicy"])
