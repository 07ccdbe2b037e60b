"""API9, improper inventory management, and API7, server side request forgery: what is there is
what is written down, and nothing that is sent makes the server go anywhere."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import app as application
from infra import openapi
from tests.fixtures.two_merchants import TwoMerchants
from tests.security.operations import body_for, named

DOCUMENT = json.loads(openapi.rendered())
URLS = (
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:8000/",
    "file:///etc/passwd",
    "ftp://example.com/a.png",
    "javascript:alert(1)",
    "data:text/html,<script>",
    "//example.com/a.png",
    "https://example.com/a.png",
    "https://qlogo.cn.example.com/a.png",
    "https://thirdwx.qlogo.cn@example.com/a.png",
    "https://thirdwx.qlogo.cn:8443/a.png",
    "https://example.com/a.png\nhttp://127.0.0.1",
)


def test_every_route_is_an_operation_and_in_the_document() -> None:
    routes = {
        (method, path) for path, methods in application.app.routes.items() for method in methods
    }

    operations = {(operation.method, operation.path) for operation in application.OPERATIONS}
    documented = {
        (method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item
    }
    assert routes == operations | {("GET", "/v1/openapi.json")}
    assert documented == operations


def test_every_route_bears_its_version() -> None:
    assert [path for path in application.app.routes if not path.startswith("/v1/")] == []


def test_operations_without_a_session_are_those_we_know() -> None:
    """A new one is a decision: it is added here."""
    public = {o.name for o in application.OPERATIONS if o.audience == "public"}

    assert public == {
        "browse_activities",
        "read_wechat_page",
        "create_staff_session",
        "list_home_groups",
        "list_points_offers",
        "list_shop_categories",
        "list_shop_coupons",
        "list_shop_stores",
        "read_shop_coupon",
        "log_in",
        "begin_authorization",
        "log_in_by_alipay",
        "log_in_by_authorization",
        "log_in_by_phone",
        "quote_order",
        "read_activity",
        "read_agreements",
        "read_group",
        "read_group_page",
        "read_link",
        "read_points_offer",
        "read_regions",
        "read_shop",
        "send_phone_code",
        "visit_share",
    }


def test_operations_that_make_something_without_a_session_are_limited() -> None:
    unlimited = {
        o.name
        for o in application.OPERATIONS
        if o.audience == "public" and o.method != "GET" and not o.limits
    }

    assert unlimited == set()


@pytest.mark.parametrize(
    "path", ["/docs", "/swagger.json", "/v1/debug", "/v1/health", "/v2/orders", "/admin", "/_local"]
)
def test_nothing_else_is_there(merchants: TwoMerchants, path: str) -> None:
    assert merchants.merchant.owner().get(path).status in (403, 404)


@pytest.mark.parametrize("url", URLS)
def test_picture_from_elsewhere_is_refused(merchants: TwoMerchants, url: str) -> None:
    reply = merchants.ours.outsider.put("/v1/me/profile", {"name": "名字", "avatar": url})

    assert (reply.status, reply.code) == (400, "invalid_request")


@contextmanager
def canary() -> Iterator[tuple[str, list[str]]]:
    """An address, and who has called there."""
    called: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        ended = threading.Event()

        def answer() -> None:
            while not ended.is_set():
                try:
                    connection, peer = listening.accept()
                except TimeoutError:
                    continue
                called.append(str(peer))
                connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listening.getsockname()[1]}/a.png", called
        finally:
            ended.set()
            thread.join()


def test_address_that_somebody_sends_is_never_called(merchants: TwoMerchants) -> None:
    with canary() as (url, called):
        renamed = merchants.ours.outsider.put("/v1/me/profile", {"name": "路人", "avatar": url})
        product = body_for(named("create_product"), merchants.ours) | {"images": [url]}
        product["skus"][0] |= {"image": url, "stock": 1}
        made = merchants.merchant.owner().post("/v1/merchant/products", product)
        merchants.visitor().get(f"/v1/merchants/{merchants.ours.merchant_id}")

    assert (renamed.status, made.status) == (400, 400)  # our own pictures alone, or WeChat's
    assert called == []
