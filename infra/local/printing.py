"""Text for a terminal: Chinese takes two columns a character, and still stands in line."""

import sys
import unicodedata
from collections.abc import Sequence


def width(text: str) -> int:
    """How many columns `text` takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def padded(text: str, columns: int, *, right: bool = False) -> str:
    """`text` filled up to `columns`; longer text stays as it is."""
    space = " " * max(0, columns - width(text))
    return space + text if right else text + space


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, right: set[int]) -> list[str]:
    """Lines of a table; `right`: the columns whose cells stand at the right (amounts)."""
    columns = [max(width(row[n]) for row in (titles, *rows)) for n in range(len(titles))]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(
            padded(cell, columns[n], right=n in right) for n, cell in enumerate(cells)
        ).rstrip()

    return [line(titles), line(["─" * size for size in columns]), *map(line, rows)]


def say(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
