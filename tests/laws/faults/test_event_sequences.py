"""Payments, refunds, the deadline and a cancellation in every order; every law at each step."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

from chalicelib.tables.base import chunks
from tests.fixtures.table_snapshot import items_of_all
from tests.laws import run_statistics
from tests.laws.checkers.state_edges import StateHistory
from tests.laws.faults.event_sequences import SETUPS, EventSequence, longer, tell_everything_again
from tests.laws.faults.sandbox import JOB_RUNS_S, Sandbox, ShopSnapshot, new_sandbox

Known = list[tuple[EventSequence, ShopSnapshot]]
WIDTH = run_statistics.sized(100_000, 2)  # sequences of one length that are made longer
AT_ONCE = 12  # of them; a job takes 50 items of a shard


def test_every_law_holds_whatever_befalls_an_order_in_which_order() -> None:
    chance = run_statistics.chance("orders of events")
    known = beginnings()
    while known:
        grown = [one for part in chunks(known, AT_ONCE) for one in grow(part)]
        run_statistics.count("orders of events", len(grown))
        known = chance.sample(grown, min(WIDTH, len(grown)))


def beginnings() -> Known:
    with new_sandbox() as sandbox:
        told = []
        for setup in SETUPS:
            shop = sandbox.shop()
            order = setup.set_up(shop)
            shop.gateway.confirms_at_once = shop.other_gateway.confirms_at_once = True
            told.append(EventSequence(setup, order, shop, StateHistory()))
        judge(told)
        return list(zip(told, sandbox.snapshots([one.shop for one in told]), strict=True))


def grow(known: Sequence[tuple[EventSequence, ShopSnapshot]]) -> Known:
    with new_sandbox() as sandbox:
        told = list(longer(sandbox, known))
        judge(told)
        saved = sandbox.snapshots([one.shop for one in told])
        come_to_rest(sandbox, told)
        return list(zip(told, saved, strict=True))


def come_to_rest(sandbox: Sandbox, told: Sequence[EventSequence]) -> None:
    """Each sequence may be all that happens: three job runs end it; old news changes nothing."""
    ended = [replace(one, history=deepcopy(one.history)) for one in told]
    began_s = max((one.shop.now_s for one in ended), default=0)
    for after_s in JOB_RUNS_S:
        sandbox.run_jobs(began_s + after_s)
    for one in ended:
        one.shop.now_s = began_s + JOB_RUNS_S[-1]
        tell_everything_again(one.shop)
    judge(ended, quiescent=True)


def judge(told: Sequence[EventSequence], *, quiescent: bool = False) -> None:
    stored, wrong = items_of_all(), []
    for one in told:
        try:
            items = stored[one.shop.merchant_id]
            one.history.check(one.shop.check(quiescent=quiescent, items=items))
        except AssertionError as error:
            wrong.append(f"{one}: {error}")
    assert not wrong, "\n".join(wrong)
