"""Birthdays of buyers: a month and a day, for the coupon that a level gives once a year."""

import datetime as dt
from dataclasses import dataclass

from chalicelib.domain.beijing import DAY_S, TOLD_S, day_of, midnight_s
from chalicelib.errors import InvalidRequest

KEPT_S = 365 * DAY_S  # before it can be told anew
_LEAP_YEAR = 2024


@dataclass(frozen=True)
class Birthday:
    month: int
    day: int

    def in_year(self, year: int) -> dt.date:
        """Its day in that year; of 29 February, the day before where there is none."""
        try:
            return dt.date(year, self.month, self.day)
        except ValueError:
            return dt.date(year, self.month, self.day - 1)

    def next_s(self, now_s: int) -> int:
        """When it is due next, today's included; in epoch seconds."""
        today = day_of(now_s)
        day = self.in_year(today.year)
        return midnight_s(day if day >= today else self.in_year(today.year + 1)) + TOLD_S

    def after_s(self, due_at_s: int) -> int:
        """When it is due after it was then."""
        return midnight_s(self.in_year(day_of(due_at_s).year + 1)) + TOLD_S


def birthday_of(month: int, day: int) -> Birthday:
    """Raises InvalidRequest for a day that no year has."""
    try:
        dt.date(_LEAP_YEAR, month, day)
    except ValueError:
        raise InvalidRequest("没有这一天，请重新选择生日。", field="day") from None
    return Birthday(month, day)
