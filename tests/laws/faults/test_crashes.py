"""Every workflow, interrupted at every outgoing call; three job runs mend everything.

The calls are found by running: a workflow is interrupted one call later each time, until it comes
through. Its process dies there, or lives on without an answer (fixtures/interruptions.py). Then the
jobs that mend it are interrupted as well, at every one of their calls. `make torture` runs all of
that; `make test` each workflow at some of the calls, and one pair of every other.
"""

from collections.abc import Iterable, Iterator

import pytest

from tests.laws import run_statistics
from tests.laws.faults.breaking import (
    Broken,
    broken_again,
    broken_differently,
    broken_everywhere,
    broken_twice,
)
from tests.laws.faults.sandbox import (
    JOB_RUNS_S,
    Sandbox,
    Scenario,
    Workflow,
    new_sandbox,
    scenarios_of,
)
from tests.laws.faults.workflows.all_workflows import WORKFLOWS

CUTS_SAMPLED = 1  # of those that leave something else behind


def batches() -> dict[str, list[Workflow]]:
    """The workflows that share tables and job runs: in a sample those of one module, since setting
    up, and running jobs that find nothing, take longer than a few crashes."""
    found: dict[str, list[Workflow]] = {}
    for workflow in WORKFLOWS:
        name = workflow.__name__ if run_statistics.FULL else workflow.__module__.rpartition(".")[2]
        found.setdefault(name, []).append(workflow)
    return found


@pytest.mark.parametrize("batch", batches())
def test_crash_at_any_call_is_mended_by_three_job_runs(batch: str) -> None:
    """In a sample, a crash of each workflow is mended by jobs that crash as well."""
    break_each = broken_everywhere if run_statistics.FULL else broken_in_some_ways
    with new_sandbox() as sandbox:
        scenarios = scenarios_of(sandbox, batches()[batch])
        broken = [list(break_each(scenario)) for scenario in scenarios]
        every = [one for ones in broken for one in ones]
        chance = run_statistics.chance("pairs", batch)
        paired = [] if run_statistics.FULL else chance.sample(broken, -(-len(broken) // 2))
        firsts = [ones[0] for ones in paired if ones]
        saved = sandbox.snapshots([one.shop for one in firsts])
        run_statistics.count("crash points, single", len(every))
        mend_and_check(sandbox, every)
    with new_sandbox() as sandbox:
        both = zip(firsts, saved, strict=True)
        pairs = [broken_again(sandbox, shop, first.what, chance) for first, shop in both]
        run_statistics.count("crash points, pairs", len(pairs))
        mend_and_check(sandbox, pairs)


@pytest.mark.parametrize(
    "workflow", WORKFLOWS if run_statistics.FULL else [], ids=lambda w: w.__name__
)
def test_crash_of_the_jobs_that_mend_a_crash_is_mended_by_three_more(workflow: Workflow) -> None:
    with new_sandbox() as first_stage:
        (scenario,) = scenarios_of(first_stage, [workflow])
        firsts = list(broken_differently(scenario))
        saved = first_stage.snapshots([one.shop for one in firsts])
    for first, snapshot in zip(firsts, saved, strict=True):
        with new_sandbox() as sandbox:
            pairs = list(broken_twice(sandbox, snapshot, first.what))
            run_statistics.count("crash points, pairs", len(pairs))
            mend_and_check(sandbox, pairs)


def broken_in_some_ways(scenario: Scenario) -> Iterator[Broken]:
    chance = run_statistics.chance("cuts", scenario.name)
    return broken_differently(
        scenario, lambda cuts: chance.sample(cuts, min(CUTS_SAMPLED, len(cuts)))
    )


def mend_and_check(sandbox: Sandbox, broken: Iterable[Broken]) -> None:
    shops = {one.what: one.shop for one in broken}
    began_s = max((shop.now_s for shop in shops.values()), default=0)
    for after_s in JOB_RUNS_S:
        sandbox.run_jobs(began_s + after_s)
    for shop in shops.values():
        shop.now_s = began_s + JOB_RUNS_S[-1]
    sandbox.check(shops)
