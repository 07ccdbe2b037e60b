"""Requests made up from the served OpenAPI document: right, wrong, and about what is there."""

import copy
import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import hypothesis
import schemathesis
import schemathesis.specs.openapi.checks as openapi_checks
from hypothesis import HealthCheck
from hypothesis import strategies as st
from schemathesis import APIOperation, BaseSchema, Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error

from chalicelib.api import limits
from tests.fixtures.two_merchants import CLERK, PASSWORD, SeededMerchant, TwoMerchants
from tests.fuzz.wsgi_gateway import wsgi_app
from tests.security.operations import body_for, named

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "7"))  # of each operation
SEED = int(os.environ.get("FUZZ_SEED", "1"))
# Of requests that follow from answers: what is put into a wrong one may make it right.
STORY_CHECKS: list[CheckFunction] = [
    not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]
CHECKS: list[CheckFunction] = [*STORY_CHECKS, openapi_checks.negative_data_rejection]
SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


class Who(StrEnum):
    ANYBODY = "anybody"
    BUYER = "buyer"
    STAFF = "staff"


def served() -> BaseSchema:
    """The document that the app serves."""
    return _plain(schemathesis.openapi.from_wsgi("/v1/openapi.json", wsgi_app))


def about(shop: SeededMerchant) -> BaseSchema:
    """The same document, but that every id it takes is one of the shop's."""
    document = copy.deepcopy(served().raw_schema)
    known = {name: {"enum": list(values)} for name, values in _known(shop).items()}
    for schema in _taken(document):
        for name in schema.get("properties", {}).keys() & known.keys():
            schema["properties"][name] = known[name]
    for operation in _operations(document):
        _show_a_body(operation, shop)
        for parameter in operation.get("parameters", []):
            if parameter["in"] != "header" and parameter["name"] in known:
                parameter["schema"] = known[parameter["name"]]
    return _plain(schemathesis.openapi.from_dict(document))


def cases(
    plain: APIOperation[Any, Any, Any, Any],
    ours: APIOperation[Any, Any, Any, Any],
    shop: SeededMerchant,
) -> st.SearchStrategy[Case[Any]]:
    """Requests to an operation, of four kinds: right ones and wrong ones about nothing, right ones
    about what the shop has, and wrong ones about what the shop has."""
    kinds = [plain.as_strategy(GenerationMode.POSITIVE), ours.as_strategy(GenerationMode.POSITIVE)]
    if plain.path_parameters or plain.query or plain.body:
        kinds.append(plain.as_strategy(GenerationMode.NEGATIVE))
    if plain.path_parameters and (plain.query or plain.body):
        there = {one.name: shop.ids[one.name] for one in plain.path_parameters}
        kinds.append(plain.as_strategy(GenerationMode.NEGATIVE, path_parameters=there))
    return st.one_of(kinds)


def session_of(merchants: TwoMerchants, who: Who) -> dict[str, str]:
    """The header that says who asks."""
    tokens = {Who.BUYER: merchants.ours.leader.token, Who.STAFF: merchants.merchant.owner().token}
    return {"Authorization": f"Bearer {tokens[who]}"} if who in tokens else {}


def who_may(operation: APIOperation[Any, Any, Any, Any]) -> Who:
    security = operation.definition.raw.get("security", [{}])
    return next((Who(name) for name in security[0]), Who.ANYBODY)


def next_second(merchants: TwoMerchants) -> None:
    """Let time pass between requests, and nobody have asked too often.

    Hypothesis makes chance repeat itself: orders of one buyer in one second would get the numbers
    of those before. Whoever asks as staff has not been dismissed by themselves meanwhile.
    """
    merchants.merchant.clock.forward(1)
    merchants.merchant.rehire()
    limits.reset()


def answer(case: Case[Any], headers: Mapping[str, str]) -> int:
    """Ask, hold the answer to the document, and return its status."""
    response = case.call(app=wsgi_app, headers=dict(headers))
    case.validate_response(response, checks=CHECKS, headers=dict(headers))
    return int(response.status_code)


def _show_a_body(operation: dict[str, Any], shop: SeededMerchant) -> None:
    """Let half of the right bodies be one that the operation takes as it stands."""
    body = body_for(named(operation["operationId"]), shop)
    if body is not None:
        (content,) = operation["requestBody"]["content"].values()
        content["schema"] = {"anyOf": [{"enum": [body]}, content["schema"]]}


def _plain(schema: BaseSchema) -> BaseSchema:
    """Sessions are ours to add; a body that is too large is refused like other nonsense."""
    schema.config.generation.update(with_security_parameters=False)
    rejection = schema.config.checks.negative_data_rejection
    rejection.expected_statuses = [*rejection.expected_statuses, "413"]
    return schema


def _known(shop: SeededMerchant) -> dict[str, list[Any]]:
    """Values that lead somewhere, by the names of parameters and fields."""
    other = shop.merchant.visitor().get(
        f"/v1/merchants/{shop.merchant_id}/groups/{shop.formed_group_id}"
    )
    return {
        **{name: [value] for name, value in shop.ids.items()},
        "order_id": [shop.paid, shop.held, shop.fulfilling],
        "group_id": [shop.group_id, shop.formed_group_id],
        "activity_id": [shop.activity.activity_id, other.body["activity_id"]],
        "sku_id": list(shop.activity.sku_ids),
        "category": [shop.merchant.category_id],
        "quantity": [1, 2],
        "password": [PASSWORD],
        "username": [CLERK, "newcomer"],
        "revision": [1, 2, 3],
    }


def _taken(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas of bodies, and those inside them."""
    schemas = document["components"]["schemas"]
    names = [
        name
        for operation in _operations(document)
        for name in _references(operation.get("requestBody"))
    ]
    seen: set[str] = set()
    while names:
        name = names.pop()
        if name not in seen:
            seen.add(name)
            names += _references(schemas[name])
            yield schemas[name]


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"].rpartition("/")[2]] if "$ref" in part else []
        return own + [name for value in part.values() for name in _references(value)]
    return [name for one in part for name in _references(one)] if isinstance(part, list) else []
