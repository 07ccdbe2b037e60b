"""What people type and paste, without what nobody can see: one rule for every text of a request.

Spreadsheets, chat programs and right-to-left editors add characters without width; a name made
of them alone looks empty on a parcel. So they are removed before any length is checked.
"""

import re
import unicodedata

_JOINER = "\u200d"  # joins emoji: a family is four of them
_EMOJI_STYLE = "\ufe0f"
# Letters by category, blank by look: fillers of Hangul, Mongolian and Khmer, and blank braille.
_BLANK_LETTERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0" + "".join(
    map(chr, range(0x180B, 0x1810))
)
_FLAG = re.compile(
    "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
)  # of a region: a black flag's tags
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Most texts, addresses above all, have nothing to be removed: visible ASCII, Han characters and
# their commonest marks, with single spaces between.
_USUAL = "[!-~\u4e00-\u9fff，。、：（）]+"
_PLAIN = re.compile(f"{_USUAL}(?: {_USUAL})*")


def plain(text: str, *, lines: bool = False) -> str:
    """Return `text` composed (NFC), without invisible characters and outer blanks.

    lines: keep line breaks, at most two in a row; else every run of blanks becomes one space.
    Joiners stay within emoji, and style marks behind a character that they can be of.
    """
    if _PLAIN.fullmatch(text):
        return text
    composed = unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", text))
    seen = _without_invisible(composed)
    if not lines:
        return " ".join(seen.split())
    rows = (" ".join(row.split()) for row in seen.split("\n"))
    return re.sub("\n{3,}", "\n\n", "\n".join(rows)).strip()


def _without_invisible(text: str) -> str:
    kept: list[str] = []
    flags = {at for found in _FLAG.finditer(text) for at in range(*found.span())}
    for at, character in enumerate(text):
        before = kept[-1] if kept else ""
        after = text[at + 1 : at + 2]
        if at in flags or _is_seen(character, before, after):
            kept.append(character)
    return "".join(kept)


def _is_seen(character: str, before: str, after: str) -> bool:
    if character in ("\n", "\t"):
        return True
    if character == _JOINER:
        return _ends_emoji(before) and _is_symbol(after)
    if "\ufe00" <= character <= _EMOJI_STYLE or "\U000e0100" <= character <= "\U000e01ef":
        return bool(before) and not before.isspace()  # a style of the character before
    if character in _BLANK_LETTERS:
        return False
    return unicodedata.category(character) not in ("Cc", "Cf")


def _ends_emoji(character: str) -> bool:
    return character == _EMOJI_STYLE or _is_symbol(character)


def _is_symbol(character: str) -> bool:
    """Emoji are symbols; their skin tones are modifiers (Sk)."""
    return bool(character) and unicodedata.category(character) in ("So", "Sk")


def within_sentence(words: str) -> str:
    """What somebody wrote, to stand in a sentence of ours that has a full stop of its own."""
    return words.rstrip("\N{IDEOGRAPHIC FULL STOP} ")
