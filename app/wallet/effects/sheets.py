"""The figures as a table to take along: CSV, and a minimal workbook (ECMA-376)."""

import csv
import io
import zipfile
from html import escape
from typing import Final

from app.wallet.effects.figures import Effects, Line
from app.wallet.effects.records import STAGES, STEPS

HIDDEN: Final = "hidden"  # not "<5": a larger group may be hidden to protect a smaller one
STAMP: Final = (2026, 1, 1, 0, 0, 0)  # equal figures give equal octets
COLUMNS: Final = ("group", *STAGES, *(f"median_hours_to_{step}" for step in STEPS))
UNKNOWN, ALL = "(unknown)", "(all)"
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_TYPES = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml" ContentType="{main}.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{main}.worksheet+xml"/>
</Types>""".format(main="application/vnd.openxmlformats-officedocument.spreadsheetml")
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELS = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="{type}" Target="{target}"/>
</Relationships>"""
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_BOOK = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">
<sheets><sheet name="214" sheetId="1" r:id="rId1"/></sheets></workbook>"""


def rows_of(found: Effects) -> list[list[str | int | float]]:
    """The header, the groups, and last all of them together."""
    lines = [_row(one, one.group or UNKNOWN) for one in found.lines]
    return [list(COLUMNS), *lines, _row(found.total, ALL)]


def _row(one: Line, group: str) -> list[str | int | float]:
    counts = [HIDDEN if count is None else count for count in one.counts]
    return [group, *counts, *("" if hours is None else hours for hours in one.hours)]


def as_csv(found: Effects) -> bytes:
    """UTF-8 with a mark at its beginning, so that spreadsheets read Kazakh letters; nothing in it
    begins as a formula does."""
    out = io.StringIO()
    rows = [[_plain(value) for value in row] for row in rows_of(found)]
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _plain(value: str | int | float) -> str | int | float:
    """Codes come from bodies: a spreadsheet must show one that looks like a formula, not run it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def as_xlsx(found: Effects) -> bytes:
    """A workbook of one sheet, numbers as numbers."""
    lines = "".join(
        f'<row r="{number}">{"".join(_cell(value) for value in row)}</row>'
        for number, row in enumerate(rows_of(found), 1)
    )
    sheet = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData></worksheet>'
    )
    files = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _RELS.format(type=f"{_OFFICE}/officeDocument", target="xl/workbook.xml"),
        "xl/workbook.xml": _BOOK,
        "xl/_rels/workbook.xml.rels": _RELS.format(
            type=f"{_OFFICE}/worksheet", target="worksheets/sheet1.xml"
        ),
        "xl/worksheets/sheet1.xml": sheet,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in files.items():
            book.writestr(zipfile.ZipInfo(name, STAMP), text.encode(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _cell(value: str | int | float) -> str:
    if isinstance(value, str):
        value = "".join(c for c in value if c >= " ")  # XML has no way to write them
        return f'<c t="inlineStr"><is><t>{escape(value, quote=False)}</t></is></c>'
    return f"<c><v>{value}</v></c>"
