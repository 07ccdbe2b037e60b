"""Steps that the machine has taken are told with everything else that torture counts."""

from tests.torture.figures import pytest_sessionfinish, pytest_terminal_summary

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary"]
