"""When a refund can be expected: working days in Beijing, to the end of the last one."""

import datetime as dt

import pytest

from chalicelib.domain.beijing import BEIJING
from chalicelib.domain.refund_arrival import expected_by_s


@pytest.mark.parametrize(
    ("asked", "method", "by"),
    [
        ("2026-11-30 00:00:00", "wechat_pay", "2026-12-03 23:59:59"),  # a Monday
        ("2026-12-03 23:59:59", "wechat_pay", "2026-12-08 23:59:59"),
        ("2026-12-05 10:00:00", "wechat_pay", "2026-12-09 23:59:59"),  # a Saturday
        ("2026-11-30 10:00:00", "alipay", "2026-12-09 23:59:59"),
        ("2026-11-30 10:00:00", "another", "2026-12-09 23:59:59"),
    ],
)
def test_money_can_be_expected_by_the_end_of_a_working_day(
    asked: str, method: str, by: str
) -> None:
    def at_s(text: str) -> int:
        return int(dt.datetime.fromisoformat(text).replace(tzinfo=BEIJING).timestamp())

    assert expected_by_s(at_s(asked), method) == at_s(by)
