"""Codes that prove a phone: how long one is good, and how many a number is sent."""

from collections.abc import Sequence

PHONE = r"^1[3-9][0-9]{9}\Z"  # a mobile number of the mainland, which takes messages
WRONG = "手机号不对。请填 11 位的中国大陆手机号，才能收到验证码。"
DIGITS = 6
LIFE_S = 300
TRIES_MAX = 5
# So many to one number in so many seconds.
RULES = ((1, 60), (5, 3600), (10, 86400))
REMEMBERED_S = max(per_s for _, per_s in RULES)


def wait_s(sent_at_s: Sequence[int], *, now_s: int) -> int:
    """Seconds until another code may be sent; 0: now. sent_at_s: earlier ones, the oldest first."""
    waits = [sent_at_s[-times] + per_s - now_s for times, per_s in RULES if len(sent_at_s) >= times]
    return max(0, *waits) if waits else 0


def still_counted(sent_at_s: Sequence[int], *, now_s: int) -> list[int]:
    """Those of the earlier codes that count."""
    return [at_s for at_s in sent_at_s if at_s > now_s - REMEMBERED_S]
