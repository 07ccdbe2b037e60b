"""Provinces, cities and districts of China, and where a text names them.

The data are in regions.json, which says where they come from. A city of no districts is a city like
东莞市, or a county that its province governs directly, like 仙桃市.
"""

import json
import pathlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from chalicelib.domain.freight import PROVINCES

Regions = Mapping[str, Mapping[str, list[str]]]
Path = tuple[str, ...]

_GAP = re.compile(r"[\s,，、/·-]*")
_PEOPLES = re.compile(  # in the name of what they govern: 恩施土家族苗族自治州 is 恩施州
    "(?:(?:朝鲜|土家|苗|藏|羌|彝|布依|侗|哈尼|壮|傣|白|景颇|傈僳|回|蒙古|满|瑶|畲|黎|仫佬|毛南|各|水|仡佬"
    "|纳西|普米|独龙|怒|拉祜|佤|布朗|东乡|保安|撒拉|裕固|土|达斡尔)族|蒙古|哈萨克|柯尔克孜|塔吉克|锡伯)+"
    "自治(?=[州县区旗]$)"
)
_KIND = re.compile("(?:地区|市|盟|州|县|区|旗)$")
# After a short name: it is part of another place's name, or of a street's.
_OTHER = re.compile("[市区县镇乡村路巷桥]|[东西南北中]路|大街|大道|街(?!道)")


@dataclass(frozen=True)
class Place:
    """What a text names from `start` to `end`. path: province, city and district, as far as they
    are known."""

    path: Path
    start: int
    end: int


@dataclass(frozen=True)
class _Name:
    text: str
    path: Path
    is_short: bool  # says nothing of what kind of place it is


@cache
def document() -> Mapping[str, Any]:
    """Return the file: version, source, regions."""
    text = pathlib.Path(__file__).with_name("regions.json").read_text(encoding="utf-8")
    parsed: Mapping[str, Any] = json.loads(text)
    return parsed


def everywhere() -> Regions:
    """Return province -> city -> districts."""
    regions: Regions = document()["regions"]
    return regions


def find(text: str) -> Place | None:
    """Return the place that the text names most fully, the first of those that it names equally."""
    places = [place for at in range(len(text)) if (place := _place_at(text, at)).path]
    return max(places, key=lambda place: (len(place.path), -place.start), default=None)


def _place_at(text: str, start: int) -> Place:
    """The place that is named there, level by level; one that is unique needs no level above."""
    path: Path = ()
    end = start
    for level in (1, 2, 3):
        gap = _GAP.match(text, end) if path else None
        found = _named(text, gap.end() if gap else end, level, within=path)
        if found is not None:
            end, path = found
    if len(path) == 1 and len(cities := [*everywhere()[path[0]]]) == 1:
        path = (path[0], cities[0])
    return Place(path, start, end)


def _named(text: str, at: int, level: int, *, within: Path) -> tuple[int, Path] | None:
    """(where its name ends, its path) of the one place of that level that is named there."""
    found = {
        (at + len(name.text), name.path)
        for name in _names().get(text[at : at + 1], ())
        if len(name.path) == level
        and name.path[: len(within)] == within
        and text.startswith(name.text, at)
        and not (name.is_short and _OTHER.match(text, at + len(name.text)))
        and (within or level < 3 or (len(name.text) > 2 and not name.is_short))
    }
    longest = max((end for end, _ in found), default=0)
    fits = [one for one in found if one[0] == longest]
    return fits[0] if len(fits) == 1 else None


@cache
def _names() -> Mapping[str, list[_Name]]:
    """All names that places go by, by their first character."""
    names: dict[str, list[_Name]] = {}
    for name in _all_names():
        names.setdefault(name.text[0], []).append(name)
    return names


def _all_names() -> Iterator[_Name]:
    for short, (province, cities) in zip(PROVINCES, everywhere().items(), strict=True):
        yield _Name(short, (province,), is_short=True)
        for full in {province, *(short + kind for kind in ("省", "市", "自治区"))}:
            yield _Name(full, (province,), is_short=False)
        for city, districts in cities.items():
            yield from _names_of((province, city), by_stem=city != province)
            for district in districts:  # 白云大厦 is in no 白云区
                yield from _names_of((province, city, district), by_stem=district[-1] != "区")


def _names_of(path: Path, *, by_stem: bool) -> Iterator[_Name]:
    """The full name; without whose autonomy it is; without what kind of place it is."""
    full = path[-1]
    shorter = _PEOPLES.sub("", full)
    if shorter == full or len(shorter) < 3:
        shorter = re.sub("族?自治", "", full)
    for text in {full, shorter}:
        yield _Name(text, path, is_short=False)
    stem = _KIND.sub("", shorter)
    if by_stem and len(stem) > 1:
        yield _Name(stem, path, is_short=True)
