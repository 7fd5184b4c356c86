"""The figures as a table to take along: CSV, a minimal workbook (ECMA-376), and a picture (SVG)."""

import csv
import io
import zipfile
from collections.abc import Sequence
from html import escape
from typing import Final

from app.wallet.effects.figures import Effects, Line
from app.wallet.effects.records import STAGES, STEPS

HIDDEN: Final = "<5"
STAMP: Final = (2026, 1, 1, 0, 0, 0)  # equal figures give equal octets
COLUMNS: Final = ("group", *STAGES, *(f"median_hours_to_{step}" for step in STEPS))
NAMES: Final = {
    "kk": ("Жеткізілді", "Алынды", "Келісті", "Берілді", "Пайдаланылды"),
    "ru": ("Уведомлены", "Получили", "Согласились", "Предоставлено", "Использовано"),
}
TITLES: Final = {
    "kk": "Қолдау шараларының тиімділігі",
    "ru": "Эффективность мер поддержки",
}
COLOURS: Final = ("#0b5c7a", "#2a7f9e", "#5ba3bd", "#8cc3d6", "#bfe0ea")
MOST_GROUPS: Final = 12
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
    """The header, the groups, and all of them together."""
    return [list(COLUMNS), *(_row(one, one.group or "-") for one in found.lines),
            _row(found.total, "*")]  # fmt: skip


def _row(one: Line, group: str) -> list[str | int | float]:
    counts = [HIDDEN if count is None else count for count in one.counts]
    return [group, *counts, *("" if hours is None else hours for hours in one.hours)]


def as_csv(found: Effects) -> bytes:
    """UTF-8 with a mark at its beginning, so that spreadsheets read Kazakh letters."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows_of(found))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


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
        return f'<c t="inlineStr"><is><t>{escape(value, quote=False)}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def as_svg(found: Effects, language: str) -> bytes:
    """Bars of the stages for each group and for all, in Kazakh or Russian; what is hidden has no
    bar and says so."""
    spoken = language if language in NAMES else "ru"
    groups = [(one.group or "–", one) for one in found.lines[:MOST_GROUPS]]
    groups.append((("Барлығы", "Всего")[spoken == "ru"], found.total))
    most = max((c for _, one in groups for c in one.counts if c is not None), default=0) or 1
    height = 60 + len(groups) * 110
    drawn = [_bars(name, one, 50 + n * 110, most, spoken) for n, (name, one) in enumerate(groups)]
    title = escape(TITLES[spoken])
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{height}" lang="{spoken}" '
        f'font-family="sans-serif" font-size="13" role="img" aria-label="{title}">'
        f'<text x="10" y="24" font-size="17">{title}</text>{"".join(drawn)}</svg>'
    )
    return svg.encode()


def _bars(name: str, one: Line, top: int, most: int, spoken: str) -> str:
    parts = [f'<text x="10" y="{top + 8}" font-weight="bold">{escape(name)}</text>']
    labels: Sequence[str] = NAMES[spoken]
    for place, count in enumerate(one.counts):
        y = top + 14 + place * 17
        width = 0 if count is None else round(480 * count / most)
        shown = HIDDEN if count is None else str(count)
        parts.append(f'<text x="10" y="{y + 12}">{labels[place]}</text>')
        parts.append(
            f'<rect x="140" y="{y}" width="{width}" height="14" fill="{COLOURS[place]}"/>'
            f'<text x="{146 + width}" y="{y + 12}">{escape(shown)}</text>'
        )
    return "".join(parts)
