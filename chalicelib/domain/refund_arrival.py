"""When a buyer can expect the money of a refund, before its gateway says that it has arrived."""

import datetime as dt
from collections.abc import Mapping

from chalicelib.domain.beijing import DAY_S, day_of, midnight_s

SATURDAY = 5
# What is usual at the longest, to a bank card; to a balance it takes minutes. Public holidays are
# not known: the time is an estimate, and is shown as one.
WORKING_DAYS: Mapping[str, int] = {"wechat_pay": 3, "alipay": 7}
USUAL = 7


def expected_by_s(requested_at_s: int, method: str) -> int:
    """The end, in Beijing, of the last working day that the refund usually takes."""
    day, left = day_of(requested_at_s), WORKING_DAYS.get(method, USUAL)
    while left:
        day += dt.timedelta(days=1)
        left -= day.weekday() < SATURDAY
    return midnight_s(day) + DAY_S - 1
