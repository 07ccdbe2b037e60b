"""What came of it: counts by kind, the share that was caught, and what nobody noticed."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tests.mutation.bench import Verdict
from tests.mutation.mutants import Mutant

CAUGHT_MIN = 0.95  # below, the check has failed

Verdicts = Mapping[Mutant, Verdict]


def share_caught(verdicts: Verdicts) -> float:
    caught = sum(verdict is not Verdict.SURVIVED for verdict in verdicts.values())
    return caught / len(verdicts) if verdicts else 1.0


def lines(verdicts: Verdicts, explained: Sequence[Mutant]) -> list[str]:
    """For people."""
    tried: Counter[str] = Counter(mutant.kind for mutant in verdicts)
    survivors = [m for m, verdict in verdicts.items() if verdict is Verdict.SURVIVED]
    survived = Counter(mutant.kind for mutant in survivors)
    known = Counter(mutant.kind for mutant in explained)
    kinds = sorted(tried | known)
    told = [f"{'kind':16} {'caught':>7} {'survived':>9} {'explained':>10}"]
    told += [
        f"{kind:16} {tried[kind] - survived[kind]:>7} {survived[kind]:>9} {known[kind]:>10}"
        for kind in kinds
    ]
    hung = sum(verdict is Verdict.HUNG for verdict in verdicts.values())
    told.append(
        f"{len(verdicts) - len(survivors)} of {len(verdicts)} caught"
        f" ({share_caught(verdicts):.1%}), {hung} of them by a time-out;"
        f" {len(explained)} explained"
    )
    for mutant in sorted(survivors, key=lambda one: (one.path, one.line)):
        told += ["", f"survived: {mutant.id}", f"    {mutant.name}"]
    return told
