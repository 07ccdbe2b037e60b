"""DynamoDB asked by ourselves: JSON by msgspec, a signature, a kept connection.

botocore takes three times the processor time for the same call, and 50 ms of a cold start to make
its client. So this one knows what Lambda tells a function, a region and keys in the environment;
where the environment says less (a profile, an assumed role), PynamoDB makes botocore's as ever.
What a call raises, and what is tried again after which wait, is as in botocore's standard mode.
"""

import datetime as dt
import hashlib
import hmac
import random
import re
import time
import uuid
import zlib
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from botocore.exceptions import ClientError, HTTPClientError

from chalicelib import deadline, http_client
from chalicelib.errors import Busy, GatewayFailed
from chalicelib.settings import aws_environment, settings

ATTEMPTS_MAX = 3
WAIT_S, THROTTLED_WAIT_S = 0.025, 1.0  # at most, before the second attempt; then twice as long
BYTES_MAX = 64 * 1024 * 1024  # of an answer: sixteen megabytes of items, escaped
SERVICE, VERSION = "dynamodb", "DynamoDB_20120810"
CONTENT_TYPE = "application/x-amz-json-1.0"
BOTOCORE = "botocore"  # what DYNAMODB_CLIENT says to do without this client

# Partitions of which we know the addresses: the public one, China, US government.
_REGION = re.compile(r"(af|ap|ca|cn|eu|il|me|mx|sa|us|us-gov)-[a-z]+-[0-9]+")
_ELSEWHERE = ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT")  # they name other addresses
_PASSING = frozenset({500, 502, 503, 504})
_THROTTLED = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)


class Keys(NamedTuple):
    """What requests are signed with; `token` is '' of keys that are somebody's for good."""

    id: str
    secret: str
    token: str = ""


class Client:
    """Calls the operations on items; in PynamoDB it stands where botocore's client does."""

    def __init__(self, url: str, region: str, env: Mapping[str, str], *, read_s: float) -> None:
        """env: has the keys. read_s: the longest wait for an answer."""
        self.url, self.region = f"{url.rstrip('/')}/", region
        self._env, self._read_s = env, read_s

    def _make_api_call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What DynamoDB answers. Raises botocore's ClientError for a refusal, its HTTPClientError
        when there is no answer, or Busy when there is no time for one."""
        if operation == "TransactWriteItems":  # which may then be sent again
            parameters = {"ClientRequestToken": str(uuid.uuid4()), **parameters}
        body = msgspec.json.encode(parameters, enc_hook=_plain)
        for attempt in range(ATTEMPTS_MAX):
            try:
                return self._answer(operation, body)
            except GatewayFailed as failure:
                lost: Exception = HTTPClientError(error=failure)
                longest_s = WAIT_S
            except ClientError as refusal:
                lost, longest_s = refusal, _wait_s(refusal)
            if not longest_s or attempt + 1 == ATTEMPTS_MAX:
                break
            wait_s = random.uniform(0, longest_s * 2**attempt)
            if deadline.left_s() < wait_s + deadline.CALL_MIN_S:
                raise Busy from lost
            time.sleep(wait_s)
        raise lost

    def _answer(self, operation: str, body: bytes) -> dict[str, Any]:
        answer = self.send(operation, body)
        if answer.status != HTTPStatus.OK:
            raise ClientError(_refused(answer), operation)
        try:
            content: dict[str, Any] = msgspec.json.decode(answer.body)
        except msgspec.DecodeError as error:
            raise GatewayFailed(reason="no_answer") from error
        return content

    def send(self, operation: str, body: bytes) -> http_client.Response:
        """One request. Raises GatewayFailed when no whole answer came, or Busy."""
        keys = _keys(self._env)
        headers = signed(operation, body, urlsplit(self.url).netloc, self.region, keys, time.time())
        answer = http_client.send(
            "POST",
            self.url,
            body=body,
            headers=headers,
            bytes_max=BYTES_MAX,
            read_s=self._read_s,
        )
        crc32 = answer.headers.get("x-amz-crc32")
        if crc32 is not None and int(crc32) != zlib.crc32(answer.body):
            raise GatewayFailed(reason="no_answer")
        return answer


def of_environment(read_s: float) -> Client | None:
    """A client as the environment has it; None where it does not say all that one needs."""
    return None if settings.dynamodb_client == BOTOCORE else of(aws_environment(), read_s)


def of(env: Mapping[str, str], read_s: float) -> Client | None:
    """A client as `env` has it, if it says all that one needs."""
    region = env.get("AWS_DEFAULT_REGION", "")
    told = env.get("AWS_ENDPOINT_URL_DYNAMODB") or env.get("AWS_ENDPOINT_URL")
    url = told or address_in(region)
    if not url or not region or not _keys(env).secret or any(env.get(name) for name in _ELSEWHERE):
        return None
    return Client(url, region, env, read_s=read_s)


def address_in(region: str) -> str:
    """DynamoDB's address in a region; '' of one whose partition we do not know."""
    if not _REGION.fullmatch(region):
        return ""
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{SERVICE}.{region}.{domain}"


def signed(
    operation: str, body: bytes, host: str, region: str, keys: Keys, at_s: float
) -> dict[str, str]:
    """The headers of a request, with its signature (Signature Version 4)."""
    at = dt.datetime.fromtimestamp(at_s, dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "Content-Type": CONTENT_TYPE,
        "Host": host,
        "X-Amz-Date": at,
        **({"X-Amz-Security-Token": keys.token} if keys.token else {}),
        "X-Amz-Target": f"{VERSION}.{operation}",
    }
    names = ";".join(headers).lower()
    said = "".join(f"{name.lower()}:{value}\n" for name, value in headers.items())
    request = f"POST\n/\n\n{said}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{at[:8]}/{region}/{SERVICE}/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{digest}".encode()
    signature = hmac.digest(_signing_key(keys.secret, scope), text, "sha256").hex()
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys.id}/{scope}, SignedHeaders={names}, "
        f"Signature={signature}"
    )
    return headers


@lru_cache(maxsize=4)
def _signing_key(secret: str, scope: str) -> bytes:
    """The key of a day."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _keys(env: Mapping[str, str]) -> Keys:
    return Keys(
        env.get("AWS_ACCESS_KEY_ID", ""),
        env.get("AWS_SECRET_ACCESS_KEY", ""),
        env.get("AWS_SESSION_TOKEN", ""),
    )


def _wait_s(refusal: ClientError) -> float:
    """The longest wait before what was refused is tried again; 0: it is not."""
    if refusal.response["Error"]["Code"] in _THROTTLED:
        return THROTTLED_WAIT_S
    passing = refusal.response["ResponseMetadata"]["HTTPStatusCode"] in _PASSING
    return WAIT_S if passing else 0


def _refused(answer: http_client.Response) -> dict[str, Any]:
    """A refusal as botocore tells it, with what it says besides, as the reasons of a transaction
    that was cancelled."""
    try:
        said = msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        said = None  # of a proxy between us
    if not isinstance(said, dict):
        said = {"message": answer.body.decode(errors="replace")}
    code = str(said.get("__type", answer.status)).partition(":")[0].rpartition("#")[2]
    return {
        **said,
        "Error": {"Code": code, "Message": said.get("message", said.get("Message", ""))},
        "ResponseMetadata": {
            "RequestId": answer.headers.get("x-amzn-requestid", ""),
            "HTTPStatusCode": answer.status,
            "HTTPHeaders": dict(answer.headers),
        },
    }


def _plain(value: object) -> str:
    """A kind of str, as chalicelib.text.Text, is sent as the str that it is."""
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(f"DynamoDB takes no {type(value).__name__}")
