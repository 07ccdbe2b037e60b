"""Which tests a mutant is shown: those that may notice, the likeliest and the quickest first.

A test notices a weaker condition only if the write was refused in it; so tests that saw a refusal
of that function come first. A condition that many functions share is shown to more tests, and first
to those whose neighbours mostly see refusals: they are about writes that meet. A test with many
parameters is shown with one of them before any is
shown with two: they mostly run the same, and would take every place. Races and crashes come last,
for they take long.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.mutation.mutants import Mutant
from tests.mutation.records import Record

TESTS_MAX = 40  # of one mutant
SHARED_MAX = 150  # of a condition that many functions share
IDLE_MAX = 8  # of tests that are unlikely to notice
SLOW_MAX = 5
SLOW_S = 90.0  # of all slow tests of one mutant
SLOW_FROM_S = 8.0
SLOW_SUITES = ("tests/laws/faults/", "tests/laws/properties/", "tests/laws/races/")
CONDITIONS = frozenset({"condition", "whole condition", "once"})


@dataclass(frozen=True)
class Chosen:
    """Tests in the order in which they are run; `slow` only when `quick` have noticed nothing."""

    quick: list[str]
    slow: list[str]


def chosen(mutant: Mutant, record: Record) -> Chosen:
    running = record.running(mutant.lines)
    places = _places(mutant, record)
    likely = running & _likely(mutant, record, places)
    is_shared = _is_condition(mutant) and not places
    most = SHARED_MAX if is_shared else TESTS_MAX
    quickly = sorted((test for test in running if not _is_slow(test, record)), key=_by(record))
    first = _spread((test for test in quickly if test in likely), _without_parameters)
    if is_shared:
        first = sorted(first, key=_by_refusals_around(record))
    first = sorted(first, key=lambda test: not _names(test, mutant))[:most]
    rest_max = TESTS_MAX - len(first) if not likely and not _is_condition(mutant) else IDLE_MAX
    idle = _spread((test for test in quickly if test not in likely), _without_parameters)
    others = _spread(idle, _file)[:rest_max]
    slow = sorted(running - set(quickly), key=lambda test: (test not in likely, _by(record)(test)))
    return Chosen([*first, *others][:most], _within(slow, record))


def _names(test: str, mutant: Mutant) -> bool:
    """Whether a test speaks of the mutant's function."""
    return mutant.function.rpartition(".")[2] in test


def _is_condition(mutant: Mutant) -> bool:
    return mutant.kind in CONDITIONS


def _places(mutant: Mutant, record: Record) -> list[str]:
    """The mutant's own function, and those inside it, where a test saw a write of them refused."""
    own = f"{mutant.path}::{mutant.function}"
    return [place for place in record.refused if place == own or place.startswith(f"{own}.")]


def _likely(mutant: Mutant, record: Record, places: Sequence[str]) -> set[str]:
    if not _is_condition(mutant):
        return record.running(mutant.sharp or mutant.lines)
    seen = places or list(record.refused)  # a condition made here, used elsewhere
    return set().union(*(record.refused[place] for place in seen))


def _by_refusals_around(record: Record) -> Callable[[str], float]:
    """Minus the share of a test's file that sees refusals."""
    tests = Counter(_file(test) for test in record.seconds)
    refused = Counter(_file(test) for test in set().union(*record.refused.values()))
    return lambda test: -refused[_file(test)] / tests[_file(test)]


def _is_slow(test: str, record: Record) -> bool:
    return test.startswith(SLOW_SUITES) or record.seconds[test] > SLOW_FROM_S


def _by(record: Record) -> Callable[[str], tuple[float, str]]:
    return lambda test: (record.seconds[test], test)


def _spread(tests: Iterable[str], kind: Callable[[str], str]) -> list[str]:
    """One of each kind before the second of any."""
    seen: Counter[str] = Counter()
    ranked = []
    for number, test in enumerate(tests):
        seen[kind(test)] += 1
        ranked.append((seen[kind(test)], number, test))
    return [test for _, _, test in sorted(ranked)]


def _file(test: str) -> str:
    return test.partition("::")[0]


def _without_parameters(test: str) -> str:
    return test.partition("[")[0]


def _within(slow: list[str], record: Record) -> list[str]:
    kept: list[str] = []
    left_s = SLOW_S
    for test in slow:
        left_s -= record.seconds[test]
        if len(kept) == SLOW_MAX or (kept and left_s < 0):
            break
        kept.append(test)
    return kept
