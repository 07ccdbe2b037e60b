"""What each function of the app asks of AWS, and what its policy allows it to ask."""

import contextvars
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

import app as application
from chalicelib.domain.order import Intent
from chalicelib.settings import settings
from tests.own_tables import BASES

ROOT = Path(__file__).resolve().parent.parent
POLICIES = ROOT / ".chalice"
Use = tuple[str, str]  # (action, what it is done to), as policies name both
Uses = dict[str, set[Use]]

_function: contextvars.ContextVar[str | None] = contextvars.ContextVar("function", default=None)
# A transaction needs what its parts need.
_PARTS = {
    "ConditionCheck": "ConditionCheckItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
}
# A large object is put in parts.
_UPLOADS = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
_noting: list[Uses] = []
_TABLES = {"catalogue": "CatalogueTable", "trade": "TradeTable", "records": "RecordsTable"}


@contextmanager
def running(function: str) -> Iterator[None]:
    """What the block asks of AWS, it asks as that function."""
    token = _function.set(function)
    try:
        yield
    finally:
        _function.reset(token)


def watch(client: Any) -> Any:
    """`client`, of botocore, which refuses what the function that runs may not do, as AWS would:
    the local engines know no policies."""
    client.meta.events.register("before-parameter-build", _refuse_what_is_not_allowed)
    return client


def _refuse_what_is_not_allowed(model: Any, params: Mapping[str, Any], **_: Any) -> None:
    function = _function.get()
    if function is None:
        return
    found = set(_uses(model.name, params))
    for uses in _noting:
        uses[function].update(found)
    missing = found - allowed(policy_of(function))
    if missing:
        words = f"{function} may not {sorted(missing)}: see .chalice/{policy_of(function)}"
        raise ClientError(
            {"Error": {"Code": "AccessDeniedException", "Message": words}}, model.name
        )


@contextmanager
def noted() -> Iterator[Uses]:
    """What is asked in the block, by the function that asks."""
    uses: Uses = defaultdict(set)
    _noting.append(uses)
    try:
        yield uses
    finally:
        _noting.remove(uses)


def _uses(operation: str, params: Mapping[str, Any]) -> Iterator[Use]:
    if "TransactItems" in params:
        parts = [part for item in params["TransactItems"] for part in item.items()]
        yield from ((f"dynamodb:{_PARTS[p]}", _table(sent["TableName"])) for p, sent in parts)
    elif "RequestItems" in params:
        yield from ((f"dynamodb:{operation}", _table(name)) for name in params["RequestItems"])
    elif "TableName" in params:
        index = "/index/*" if "IndexName" in params else ""
        yield f"dynamodb:{operation}", _table(params["TableName"]) + index
    elif "Key" in params and "Bucket" in params:  # a form names a bucket alone, and asks nothing
        action = "PutObject" if operation in _UPLOADS else operation
        yield f"s3:{action}", f"media/{params['Key'].partition('/')[0]}/*"
    elif "Name" in params:
        yield f"ssm:{operation}", _parameter(params["Name"])


def _table(name: str) -> str:
    kind = next(kind for kind, base in BASES.items() if base.Meta.table_name == name)
    return _TABLES[kind]


def _parameter(name: str) -> str:
    short = name.removeprefix(f"{settings.parameters_prefix}/")
    name = re.sub(r"^merchants/[^/]+/", "merchants/*/", short)
    return re.sub(r"^(merchants/\*/[^/]+)/.+", r"\1/*", name)  # an account of before


@cache
def job_of(intent: Intent) -> str:
    """The scheduled function that runs what is due of that intent."""
    sources = {source.name for source in application.app.event_sources}
    (name,) = (
        name for name in sources if intent.name in getattr(application, name).func.__code__.co_names
    )
    return name


@cache
def policy_of(function: str) -> str:
    """The file that says what a function may do."""
    config = json.loads((POLICIES / "config.json").read_text())
    return str(config["lambda_functions"][function]["iam_policy_file"])


@cache
def allowed(policy: str) -> set[Use]:
    """What a policy allows, of the services that the app calls; `noted` writes the same words."""
    statements = json.loads((POLICIES / policy).read_text())["Statement"]
    return {
        (action, what)
        for statement in statements
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
        for what in [_words(resource)]
        if action.partition(":")[0] in ("dynamodb", "s3", "ssm") and "tream" not in what
    }


def parameters(policy: str) -> set[str]:
    """The parameters that a policy allows to read."""
    return {what for action, what in allowed(policy) if action == "ssm:GetParameter"}


def _words(resource: Mapping[str, Any]) -> str:
    if "Fn::GetAtt" in resource:
        return ".".join(resource["Fn::GetAtt"]).removesuffix(".Arn")
    text = str(resource["Fn::Sub"])
    text = text.replace("${MediaBucket.Arn}", "media").rpartition("parameter/tuan/${Stage}/")[2]
    return re.sub(r"\$\{(\w+)\.Arn\}", r"\1", text)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
