"""DynamoDB's JSON, read and written in one step.

botocore walks the shape of every parameter and answer to convert what DynamoDB's data operations
do not have (timestamps), or our tables do not use (binary values). Its events let us give it the
body as it is sent, and take the answer as it came. Signing, retries and errors stay botocore's.
"""

from typing import Any

import msgspec

# Operations on items: of those on tables some answer with timestamps.
OPERATIONS = (
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
)

_PARAMETERS = "tuan_parameters"  # in the context of a call


def install(client: Any) -> None:
    """Let `client`, botocore's of DynamoDB, send and receive JSON without walking its shapes."""
    events = client.meta.events
    events.register_last("before-parameter-build", _set_aside)
    for operation in OPERATIONS:
        events.register(f"provide-client-params.dynamodb.{operation}", _copy)
        events.register_first(f"before-call.dynamodb.{operation}", _write_body)
        events.register_first(f"before-parse.dynamodb.{operation}", _read_body)


def _copy(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
    context[_PARAMETERS] = dict(params)
    own: dict[str, Any] = context[_PARAMETERS]
    return own


def _set_aside(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Leave nothing to walk. What botocore adds itself, the token of a transaction, is there."""
    if context.get(_PARAMETERS) is params:
        context[_PARAMETERS] = dict(params)
        looked_at = params.keys() & {"RequestItems"}  # by the rules that choose an endpoint
        params.clear()
        params.update((name, {}) for name in looked_at)


def _write_body(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    params["body"] = msgspec.json.encode(context.pop(_PARAMETERS), enc_hook=_plain)


def _plain(value: object) -> str:
    """A kind of str, as chalicelib.text.Text, is sent as the str that it is."""
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(f"DynamoDB takes no {type(value).__name__}")


def _read_body(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    if response_dict["status_code"] == 200:
        customized_response_dict.update(msgspec.json.decode(response_dict["body"]))
        response_dict["body"] = b"{}"
