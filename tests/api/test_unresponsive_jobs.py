"""Nobody answers a job or the stream: they end before Lambda ends them, and work stays due."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from chalice.app import EventSourceHandler

import app as application
from chalicelib import clock
from chalicelib.domain.activity import Tier
from chalicelib.domain.order import Intent
from chalicelib.services.work import due
from chalicelib.tables.trade_item import TradeItem, due_shards
from tests.fixtures import unresponsive_server
from tests.fixtures.api_clients import lambda_context
from tests.fixtures.fake_clock import JOBS, TICK
from tests.fixtures.merchant import MerchantFixture
from tests.fixtures.points import given, switch
from tests.fixtures.shipping import POSTED_S, ship, to_ship
from tests.fixtures.stream_events import change_of
from tests.fixtures.subscriptions import agree, log_in, use_templates
from tests.fixtures.two_merchants import TwoMerchants, two_merchants
from tests.fixtures.unresponsive_server import BEGINS, INVOCATION_S, short_invocations

pytestmark = pytest.mark.slow

DAY_S = 86400

__all__ = ["short_invocations"]


@pytest.fixture
def merchants(engine: str) -> Iterator[TwoMerchants]:
    with two_merchants() as merchants:
        yield merchants


def due_keys() -> set[tuple[Intent, str]]:
    """What is due now, by its intent and key."""
    return {
        (intent, f"{item.pk} {item.sk}")
        for intent in Intent
        for shard in due_shards(intent)
        for item in TradeItem.by_due.query(shard, TradeItem.due_at_s <= clock.now_s())
    }


def told_in_wechat(merchant: MerchantFixture) -> None:
    """Ship an order whose buyer agreed to be told of it in WeChat; the message is due."""
    ids, buyer = use_templates(merchant), log_in(merchant, "told")
    group_id, _, order_id = merchant.open_group(activity := merchant.activity(seats=2), buyer)
    agree(merchant, buyer, "told", [ids["shipped"]])
    merchant.member(activity, group_id)
    merchant.run_jobs()
    assert ship(merchant, order_id, "SF1234567890124").status == 200


def run_in_silence(job: EventSourceHandler, begin: int) -> float:
    """Seconds until the job ended."""
    began = time.monotonic()
    with unresponsive_server.answered(begin):
        job(TICK, lambda_context(job.func.__name__, seconds=INVOCATION_S))
    return time.monotonic() - began


def test_stream_ends_in_time_and_is_told_again(
    merchants: TwoMerchants, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = merchants.ours
    changes = [
        change_of(shop.merchant, shop.merchant.stored_order(it)) for it in (shop.paid, shop.held)
    ]
    context = lambda_context("stream", seconds=INVOCATION_S)

    with unresponsive_server.unresponsive(monkeypatch), unresponsive_server.answered(0):
        began = time.monotonic()
        answer = application.on_trade_change({"Records": changes}, context)

    assert time.monotonic() - began < INVOCATION_S
    assert len(answer["batchItemFailures"]) == len(changes)


def test_jobs_end_in_time_and_what_they_left_is_done_later(
    merchants: TwoMerchants, monkeypatch: pytest.MonkeyPatch
) -> None:
    merchant = merchants.merchant
    assert ship(merchant, to_ship(merchant)[1]).status == 200
    merchant.wait(POSTED_S)
    told_in_wechat(merchant)
    group_id, _, _ = merchant.open_group(activity := merchant.activity())
    merchant.prepay(*merchant.join(activity, group_id))
    merchant.buyer().open(activity)
    merchant.wechat.faults.add("refund", "stays_processing")
    _, leaver, order_id = merchant.open_group(merchant.activity())
    paid = merchant.stored_order(order_id)
    due.process_item(paid.pk, paid.sk, now_s=merchant.now_s)  # as the stream does
    assert leaver.cancel(order_id).status == 200
    switch(merchant, expiry="days", days=30)
    assert given(merchant, order_id, 100).status == 201
    later = merchant.activity(
        starts_at_s=merchant.now_s + DAY_S, crowd_tiers=(Tier(4, 300), Tier(6, 900))
    )
    asked_for = f"/v1/activities/{later.activity_id}/reminder"
    assert merchant.buyer().put(asked_for, {}).status == 200
    merchant.clock.forward(30 * DAY_S)
    asked = {"subject": "orders", "columns": ["order_id"]}
    assert merchant.owner().post("/v1/merchant/exports", asked).status in (200, 201, 202)
    assert {intent for intent, _ in due_keys()} == set(Intent)

    with (
        unresponsive_server.unresponsive(monkeypatch),
        ThreadPoolExecutor(len(JOBS) * len(BEGINS)) as pool,
    ):
        runs = {
            (job.func.__name__, begin): pool.submit(run_in_silence, job, begin)
            for job in JOBS
            for begin in BEGINS
        }
        took = {run: ended.result() for run, ended in runs.items()}

    assert max(took.values()) < INVOCATION_S, took
    assert due_keys()
    merchant.wait(900)
    assert due_keys() == set()
    merchant.check_laws()
