"""Codes that a coupon is claimed with, each once: a shop prints them, or sends them to people.

A code names its batch and its number there, and proves both by a keyed hash. So a batch of any
size is one item of the table, and its codes can be written down again whenever they are exported.
The alphabet is Crockford's: a letter that looks like a digit is taken for it.
"""

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BATCH_LENGTH, NUMBER_LENGTH, PROOF_LENGTH = 3, 3, 6
LENGTH = BATCH_LENGTH + NUMBER_LENGTH + PROOF_LENGTH
GROUP_LENGTH = 4  # ABCD-EFGH-JKMN
CODES_MAX = 10_000  # of one batch
_LOOKS_LIKE = str.maketrans("OIL", "011")
_BETWEEN = "- \t\n\u2010\u2011\u2012\u2013\u2014\u2015\u2212"


@dataclass(frozen=True)
class CouponCode:
    """The parts of a code; `number` counts from 0 within its batch."""

    batch: str
    number: int
    proof: str

    @classmethod
    def made(cls, batch: str, number: int, key: str) -> "CouponCode":
        """The code of that number. key: of the batch, secret."""
        mac = hmac.new(key.encode(), f"{batch}#{number}".encode(), hashlib.sha256).digest()
        return cls(batch, number, _digits(int.from_bytes(mac[:8], "big"), PROOF_LENGTH))

    @classmethod
    def parse(cls, text: str) -> "CouponCode | None":
        """The parts of a code as people type it, or None when it is none."""
        plain = unicodedata.normalize("NFKC", text).upper().translate(_LOOKS_LIKE)
        plain = "".join(letter for letter in plain if letter not in _BETWEEN)
        if len(plain) != LENGTH or not set(plain) <= set(ALPHABET):
            return None
        batch, number = plain[:BATCH_LENGTH], plain[BATCH_LENGTH:-PROOF_LENGTH]
        return cls(batch, _number(number), plain[-PROOF_LENGTH:])

    def is_proven(self, key: str, count: int) -> bool:
        """Whether it is one of the `count` codes of the batch that has this key."""
        right = CouponCode.made(self.batch, self.number, key)
        return self.number < count and hmac.compare_digest(right.proof, self.proof)

    def __str__(self) -> str:
        plain = self.batch + _digits(self.number, NUMBER_LENGTH) + self.proof
        groups = range(0, LENGTH, GROUP_LENGTH)
        return "-".join(plain[start : start + GROUP_LENGTH] for start in groups)


def batch_name(batch_id: str, turn: int) -> str:
    """What the codes of a batch begin with; `turn` after 0 when another batch has that name."""
    digest = hashlib.sha256(f"{batch_id}#{turn}".encode()).digest()
    return _digits(int.from_bytes(digest[:8], "big"), BATCH_LENGTH)


def _digits(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * len(ALPHABET) + ALPHABET.index(digit)
    return number
