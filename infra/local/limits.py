"""Limits of requests as tables: the field, and what its value has to be. Pure.

A name may lead into an object ("amount.total"). What may be absent is said by `optional`.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

Check = Callable[[Any], bool]
Table = Iterable[tuple[str, Check]]
LOOPBACK = {"127.0.0.1", "localhost"}  # this machine: plain HTTP, which no gateway would call


def broken(body: Mapping[str, Any], table: Table) -> str:
    """The first field of `body` that is not as the table says; "" when all are."""
    return next((name for name, check in table if not check(_value(body, name))), "")


def _value(body: Mapping[str, Any], name: str) -> Any:
    value: Any = body
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def optional(check: Check) -> Check:
    return lambda value: value is None or check(value)


def pattern(text: str) -> Check:
    known = re.compile(text)
    return lambda value: isinstance(value, str) and known.fullmatch(value) is not None


def characters(least: int, most: int, *, without: str = "") -> Check:
    """Text of so many characters, none of which is one of `without`."""

    def check(value: Any) -> bool:
        if not isinstance(value, str) or any(char in value for char in without):
            return False
        return least <= len(value) <= most

    return check


def octets(most: int) -> Check:
    """Text of so many bytes in UTF-8."""
    return lambda value: isinstance(value, str) and len(value.encode()) <= most


def address(most: int) -> Check:
    """Where a gateway calls back: HTTPS without a query."""

    def check(value: Any) -> bool:
        if not isinstance(value, str) or len(value) > most:
            return False
        url = urlsplit(value)
        secure = url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK)
        return secure and bool(url.hostname) and "?" not in value and "#" not in value

    return check


def ip_address(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def whole(least: int) -> Check:
    return lambda value: type(value) is int and value >= least
