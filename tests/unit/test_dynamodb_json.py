"""DynamoDB's JSON past botocore's shapes: the same bodies, the same answers, the same errors."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from pynamodb.attributes import Attribute, MapAttribute
from pynamodb.constants import BINARY, BINARY_SET
from pynamodb.models import Model

from chalicelib.tables import (
    buyers,
    catalogue,
    counts,
    dynamodb_json,
    exports,
    records,
    shop,
    trade,
)
from chalicelib.tables.base import StoredItem, connection
from chalicelib.text import Text
from tests.fixtures.fault_injection import answered, refusal

MODULES = (buyers, catalogue, counts, exports, records, shop, trade)
KEY = {"pk": {"S": "m#B#b"}, "sk": {"S": "order#1"}}
VALUES = st.recursive(
    st.one_of(
        st.fixed_dictionaries({"S": st.text()}),
        st.just({"S": Text("每单最多买 {max} 件。", max=3)}),
        st.fixed_dictionaries({"N": st.integers().map(str)}),
        st.fixed_dictionaries({"BOOL": st.booleans()}),
        st.just({"NULL": True}),
        st.fixed_dictionaries({"SS": st.lists(st.text(min_size=1), min_size=1)}),
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"L": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"M": st.dictionaries(st.text(min_size=1), inner, max_size=3)}),
    ),
    max_leaves=8,
)


class Client:
    """botocore's client of DynamoDB, whose requests are kept, and answered by `answer`."""

    def __init__(self) -> None:
        self.client: Any = botocore.session.Session().create_client(
            "dynamodb",
            region_name="cn-north-1",
            aws_access_key_id="id",
            aws_secret_access_key="key",
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
        )
        self.client.meta.events.register("before-send", self._answer)
        self.sent: list[tuple[Any, dict[str, str]]] = []
        self.answer: Callable[[AWSPreparedRequest], AWSResponse] = lambda it: answered(it, {})

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.client._make_api_call(operation, parameters)
        return {name: answer[name] for name in answer if name != "ResponseMetadata"}

    def _answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        headers = {name: request.headers[name] for name in ("X-Amz-Target", "Content-Type")}
        self.sent.append((json.loads(request.body), headers))
        return self.answer(request)


@pytest.fixture(scope="module")
def plain() -> Client:
    return Client()


@pytest.fixture(scope="module")
def ours() -> Client:
    it = Client()
    dynamodb_json.install(it.client)
    return it


def calls(item: dict[str, Any]) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(operation, its parameters, DynamoDB's answer) with an item in one of them or in both."""
    put = {"Put": {"TableName": "trade", "Item": item, "ConditionExpression": "#0 = :0"}}
    batch = {"RequestItems": {"trade": {"Keys": [KEY], "ConsistentRead": True}}}
    return [
        ("GetItem", {"TableName": "trade", "Key": KEY}, {"Item": item}),
        ("PutItem", {"TableName": "trade", "Item": item}, {"Attributes": item}),
        ("Query", {"TableName": "trade", "Limit": 2}, {"Items": [item], "Count": 1}),
        ("TransactWriteItems", {"TransactItems": [put]}, {}),
        ("BatchGetItem", batch, {"Responses": {"trade": [item]}, "UnprocessedKeys": {}}),
    ]


@given(
    call=st.dictionaries(st.text(min_size=1), VALUES, max_size=5)
    .map(calls)
    .flatmap(st.sampled_from)
)
def test_it_sends_and_reads_what_botocore_does(
    plain: Client, ours: Client, call: tuple[str, dict[str, Any], dict[str, Any]]
) -> None:
    operation, parameters, answer = call
    answers = []
    for one in (plain, ours):
        one.sent, one.answer = [], lambda request: answered(request, answer)
        answers.append(one.call(operation, dict(parameters)))

    if operation == "TransactWriteItems":  # makes it safe to send again
        assert all(len(one.sent[0][0].pop("ClientRequestToken")) == 36 for one in (plain, ours))
    assert plain.sent == ours.sent
    assert answers[0] == answers[1] == answer


def test_it_leaves_refusals_to_botocore(plain: Client, ours: Client) -> None:
    kind, reasons = (
        "TransactionCanceledException",
        [{"Code": "ConditionalCheckFailed", "Item": KEY}],
    )
    refused = []
    for one in (plain, ours):
        one.answer = lambda request: refusal(request, kind, CancellationReasons=reasons)
        with pytest.raises(ClientError) as error:
            one.call("TransactWriteItems", {"TransactItems": []})
        refused.append(error.value.response)

    assert refused[0] == refused[1]
    assert refused[1]["CancellationReasons"][0]["Item"] == KEY


def test_threads_that_come_first_together_set_the_client_up_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fresh, installed = type(connection)(), []
    fresh._client = Client().client

    def slowly(client: Any) -> None:
        time.sleep(0.01)
        installed.append(client)

    monkeypatch.setattr(dynamodb_json, "install", slowly)
    with ThreadPoolExecutor(4) as pool:
        clients = list(pool.map(lambda _: fresh.client, range(4)))

    assert clients == installed * 4


def test_no_table_has_binary_attributes() -> None:
    found = {attribute.attr_type for model in _models(StoredItem) for attribute in _all_of(model)}

    assert {module.__name__ for module in MODULES} <= {it.__module__ for it in _models(StoredItem)}
    assert found
    assert not found & {BINARY, BINARY_SET}


def _models(base: type[Model]) -> list[type[Model]]:
    return [it for sub in base.__subclasses__() for it in (sub, *_models(sub))]


def _all_of(container: Any) -> list[Attribute[Any]]:
    found = []
    for attribute in container.get_attributes().values():
        found += [attribute, *(_all_of(attribute) if isinstance(attribute, MapAttribute) else ())]
    return found
