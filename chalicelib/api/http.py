"""The edge: one declaration per operation, from which its route, its checks and its OpenAPI come.

A view receives path parameters as they stand in the path, `who` (the verified session) unless it
is public, and, where it has parameters of these names, `query` and `body`, decoded as the schemas
that they are annotated with. A public operation about a merchant that has a `who` takes a session
too: it gets a buyer of that merchant, or None. A view returns the schema of its annotation, or an
`Answer` when it has headers to add. ServiceErrors become answers here, inside the view: Chalice
adds CORS headers to what a view returns, not to what middleware puts in its place.
"""

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec
from chalice import Blueprint, CORSConfig, Response
from chalice.app import Request

from chalicelib import clock, observability
from chalicelib.api import auth, languages, limits
from chalicelib.api.text_normalisation import PHONES, normalised
from chalicelib.domain import phone_code
from chalicelib.domain.phone import WRONG as WRONG_PHONE
from chalicelib.domain.rights import Right
from chalicelib.errors import (
    BodyTooLarge,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    ServiceError,
    UnsupportedMediaType,
)
from chalicelib.gateways.secrets import NotConfigured
from chalicelib.text import Text

BODY_MAX = 128 * 1024  # bytes; the largest honest body, a product with 200 SKUs, is some 100 KB
ID_PATTERN = "^[0-9A-Za-z_-]{1,64}$"  # of whatever stands in a path: no key has room for more
HEADERS: Mapping[str, str] = {
    "Content-Type": "application/json; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",  # unless the view says otherwise: most answers are somebody's own
}
# Which parameter is missing is for staff: buyers are told what they can do.
NOT_OFFERED = "店家还没有开通这种方式，请换一种方式，或联系店家。"
CORS = CORSConfig(
    allow_origin="*",  # sessions travel in a header, never in a cookie
    allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match"],
    expose_headers=["ETag", "Retry-After"],
    max_age=86400,
)


OF_CHALICE: Mapping[int, type[ServiceError]] = {405: MethodNotAllowed, 415: UnsupportedMediaType}


class Audience(StrEnum):
    PUBLIC = "public"
    BUYER = "buyer"
    STAFF = "staff"
    GATEWAY = "gateway"  # callbacks: whoever signs with the gateway's key


@dataclass(frozen=True)
class Header:
    """A request header that an operation reads."""

    purpose: str
    pattern: str | None = None
    required: bool = False


@dataclass(frozen=True)
class Operation:
    """One method on one path, as the API promises it."""

    method: str
    path: str
    name: str
    summary: str
    audience: Audience
    rights: Sequence[Right]  # one of them is enough; none: any staff, about themselves
    query: type[msgspec.Struct] | None
    body: type[msgspec.Struct] | None
    answer: type[msgspec.Struct] | None
    status: int
    refusals: Sequence[type[ServiceError]]
    headers: Mapping[str, Header]
    limits: Sequence[limits.Limit]
    content_type: str
    before_password_change: bool
    optional_session: bool


@dataclass(frozen=True)
class Answer:
    """A view's answer when the schema alone does not say it all."""

    body: msgspec.Struct | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Api(Blueprint):
    """A blueprint whose routes are operations; `operations` lists them for the document."""

    def __init__(
        self, import_name: str, *, prefix: str = "/v1", audience: Audience = Audience.STAFF
    ) -> None:
        """audience: of the operations that name no other."""
        super().__init__(import_name)
        self.prefix = prefix
        self.audience = audience
        self.operations: list[Operation] = []

    def operation(
        self,
        method: str,
        path: str,
        *,
        audience: Audience | None = None,
        answer: type[msgspec.Struct] | None = None,
        status: int = 200,
        right: Right | Sequence[Right] = (),
        refusals: Sequence[type[ServiceError]] = (),
        headers: Mapping[str, Header] | None = None,
        limited: Sequence[limits.Limit] = (),
        content_type: str = "application/json",
        before_password_change: bool = False,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register a view. `right`: what staff need for it, or several of which one is enough.
        `answer`: what is in the `Answer` of a view that returns one.
        `headers`: request headers it reads.
        `content_type`: of bodies, which are refused with 415 when they have another.
        `before_password_change`: staff may ask before they have chosen a password of their own."""

        def register(view: Callable[..., Any]) -> Callable[..., Any]:
            summary = (view.__doc__ or view.__name__).strip().splitlines()[0]
            types = view.__annotations__
            whose = audience or self.audience
            returned = types["return"]
            operation = Operation(
                method=method,
                path=self.prefix + path,
                name=view.__name__,
                summary=summary,
                audience=whose,
                rights=(right,) if isinstance(right, Right) else tuple(right),
                query=types.get("query"),
                body=types.get("body"),
                answer=returned if issubclass(returned, msgspec.Struct) else answer,
                status=status,
                refusals=tuple(refusals),
                headers=headers or {},
                limits=tuple(limited),
                content_type=content_type,
                before_password_change=before_password_change,
                optional_session="who" in types and whose is Audience.PUBLIC,
            )
            self.operations.append(operation)
            route = self.route(path, methods=[method], cors=CORS, content_types=[content_type])
            route(self._answering(operation, view))
            return view

        return register

    def _answering(self, operation: Operation, view: Callable[..., Any]) -> Callable[..., Response]:
        @functools.wraps(view)
        def answered(**path_parameters: str) -> Response:
            try:
                who = self._who(operation, path_parameters)
                given = {} if who is None and not operation.optional_session else {"who": who}
                _refuse_odd_ids(path_parameters)
                request, now_s = self.current_request, clock.now_s()
                with limits.kept(operation.limits, request, who, now_s=now_s):
                    given |= _decoded(request, operation)
                    answer = view(**path_parameters, **given)
                    return _response(answer, operation.status, request.headers)
            except ServiceError as error:
                if error.status >= 500:
                    observability.logger.warning("refused", exc_info=True)
                if isinstance(error, NotConfigured) and operation.audience is not Audience.STAFF:
                    error = NotFound(NOT_OFFERED)
                return error_response(error, self.current_request.headers)
            except Exception:
                observability.logger.exception("unhandled error")
                return error_response(ServiceError(), self.current_request.headers)

        return answered

    def _who(
        self, operation: Operation, path_parameters: Mapping[str, str]
    ) -> auth.Buyer | auth.Staff | None:
        """Who asks, checked before anything that they send; None where anybody may."""
        headers = self.current_request.headers
        if operation.optional_session and header_of(headers, "authorization"):
            buyer = auth.buyer_of(headers)
            return buyer if buyer.merchant_id == path_parameters["merchant_id"] else None
        if operation.audience is Audience.BUYER:
            return auth.buyer_of(headers)
        if operation.audience is Audience.STAFF:
            return auth.staff_of(
                headers, operation.rights, before_password_change=operation.before_password_change
            )
        return None


def raw_body(request: Request) -> bytes:
    """The body as it was sent, whatever Chalice made of it."""
    body = request.raw_body
    return body.encode() if isinstance(body, str) else body


def error_response(error: ServiceError, asked: Mapping[str, str]) -> Response:
    """The answer to a request with the headers `asked`."""
    body = {"code": error.code, "message": error.message, "details": dict(error.details)}
    wait_s = error.details.get("retry_after_s")
    headers = {} if wait_s is None else {"Retry-After": str(wait_s)}
    return _json(body, error.status, headers, asked)


def in_our_shape(request: Request, answer: Callable[[Request], Response]) -> Response:
    """Middleware: what Chalice refuses before any view is asked says so as our refusals do."""
    response = answer(request)
    refusal = OF_CHALICE.get(response.status_code)
    if refusal is None or not isinstance(response.body, dict):  # a view's body is text
        return response
    ours = error_response(refusal(), request.headers)
    ours.headers = {**response.headers, **ours.headers}
    return ours


def header_of(headers: Mapping[str, str], name: str) -> str | None:
    """A header's value, trimmed; None when it is absent or empty."""
    return (headers.get(name) or "").strip() or None


def _response(answer: Any, status: int, asked: Mapping[str, str]) -> Response:
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, Answer):
        return _json(answer.body, answer.status, answer.headers, asked)
    return _json(answer, status, {}, asked)


def _json(body: Any, status: int, headers: Mapping[str, str], asked: Mapping[str, str]) -> Response:
    # A string is sent as it is: msgspec encodes ten times faster than Chalice would.
    reader = languages.Reader(asked)
    text = "" if body is None else msgspec.json.encode(body, enc_hook=reader.text_for).decode()
    content: dict[str, str | list[str]] = {**HEADERS, **headers, **reader.headers}
    return Response(text, status_code=status, headers=content)


def _refuse_odd_ids(path_parameters: Mapping[str, str]) -> None:
    """Raise NotFound for a path parameter that cannot be an id: as a key, it could be refused by
    the table, or name an item of another kind."""
    for value in path_parameters.values():
        if not re.fullmatch(ID_PATTERN.rstrip("$"), value):
            raise NotFound


def _decoded(request: Request, operation: Operation) -> dict[str, Any]:
    """What the view receives of what was sent, decoded and checked."""
    given: dict[str, Any] = {}
    if operation.query is not None:
        given["query"] = _decoded_query(request.query_params or {}, operation.query)
    if operation.body is not None:
        given["body"] = _decoded_body(raw_body(request), operation.body)
    return given


def _decoded_body(raw: bytes, schema: type[msgspec.Struct]) -> Any:
    if len(raw) > BODY_MAX:
        raise BodyTooLarge(max_bytes=BODY_MAX)
    try:
        given = msgspec.json.decode(raw)
        json.loads(raw, object_pairs_hook=_refuse_repeated_keys)
        return msgspec.convert(normalised(given), schema)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid(error) from error


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> None:
    """Raise msgspec.DecodeError for an object that says a key twice: readers differ in which of
    the two counts, and only one of them would be checked."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise msgspec.DecodeError("A key stands twice in one object")


def _decoded_query(parameters: Mapping[str, str], schema: type[msgspec.Struct]) -> Any:
    try:
        return msgspec.convert(normalised(dict(parameters)), schema, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error


def _invalid(error: Exception) -> InvalidRequest:
    """The refusal of input that does not fit: which field, and what it takes."""
    problem, _, where = str(error).partition(" - at `$")
    place = where.rstrip("`").lstrip(".")
    words = _words_for(place, problem) if place else None
    # A regular expression tells people nothing, and the document has it for who writes clients.
    problem = re.sub(r" matching regex .*", " of another form", problem)
    return InvalidRequest(words, field=place, problem=problem)


def _words_for(place: str, problem: str) -> str:
    name = re.sub(r"(\[[^]]*\])+$", "", place).rpartition(".")[2]
    if name in PHONES and " matching regex " in problem:
        return phone_code.WRONG if repr(phone_code.PHONE) in problem else WRONG_PHONE
    if problem.endswith("length >= 1"):
        return Text("请填写「{field}」，不能是空白。", field=place)
    longest = re.search(r"length <= ([0-9]+)$", problem)
    if longest:
        return Text("「{field}」最多 {max} 个字，请删减。", field=place, max=longest[1])
    return Text("「{field}」填写有误，请检查后再试。", field=place)
