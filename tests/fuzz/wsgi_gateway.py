"""API Gateway as a WSGI application: the app is asked in process, as Lambda would ask it."""

import json
import urllib.parse
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from chalice.local import LocalChalice, RouteMatcher

import app as application
from tests.fixtures.api_clients import lambda_context

StartResponse = Callable[[str, list[tuple[str, str]]], object]


def wsgi_app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    application.app.__class__ = LocalChalice  # whose current request is the thread's own
    event = _event(environ)
    answer = _not_found() if event is None else application.app(event, lambda_context("api"))
    status = HTTPStatus(answer["statusCode"])
    start_response(f"{status.value} {status.phrase}", list(answer["headers"].items()))
    return [answer["body"].encode()]


def _event(environ: dict[str, Any]) -> dict[str, Any] | None:
    """The request as API Gateway hands it over; None where there is no such route."""
    path, query = environ["RAW_URI"].partition("?")[0], environ["QUERY_STRING"]
    try:
        matched = RouteMatcher(list(application.app.routes)).match_route(path)
    except ValueError:
        return None
    if environ["REQUEST_METHOD"] not in application.app.routes[matched.route]:
        return None
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
    }
    return {
        "requestContext": {
            "httpMethod": environ["REQUEST_METHOD"],
            "resourcePath": matched.route,
            "identity": {"sourceIp": "203.0.113.7"},
            "path": path,
        },
        "headers": headers,
        "pathParameters": {k: urllib.parse.unquote(v) for k, v in matched.captured.items()},
        "stageVariables": {},
        "multiValueQueryStringParameters": urllib.parse.parse_qs(query, keep_blank_values=True)
        or None,
        "body": body.decode(errors="replace"),
        "isBase64Encoded": False,
    }


def _not_found() -> dict[str, Any]:
    """What infra/template/api.yaml makes API Gateway answer."""
    body = {"code": "not_found", "message": "没有找到要看的内容。", "details": {}}
    headers = {"Content-Type": "application/json"}
    return {"statusCode": 404, "headers": headers, "body": json.dumps(body)}
