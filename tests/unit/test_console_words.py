"""English words of the console for codes that the API tells with Chinese words."""

import re
from pathlib import Path

from chalicelib.domain.after_sale import Reason
from chalicelib.domain.audit_words import ACTION_WORDS

CODES = Path(__file__).parents[2] / "console" / "src" / "words" / "codes.ts"


def keys_of(name: str) -> set[str]:
    """The keys of one table of codes.ts."""
    table = re.search(rf"const {name}: .*?\n}}\n", CODES.read_text(), re.DOTALL)
    assert table is not None
    return set(re.findall(r"^  (\w+): '", table[0], re.MULTILINE))


def test_every_action_of_the_audit_log_has_english_words() -> None:
    assert keys_of("ACTIONS") == set(ACTION_WORDS)


def test_every_reason_for_after_sale_has_english_words() -> None:
    assert keys_of("AFTER_SALE_REASONS") == {str(reason) for reason in Reason}
