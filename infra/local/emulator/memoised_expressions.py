"""What ministack finds out about the text of an expression, found out once per text.

It reads a condition anew for every item that it is asked of, with three checks of its syntax, which
was a third of the engine's CPU time. PynamoDB writes few expressions that differ.
"""

from functools import lru_cache
from types import ModuleType

TEXTS = 4096
# Functions of the text alone; what they return is only read.
OF_TEXT = ("_tokenize", "_condition_syntax_error")


def memoise(dynamodb: ModuleType) -> None:
    """Let ministack's module `dynamodb` keep the answers of those functions."""
    for name in OF_TEXT:
        setattr(dynamodb, name, lru_cache(TEXTS)(getattr(dynamodb, name)))
