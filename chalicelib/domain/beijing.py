"""The calendar that gateways make their bills by, and shops live by: Asia/Shanghai, UTC+8."""

import datetime as dt

from chalicelib.text import Text

BEIJING = dt.timezone(dt.timedelta(hours=8))  # no summer time since 1991
DAY_S = 86400
TOLD_S = 9 * 3600  # after midnight, of what is told on a day: nobody is woken


def day_of(at_s: int) -> dt.date:
    """The date in Beijing at `at_s`."""
    return dt.datetime.fromtimestamp(at_s, BEIJING).date()


def midnight_s(day: dt.date) -> int:
    """When `day` begins in Beijing, in epoch seconds."""
    return int(dt.datetime.combine(day, dt.time(), BEIJING).timestamp())


def moment(at_s: int) -> str:
    """The minute in Beijing, as people write it: 12 月 1 日 18:00."""
    local = dt.datetime.fromtimestamp(at_s, BEIJING)
    return Text(
        "{month} 月 {day} 日 {time}", month=local.month, day=local.day, time=f"{local:%H:%M}"
    )
