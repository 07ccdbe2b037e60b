"""Time in tests: a clock that stands still until it is moved, and what every minute runs."""

import itertools
import time

import app as application
from chalicelib.domain.order import Intent
from chalicelib.tables.trade_item import TradeItem, due_shards
from tests.callers import lambda_context

# In the order in which one minute does the most.
JOBS = (
    application.query_payments,
    application.release_unpaid_seats,
    application.fail_due_groups,
    application.drive_refunds,
    application.close_activities,
    application.complete_received_orders,
    application.reconcile_bills,
    application.write_exports,
)
TICK = {
    "version": "0",
    "id": "tick",
    "source": "aws.events",
    "detail-type": "Scheduled Event",
    "account": "123456789012",
    "time": "2026-11-22T00:00:00Z",
    "region": "cn-north-1",
    "resources": [],
    "detail": {},
}
DAY_S = 86400
ERA_S = 15 * DAY_S
ERAS = 100  # four years
MORNING_S = 20 * 60  # 08:20 in Beijing
LAP_S, LAPS = 180, 30  # until 09:50

_eras = itertools.count()


class Clock:
    """Stands still at `now_s` until it is moved.

    Jobs look at the whole table. Every clock stands some weeks before the one before it, so that
    what one test leaves undone is not due in the next; and always in a Beijing morning, before
    bills are compared, so that no test depends on the hour in which it is run. After ERAS of them
    it begins anew, a little later in the morning, and what was left undone until then is removed.
    """

    def __init__(self) -> None:
        lap, era = divmod(next(_eras), ERAS)
        if era == 0:
            remove_due_work()
        today_s = int(time.time()) // DAY_S * DAY_S
        self.now_s = today_s + MORNING_S + lap % LAPS * LAP_S - (1 + era) * ERA_S

    def forward(self, seconds: int) -> None:
        self.now_s += seconds


def run_every_job() -> None:
    """Every scheduled function once, through its handler."""
    for job in JOBS:
        job(TICK, lambda_context("job"))


def remove_due_work() -> None:
    """Delete every item that has something to be done, now or later."""
    with TradeItem.batch_write() as batch:
        for shard in (shard for intent in Intent for shard in due_shards(intent)):
            for item in TradeItem.by_due.query(shard):
                batch.delete(item)
