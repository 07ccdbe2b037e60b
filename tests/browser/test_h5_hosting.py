"""The buyers' shop as it is deployed: the built files behind CloudFront, with the function and the
headers of infra/website.yaml, in a browser that talks to the local system."""

import json
import re
import threading
import urllib.error
import urllib.request
from argparse import Namespace
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from infra import deploy_website
from infra.local import engine, h5
from infra.local.demo_data import MERCHANT_ID
from tests.browser.conftest import Shop
from tests.browser.shoppers import shopper

PAGES = json.loads((h5.FOLDER / "src/pages.json").read_text())


class _AsTold(urllib.request.HTTPRedirectHandler):
    """Hands redirects over instead of following them."""

    def redirect_request(self, *_: object) -> None:
        return None


@pytest.fixture
def hosted(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the shop, deployed into the local AWS; before it what takes HTTPS off."""
    h5.H5.build()
    aws, system = shop.system.aws_url, shop.system
    outputs = {"EndpointURL": system.api_url, "MediaUrl": f"{aws}/media", "UploadOrigin": aws}
    backend = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    cloudformation = engine.client("cloudformation", aws)
    cloudformation.create_stack(StackName="backend", TemplateBody=json.dumps(backend))
    for name, value in engine.credentials(aws).items():
        monkeypatch.setenv(name, value)
    given: dict[str, object] = {
        **{"site": "h5", "stage": "hosted", "backend": "backend", "merchant_id": MERCHANT_ID},
        **{"api": None, "domain": None, "certificate": None, "colour": None, "root_file": []},
        "hosting": "cloudfront",
    }
    deploy_website.deploy(Namespace(**given))
    host = deploy_website.outputs_of(cloudformation, "tuan-hosted-h5")["Host"]
    _ask_api_over_http(aws, host, urlsplit(system.api_url).port or 0)
    opener = urllib.request.build_opener(_AsTold)

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = {"Host": host, "X-Forwarded-Proto": "https"}
            try:
                answer = opener.open(urllib.request.Request(aws + self.path, headers=sent))
            except urllib.error.HTTPError as error:
                answer = error
            body = answer.read()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def _ask_api_over_http(aws: str, host: str, port: int) -> None:
    """Let CloudFront reach the API of this machine, which speaks no HTTPS."""
    cloudfront = engine.client("cloudfront", aws)
    listed = cloudfront.list_distributions()["DistributionList"]["Items"]
    made = next(it["Id"] for it in listed if it["DomainName"] == host)
    found = cloudfront.get_distribution_config(Id=made)
    config = found["DistributionConfig"] | {"Comment": ""}
    api = next(it for it in config["Origins"]["Items"] if it["Id"] == "api")
    ports = {"HTTPPort": port, "HTTPSPort": port}
    api["CustomOriginConfig"] |= {**ports, "OriginProtocolPolicy": "http-only"}
    cloudfront.update_distribution(Id=made, IfMatch=found["ETag"], DistributionConfig=config)


def test_short_link_opens_the_group_and_every_page_keeps_to_the_policy(
    browser: Browser, shop: Shop, hosted: str
) -> None:
    group_id = shop.demo.inviting.group_id
    buyer = shopper(browser, shop, hosted, name="小满")
    with urllib.request.urlopen(f"{hosted}g/{group_id}") as answer:  # as a chat draws its card
        card = answer.read().decode()

    assert re.search('property="og:title" content="【还差1人】¥', card)
    assert f'property="og:url" content="{shop.system.web_url}/g/{group_id}"' in card
    buyer.page.goto(f"{hosted}g/{group_id}。")  # as it stood in a sentence
    expect(buyer.see("hint")).to_contain_text("加上你就成团")
    answer = buyer.page.goto(f"{hosted}g/{group_id}/share1?from=timeline")
    expect(buyer.see("hint")).to_contain_text("加上你就成团")
    buyer.page.reload()
    buyer.says("hint", "加上你就成团")

    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'; style-src 'self';" in policy
    assert buyer.page.url == f"{hosted}#/pages/group/group?g={group_id}&s=share1"
    buyer.tap("group-product")
    buyer.page.wait_for_url(re.compile(r"#/pages/activity/activity\?a="))
    activity_id = buyer.page.url.rpartition("=")[2]
    buyer.page.goto(f"{hosted}a/{activity_id}")
    expect(buyer.see("bar-home")).to_be_visible()
    assert buyer.page.url == f"{hosted}#/pages/activity/activity?a={activity_id}"
    # Each page draws something of its own: the menus and sheets, the forms, the lists.
    parts = [
        ("", PAGES["pages"]),
        *((it["root"] + "/", it["pages"]) for it in PAGES["subPackages"]),
    ]
    for path in [f"/{root}{page['path']}" for root, pages in parts for page in pages]:
        buyer.open(f"{path.replace('//', '/')}?a={activity_id}&g={group_id}")
        buyer.page.reload()
        expect(buyer.page.locator("uni-page-body").first).to_be_visible()
        buyer.page.wait_for_load_state("networkidle")
    buyer.open("/pages/activity/activity")  # a link that was cut off
    expect(buyer.page.get_by_text("没有找到这个活动，可能已经下架。")).to_be_visible()
    buyer.page.goto(f"{hosted}no/such/page")
    expect(buyer.page.get_by_test_id("activity-card").first).to_be_visible()
    buyer.page.context.close()
    assert buyer.breaches == []
