"""Breaks workflows at their calls, once or twice, and leaves the shops to be mended and judged."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass

from chalicelib.errors import Busy, ServiceError
from tests.fixtures.interruptions import (
    EFFECTS,
    Interruption,
    InterruptionKind,
    interrupted,
    ways_at,
)
from tests.fixtures.shop import Shop
from tests.laws.faults.sandbox import JOB_RUNS_S, Sandbox, Scenario, ShopSnapshot, run_jobs_of

CALLS_MAX = 300
Choice = Callable[[list[Interruption]], list[Interruption]]


@dataclass(frozen=True)
class Broken:
    """A shop whose workflow was cut off, and perhaps the jobs that mend it."""

    what: str
    shop: Shop


def every_cut(run: Callable[[Interruption], None]) -> Iterator[Interruption]:
    """Interruption `run` off at each of its calls in each way there is, until it comes through."""
    for number in range(CALLS_MAX):
        cut = Interruption(number, InterruptionKind.DIES_BEFORE)
        run(cut)
        if not cut.operation:
            return
        yield cut
        for way in ways_at(cut.operation)[1:]:
            run(other := Interruption(number, way))
            if other.operation:  # chance may have led elsewhere
                yield other
    raise AssertionError("the run has no end")


def every_different_cut(
    run: Callable[[Interruption], None], choose: Choice = list
) -> Iterator[Interruption]:
    """One of each that leaves something else behind: before any effect, after each effect, and
    with each effect unanswered. A death between two effects is one, whatever was read there.
    choose: which of them are made."""
    run(whole := Interruption(CALLS_MAX))
    assert not whole.operation, "the run has no end"
    cuts = [Interruption(0)]
    for number, operation in enumerate(whole.made):
        if operation in EFFECTS:
            cuts += [
                Interruption(number, InterruptionKind.DIES_AFTER),
                Interruption(number, InterruptionKind.UNANSWERED),
            ]
    for cut in choose(cuts):
        run(cut)
        if cut.operation:
            yield cut


def any_cut(run: Callable[[Interruption], None], chance: random.Random) -> Interruption:
    """One of all, done; none when there is no call to be cut off at."""
    run(whole := Interruption(CALLS_MAX))
    if not whole.made:
        return whole
    number = chance.randrange(len(whole.made))
    run(cut := Interruption(number, chance.choice(ways_at(whole.made[number]))))
    return cut


def break_workflow(scenario: Scenario, cut: Interruption) -> None:
    """Act in a new copy until the cut. Then a phone asks again, or does not.

    A phone or gateway that got no answer asks once more, when the process died after the call or
    lived on without it; after a death before the call nobody does. An answer that botocore asked
    for again is as if it had come at once: nobody may be refused for it.
    """
    scenario.again()
    shop = scenario.actor
    random.seed(f"{cut.at} {cut.way}")  # buckets, order numbers: the same again for the same cut
    with interrupted(shop, cut):
        code = _refusal_of(scenario)
        if not cut.operation:
            scenario.refusal = code
        elif cut.way is InterruptionKind.LOSES_ONE:
            assert code in (scenario.refusal, Busy.code), f"{scenario.name} {cut}: {code}"
    if cut.operation == "prepay":
        for number in shop.gateway.payable(shop.now_s):  # what the gateway knows can be paid
            shop.gateway.pay(number, at_s=shop.now_s)
    elif cut.operation and cut.way.takes_effect:
        with suppress(ServiceError):
            scenario.act()
    for gateway in shop.gateways:
        gateway.confirms_at_once = True


def _refusal_of(scenario: Scenario) -> str:
    """What the act is refused with, as a code; empty when it is done."""
    try:
        scenario.act()
    except ServiceError as refusal:
        return refusal.code
    return ""


def break_jobs(sandbox: Sandbox, saved: ShopSnapshot, actor: Shop, cut: Interruption) -> None:
    """Mend a copy of a broken shop by its jobs, until they are cut off themselves."""
    sandbox.copy(saved, actor)
    random.seed(f"{cut.at} {cut.way}")
    began_s = actor.now_s
    for after_s in JOB_RUNS_S:
        actor.now_s = began_s + after_s
        with interrupted(actor, cut):
            run_jobs_of(actor, saved, actor.now_s)
        if cut.operation:
            return


def broken_everywhere(scenario: Scenario) -> Iterator[Broken]:
    break_workflow(scenario, Interruption(CALLS_MAX))  # whole, to know what it is answered
    for cut in every_cut(lambda cut: break_workflow(scenario, cut)):
        yield Broken(f"{scenario.name} {cut}", copy(scenario.actor))


def broken_differently(scenario: Scenario, choose: Choice = list) -> Iterator[Broken]:
    for cut in every_different_cut(lambda cut: break_workflow(scenario, cut), choose):
        yield Broken(f"{scenario.name} {cut}", copy(scenario.actor))


def broken_twice(sandbox: Sandbox, saved: ShopSnapshot, what: str) -> Iterator[Broken]:
    """Copies of a broken shop whose jobs were cut off, too."""
    actor = copy(saved.shop)
    for cut in every_different_cut(lambda cut: break_jobs(sandbox, saved, actor, cut)):
        yield Broken(f"{what}, then jobs: {cut}", copy(actor))


def broken_again(sandbox: Sandbox, saved: ShopSnapshot, what: str, chance: random.Random) -> Broken:
    """A copy of a broken shop whose jobs were cut off somewhere, too."""
    actor = copy(saved.shop)
    cut = any_cut(lambda cut: break_jobs(sandbox, saved, actor, cut), chance)
    return Broken(f"{what}, then jobs: {cut}", actor)
