"""Texts of a request as they are meant: tidied before anything about them is checked.

Every string of every body and query goes through here, so that no schema can forget it; lengths
and patterns then hold of what will be stored. What is not listed is one line.
"""

from typing import Any

import msgspec

from chalicelib.domain import phone
from chalicelib.domain.plain_text import plain

# By the name of the field. What is below one of them (a list, a map) is as it is.
VERBATIM = frozenset({"next", "password", "old_password", "new_password"})  # next: signed
WITH_LINES = frozenset(
    {
        "alipay_public_key",
        "description",
        "private_key",
        "proof",
        "public_keys",
        "reason",
        "remark",
        "reply",
        "text",
        "texts",
        "words",
    }
)
PHONES = frozenset({"phone", "service_phone"})
DIGITS = frozenset({"code", "licence_number"})  # typed with whatever keyboard was on
_WIDE = {0xFF10 + digit: str(digit) for digit in range(10)}


def normalised(value: Any, field: str = "") -> Any:
    """Return decoded JSON with its strings tidied: outer blanks and invisible characters removed,
    phone numbers as they are dialled, codes in narrow digits. Passwords stay as they were typed.

    Raises msgspec.ValidationError for names in one object that read alike: one would be lost.
    """
    if isinstance(value, str):
        return _normalised_text(value, field)
    if isinstance(value, list):
        return [normalised(one, field) for one in value]
    if isinstance(value, dict):
        inner = field if field in WITH_LINES else ""
        told = {plain(name): normalised(one, inner or name) for name, one in value.items()}
        if len(told) < len(value):
            raise msgspec.ValidationError("A key stands twice in one object")
        return told
    return value


def _normalised_text(text: str, field: str) -> str:
    if field in VERBATIM:
        return text
    if field in PHONES:
        return phone.normal(plain(text))
    tidy = plain(text, lines=field in WITH_LINES)
    return tidy.translate(_WIDE) if field in DIGITS else tidy
