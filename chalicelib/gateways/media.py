"""The bucket of pictures: uploads by whoever holds a form that we signed, and what is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn, Protocol

from chalicelib import client_timeouts
from chalicelib.errors import Busy
from chalicelib.settings import settings

CONNECT_TIMEOUT_S = 1
READ_TIMEOUT_S = 4
ATTEMPTS_MAX = 2
FOR_GOOD = "public, max-age=31536000, immutable"  # a key names its contents
# Without the right to list the bucket, S3 says that a missing object is forbidden.
_MISSING = frozenset({"NoSuchKey", "AccessDenied", "404", "403"})
_BUSY = frozenset({"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout"})


class TooLarge(Exception):
    """The object has more bytes than were asked for; none was read."""


@dataclass(frozen=True)
class Form:
    """Where a browser posts a file, and the fields to send before it."""

    url: str
    fields: Mapping[str, str]


class Media(Protocol):
    """What the services want of the bucket. Raises Busy when it has no time for us."""

    def form(self, key: str, content_type: str, *, size: int, expires_s: int) -> Form: ...

    def read(self, key: str, bytes_max: int) -> bytes | None: ...

    def write(self, key: str, content: bytes, content_type: str) -> None: ...

    def delete(self, key: str) -> None: ...


class Bucket:
    """The bucket of MEDIA_BUCKET in S3."""

    def form(self, key: str, content_type: str, *, size: int, expires_s: int) -> Form:
        """A form for exactly this key, type and size (bytes), good for so many seconds."""
        signed = client().generate_presigned_post(
            settings.media_bucket,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", size, size]],
            ExpiresIn=expires_s,
        )
        return Form(signed["url"], signed["fields"])

    def read(self, key: str, bytes_max: int) -> bytes | None:
        """The object; None when there is none. Raises TooLarge, or Busy."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found = client().get_object(Bucket=settings.media_bucket, Key=key)
            with found["Body"] as body:
                if found["ContentLength"] > bytes_max:
                    raise TooLarge(key)
                content: bytes = body.read()
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                return None
            refuse(error)
        except BotoCoreError as error:
            raise Busy from error
        return content

    def write(self, key: str, content: bytes, content_type: str) -> None:
        self._call(
            "put_object",
            key,
            Body=content,
            ContentType=content_type,
            CacheControl=FOR_GOOD,
        )

    def delete(self, key: str) -> None:
        """Delete the object; nothing happens when there is none."""
        self._call("delete_object", key)

    def _call(self, what: str, key: str, **more: Any) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            getattr(client(), what)(Bucket=settings.media_bucket, Key=key, **more)
        except ClientError as error:
            refuse(error)
        except BotoCoreError as error:
            raise Busy from error


def refuse(error: Any) -> NoReturn:
    if error.response["Error"]["Code"] in _BUSY:
        raise Busy from error
    raise error


@lru_cache(maxsize=1)
def client() -> Any:
    """Made on first use. By botocore alone: it is packaged with us, boto3 is not."""
    import botocore.session
    from botocore.config import Config

    config = Config(
        signature_version="s3v4",
        s3={"us_east_1_regional_endpoint": "regional"},  # forms name one host in every region
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS_MAX},
    )
    client = botocore.session.get_session().create_client("s3", config=config)
    return client_timeouts.with_deadline(client)
