"""Texts of people: what nobody sees is gone before lengths are checked."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.plain_text import _PLAIN, _without_invisible, plain

FAMILY, RAINBOW, ENGLAND = "👨‍👩‍👧", "🏳️‍🌈", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"


@pytest.mark.parametrize(
    "blank",
    [
        "",
        "   ",
        "\u3000\u00a0",
        "\u200b",
        "\u2060\ufeff",
        "\u202d\u202c",
        "\u3164",
        "\u2800",
        "\ufe0f",
    ],
)
def test_what_looks_empty_is_empty(blank: str) -> None:
    assert plain(blank) == plain(blank, lines=True) == ""


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("  王小明\u3000", "王小明"),
        ("王\u200b小\u00ad明", "王小明"),
        ("\u202d13900139001\u202c", "13900139001"),
        ("文一西路\t969\r\n 号", "文一西路 969 号"),
        ("Zoe\u0308", "Zoë"),
        ("a\u200db", "ab"),
        ("葛\U000e0100城", "葛\U000e0100城"),  # a form of the character, as its owner writes it
        (f"{FAMILY}{RAINBOW}{ENGLAND}👍🏽❤️", f"{FAMILY}{RAINBOW}{ENGLAND}👍🏽❤️"),
    ],
)
def test_one_line_keeps_what_is_seen(typed: str, meant: str) -> None:
    assert plain(typed) == meant
    assert plain(meant) == meant


def test_lines_stay_where_they_are_wanted() -> None:
    assert (
        plain(" 第一行 \r\n\r\n\r\n\r\n第二\u200b行\u2028完 ", lines=True) == "第一行\n\n第二行\n完"
    )


@given(st.from_regex(_PLAIN, fullmatch=True))
def test_what_is_let_through_at_once_has_nothing_to_be_removed(usual: str) -> None:
    assert _without_invisible(unicodedata.normalize("NFC", usual)) == usual
    assert " ".join(usual.split()) == usual
