"""Codes of RFC 6238, each good once and not for long."""

import base64
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from chalicelib.domain import totp

SECRET = b"12345678901234567890"
NOW_S = 1_234_567_890


@pytest.mark.parametrize(
    ("at_s", "code"),
    [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ],
)
def test_codes_are_those_of_the_rfc(at_s: int, code: str) -> None:
    step = totp.step_of(at_s)

    assert totp.code_at(SECRET, step, digits=8) == code
    assert totp.code_at(SECRET, step) == code[-6:]


@pytest.mark.parametrize(
    ("off", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_code_of_a_neighbouring_step_is_taken(off: int, good: bool) -> None:
    step = totp.step_of(NOW_S) + off
    code = totp.code_at(SECRET, step)

    assert totp.accepted_step(SECRET, code, now_s=NOW_S) == (step if good else None)


def test_step_that_was_taken_is_taken_no_more_nor_one_before_it() -> None:
    now = totp.step_of(NOW_S)
    codes = {off: totp.code_at(SECRET, now + off) for off in (-1, 0, 1)}

    taken = {
        off: totp.accepted_step(SECRET, code, now_s=NOW_S, last_step=now)
        for off, code in codes.items()
    }

    assert taken == {-1: None, 0: None, 1: now + 1}


@pytest.mark.parametrize("code", ["", "0", "94287", "9428708", "九四二八七零", "00000\0"])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert totp.accepted_step(SECRET, code, now_s=NOW_S) is None


def test_address_says_what_an_app_needs() -> None:
    url = totp.address(SECRET, issuer="山野 果园", account="shan-ye")

    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, unquote(parts.path)) == (
        "otpauth",
        "totp",
        "/山野 果园:shan-ye",
    )
    assert "+" not in url  # apps do not read it as a space
    assert parse_qs(parts.query) == {
        "secret": [base64.b32encode(SECRET).decode()],
        "issuer": ["山野 果园"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }
