"""Mutants that no test can notice, because another guard does the same: each with its reason.

explained.txt names a guard as the report does, without its line (path, function, kind, source in
backquotes), and says why below it, indented. An entry that names no guard is an error: the guard
is gone, and with it the reason to keep the entry.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.mutation.mutants import Mutant

FILE = Path(__file__).with_name("explained.txt")
_ENTRY = re.compile(r"^(?P<name>\S+ \S+ [a-z ]+ `.+`)$")


class Malformed(Exception):
    """explained.txt cannot be read at some line."""


def read(text: str) -> dict[str, str]:
    """Reasons by the names of mutants."""
    reasons: dict[str, list[str]] = {}
    name = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(" ") and name:
            reasons[name].append(line.strip())
        elif (entry := _ENTRY.match(line)) is not None:
            name = entry["name"]
            reasons[name] = []
        else:
            raise Malformed(f"explained.txt:{number}: {line}")
    without = [name for name, words in reasons.items() if not words]
    if without:
        raise Malformed(f"explained.txt: no reason given for {without[0]}")
    return {name: " ".join(words) for name, words in reasons.items()}


def stale(reasons: Mapping[str, str], mutants: Iterable[Mutant]) -> list[str]:
    """Names in explained.txt that no guard has any more."""
    return sorted(reasons.keys() - {mutant.name for mutant in mutants})
