"""Codes that change every half minute (RFC 6238): SHA-1, six digits, as every authenticator app
makes them."""

import base64
import hashlib
import hmac
from urllib.parse import quote, urlencode

STEP_S = 30
DIGITS = 6
STEPS_AROUND = 1  # how far a phone's clock, or a slow hand, may be off
SECRET_BYTES = 20  # as long as the hash


def step_of(now_s: int) -> int:
    """The number of the half minute that `now_s` is in."""
    return now_s // STEP_S


def code_at(secret: bytes, step: int, *, digits: int = DIGITS) -> str:
    """The code of one step."""
    mac = hmac.new(secret, step.to_bytes(8, "big"), hashlib.sha1).digest()
    start = mac[-1] & 0x0F
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}d}"


def accepted_step(secret: bytes, code: str, *, now_s: int, last_step: int = -1) -> int | None:
    """The step whose code this is, of those around now and after `last_step`; None when none is.

    A code is good once: what was taken becomes the next `last_step`.
    """
    now = step_of(now_s)
    for step in range(max(0, now - STEPS_AROUND), now + STEPS_AROUND + 1):
        right = hmac.compare_digest(code_at(secret, step).encode(), code.encode())
        if right and step > last_step:
            return step
    return None


def base32(secret: bytes) -> str:
    """A secret as people type it into an app that cannot see the picture."""
    return base64.b32encode(secret).decode().rstrip("=")


def address(secret: bytes, *, issuer: str, account: str) -> str:
    """The otpauth:// address that an authenticator app reads from a QR code."""
    label = f"{quote(issuer)}:{quote(account)}"
    query = {"secret": base32(secret), "issuer": issuer, "algorithm": "SHA1"}
    times = {"digits": DIGITS, "period": STEP_S}
    return f"otpauth://totp/{label}?{urlencode(query | times, quote_via=quote)}"
