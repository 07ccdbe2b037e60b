"""Payments, refunds, the deadline and a cancellation in every order; every law at each step."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

from chalicelib.tables.base import chunks
from tests.history import History
from tests.stored import items_of_all
from tests.torture import figures
from tests.torture.orders_of_events import PLOTS, Told, longer, tell_everything_again
from tests.torture.stage import JOB_RUNS_S, Snapshot, Stage, new_stage

Known = list[tuple[Told, Snapshot]]
WIDTH = figures.sized(100_000, 3)  # sequences of one length that are made longer
AT_ONCE = 12  # of them; a job takes 50 items of a shard


def test_every_law_holds_whatever_befalls_an_order_in_which_order() -> None:
    chance = figures.chance("orders of events")
    known = beginnings()
    while known:
        grown = [one for part in chunks(known, AT_ONCE) for one in grow(part)]
        figures.count("orders of events", len(grown))
        known = chance.sample(grown, min(WIDTH, len(grown)))


def beginnings() -> Known:
    with new_stage() as stage:
        told = []
        for plot in PLOTS:
            shop = stage.shop()
            order = plot.set_up(shop)
            shop.gateway.confirms_at_once = shop.other_gateway.confirms_at_once = True
            told.append(Told(plot, order, shop, History()))
        judge(told)
        return list(zip(told, stage.snapshots([one.shop for one in told]), strict=True))


def grow(known: Sequence[tuple[Told, Snapshot]]) -> Known:
    with new_stage() as stage:
        told = list(longer(stage, known))
        judge(told)
        saved = stage.snapshots([one.shop for one in told])
        come_to_rest(stage, told)
        return list(zip(told, saved, strict=True))


def come_to_rest(stage: Stage, told: Sequence[Told]) -> None:
    """Each sequence may be all that happens: three job runs end it; old news changes nothing."""
    ended = [replace(one, history=deepcopy(one.history)) for one in told]
    began_s = max((one.shop.now_s for one in ended), default=0)
    for after_s in JOB_RUNS_S:
        stage.run_jobs(began_s + after_s)
    for one in ended:
        one.shop.now_s = began_s + JOB_RUNS_S[-1]
        tell_everything_again(one.shop)
    judge(ended, quiescent=True)


def judge(told: Sequence[Told], *, quiescent: bool = False) -> None:
    stored, wrong = items_of_all(), []
    for one in told:
        try:
            items = stored[one.shop.merchant_id]
            one.history.check(one.shop.check(quiescent=quiescent, items=items))
        except AssertionError as error:
            wrong.append(f"{one}: {error}")
    assert not wrong, "\n".join(wrong)
