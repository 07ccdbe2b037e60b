"""Secrets and addresses of a stage, read from SSM Parameter Store and kept for five minutes."""

import json
import re
import time
from functools import lru_cache
from typing import Any

from chalicelib import client_timeouts
from chalicelib.errors import Busy, NotFound
from chalicelib.settings import settings
from chalicelib.text import Text
from chalicelib.timed_cache import TimedCache

KEPT_S = 300  # a changed secret is in use everywhere after this long
KEPT_MAX = 512
VALUE_MAX = 8192  # characters, of the advanced tier
CONNECT_TIMEOUT_S = 1
READ_TIMEOUT_S = 3
ATTEMPTS_MAX = 3
_BUSY_CODES = ("ThrottlingException", "InternalServerError")
_NAME = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")

_values: TimedCache[str, str] = TimedCache(KEPT_S, KEPT_MAX)  # by name


class NotConfigured(NotFound):
    """A parameter that staff have yet to write, or wrote wrongly: `details.parameter`."""


def secret(name: str) -> str:
    """The parameter `name`, decrypted. Raises NotConfigured when there is none, or Busy."""
    return _values.read(name, lambda: _read(name), time.monotonic())


def json_secret(name: str) -> dict[str, Any]:
    """The parameter `name`, a JSON object. Raises NotConfigured when there is none, or no such."""
    try:
        value = json.loads(secret(name))
    except ValueError:
        # Its words quote what could not be read: a secret.
        raise misconfigured(name, "不是有效的 JSON") from None
    if not isinstance(value, dict):
        raise misconfigured(name, "应为 JSON 对象")
    return value


def misconfigured(name: str, why: str) -> NotConfigured:
    """The error for a parameter that is there but cannot be used; `why` is for staff."""
    return NotConfigured(
        Text("参数“{name}”的内容有误（{why}），请商家改正后再试。", name=name, why=Text(why)),
        parameter=name,
    )


def write(name: str, value: str) -> None:
    """Keep `value` encrypted as the parameter `name`, over what is there.

    In use here at once, in other containers when what they kept is KEPT_S old. Raises Busy: then
    it may have been written, and writing it again does no harm.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        _client().put_parameter(
            Name=f"{settings.parameters_prefix}/{name}",
            Value=value,
            Type="SecureString",
            Tier="Intelligent-Tiering",  # two keys in PEM pass the standard tier's 4 KB
            Overwrite=True,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in (*_BUSY_CODES, "TooManyUpdates"):
            raise Busy from error
        raise
    except BotoCoreError as error:
        raise Busy from error
    finally:
        refresh(name)


def refresh(name: str) -> None:
    """Read the parameter anew when it is next asked for."""
    _values.drop(name)


def clear_cache() -> None:
    """Read everything anew, from whatever the environment names now."""
    _values.clear_cache()
    _client.cache_clear()


def _read(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise _missing(name)  # SSM would answer with a ValidationException
    from botocore.exceptions import BotoCoreError, ClientError

    path = f"{settings.parameters_prefix}/{name}"
    try:
        answer = _client().get_parameter(Name=path, WithDecryption=True)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ParameterNotFound":
            raise _missing(name) from error
        if code in _BUSY_CODES:
            raise Busy from error
        raise
    except BotoCoreError as error:
        raise Busy from error
    return str(answer["Parameter"]["Value"])


def _missing(name: str) -> NotConfigured:
    return NotConfigured(
        Text("还没有配置参数“{name}”，请商家配置好后再试。", name=name), parameter=name
    )


@lru_cache(maxsize=1)
def _client() -> Any:
    """Made on first use. By botocore alone: it is packaged with us, boto3 is not."""
    import botocore.session
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS_MAX},
    )
    client = botocore.session.get_session().create_client("ssm", config=config)
    return client_timeouts.with_deadline(client)
