"""Excel files as the tests need them: the console's are read, one is written as Excel does."""

import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from typing import BinaryIO

SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
HIDDEN = ' hidden="1"'


def read(path: Path) -> list[list[str]]:
    """The cells of a file of the console's, row by row."""
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        xml = file.read(SHEET).decode()
    assert "<f>" not in xml
    rows = re.findall(r"<row [^>]*>(.*?)</row>", xml, re.DOTALL)
    return [[_value(cell) for cell in re.findall(r"<c .*?(?:/>|</c>)", row)] for row in rows]


@dataclass(frozen=True)
class Sheet:
    """What is in one sheet; hidden: numbers of rows that are filtered out; state: of the sheet."""

    name: str
    rows: Sequence[Sequence[str | int]]
    hidden: Sequence[int] = ()
    state: str = "visible"


def write(path: Path, rows: Sequence[Sequence[str | int]], hidden: Sequence[int] = ()) -> Path:
    """A file with shared strings, numbers as numbers and no cell where nothing stands."""
    write_sheets(path, [Sheet("发货", rows, hidden)])
    return path


def write_sheets(
    to: Path | BinaryIO,
    sheets: Sequence[Sheet],
    *,
    named: Callable[[str], str] = str,
    folder: str = "xl/",
    prolog: str = "",
    encoding: str = "utf-8",
) -> None:
    """A file of several sheets. named: as a program writes the names of parts, and the folder."""
    cells = (cell for sheet in sheets for row in sheet.rows for cell in row)
    texts = sorted({cell for cell in cells if isinstance(cell, str) and cell})
    items = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
    parts = {
        "_rels/.rels": _links([("officeDocument", f"{folder}workbook.xml")]),
        f"{folder}workbook.xml": _book(sheets),
        f"{folder}_rels/workbook.xml.rels": _links(
            [
                *(("worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(sheets) + 1)),
                ("sharedStrings", "sharedStrings.xml"),
            ]
        ),
        f"{folder}sharedStrings.xml": f'<sst xmlns="{MAIN}">{items}</sst>',
    }
    for n, sheet in enumerate(sheets, 1):
        parts[f"{folder}worksheets/sheet{n}.xml"] = prolog + _sheet(sheet, texts)
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as file:
        for name, xml in parts.items():
            file.writestr(named(name), xml.encode(encoding))


def _book(sheets: Sequence[Sheet]) -> str:
    listed = (
        f'<sheet name="{escape(it.name)}" sheetId="{n}" state="{it.state}" r:id="rId{n}"/>'
        for n, it in enumerate(sheets, 1)
    )
    head = f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">'
    return f"{head}<sheets>{''.join(listed)}</sheets></workbook>"


def _links(parts: Sequence[tuple[str, str]]) -> str:
    links = (
        f'<Relationship Id="rId{n}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(parts, 1)
    )
    return f'<Relationships xmlns="{PACKAGE}">{"".join(links)}</Relationships>'


def _sheet(sheet: Sheet, texts: Sequence[str]) -> str:
    rows = (
        f'<row r="{n}"{HIDDEN if n in sheet.hidden else ""}>'
        f"{''.join(_cell(cell, at, n, texts) for at, cell in enumerate(row))}</row>"
        for n, row in enumerate(sheet.rows, 1)
    )
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(rows)}</sheetData></worksheet>'


def _value(cell: str) -> str:
    found = re.search(r"<(?:t|v)[^>]*>(.*?)</(?:t|v)>", cell, re.DOTALL)
    return unescape(found[1]) if found else ""


def _cell(value: str | int, column: int, row: int, texts: Sequence[str]) -> str:
    place = f"{chr(65 + column)}{row}"
    if isinstance(value, int):
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="s"><v>{texts.index(value)}</v></c>' if value else ""
