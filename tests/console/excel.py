"""Excel files as the tests need them: the console's are read, one is written as Excel does."""

import re
import zipfile
from collections.abc import Sequence
from html import escape, unescape
from pathlib import Path

SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def read(path: Path) -> list[list[str]]:
    """The cells of a file of the console's, row by row."""
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        xml = file.read(SHEET).decode()
    assert "<f>" not in xml
    rows = re.findall(r"<row [^>]*>(.*?)</row>", xml, re.DOTALL)
    return [[_value(cell) for cell in re.findall(r"<c .*?(?:/>|</c>)", row)] for row in rows]


def write(path: Path, rows: Sequence[Sequence[str | int]]) -> Path:
    """A file with shared strings, numbers as numbers and no cell where nothing stands."""
    texts = sorted({cell for row in rows for cell in row if isinstance(cell, str) and cell})
    items = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
    body = "".join(
        f'<row r="{n}">{"".join(_cell(cell, at, n, texts) for at, cell in enumerate(row))}</row>'
        for n, row in enumerate(rows, 1)
    )
    link = f'<Relationship Id="rId7" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
            '<sheet name="发货" sheetId="3" r:id="rId7"/></sheets></workbook>',
        )
        file.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE}">{link}</Relationships>',
        )
        file.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{items}</sst>')
        file.writestr(SHEET, f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>')
    return path


def _value(cell: str) -> str:
    found = re.search(r"<(?:t|v)[^>]*>(.*?)</(?:t|v)>", cell, re.DOTALL)
    return unescape(found[1]) if found else ""


def _cell(value: str | int, column: int, row: int, texts: Sequence[str]) -> str:
    place = f"{chr(65 + column)}{row}"
    if isinstance(value, int):
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="s"><v>{texts.index(value)}</v></c>' if value else ""
