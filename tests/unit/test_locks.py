"""Whatever is installed or packaged is locked, each file by its hash."""

import re

import pytest

from infra.package import ROOT
from infra.wheels import normal, pins

LOCKS = ("requirements", "requirements-dev")
TOOLS = "Run `make lock`."


def wanted(name: str) -> dict[str, str]:
    """What an .in file asks for, itself and by what it includes."""
    found: dict[str, str] = {}
    for line in (ROOT / f"{name}.in").read_text().splitlines():
        if line.startswith("-r "):
            found |= wanted(line[3:].removesuffix(".in"))
        elif line and not line.startswith("#"):
            package, _, version = line.partition("==")
            found[normal(package)] = version
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_lock_holds_what_is_asked_for(name: str) -> None:
    locked = pins((ROOT / f"{name}.txt").read_text())

    assert {package: locked.get(package) for package in wanted(name)} == wanted(name), TOOLS


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_has_hashes_and_comes_from_nowhere_in_particular(name: str) -> None:
    lock = (ROOT / f"{name}.txt").read_text()

    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    assert [entry for entry in entries if pins(entry) and "--hash=sha256:" not in entry] == []
    assert not re.search(r"://|^-", lock, re.MULTILINE)


def test_what_is_packaged_is_what_was_tested() -> None:
    packaged, developers = (pins((ROOT / f"{name}.txt").read_text()) for name in LOCKS)

    assert {name: developers.get(name) for name in packaged} == packaged, TOOLS
