"""docs/domain.md and the checkers name the same laws, and each law is checked somewhere."""

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent.parent
DOMAIN = (TESTS.parent / "docs" / "domain.md").read_text().partition("## What must hold")[2]
LAW = re.compile(r"^(\d+)\. \*\*([^*]+)\.\*\*(.*?)(?=^\d+\. |^`tests)", re.MULTILINE | re.DOTALL)
REPORTED = re.compile(r"^(\d+ [a-z][a-z -]*)(?::| is )")
TEST_NAMES = re.compile(r"`([\w/]+)::\*`")


def documented() -> dict[str, list[str]]:
    """Law, as the checkers name it -> the test modules that its text names."""
    return {
        f"{number} {name.lower()}": TEST_NAMES.findall(text)
        for number, name, text in LAW.findall(DOMAIN)
    }


@cache
def reported() -> set[str]:
    """Every law that a checker names in what it reports."""
    modules = (TESTS / "laws" / "checkers").glob("*.py")
    nodes = (node for path in modules for node in ast.walk(ast.parse(path.read_text())))
    texts = (node.value for node in nodes if isinstance(node, ast.Constant))
    found = (REPORTED.match(text) for text in texts if isinstance(text, str))
    return {match[1] for match in found if match}


def test_laws_are_numbered_without_a_gap() -> None:
    numbers = [int(law.split()[0]) for law in documented()]

    assert numbers == list(range(1, len(numbers) + 1))


def test_every_law_that_is_reported_is_in_the_document() -> None:
    assert reported() - set(documented()) == set()


def test_every_law_of_the_document_is_checked() -> None:
    unchecked = {law: modules for law, modules in documented().items() if law not in reported()}

    assert [law for law, modules in unchecked.items() if not modules] == []


def test_every_test_module_that_a_law_names_is_there() -> None:
    named = {module for modules in documented().values() for module in modules}

    assert [module for module in named if not (TESTS / f"{module}.py").exists()] == []
