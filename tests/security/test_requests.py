"""API8, security misconfiguration: requests that no honest client sends, and what every answer
carries."""

import gzip
import json
import urllib.parse
from typing import Any

import pytest

import app as application
from chalicelib.api.http import BODY_MAX, Operation
from chalicelib.domain.ids import new_id
from tests.fixtures.api_clients import lambda_context
from tests.fixtures.fault_injection import injected, refusal
from tests.fixtures.merchant import ADDRESS, Reply
from tests.fixtures.two_merchants import TwoMerchants
from tests.security.operations import ask, caller_for, name_of, named, path_ids, type_of

OPERATIONS = application.OPERATIONS
WITH_BODIES = [operation for operation in OPERATIONS if operation.body is not None]
INVALID = (400, "invalid_request")
NOT_FOUND = (404, "not_found")
BODIES: dict[str, bytes] = {
    "empty": b"",
    "spaces": b"  \n ",
    "cut_off": b'{"sku_id": "',
    "not_utf8": b'{"remark": "\xff\xfe"}',
    "overlong_utf8": b'{"remark": "\xc0\xaf"}',
    "lone_surrogate": b'{"remark": "\\ud800"}',
    "utf16": '{"remark": "x"}'.encode("utf-16"),
    "byte_order_mark": b"\xef\xbb\xbf{}",
    "deep_list": b"[" * 30_000,
    "deep_object": b'{"a":' * 10_000,
    "deep_and_closed": b"[" * 20_000 + b"]" * 20_000,
    "two_documents": b"{}{}",
    "trailing_comma": b'{"a": 1,}',
    "comment": b"{/* */}",
    "list": b"[]",
    "text": b'"text"',
    "number": b"1",
    "null": b"null",
    "compressed": gzip.compress(b'{"name": "x"}' * 2000),
    "xml": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "form": b"sku_id=1&quantity=1",
    "yaml": b"!!python/object/apply:os.system ['true']",
}
TYPES = ("text/plain", "application/xml", "application/x-www-form-urlencoded", "text/html", "x")
IDS = {
    "encoded_slash": "..%2f..%2fetc%2fpasswd",
    "slash": "../../etc/passwd",
    "nul": "a\0b",
    "newline": "a\nb",
    "hash": "a#b",
    "key_of_another_item": "x#G#y",
    "quote": "a'b",
    "star": "*",
    "very_long": "a" * 3000,
    "unicode_digits": "１" * 22,
    "emoji": "🍓",
    "right_to_left": "\u202eabc",
    "space": " ",
    "empty": "",
    "braces": "{merchant_id}",
    "expression": "${jndi:ldap://127.0.0.1/a}",
}
# What must not stand in any answer: names of tables, modules and libraries, stacks, secrets.
LEAKS = ("Traceback", "chalicelib", "botocore", "dynamodb", "DynamoDB", "pynamodb", ".py", "arn:")


@pytest.mark.parametrize("operation", WITH_BODIES, ids=name_of)
def test_body_that_cannot_be_read_is_refused(merchants: TwoMerchants, operation: Operation) -> None:
    caller, path = caller_for(operation, merchants), ask(operation, merchants.ours).path

    answers = {}
    for name, body in BODIES.items():
        reply = caller.call(operation.method, path, body, Idempotency_Key="a-key-of-mine")
        answers[name] = (reply.status, reply.code)

    limited = (429, "too_many_requests")  # some of these operations take few requests
    assert set(answers.values()) <= {INVALID, limited}
    assert answers["empty"] == INVALID


@pytest.mark.parametrize("operation", WITH_BODIES, ids=name_of)
def test_body_that_is_too_large_is_refused_unread(
    merchants: TwoMerchants, operation: Operation
) -> None:
    reply = caller_for(operation, merchants).call(
        operation.method, ask(operation, merchants.ours).path, b"[" * (BODY_MAX + 1)
    )

    assert (reply.status, reply.code) == (413, "body_too_large")


@pytest.mark.parametrize("content_type", TYPES)
def test_body_of_another_type_is_refused(merchants: TwoMerchants, content_type: str) -> None:
    shop = merchants.ours
    body = json.dumps({"sku_id": shop.activity.sku_id, "address": ADDRESS}).encode()

    reply = shop.outsider.post(f"/v1/groups/{shop.group_id}/seats", body, Content_Type=content_type)

    assert (reply.status, reply.code) == (415, "unsupported_media_type")
    assert reply.body["message"] == "提交的格式不对，请刷新页面后再试。"
    assert reply.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
def test_compressed_body_is_not_opened(merchants: TwoMerchants, encoding: str) -> None:
    body = gzip.compress(json.dumps({"channel": "chat"}).encode())

    reply = merchants.ours.leader.post(
        f"/v1/groups/{merchants.ours.group_id}/shares", body, Content_Encoding=encoding
    )

    assert (reply.status, reply.code) == INVALID


@pytest.mark.parametrize(
    "pair",
    [
        '"quantity": -1, "quantity": 1',
        '"quantity": 1, "quantity": -1',
        '"quantity": 1, "quantity": 1',
        '"quantity": 1, "quantity\\u200b": 1',  # reads alike
        '" quantity": 1, "quantity": 2',
    ],
)
def test_key_that_stands_twice_is_refused(merchants: TwoMerchants, pair: str) -> None:
    shop = merchants.ours
    body = json.dumps({"sku_id": shop.activity.sku_id, "address": ADDRESS})

    reply = shop.outsider.post(
        f"/v1/groups/{shop.group_id}/seats", f"{body[:-1]}, {pair}}}".encode()
    )

    assert (reply.status, reply.code) == INVALID


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("open_group", "sku_id", None),
        ("join_group", "activity_id", "x" * 22),
        ("visit_share", "visitor_id", "visitor-0001"),
        ("share", "channel", "chat"),
        ("pay", "method", "wechat_pay"),
        ("invite_staff", "username", "newcomer"),
        ("create_product", "category_id", None),
    ],
)
def test_line_break_within_a_right_value_makes_it_wrong(
    merchants: TwoMerchants, name: str, field: str, value: str | None
) -> None:
    """One at its end is no part of it, as blanks are not: it is taken away."""
    operation = named(name)
    asked = ask(operation, merchants.ours)
    body = json.loads(asked.body or b"{}")
    right = str(body.get(field, value))
    body[field] = f"{right[:3]}\n{right[3:]}"

    reply = caller_for(operation, merchants).call(
        operation.method, asked.path, body, Idempotency_Key="a-key-of-mine"
    )

    assert (reply.status, reply.code) == INVALID
    assert reply.body["details"]["field"] == field


def test_huge_headers_and_queries_are_refused_and_not_kept(merchants: TwoMerchants) -> None:
    buyer, huge = merchants.ours.leader, "x" * 200_000

    replies = [
        merchants.visitor().get("/v1/orders", Authorization=f"Bearer {huge}"),
        buyer.get(f"/v1/orders?next={huge}"),
        buyer.get(f"/v1/orders?{'&'.join(f'a{n}={n}' for n in range(5000))}"),
        buyer.get(f"/v1/orders?limit={'9' * 5000}"),
        buyer.open(merchants.ours.activity, key=huge),
    ]

    assert [reply.status for reply in replies] == [401, 400, 400, 400, 400]


@pytest.mark.parametrize("tag", ["*", '"*"', 'W/"abc"', '"a", "b"', "x" * 100_000, '"\\"', "é"])
def test_tag_that_is_not_the_groups_gets_the_group(merchants: TwoMerchants, tag: str) -> None:
    path = f"/v1/merchants/{merchants.ours.merchant_id}/groups/{merchants.ours.group_id}"

    reply = merchants.visitor().get(path, If_None_Match=tag)

    assert (reply.status, reply.body["group_id"]) == (200, merchants.ours.group_id)


def test_tag_of_one_group_says_nothing_of_another(merchants: TwoMerchants) -> None:
    shop, visitor = merchants.ours, merchants.visitor()
    base = f"/v1/merchants/{shop.merchant_id}/groups"
    tag = visitor.get(f"{base}/{shop.group_id}").headers["etag"]

    assert visitor.get(f"{base}/{shop.formed_group_id}", If_None_Match=tag).status == 200
    assert visitor.get(f"{base}/{new_id()}", If_None_Match=tag).status == 404


def decoded_event(
    operation: Operation, merchants: TwoMerchants, ids: dict[str, str]
) -> dict[str, Any]:
    """As API Gateway hands it over: path parameters decoded."""
    asked, caller = ask(operation, merchants.ours), caller_for(operation, merchants)
    path, _, query = asked.path.partition("?")
    return {
        "requestContext": {
            "httpMethod": operation.method,
            "resourcePath": operation.path,
            "identity": {"sourceIp": "203.0.113.9"},
            "path": path,
        },
        "headers": {
            "content-type": type_of(operation),
            "idempotency-key": "a-key-of-mine",
            **({"authorization": f"Bearer {caller.token}"} if caller.token else {}),
        },
        "pathParameters": ids,
        "stageVariables": {},
        "multiValueQueryStringParameters": urllib.parse.parse_qs(query) or None,
        "body": asked.body,
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if path_ids(o)], ids=name_of)
def test_id_that_is_none_does_not_exist(merchants: TwoMerchants, operation: Operation) -> None:
    right = {name: merchants.ours.ids[name] for name in path_ids(operation)}

    answers = {}
    for place in right:
        for name, wrong in IDS.items():
            event = decoded_event(operation, merchants, right | {place: wrong})
            answer = application.app(event, lambda_context("api_handler"))
            answers[place, name] = answer["statusCode"]

    assert set(answers.values()) == {404}, answers


@pytest.mark.parametrize(
    "path",
    [
        "/v1/orders/../merchant/settings",
        "/v1/orders/%2e%2e/settings",
        "/v1//orders",
        "/V1/ORDERS",
        "/v1/orders;x=1",
        "/v1/merchant/settings/",
        "/v1/merchant/%73ettings",
        "//v1/merchant/settings",
        "/v1/merchant\\settings",
        "/v1/merchant/settings%00",
        "/v1/merchant/settings?x=1#y",
        "/.env",
        "/v1/../../app.py",
        "/",
    ],
)
def test_path_with_tricks_opens_nothing(merchants: TwoMerchants, path: str) -> None:
    reply = merchants.visitor().get(path)

    assert reply.status in (401, 403, 404)


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get"])
def test_method_that_no_operation_has_is_refused(merchants: TwoMerchants, method: str) -> None:
    owner = merchants.merchant.owner()

    replies = [owner.call(method, path) for path in ("/v1/merchant/settings", "/v1/orders")]

    assert {reply.status for reply in replies} <= {403, 404, 405}


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL"])
def test_header_that_names_another_request_is_not_heard(
    merchants: TwoMerchants, header: str
) -> None:
    leader = merchants.ours.leader
    value = "POST" if header.endswith("Override") else "/v1/merchant/staff"

    reply = leader.get("/v1/orders", **{header.replace("-", "_"): value})

    assert (reply.status, set(reply.body)) == (200, {"items", "next", "counts", "now_s"})


def test_error_inside_tells_nothing_of_the_inside(merchants: TwoMerchants) -> None:
    def broken(operation: str, body: bytes) -> Any:
        return refusal("ValidationException")

    path = f"/v1/merchants/{new_id()}"
    with injected(broken):
        replies = [merchants.visitor().get(path), merchants.ours.leader.get("/v1/orders")]

    for reply in replies:
        assert (reply.status, reply.code) == (500, "internal_error")
        assert reply.body["details"] == {}
        assert not [leak for leak in LEAKS if leak in json.dumps(reply.body)]


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
def test_refusals_tell_nothing_of_the_inside_and_keep_their_shape(
    merchants: TwoMerchants, operation: Operation
) -> None:
    asked = ask(operation, merchants.ours, **dict.fromkeys(path_ids(operation), "x"))
    asking = [merchants.visitor()]
    if operation.method == "GET" or operation.body is not None or path_ids(operation):
        asking.append(caller_for(operation, merchants))  # whom nothing else would stop
    replies = [
        who.call(operation.method, asked.path, b'{"x": 1', Content_Type=type_of(operation))
        for who in asking
    ]

    for reply in replies:
        if reply.status < 400:  # a public list, or one of the caller's own
            continue
        assert set(reply.body) == {"code", "message", "details"}
        assert not [leak for leak in LEAKS if leak in json.dumps(reply.body)]


def answers_of_every_kind(merchants: TwoMerchants) -> list[Reply]:
    leader, visitor = merchants.ours.leader, merchants.visitor()
    group = f"/v1/merchants/{merchants.ours.merchant_id}/groups/{merchants.ours.group_id}"
    return [
        leader.get("/v1/orders"),
        merchants.merchant.owner().get("/v1/merchant/settings"),
        visitor.get("/v1/orders"),
        leader.get("/v1/orders?limit=x"),
        leader.get("/v1/orders/nonsense"),
        visitor.get(group),
        visitor.get(f"{group}/page"),
    ]


def test_every_answer_is_json_that_no_browser_takes_for_anything_else(
    merchants: TwoMerchants,
) -> None:
    for reply in answers_of_every_kind(merchants):
        assert reply.headers["content-type"] == "application/json; charset=utf-8"
        assert reply.headers["x-content-type-options"] == "nosniff"


def test_what_is_somebodys_own_is_kept_by_no_cache(merchants: TwoMerchants) -> None:
    kept = {reply.headers["cache-control"] for reply in answers_of_every_kind(merchants)}

    assert kept == {"no-store"}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://shop.example.com"])
def test_browsers_send_nothing_along_by_themselves(merchants: TwoMerchants, origin: str) -> None:
    """Any origin may read, because there is nothing that a browser would add: no cookie."""
    replies = [
        merchants.ours.leader.get("/v1/orders", Origin=origin),
        merchants.visitor().call("OPTIONS", "/v1/orders", Origin=origin),
    ]

    for reply in replies:
        assert reply.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in reply.headers
        assert "set-cookie" not in reply.headers
