"""docs/security.md names tests that are there, and leaves no category without one."""

import ast
import re
from fnmatch import fnmatch
from pathlib import Path

TESTS = Path(__file__).parent.parent
DOCUMENT = (TESTS.parent / "docs" / "security.md").read_text()
ROW = re.compile(r"^\| (API\d+):2023 \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
CATEGORIES = [f"API{number}" for number in range(1, 11)]


def named() -> dict[str, list[str]]:
    """Category -> the patterns of its tests."""
    return {category: re.findall(r"`([^`]+)`", tests) for category, tests in ROW.findall(DOCUMENT)}


def found(pattern: str) -> list[str]:
    """The tests that a pattern means."""
    stem, _, name = pattern.partition("::")
    module = ast.parse((TESTS / f"{stem}.py").read_text())
    functions = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]
    return [f for f in functions if f.startswith("test_") and fnmatch(f, name)]


def test_every_category_has_its_tests() -> None:
    assert list(named()) == CATEGORIES
    assert [category for category, patterns in named().items() if not patterns] == []


def test_every_test_that_is_named_is_there() -> None:
    patterns = [pattern for row in named().values() for pattern in row]

    assert [pattern for pattern in patterns if not found(pattern)] == []


def test_every_module_of_these_cases_is_in_the_table() -> None:
    modules = {path.stem for path in Path(__file__).parent.glob("test_*.py")}

    told = {pattern.partition("::")[0] for row in named().values() for pattern in row}
    assert {f"security/{module}" for module in modules} - told == {"security/test_document"}
