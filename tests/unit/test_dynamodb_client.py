"""Our client of DynamoDB beside botocore's: the same requests, signatures, answers and errors."""

import json
import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, HTTPClientError
from hypothesis import given
from hypothesis import strategies as st
from pynamodb.attributes import Attribute, MapAttribute
from pynamodb.constants import BINARY, BINARY_SET
from pynamodb.models import Model

from chalicelib import deadline
from chalicelib.errors import Busy, GatewayFailed
from chalicelib.http_client import Response
from chalicelib.tables import (
    buyers,
    catalogue,
    counts,
    crowd,
    dynamodb_client,
    exports,
    growth,
    members,
    records,
    reminders,
    rewards,
    shop,
    trade,
)
from chalicelib.tables.base import StoredItem, connection
from chalicelib.tables.dynamodb_client import Client, Keys
from chalicelib.text import Text
from tests.fixtures.engine_in_process import RawBody
from tests.fixtures.fault_injection import answered, refusal

MODULES = (
    buyers,
    catalogue,
    counts,
    crowd,
    exports,
    growth,
    members,
    records,
    reminders,
    rewards,
    shop,
    trade,
)
SIGNATURES = 10_000
ENV = {
    "AWS_DEFAULT_REGION": "cn-north-1",
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "key",
}
KEY = {"pk": {"S": "m#B#b"}, "sk": {"S": "order#1"}}
GET: Mapping[str, Any] = {"TableName": "trade", "Key": KEY}
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
Sent = tuple[Any, dict[str, str]]  # body, headers


class Botocores:
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
        self.sent: list[Sent] = []
        self.answer = answered({})

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.client._make_api_call(operation, parameters)
        return {name: answer[name] for name in answer if name != "ResponseMetadata"}

    def _answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        headers = {name: value.decode() for name, value in _of_operation(request.headers).items()}
        self.sent.append((json.loads(request.body), headers))
        said = self.answer
        return AWSResponse(request.url, said.status, said.headers, RawBody(said.body))


class Ours(Client):
    """Ours, likewise; `answers` come one after another, and the last for good."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9", "cn-north-1", ENV, read_s=1)
        self.sent: list[Sent] = []
        self.answers: list[Response | Exception] = [answered({})]

    def send(self, operation: str, body: bytes) -> Response:
        headers = dynamodb_client.signed(operation, body, "host", self.region, Keys("i", "s"), 0)
        self.sent.append((json.loads(body), _of_operation(headers)))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def _of_operation(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {name: headers[name] for name in ("X-Amz-Target", "Content-Type")}


@pytest.fixture(scope="module")
def theirs() -> Botocores:
    return Botocores()


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> Ours:
    for name in ("WAIT_S", "THROTTLED_WAIT_S"):
        monkeypatch.setattr(dynamodb_client, name, 1e-6)
    return Ours()


def calls(item: dict[str, Any]) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(operation, its parameters, DynamoDB's answer) with an item in one of them or in both."""
    put = {"Put": {"TableName": "trade", "Item": item, "ConditionExpression": "#0 = :0"}}
    batch = {"RequestItems": {"trade": {"Keys": [KEY], "ConsistentRead": True}}}
    return [
        ("GetItem", dict(GET), {"Item": item}),
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
    theirs: Botocores, call: tuple[str, dict[str, Any], dict[str, Any]]
) -> None:
    operation, parameters, said = call
    ours, theirs.sent, theirs.answer = Ours(), [], answered(said)
    ours.answers = [answered(said)]

    read = [theirs.call(operation, dict(parameters)), ours._make_api_call(operation, parameters)]

    if operation == "TransactWriteItems":  # makes it safe to send again
        tokens = [one.sent[0][0].pop("ClientRequestToken") for one in (theirs, ours)]
        assert [len(token) for token in tokens] == [36, 36]
    assert ours.sent == theirs.sent
    assert read == [said, said]


def test_it_signs_as_botocore_does() -> None:
    chance = random.Random(1)
    for number in range(SIGNATURES):
        body = chance.randbytes(chance.randrange(200))
        token = f"token/+={number}" if chance.random() < 0.5 else ""
        keys = Keys(f"id{number % 7}", f"secret/+{number % 7}", token)
        host, region = f"host-{number % 5}:80", ("cn-north-1", "us-west-2")[number % 2]
        at_s = chance.uniform(1_700_000_000, 1_900_000_000)

        made = dynamodb_client.signed("GetItem", body, host, region, keys, at_s)

        assert made["Authorization"] == _signature(made, body, host, region, keys)


def _signature(made: Mapping[str, str], body: bytes, host: str, region: str, keys: Keys) -> str:
    """botocore's, of a request with these headers."""
    headers = {name: value for name, value in made.items() if name != "Authorization"}
    request = AWSRequest("POST", f"http://{host}/", data=body, headers=headers)
    request.context["timestamp"] = made["X-Amz-Date"]
    signer = SigV4Auth(Credentials(keys.id, keys.secret, keys.token or None), "dynamodb", region)
    signature = signer.signature(
        signer.string_to_sign(request, signer.canonical_request(request)), request
    )
    names = signer.signed_headers(signer.headers_to_sign(request))
    scope = signer.scope(request)
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"


def test_it_tells_refusals_as_botocore_does(theirs: Botocores, ours: Ours) -> None:
    reasons = [{"Code": "ConditionalCheckFailed", "Item": KEY}]
    said = refusal("TransactionCanceledException", CancellationReasons=reasons)
    theirs.answer, ours.answers = said, [said]
    refused = []
    for call in (theirs.call, ours._make_api_call):
        with pytest.raises(ClientError) as error:
            call("TransactWriteItems", {"TransactItems": []})
        refused.append(error.value)

    one, other = (it.response for it in refused)
    for name in ("Error", "CancellationReasons"):
        assert one[name] == other[name]
    assert one["ResponseMetadata"]["RequestId"] == other["ResponseMetadata"]["RequestId"]
    assert len(ours.sent) == 1


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (503, b"<html>Service Unavailable</html>", "503"),
        (413, b'"too large"', "413"),
        (400, b'{"__type":"a.b#ValidationException:http://x/"}', "ValidationException"),
    ],
)
def test_it_tells_refusals_of_any_form(ours: Ours, status: int, body: bytes, code: str) -> None:
    ours.answers = [Response(status, {}, body)]

    with pytest.raises(ClientError) as error:
        ours._make_api_call("GetItem", GET)

    assert error.value.response["Error"]["Code"] == code


LOST = GatewayFailed(reason="no_answer")
UNREADABLE = Response(200, {}, b'{"Item":')


@pytest.mark.parametrize(
    "passing",
    [
        LOST,
        UNREADABLE,
        refusal("InternalServerError", status=500),
        refusal("ProvisionedThroughputExceededException"),
        refusal("TransactionInProgressException"),
    ],
)
def test_what_passes_is_tried_again_with_the_same_token(
    ours: Ours, passing: Response | Exception
) -> None:
    ours.answers = [passing, passing, answered({})]

    assert ours._make_api_call("TransactWriteItems", {"TransactItems": []}) == {}
    assert len({body["ClientRequestToken"] for body, _ in ours.sent}) == 1
    assert len(ours.sent) == 3


def test_it_gives_up_after_three_attempts(ours: Ours) -> None:
    ours.answers = [LOST]

    with pytest.raises(HTTPClientError):
        ours._make_api_call("GetItem", GET)
    assert len(ours.sent) == 3


def test_it_waits_for_nothing_past_the_deadline(ours: Ours) -> None:
    ours.answers = [LOST]

    with deadline.ends_in(deadline.CALL_MIN_S), pytest.raises(Busy):
        ours._make_api_call("PutItem", {})
    assert len(ours.sent) == 1


def test_it_asks_where_botocore_would() -> None:
    session = botocore.session.Session()
    resolver, known = session._get_internal_component("endpoint_resolver"), set()
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("dynamodb", partition):
            address = dynamodb_client.address_in(region)
            host = resolver.construct_endpoint("dynamodb", region)["hostname"]
            assert address in ("", f"https://{host}")
            known |= {partition} if address else set()
    assert {"aws", "aws-cn", "aws-us-gov"} <= known


@pytest.mark.parametrize(
    "env",
    [
        {**ENV, "AWS_SECRET_ACCESS_KEY": ""},
        {**ENV, "AWS_DEFAULT_REGION": ""},
        {**ENV, "AWS_DEFAULT_REGION": "us-iso-east-1"},
        {**ENV, "AWS_USE_FIPS_ENDPOINT": "true"},
    ],
)
def test_there_is_none_where_botocore_knows_more(env: Mapping[str, str]) -> None:
    assert dynamodb_client.of(ENV, 1) is not None
    assert dynamodb_client.of(env, 1) is None


def test_without_it_botocore_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = type(connection)()
    monkeypatch.setattr(dynamodb_client, "of_environment", lambda read_s: None)

    with ThreadPoolExecutor(4) as pool:
        clients = set(pool.map(lambda _: fresh.client, range(4)))

    (client,) = clients
    assert client.meta.service_model.service_name == "dynamodb"


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
