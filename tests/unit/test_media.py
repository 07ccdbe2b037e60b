"""The bucket of pictures: what its refusals mean, and how much of an object is read."""

import io
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from chalicelib.errors import Busy
from chalicelib.gateways import media
from chalicelib.gateways.media import Bucket, TooLarge

KEY = "uploads/m/shop/p"
CALLS: dict[str, Callable[[], object]] = {
    "get_object": lambda: Bucket().read(KEY, 5),
    "put_object": lambda: Bucket().write(KEY, b"12345", "image/jpeg"),
    "delete_object": lambda: Bucket().delete(KEY),
}


@pytest.fixture
def s3() -> Iterator[Stubber]:
    with Stubber(media.client()) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "ServiceUnavailable"])
@pytest.mark.parametrize("call", CALLS)
def test_bucket_that_has_no_time_is_busy(s3: Stubber, call: str, code: str) -> None:
    s3.add_client_error(call, code)

    with pytest.raises(Busy):
        CALLS[call]()


@pytest.mark.parametrize("call", CALLS)
def test_bucket_that_refuses_is_a_fault(s3: Stubber, call: str) -> None:
    s3.add_client_error(call, "NoSuchBucket")

    with pytest.raises(ClientError):
        CALLS[call]()


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_object_that_is_not_there_is_nothing(s3: Stubber, code: str) -> None:
    s3.add_client_error("get_object", code)

    assert Bucket().read(KEY, 5) is None


def test_object_has_so_many_bytes_and_no_more(s3: Stubber) -> None:
    for content in (b"12345", b"123456"):
        body = StreamingBody(io.BytesIO(content), len(content))
        s3.add_response("get_object", {"Body": body, "ContentLength": len(content)})

    assert Bucket().read(KEY, 5) == b"12345"
    with pytest.raises(TooLarge):
        Bucket().read(KEY, 5)
