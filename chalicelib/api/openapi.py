"""The OpenAPI 3.1 document, from the operations themselves: what is checked is what is written."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from chalicelib.api.http import Audience, Operation
from chalicelib.api.schemas import ErrorAnswer
from chalicelib.errors import (
    BodyTooLarge,
    Busy,
    Forbidden,
    InvalidRequest,
    ServiceError,
    Unauthenticated,
)

VERSION = "1.0.0"
TITLE = "Group buying (拼团) API"
REF = "#/components/schemas/{name}"


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The document for these operations, sorted, so that it changes only when they do."""
    known = sorted(operations, key=lambda operation: (operation.path, operation.method))
    bodies = [o.body for o in known if o.body] + [o.answer for o in known if o.answer]
    types = list(dict.fromkeys([*bodies, ErrorAnswer]))
    _, components = msgspec.json.schema_components(types, ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in known:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {
                str(audience): {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
                for audience in (Audience.BUYER, Audience.STAFF)
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": _parameters(operation),
        "responses": _responses(operation),
    }
    if operation.audience in (Audience.BUYER, Audience.STAFF):
        shown["security"] = [{str(operation.audience): [role.value for role in operation.roles]}]
    if operation.body is not None:
        shown["requestBody"] = {"required": True, "content": _content(operation.body)}
    return shown


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    found += [
        {"name": name, "in": "header", "description": purpose, "schema": {"type": "string"}}
        for name, purpose in operation.headers.items()
    ]
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
    return responses


def _by_status(operation: Operation) -> dict[int, list[type[ServiceError]]]:
    """Refusals by status: those declared, and those that the edge itself may give."""
    refusals: list[type[ServiceError]] = [*operation.refusals, ServiceError, Busy]
    if operation.body is not None or operation.query is not None or operation.headers:
        refusals.append(InvalidRequest)
    if operation.body is not None:
        refusals.append(BodyTooLarge)
    if operation.audience in (Audience.BUYER, Audience.STAFF):
        refusals.append(Unauthenticated)
    if operation.roles:
        refusals.append(Forbidden)
    found: dict[int, list[type[ServiceError]]] = {}
    for refusal in refusals:
        found.setdefault(refusal.status, []).append(refusal)
    return found


def _content(schema: type[msgspec.Struct]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REF.format(name=schema.__name__)}}}
