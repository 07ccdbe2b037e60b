"""The languages of answers: each Text in the one that the request prefers."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from chalicelib.text import Text

CHINESE, ENGLISH = "zh-CN", "en"
CATALOGUE = Path(__file__).with_name("english.json")  # Chinese template -> English template
_LANGUAGES = {"zh": CHINESE, "en": ENGLISH, "*": CHINESE}


class Reader:
    """Who made a request with these headers: reads the Texts of its answer in one language.

    Which one is found out with the first Text; an answer without any is the same for everybody.
    """

    def __init__(self, asked: Mapping[str, str]) -> None:
        self._asked = asked
        self.headers: Mapping[str, str] = {}

    def text_for(self, value: Any) -> str:
        """The string for a Text, as msgspec's enc_hook. Raises NotImplementedError for others."""
        if not isinstance(value, Text):
            raise NotImplementedError
        if not self.headers:
            language = preferred(self._asked.get("accept-language") or "")
            self.headers = {"Content-Language": language, "Vary": "Accept-Language"}
        if self.headers["Content-Language"] == ENGLISH:
            return value.translated(english())
        return str(value)


def preferred(accept_language: str) -> str:
    """The best of our languages for an Accept-Language header; Chinese where none is named.

    Of languages with the same weight the first one counts; what is malformed is passed over.
    """
    best, weight = CHINESE, 0.0
    for choice in accept_language.split(","):
        tag, *parameters = (part.strip().lower() for part in choice.split(";"))
        language = _LANGUAGES.get(tag.partition("-")[0])
        quality = _quality(parameters)
        if language is not None and quality > weight:
            best, weight = language, quality
    return best


def _quality(parameters: list[str]) -> float:
    if not parameters:
        return 1.0
    name, _, value = parameters[0].partition("=")
    try:
        return float(value) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0


@lru_cache(maxsize=1)
def english() -> Mapping[str, str]:
    """Every English template by its Chinese one; read with the first answer in English."""
    templates: dict[str, str] = json.loads(CATALOGUE.read_text())
    return templates
