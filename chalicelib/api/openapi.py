"""The OpenAPI 3.1 document, from the operations themselves: what is checked is what is written."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from chalicelib.api.http import ID_PATTERN, Audience, Header, Operation
from chalicelib.api.schemas import ErrorAnswer
from chalicelib.errors import (
    BodyTooLarge,
    Busy,
    Forbidden,
    InvalidRequest,
    NotFound,
    PaymentUnsettled,
    ServiceError,
    TooManyRequests,
    Unauthenticated,
)

VERSION = "1.0.0"
TITLE = "Group buying (拼团) API"
ABOUT = (
    "Errors are `{code, message, details}`; codes are stable. Messages and other texts that the "
    "system has for people are in Chinese, or in English where `Accept-Language` prefers it; "
    "`Content-Language` says which. What people wrote themselves, and messages to buyers, "
    "stay as they are."
)
ID_SCHEMA = {"type": "string", "pattern": ID_PATTERN}
REF = "#/components/schemas/{name}"
RETRY_AFTER = {
    "Retry-After": {"description": "seconds", "schema": {"type": "integer", "minimum": 1}}
}


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The document for these operations, sorted, so that it changes only when they do."""
    known = sorted(operations, key=lambda operation: (operation.path, operation.method))
    bodies = [o.body for o in known if o.body] + [o.answer for o in known if o.answer]
    types = list(dict.fromkeys([*bodies, ErrorAnswer]))
    _, components = msgspec.json.schema_components(types, ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in known:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    whole = {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION, "description": ABOUT},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {
                str(audience): {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
                for audience in (Audience.BUYER, Audience.STAFF)
            },
        },
    }
    told: dict[str, Any] = _in_the_patterns_of_json_schema(whole)
    return told


def _in_the_patterns_of_json_schema(part: Any) -> Any:
    """The same with the end of a pattern written as JSON Schema does. Python's `$` would let a
    line break pass after it, so schemas say `\\Z`; JSON Schema's `$` does not."""
    if isinstance(part, dict):
        return {
            name: value.replace("\\Z", "$")
            if name == "pattern" and isinstance(value, str)
            else _in_the_patterns_of_json_schema(value)
            for name, value in part.items()
        }
    return (
        [_in_the_patterns_of_json_schema(one) for one in part] if isinstance(part, list) else part
    )


def _operation(operation: Operation) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": _parameters(operation),
        "responses": _responses(operation),
    }
    if operation.audience in (Audience.BUYER, Audience.STAFF):
        shown["security"] = [{str(operation.audience): [str(right) for right in operation.rights]}]
    if operation.optional_session:
        shown["security"] = [{}, {str(Audience.BUYER): []}]
    if operation.body is not None:
        shown["requestBody"] = {"required": True, "content": _content(operation.body)}
    if operation.audience is Audience.GATEWAY:  # as its own documents describe it
        content = {operation.content_type: {"schema": {"type": "object"}}}
        shown["requestBody"] = {"required": True, "content": content}
    return shown


def _header(name: str, header: Header) -> dict[str, Any]:
    schema = {"type": "string"} | ({"pattern": header.pattern} if header.pattern else {})
    return {
        "name": name,
        "in": "header",
        "required": header.required,
        "description": header.purpose,
        "schema": schema,
    }


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": ID_SCHEMA}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    found += [_header(name, header) for name, header in operation.headers.items()]
    if operation.query is not None:
        _, components = msgspec.json.schema_components([operation.query], ref_template=REF)
        fields = components[operation.query.__name__]
        required = fields.get("required", [])
        for name, field in fields["properties"].items():
            found.append(
                {"name": name, "in": "query", "required": name in required, "schema": field}
            )
    return found


def _responses(operation: Operation) -> dict[str, Any]:
    answered: dict[str, Any] = {"description": "done"}
    if operation.answer is not None:
        answered["content"] = _content(operation.answer)
    responses = {str(operation.status): answered}
    if "If-None-Match" in operation.headers:
        responses["304"] = {"description": "nothing has changed"}
    for status, refusals in sorted(_by_status(operation).items()):
        codes = ", ".join(sorted({refusal.code for refusal in refusals}))
        responses[str(status)] = {"description": codes, "content": _content(ErrorAnswer)}
    for refusal in (TooManyRequests, PaymentUnsettled):
        if refusal in (TooManyRequests, *operation.refusals):
            responses[str(refusal.status)]["headers"] = RETRY_AFTER
    if operation.method != "GET":
        responses["415"] = {"description": "a body of another type"}
    return responses


def _by_status(operation: Operation) -> dict[int, list[type[ServiceError]]]:
    """Refusals by status: those declared, and those that the edge itself may give."""
    refusals: list[type[ServiceError]] = [*operation.refusals, ServiceError, TooManyRequests, Busy]
    if operation.body is not None or operation.query is not None or operation.headers:
        refusals.append(InvalidRequest)
    if operation.body is not None:
        refusals.append(BodyTooLarge)
    if operation.audience in (Audience.BUYER, Audience.STAFF) or operation.optional_session:
        refusals.append(Unauthenticated)
    if operation.rights:
        refusals.append(Forbidden)
    if "{" in operation.path:
        refusals.append(NotFound)
    found: dict[int, list[type[ServiceError]]] = {}
    for refusal in refusals:
        found.setdefault(refusal.status, []).append(refusal)
    return found


def _content(schema: type[msgspec.Struct]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REF.format(name=schema.__name__)}}}
