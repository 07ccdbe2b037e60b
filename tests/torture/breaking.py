"""Breaks workflows at their calls, once or twice, and leaves the shops to be mended and judged."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass

from chalicelib.errors import Busy, ServiceError
from tests.crashes import EFFECTS, Cut, Way, cut_off, ways_at
from tests.shop import Shop
from tests.torture.stage import JOB_RUNS_S, Scene, Snapshot, Stage, run_jobs_of

CALLS_MAX = 300
Choice = Callable[[list[Cut]], list[Cut]]


@dataclass(frozen=True)
class Broken:
    """A shop whose workflow was cut off, and perhaps the jobs that mend it."""

    what: str
    shop: Shop


def every_cut(run: Callable[[Cut], None]) -> Iterator[Cut]:
    """Cut `run` off at each of its calls in each way there is, until it comes through."""
    for number in range(CALLS_MAX):
        cut = Cut(number, Way.DIES_BEFORE)
        run(cut)
        if not cut.operation:
            return
        yield cut
        for way in ways_at(cut.operation)[1:]:
            run(other := Cut(number, way))
            if other.operation:  # chance may have led elsewhere
                yield other
    raise AssertionError("the run has no end")


def every_different_cut(run: Callable[[Cut], None], choose: Choice = list) -> Iterator[Cut]:
    """One of each that leaves something else behind: before any effect, after each effect, and
    with each effect unanswered. A death between two effects is one, whatever was read there.
    choose: which of them are made."""
    run(whole := Cut(CALLS_MAX))
    assert not whole.operation, "the run has no end"
    cuts = [Cut(0)]
    for number, operation in enumerate(whole.made):
        if operation in EFFECTS:
            cuts += [Cut(number, Way.DIES_AFTER), Cut(number, Way.UNANSWERED)]
    for cut in choose(cuts):
        run(cut)
        if cut.operation:
            yield cut


def any_cut(run: Callable[[Cut], None], chance: random.Random) -> Cut:
    """One of all, done; none when there is no call to be cut off at."""
    run(whole := Cut(CALLS_MAX))
    if not whole.made:
        return whole
    number = chance.randrange(len(whole.made))
    run(cut := Cut(number, chance.choice(ways_at(whole.made[number]))))
    return cut


def break_workflow(scene: Scene, cut: Cut) -> None:
    """Act in a new copy until the cut. Then a phone asks again, or does not.

    A phone or gateway that got no answer asks once more, when the process died after the call or
    lived on without it; after a death before the call nobody does. An answer that botocore asked
    for again is as if it had come at once: nobody may be refused for it.
    """
    scene.again()
    shop = scene.actor
    random.seed(f"{cut.at} {cut.way}")  # buckets, order numbers: the same again for the same cut
    with cut_off(shop, cut):
        code = _refusal_of(scene)
        if not cut.operation:
            scene.refusal = code
        elif cut.way is Way.LOSES_ONE:
            assert code in (scene.refusal, Busy.code), f"{scene.name} {cut}: {code}"
    if cut.operation == "prepay":
        for number in shop.gateway.payable(shop.now_s):  # what the gateway knows can be paid
            shop.gateway.pay(number, at_s=shop.now_s)
    elif cut.operation and cut.way.takes_effect:
        with suppress(ServiceError):
            scene.act()
    for gateway in shop.gateways:
        gateway.confirms_at_once = True


def _refusal_of(scene: Scene) -> str:
    """What the act is refused with, as a code; empty when it is done."""
    try:
        scene.act()
    except ServiceError as refusal:
        return refusal.code
    return ""


def break_jobs(stage: Stage, saved: Snapshot, actor: Shop, cut: Cut) -> None:
    """Mend a copy of a broken shop by its jobs, until they are cut off themselves."""
    stage.copy(saved, actor)
    random.seed(f"{cut.at} {cut.way}")
    began_s = actor.now_s
    for after_s in JOB_RUNS_S:
        actor.now_s = began_s + after_s
        with cut_off(actor, cut):
            run_jobs_of(actor, saved, actor.now_s)
        if cut.operation:
            return


def broken_everywhere(scene: Scene) -> Iterator[Broken]:
    break_workflow(scene, Cut(CALLS_MAX))  # whole, to know what it is answered
    for cut in every_cut(lambda cut: break_workflow(scene, cut)):
        yield Broken(f"{scene.name} {cut}", copy(scene.actor))


def broken_differently(scene: Scene, choose: Choice = list) -> Iterator[Broken]:
    for cut in every_different_cut(lambda cut: break_workflow(scene, cut), choose):
        yield Broken(f"{scene.name} {cut}", copy(scene.actor))


def broken_twice(stage: Stage, saved: Snapshot, what: str) -> Iterator[Broken]:
    """Copies of a broken shop whose jobs were cut off, too."""
    actor = copy(saved.shop)
    for cut in every_different_cut(lambda cut: break_jobs(stage, saved, actor, cut)):
        yield Broken(f"{what}, then jobs: {cut}", copy(actor))


def broken_somewhere(scene: Scene, chance: random.Random) -> Broken:
    cut = any_cut(lambda cut: break_workflow(scene, cut), chance)
    return Broken(f"{scene.name} {cut}", copy(scene.actor))


def broken_again(stage: Stage, saved: Snapshot, what: str, chance: random.Random) -> Broken:
    """A copy of a broken shop whose jobs were cut off somewhere, too."""
    actor = copy(saved.shop)
    cut = any_cut(lambda cut: break_jobs(stage, saved, actor, cut), chance)
    return Broken(f"{what}, then jobs: {cut}", actor)
