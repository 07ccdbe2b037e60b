"""Races once more, while transactions conflict and answers are lost; every law still holds.

Only what is stored counts here: whoever lost an answer may be told that it was done already.
"""

import random
from collections.abc import Callable

import pytest

from tests.fixtures.fault_injection import Faults, injected
from tests.fixtures.shop import PAY_BY_S, Shop
from tests.laws.races import deadline_scenarios, scenarios

RACES: dict[str, Callable[[Shop, random.Random], object]] = {
    "two seats": lambda shop, chance: scenarios.many_buyers_for_two_seats(shop, buyers=20),
    "little stock": lambda shop, chance: scenarios.many_buyers_for_little_stock(
        shop, buyers=60, stock=30, leaders=3
    ),
    "one buyer": lambda shop, chance: scenarios.one_buyer_joins_over_and_over(shop, times=16),
    "one key": lambda shop, chance: scenarios.one_key_opens_over_and_over(shop, times=16),
    "one callback": lambda shop, chance: scenarios.one_callback_over_and_over(shop, times=10),
    "one limit": lambda shop, chance: scenarios.one_limit_over_many_groups(shop, groups=8, limit=2),
    "deadline": lambda shop, chance: deadline_scenarios.last_payment_against_the_deadline(
        shop, rounds=10, chance=chance
    ),
    "deadline, fewer": lambda shop, chance: deadline_scenarios.last_payment_against_the_deadline(
        shop, rounds=10, chance=chance, seats=3, least=2
    ),
    "release": lambda shop, chance: deadline_scenarios.payment_against_release(
        shop, rounds=10, chance=chance
    ),
    "closing": lambda shop, chance: deadline_scenarios.joins_against_closing(shop, buyers=20),
    "big group": lambda shop, chance: deadline_scenarios.big_group_is_decided(shop, seats=40),
    "big group, fewer": lambda shop, chance: deadline_scenarios.big_group_is_decided(
        shop, seats=40, least=20
    ),
    "two attempts": lambda shop, chance: scenarios.two_attempts_paid_at_once(shop),
}


@pytest.mark.parametrize("race", RACES)
def test_race_under_conflicts_and_lost_answers(shop: Shop, race: str) -> None:
    faults = Faults(seed=1, conflicts=0.2, lost=0.1)
    with injected(faults):
        RACES[race](shop, random.Random(1))
    shop.check()

    shop.gateway.confirms_at_once = shop.other_gateway.confirms_at_once = True
    with injected(faults):
        shop.run_jobs(1, forward_s=PAY_BY_S)
    shop.run_jobs(3, forward_s=120)

    shop.check(quiescent=True)
    assert faults.seen.total() > 0


@pytest.mark.parametrize("race", ["two seats", "little stock", "one limit", "release"])
def test_race_where_writes_in_flight_conflict(shop: Shop, race: str) -> None:
    faults = Faults(seed=2, emulated=True)
    with injected(faults):
        RACES[race](shop, random.Random(2))

    shop.check()
    assert faults.seen["emulated"] > 0


def test_race_under_throttling_and_requests_that_never_arrive(shop: Shop) -> None:
    faults = Faults(seed=3, throttled=0.1, unsent=0.1)
    with injected(faults):
        scenarios.many_buyers_for_little_stock(shop, buyers=60, stock=30, leaders=3)

    shop.check()
    assert faults.seen["throttled"] > 0
    assert faults.seen["unsent"] > 0
