"""Nobody answers a job or the stream: they end before Lambda ends them, and work stays due."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from chalice.app import EventSourceHandler

import app as application
from chalicelib import clock
from chalicelib.domain.order import Intent
from chalicelib.tables.trade_item import TradeItem, due_shards
from tests import black_hole
from tests.black_hole import BEGINS, INVOCATION_S, short_invocations
from tests.callers import lambda_context
from tests.minutes import JOBS, TICK
from tests.security.street import Street, furnished
from tests.shipping import POSTED_S, ship, to_ship
from tests.streams import change_of

DAY_S = 86400

__all__ = ["short_invocations"]


@pytest.fixture
def street(engine: str) -> Iterator[Street]:
    with furnished() as street:
        yield street


def due_keys() -> set[tuple[Intent, str]]:
    """What is due now, by its intent and key."""
    return {
        (intent, f"{item.pk} {item.sk}")
        for intent in Intent
        for shard in due_shards(intent)
        for item in TradeItem.by_due.query(shard, TradeItem.due_at_s <= clock.now_s())
    }


def run_in_silence(job: EventSourceHandler, begin: int) -> float:
    """Seconds until the job ended."""
    began = time.monotonic()
    with black_hole.answered(begin):
        job(TICK, lambda_context(job.func.__name__, seconds=INVOCATION_S))
    return time.monotonic() - began


def test_stream_ends_in_time_and_is_told_again(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = street.ours
    changes = [change_of(shop.town, shop.town.stored_order(it)) for it in (shop.paid, shop.held)]
    context = lambda_context("stream", seconds=INVOCATION_S)

    with black_hole.dug(monkeypatch), black_hole.answered(0):
        began = time.monotonic()
        answer = application.on_trade_change({"Records": changes}, context)

    assert time.monotonic() - began < INVOCATION_S
    assert len(answer["batchItemFailures"]) == len(changes)


def test_every_schedule_is_tried() -> None:
    schedules = {source.name for source in application.app.event_sources}

    assert {job.func.__name__ for job in JOBS} == schedules - {"on_trade_change"}


def test_jobs_end_in_time_and_what_they_left_is_done_later(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = street.town
    assert ship(town, to_ship(town)[1]).status == 200
    town.wait(POSTED_S)
    group_id, _, _ = town.open_group(activity := town.activity())
    town.prepay(*town.join(activity, group_id))
    town.buyer().open(activity)
    town.wechat.faults.add("refund", "stays_processing")
    _, leaver, order_id = town.open_group(town.activity())
    assert leaver.cancel(order_id).status == 200
    town.clock.forward(30 * DAY_S)
    asked = {"subject": "orders", "columns": ["order_id"]}
    assert town.owner().post("/v1/merchant/exports", asked).status in (200, 201, 202)
    assert {intent for intent, _ in due_keys()} == set(Intent)

    with black_hole.dug(monkeypatch), ThreadPoolExecutor(len(JOBS) * len(BEGINS)) as pool:
        runs = {
            (job.func.__name__, begin): pool.submit(run_in_silence, job, begin)
            for job in JOBS
            for begin in BEGINS
        }
        took = {run: ended.result() for run, ended in runs.items()}

    assert max(took.values()) < INVOCATION_S, took
    assert due_keys()
    town.wait(900)
    assert due_keys() == set()
    town.check_laws()
