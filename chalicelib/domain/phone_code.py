"""Codes that prove a phone: how long one is good, and how many a number is sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PHONE = r"^1[3-9][0-9]{9}\Z"  # a mobile number of the mainland, which takes messages
WRONG = "手机号不对。请填 11 位的中国大陆手机号，才能收到验证码。"
DIGITS = 6
LIFE_S = 300
TRIES_MAX = 5  # of who asked for the code, by address; and of everybody else together
# So many to one number in so many seconds; and so many of them that one device or address asked
# for, so that a stranger alone can use up neither the hour nor the day of the number's owner. Many
# people share an address (carrier NAT): it has more than a device.
RULES = ((1, 60), (5, 3600), (10, 86400))
RULES_OF_DEVICE = ((3, 3600), (5, 86400))
RULES_OF_ADDRESS = ((4, 3600), (7, 86400))
REMEMBERED_S = 86400


@dataclass(frozen=True)
class Sent:
    """A code that was sent. askers: marks of the address and of the device that asked for it."""

    at_s: int
    askers: frozenset[str]


def wait_s(sent: Sequence[Sent], *, address: str, device: str, now_s: int) -> int:
    """Seconds until another code may be sent to who asks; 0: now. sent: the oldest first.
    address, device: the asker's marks."""
    waits = [0, *_waits(RULES, sent, now_s)]
    for asker, of_asker in ((address, RULES_OF_ADDRESS), (device, RULES_OF_DEVICE)):
        theirs = [one for one in sent if asker in one.askers]
        waits += _waits(of_asker, theirs, now_s)
    return max(waits)


def still_counted(sent: Iterable[Sent], *, now_s: int) -> list[Sent]:
    """Those of the earlier codes that count."""
    return [one for one in sent if one.at_s > now_s - REMEMBERED_S]


def _waits(rules: Iterable[tuple[int, int]], sent: Sequence[Sent], now_s: int) -> list[int]:
    return [sent[-times].at_s + per_s - now_s for times, per_s in rules if len(sent) >= times]
