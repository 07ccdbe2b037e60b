"""The number of an order for people: its day and six digits, to be read out and typed.

It follows from the order's id and tells nothing of how many orders there are. Two orders of one
day may have the same six digits; whichever is listed later then has one digit more, its serial.
"""

import datetime as dt
import hashlib
import re
import unicodedata

from chalicelib.domain.beijing import day_of, midnight_s
from chalicelib.domain.ids import OrderId

DIGITS = 6
CHOICES = 10**6
SERIALS_MAX = 10  # orders of one day with the same digits
RECENT_DAYS = 92  # of which people may say the digits alone
_DIGITS = re.compile("[0-9]{6}")
_FORM = re.compile(r"([0-9]{6})-?([0-9]{6})(?:-?([0-9]))?")
_BETWEEN = re.compile(r"[\s\-‐-―−]+")


def short_number(order_id: OrderId, serial: int = 0) -> str:
    """Return YYMMDD-dddddd, and -serial for what came later to the same digits."""
    number = f"{day_of(order_id.placed_at_s):%y%m%d}-{_digits_of(order_id):0{DIGITS}d}"
    return f"{number}-{serial}" if serial else number


def short_of(order_id: str, serial: int = 0) -> str:
    """Return the number of an order of which only the id, and its serial, are known."""
    parsed = OrderId.parse(order_id)
    return short_number(parsed, serial) if parsed else ""


def read(text: str) -> tuple[str, str] | None:
    """Return (number without serial, serial or "") as people type it, or None when it is none."""
    match = _FORM.fullmatch(_plain(text))
    return (f"{match[1]}-{match[2]}", match[3] or "") if match else None


def is_end(text: str) -> bool:
    """Whether it is the six digits alone, as people type them."""
    return _DIGITS.fullmatch(_plain(text)) is not None


def recent(text: str, now_s: int) -> tuple[str, ...]:
    """Return the numbers of the last RECENT_DAYS that end in the six digits which people type, the
    newest first; none when it is something else."""
    if not is_end(text):
        return ()
    digits = _plain(text)
    days = (day_of(now_s) - dt.timedelta(days=ago) for ago in range(RECENT_DAYS))
    return tuple(f"{day:%y%m%d}-{digits}" for day in days)


def _plain(text: str) -> str:
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text)).removeprefix("#")


def _digits_of(order_id: OrderId) -> int:
    digest = hashlib.sha256(f"short {order_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % CHOICES


def first_second_of(number: str) -> int | None:
    """Return when the day of a number begins, or None when there is no such day."""
    try:
        return midnight_s(dt.date(2000 + int(number[:2]), int(number[2:4]), int(number[4:6])))
    except ValueError:
        return None
