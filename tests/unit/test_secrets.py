"""Parameters of a stage: what the parameter store's refusals mean."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError

from chalicelib.errors import Busy
from chalicelib.gateways import secrets
from chalicelib.gateways.secrets import NotConfigured
from tests.fixtures import fault_injection
from tests.fixtures.engine_in_process import RawBody

NAME = "merchants/m1/wechat-pay"
BUSY = "InternalServerError"


@contextmanager
def ssm_answering(code: str) -> Iterator[list[AWSPreparedRequest]]:
    """The store refuses everything with this code; what it was asked."""
    asked: list[AWSPreparedRequest] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> Any:
        asked.append(request)
        refused = fault_injection.refusal(code)
        body = RawBody(refused.body)
        return AWSResponse(request.url, refused.status, refused.headers, body)

    events = secrets._client().meta.events
    events.register("before-send.ssm.*", answer)
    secrets.refresh(NAME)
    try:
        yield asked
    finally:
        events.unregister("before-send.ssm.*", answer)


def write() -> None:
    secrets.write(NAME, "{}")


def read() -> None:
    secrets.json_secret(NAME)


@pytest.mark.parametrize(
    ("act", "code", "refusal"),
    [
        (read, BUSY, Busy),
        (read, "ParameterNotFound", NotConfigured),
        (read, "AccessDeniedException", ClientError),
        (write, BUSY, Busy),
        (write, "TooManyUpdates", Busy),
        (write, "AccessDeniedException", ClientError),
    ],
)
def test_store_that_is_busy_is_asked_again_and_one_that_says_no_is_not(
    act: Callable[[], None], code: str, refusal: type[Exception]
) -> None:
    with ssm_answering(code), pytest.raises(refusal):
        act()


@pytest.mark.parametrize("name", ["", "merchants//x", "merchants/é/x", "a b", "/a", "a/"])
def test_name_that_no_parameter_can_have_is_not_asked_for(name: str) -> None:
    with ssm_answering("ValidationException") as asked, pytest.raises(NotConfigured):
        secrets.secret(name)

    assert asked == []
