"""Every workflow, cut off at every one of its outgoing calls; three job runs mend everything.

The calls are found by running: a workflow is cut off one call later each time, until it comes
through. Its process dies there, or lives on without an answer (tests/crashes.py). Then the jobs
that mend it are cut off as well, at every one of their calls. All of that by `make torture`; else
each workflow at some of the calls, and one pair of each.
"""

from collections.abc import Iterable, Iterator

import pytest

from tests.torture import figures
from tests.torture.breaking import (
    Broken,
    broken_again,
    broken_differently,
    broken_everywhere,
    broken_somewhere,
    broken_twice,
)
from tests.torture.stage import JOB_RUNS_S, Scene, Stage, Workflow, new_stage
from tests.torture.workflows import WORKFLOWS

PAIRS_SAMPLED = 1  # of each workflow
CUTS_SAMPLED = 4  # of those that leave something else behind


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda w: w.__name__)
def test_crash_at_any_call_is_mended_by_three_job_runs(workflow: Workflow) -> None:
    with new_stage() as stage:
        scene = Scene(stage, workflow)
        broken = list(broken_everywhere(scene) if figures.FULL else broken_in_some_ways(scene))
        figures.count("crash points, single", len(broken))
        mend_and_check(stage, broken)


@pytest.mark.skipif(not figures.FULL, reason="a sample of it is run below")
@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda w: w.__name__)
def test_crash_of_the_jobs_that_mend_a_crash_is_mended_by_three_more(workflow: Workflow) -> None:
    with new_stage() as first_stage:
        firsts = list(broken_differently(Scene(first_stage, workflow)))
        saved = first_stage.snapshots([one.shop for one in firsts])
    for first, snapshot in zip(firsts, saved, strict=True):
        with new_stage() as stage:
            pairs = list(broken_twice(stage, snapshot, first.what))
            figures.count("crash points, pairs", len(pairs))
            mend_and_check(stage, pairs)


@pytest.mark.skipif(figures.FULL, reason="a sample of what is run in full")
def test_some_crashes_of_jobs_that_mend_some_crashes_are_mended() -> None:
    chance = figures.chance("pairs")
    with new_stage() as first_stage:
        scenes = [Scene(first_stage, workflow) for workflow in WORKFLOWS]
        firsts = [broken_somewhere(scene, chance) for scene in scenes * PAIRS_SAMPLED]
        saved = first_stage.snapshots([one.shop for one in firsts])
    with new_stage() as stage:
        both = zip(firsts, saved, strict=True)
        pairs = [broken_again(stage, shop, first.what, chance) for first, shop in both]
        figures.count("crash points, pairs", len(pairs))
        mend_and_check(stage, pairs)


def broken_in_some_ways(scene: Scene) -> Iterator[Broken]:
    chance = figures.chance("cuts", scene.name)
    return broken_differently(scene, lambda cuts: chance.sample(cuts, min(CUTS_SAMPLED, len(cuts))))


def mend_and_check(stage: Stage, broken: Iterable[Broken]) -> None:
    shops = {one.what: one.shop for one in broken}
    began_s = max((shop.now_s for shop in shops.values()), default=0)
    for after_s in JOB_RUNS_S:
        stage.run_jobs(began_s + after_s)
    for shop in shops.values():
        shop.now_s = began_s + JOB_RUNS_S[-1]
    stage.check(shops)
