"""Identifiers: unguessable where they are public, derived where a repeat must meet its own.

order_id = buyer_id (22) + order_no (8); out_trade_no = order_id + attempt (2) = 32, which is
WeChat Pay's maximum; out_refund_no = out_trade_no + one letter or digit for the reason, and a digit
when the numbers before it were proven dead at the gateway (gateways allow 64 characters).
"""

import hashlib
import hmac
import os
import random
import re
from dataclasses import dataclass

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # sorts as ASCII does
ID_LENGTH = 22  # 128 bits
ORDER_NO_LENGTH = 8
ATTEMPT_LENGTH = 2
ATTEMPTS_MAX = 99
OUT_TRADE_NO_LENGTH = ID_LENGTH + ORDER_NO_LENGTH + ATTEMPT_LENGTH
SERIAL_MAX = 9  # fresh numbers of one refund
_ID = re.compile(f"[0-9A-Za-z]{{{ID_LENGTH}}}")
_REFUND = re.compile("([A-Za-z1-9])([1-9]?)")


def base62(number: int, width: int) -> str:
    """`number` in exactly `width` digits; greater numbers lose their highest digits."""
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits


def new_id() -> str:
    """A fresh identifier that cannot be guessed."""
    return base62(int.from_bytes(os.urandom(16), "big"), ID_LENGTH)


def derived_id(key: bytes, *parts: str) -> str:
    """The identifier that the same parts always give; `key` keeps it from being guessed."""
    mac = hmac.new(key, "\x1f".join(parts).encode(), hashlib.sha256).digest()
    return base62(int.from_bytes(mac[:16], "big"), ID_LENGTH)


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def new_order_no(now_s: int) -> str:
    """Sorts by second inside a buyer's partition; a collision is refused by the put's condition."""
    return base62(now_s, 6) + base62(random.randrange(62**2), 2)


@dataclass(frozen=True)
class OrderId:
    """Where an order is: its buyer and its number."""

    buyer_id: str
    order_no: str

    def __str__(self) -> str:
        return self.buyer_id + self.order_no

    @property
    def placed_at_s(self) -> int:
        """When it was placed: its number begins with the second."""
        seconds = 0
        for digit in self.order_no[:6]:
            seconds = seconds * 62 + BASE62.index(digit)
        return seconds

    @classmethod
    def parse(cls, text: str) -> "OrderId | None":
        """The parts of an order id, or None when `text` is no such thing."""
        buyer_id, order_no = text[:ID_LENGTH], text[ID_LENGTH:]
        right = is_id(buyer_id) and len(order_no) == ORDER_NO_LENGTH and order_no.isalnum()
        return cls(buyer_id, order_no) if right and order_no.isascii() else None


def out_trade_no(order_id: OrderId, attempt: str) -> str:
    return f"{order_id}{attempt}"


def split_out_trade_no(text: str) -> tuple[OrderId, str] | None:
    """(order, attempt) of a number that we gave a gateway, or None when it is not ours."""
    order_id = OrderId.parse(text[:-ATTEMPT_LENGTH])
    attempt = text[-ATTEMPT_LENGTH:]
    return (order_id, attempt) if order_id and attempt.isascii() and attempt.isdigit() else None


def out_refund_no(order_id: OrderId, key: str, serial: int) -> str:
    """The number of the refund `key` (attempt + reason); serial 0 is its first."""
    return f"{order_id}{key}{serial or ''}"


def split_out_refund_no(text: str) -> tuple[OrderId, str, int] | None:
    """(order, attempt + reason, serial) of a refund's number, or None when it is not ours."""
    parts = split_out_trade_no(text[:OUT_TRADE_NO_LENGTH])
    match = _REFUND.fullmatch(text[OUT_TRADE_NO_LENGTH:])
    return (parts[0], parts[1] + match[1], int(match[2] or 0)) if parts and match else None
