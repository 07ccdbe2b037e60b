"""One guard removed: where, how, and by which name it is spoken of."""

import ast
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tests.mutation.sources import Module, Place

Line = tuple[str, int]  # path, line


@dataclass(frozen=True)
class Mutant:
    """`what` is the source of what is gone, as `ast` writes it: it names a guard across edits."""

    path: str
    line: int
    kind: str
    function: str
    what: str
    start: int
    end: int
    replacement: str
    lines: frozenset[Line]  # a test that runs none of them cannot notice
    sharp: frozenset[Line] = frozenset()  # a test that runs one of them is likely to notice
    number: int = field(default=0, compare=False)  # among those of one line and kind

    @property
    def id(self) -> str:
        more = f".{self.number}" if self.number else ""
        return f"{self.path}:{self.line}:{self.kind}{more}"

    @property
    def name(self) -> str:
        """What stays the same when lines move."""
        return f"{self.path} {self.function} {self.kind} `{self.what}`"

    def applied_to(self, source: bytes) -> bytes:
        return source[: self.start] + self.replacement.encode() + source[self.end :]


def removed(
    module: Module,
    place: Place,
    kind: str,
    *,
    by: str,
    what: ast.AST | str | None = None,
    at: ast.AST | None = None,
    within: Iterable[ast.AST] = (),
    lines: Iterable[Line] = (),
    sharp: Iterable[Line] = (),
) -> Mutant:
    """The node of `place` replaced `by` another source.

    what: what is named as gone, if not all of the node; `at`: where it is said to be;
    within, lines: the nodes or lines that a test has to run, if not the node itself.
    """
    node = place.node
    start, end = module.span(node)
    named = what if isinstance(what, str) else ast.unparse(what or node)
    run = set(lines) or {
        (module.path, line)
        for part in (tuple(within) or (node,))
        for line in range(part.lineno, (part.end_lineno or part.lineno) + 1)  # type: ignore[attr-defined]
    }
    where = at or (what if isinstance(what, ast.expr) else node)
    return Mutant(
        path=module.path,
        line=where.lineno,  # type: ignore[attr-defined]
        kind=kind,
        function=place.function or "(module)",
        what=named,
        start=start,
        end=end,
        replacement=by,
        lines=frozenset(run),
        sharp=frozenset(sharp),
    )


def numbered(mutants: Iterable[Mutant]) -> list[Mutant]:
    """In the order of the sources, each with an id of its own, none twice."""
    seen: Counter[str] = Counter()
    done: set[tuple[str, int, int, str]] = set()
    found = []
    for mutant in sorted(mutants, key=lambda one: (one.path, one.line, one.kind, one.what)):
        change = (mutant.path, mutant.start, mutant.end, mutant.replacement)
        if change in done:
            continue
        done.add(change)
        seen[mutant.id] += 1
        found.append(replace(mutant, number=seen[mutant.id] - 1))
    return found
