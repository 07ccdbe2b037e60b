"""Every kind of due work is run: by one scheduled function of the app, by tests, on one machine."""

from collections import Counter

import app as application
from chalicelib.domain.order import Intent
from infra.local.jobs import INTENTS
from tests.fixtures import fake_clock, function_policies, shop

SCHEDULED = {
    source.name
    for source in application.app.event_sources
    if type(source).__name__ == "ScheduledEventConfig"
}


def test_every_intent_is_run_by_a_scheduled_function_of_its_own() -> None:
    assert {function_policies.job_of(intent) for intent in Intent} == SCHEDULED
    assert len(SCHEDULED) == len(Intent)


def test_tests_run_every_scheduled_function() -> None:
    assert {job.func.__name__ for job in fake_clock.JOBS} == SCHEDULED


def test_shops_of_tests_and_of_one_machine_run_every_intent_once() -> None:
    assert Counter(shop.JOBS) == Counter(INTENTS) == Counter(Intent)
